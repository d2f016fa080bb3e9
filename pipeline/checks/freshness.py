"""Values from results that no longer match their run: edited files, changed code, uncommitted code.

Uncommitted code is a warning here, so that a week can be drafted while its code is written; `review.decide` refuses to
approve such values, and `publish` an approval of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.asked import studies_behind
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.results import stale_studies


def check(subject: Subject) -> Iterator[Finding]:
    """Stale and dirty results, once for each study or file, at the first place in the draft that uses it."""
    results = subject.evidence.results
    name = subject.project.relative(subject.draft.path)
    used: dict[str, int | None] = {}
    made = subject.rendered
    studies = {key: studies_behind(record, results.facts) for key, record in made.facts.items()}
    studies |= {key: studies_behind(record, results.facts) for key, record in made.claims.items()}
    studies |= {key: {record.study} for key, record in made.figures.items()}
    for use in made.uses:
        for study in studies.get(use.key, ()):
            used.setdefault(study, use.line)
    for folder, problem in results.problems():
        where = subject.project.relative(folder.folder)
        yield Finding("stale-results", "error", f"{where}: {problem}", f"{where}/run.json", fix="forge run --again")
    for study, reasons in stale_studies(subject.project, results).items():
        # Those two are reported below and above, each in its own words.
        reasons = [r for r in reasons if not r.startswith("results folder:") and "uncommitted code" not in r]
        if study in used and reasons:
            message = f"values of {study} are stale: {'; '.join(reasons)}"
            yield Finding("stale-results", "error", message, name, used[study], fix=f"forge run {study}", key=study)
    for study, run in results.runs.items():
        if study in used and run.dirty:
            message = f"{study} was measured from code that is not committed"
            fix = f"commit experiments/, then `forge run {study}` stamps the commit"
            yield Finding("dirty-results", "warning", message, name, used[study], fix=fix, key=study)
