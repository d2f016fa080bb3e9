"""Conflicts of a merge that wait for a person: places and properties that both they and the writer changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.merge import KEPT, conflicts


def check(subject: Subject) -> Iterator[Finding]:
    """Every conflict, at the line where its first text begins."""
    draft = subject.draft
    name = subject.project.relative(draft.path)
    fix = f"forge conflicts {draft.slug} --edition {draft.edition}"
    for conflict in conflicts(draft.body):
        line = draft.body_line + conflict.lines[0] - 1
        message = "you and the writer changed this place differently; both texts are kept here"
        yield Finding("conflict", "error", message, name, line, 1, _short(conflict.mine), fix)
    lost = draft.front.get(KEPT)
    for key in lost if isinstance(lost, Mapping) else ():
        line = next((n for n, row in enumerate(draft.text.split("\n"), 1) if row.startswith(f"{KEPT}:")), 1)
        message = f"you and the writer changed the property {key} differently; the writer's is kept under {KEPT}"
        yield Finding("conflict", "error", message, name, line, 1, fix=fix, key=str(key))


def conflict_lines(subject: Subject) -> set[int]:
    """The lines of the markers that `check` reports, so that they need not be told again as gaps."""
    return {subject.draft.body_line + n - 1 for conflict in conflicts(subject.draft.body) for n in conflict.lines}


def _short(text: str, width: int = 160) -> str:
    one = " ".join(text.split())
    return one if len(one) <= width else one[: width - 1] + "…"
