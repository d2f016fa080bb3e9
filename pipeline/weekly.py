"""The weekly loop: bring a week's results, drafts, checks and preview up to date, doing only what is out of date.

Each step is safe to kill: results, drafts and previews change whole or not at all, and the next call goes on where
this one stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from experiments.kit.contract import Budget
from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS
from experiments.kit.run import RunReport, run_study
from pipeline.drafting import draft_posts
from pipeline.drafts import Saved
from pipeline.evidence import gather, open_vault
from pipeline.finding import Finding
from pipeline.plan import load_week
from pipeline.preview import Preview, build_preview
from pipeline.project import Project
from pipeline.review import EditionState, edition_state
from pipeline.spending import budget_of
from pipeline.transaction import locked
from pipeline.writers import choose

Report = Callable[[str], None]


@dataclass
class WeekReport:
    """What `bring_up_to_date` did."""

    number: int
    budget: Budget
    runs: list[RunReport] = field(default_factory=list)
    drafts: list[Saved] = field(default_factory=list)
    states: list[EditionState] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    preview: Preview | None = None
    writer: str = ""
    seconds: float = 0.0

    @property
    def idle(self) -> bool:
        """Whether there was nothing to run, draft or build."""
        return not (self.drafts or any(run.reasons for run in self.runs) or (self.preview and self.preview.built))


def week_studies(project: Project, number: int) -> list[str]:
    """The studies a week's note names. Raises CannotRun where the note cannot be used."""
    week, findings = load_week(open_vault(project), number)
    if week is None:
        raise CannotRun(f"week {number} cannot be read:\n" + "\n".join(str(finding) for finding in findings))
    return [experiment.study for experiment in week.experiments if experiment.study]


def bring_up_to_date(
    project: Project,
    number: int,
    budget: Budget,
    writer: str,
    *,
    jobs: int | None = None,
    cluster: str | None = None,
    report: Report = lambda line: None,
) -> WeekReport:
    """Run, draft, check and preview a week. Raises CannotRun; findings are in the report."""
    began = time.perf_counter()
    done = WeekReport(number, budget, writer=choose(writer))
    with locked(project):
        for study in week_studies(project, number):
            done.runs.append(run_study(study, budget, root=project.root, jobs=jobs, cluster=cluster, report=report))
        evidences, findings = gather(project, open_vault(project), number, budget)
        done.findings += findings
        for evidence in evidences:
            done.findings += evidence.findings
        done.drafts = draft_posts(project, evidences, writer, report, budget_usd=budget_of(project, None))
        done.states = [
            edition_state(project, evidence, edition, queue=True) for evidence in evidences for edition in EDITIONS
        ]
        done.preview = build_preview(project, evidences, done.states, report)
    done.seconds = time.perf_counter() - began
    return done
