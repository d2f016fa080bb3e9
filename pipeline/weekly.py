"""The weekly loop: bring a week's results, drafts, checks and preview up to date, doing only what is out of date.

Each step is safe to kill: results, drafts and previews change whole or not at all, and the next call goes on where
this one stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from experiments.kit.contract import Budget
from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS, Edition
from experiments.kit.run import RunReport, run_study
from pipeline.drafts import Saved, Written, load_draft, load_state, save_written
from pipeline.evidence import Evidence, gather, open_vault
from pipeline.finding import Finding
from pipeline.plan import load_week
from pipeline.preview import Preview, build_preview
from pipeline.project import Project
from pipeline.review import EditionState, edition_state, last_review
from pipeline.transaction import locked
from pipeline.writers import Request, choose, write

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


def draft_reason(project: Project, evidence: Evidence, edition: Edition) -> str:
    """Why an edition would be drafted (again) now; empty when it is up to date."""
    state = load_state(project, evidence.post.slug).get(edition)
    if state is None or load_draft(project, evidence.post.slug, edition) is None:
        return "no draft yet"
    review = last_review(project, evidence.post.slug, edition)
    if review is not None and review.decision == "sent-back" and review.when > state["written"]:
        return f"sent back: {review.reason}"
    if state["evidence"] != evidence.hash:
        return "the evidence changed"
    return ""


def draft_posts(
    project: Project, evidences: list[Evidence], writer: str, report: Report, again: bool = False
) -> list[Saved]:
    """Write what is out of date, each post saved as soon as it is written."""
    saved: list[Saved] = []
    for evidence in evidences:
        reasons: Mapping[Edition, str] = {
            edition: "asked to draft again" if again else draft_reason(project, evidence, edition)
            for edition in EDITIONS
        }
        written: dict[Edition, Written] = {}
        for edition, reason in reasons.items():
            if not reason:
                continue
            report(f"{evidence.post.slug}: drafting the {edition} edition with {choose(writer)} ({reason})")
            review = last_review(project, evidence.post.slug, edition)
            instruction = review.reason if review is not None and review.decision == "sent-back" else ""
            written[edition] = write(writer, evidence, edition, Request(project, instruction, report))
        if written:
            saved += save_written(project, evidence.post.slug, evidence.hash, written)
    return saved


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
        done.drafts = draft_posts(project, evidences, writer, report)
        done.states = [edition_state(project, evidence, edition) for evidence in evidences for edition in EDITIONS]
        done.preview = build_preview(project, evidences, done.states, report)
    done.seconds = time.perf_counter() - began
    return done
