"""Drafting: which editions are due, how their writing begins, and where its result goes.

A writer is an earlier stage than the checks, and needs them to mend what it wrote; here they meet. Who drives a
writing (live, in a batch, or for an estimate alone) is up to the caller: `draft_posts` drives live.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS, Edition
from pipeline.checks import check_draft
from pipeline.drafts import Draft, Saved, Written, compose, folder_of, load_draft, load_state, save_written, split_front
from pipeline.evidence import Evidence
from pipeline.finding import Finding
from pipeline.project import Project
from pipeline.review import last_review
from pipeline.writers import Request, choose, start
from pipeline.writers.calls import About
from pipeline.writers.conversation import Writing
from pipeline.writers.endpoint import Endpoint
from pipeline.writers.live import write_live
from pipeline.writers.purse import Purse
from pipeline.writers.service import open_endpoint

Report = Callable[[str], None]
Finished = Mapping[tuple[str, Edition], Written]
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
# No wording mends these: the runs or their files do.
NOT_BY_WORDS = ("stale-results", "dirty-results", "figure-hash", "listing-drift")


@dataclass(frozen=True)
class Task:
    """One edition that is due, why, and what a person asked for when they sent the last draft back."""

    evidence: Evidence
    edition: Edition
    reason: str
    instruction: str = ""

    @property
    def about(self) -> About:
        """What its calls are for, as the cost record names it."""
        return About(self.evidence.week.number, self.evidence.post.slug, self.edition)


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


def due(project: Project, evidences: Iterable[Evidence], again: bool = False) -> list[Task]:
    """The editions to write now, post by post. Raises CannotRun on a slug that cannot name a folder."""
    tasks = []
    for evidence in evidences:
        slug = evidence.post.slug
        if not SLUG.match(slug):
            where = evidence.week.note.file
            fix = "lower-case words and digits, joined by hyphens"
            raise CannotRun(f"{where}: {slug!r} cannot name a post's folder\n  fix: {fix}")
        for edition in EDITIONS:
            reason = "asked to draft again" if again else draft_reason(project, evidence, edition)
            if reason:
                review = last_review(project, slug, edition)
                instruction = review.reason if review is not None and review.decision == "sent-back" else ""
                tasks.append(Task(evidence, edition, reason, instruction))
    return tasks


def begin(project: Project, task: Task, writer: str, report: Report, done: Finished) -> Writing:
    """Begin the writing of a task. `done` is looked into whenever the writing is checked: the Manager edition is held
    against the Scientist edition as it then stands."""
    return start(
        writer, task.evidence, task.edition, Request(project, task.instruction, report, _checks(project, task, done))
    )


def _checks(project: Project, task: Task, done: Finished) -> Callable[[Mapping[str, Any], str], list[Finding]]:
    """The checks as a writer sees them: findings about the text alone, their lines counted in the body."""
    slug = task.evidence.post.slug

    def check(front: Mapping[str, Any], body: str) -> list[Finding]:
        draft = _as_draft(project, slug, task.edition, front, body)
        other = None
        if task.edition == "manager":
            new = done.get((slug, "scientist"))
            other = (
                _as_draft(project, slug, "scientist", new.front, new.body)
                if new is not None
                else load_draft(project, slug, "scientist")
            )
        name = project.relative(draft.path)
        first = draft.body_line + len(draft.body) - len(draft.body.lstrip("\n"))
        return [
            replace(finding, line=None if finding.line is None else finding.line - first + 1)
            for finding in check_draft(project, task.evidence, draft, other)
            if finding.file == name and finding.check not in NOT_BY_WORDS
        ]

    return check


def _as_draft(project: Project, slug: str, edition: Edition, front: Mapping[str, Any], body: str) -> Draft:
    """A draft that is not on disk yet, as it would lie there."""
    path = folder_of(project, slug) / f"{edition}.md"
    text = compose(front, body)
    read, rest, line = split_front(text, project.relative(path))
    return Draft(slug, edition, path, text, read, rest, line)


def draft_posts(
    project: Project,
    evidences: Iterable[Evidence],
    writer: str,
    report: Report,
    again: bool = False,
    budget_usd: Decimal | None = None,
) -> list[Saved]:
    """Write what is due, each post saved as soon as both its editions are written. `budget_usd` bounds the spending."""
    tasks = due(project, evidences, again)
    name = choose(writer)
    saved: list[Saved] = []
    with ExitStack() as stack:
        endpoint = stack.enter_context(open_endpoint(name, project)) if tasks and name != "offline" else None
        purse = Purse(budget_usd)
        for slug, group in groupby(tasks, key=lambda task: task.evidence.post.slug):
            done: dict[tuple[str, Edition], Written] = {}
            for task in group:
                report(f"{slug}: drafting the {task.edition} edition with {name} ({task.reason})")
                writing = begin(project, task, name, report, done)
                done[slug, task.edition] = run(project, task, writing, endpoint, purse, report)
            saved += save(project, task.evidence, done)
    return saved


def run(
    project: Project, task: Task, writing: Writing, endpoint: Endpoint | None, purse: Purse, report: Report
) -> Written:
    """What a writing returns. Without an endpoint it must ask for nothing, as the offline writer does."""
    if endpoint is not None:
        return write_live(project, writing, endpoint, task.about, purse, report)
    try:
        call = next(writing)
    except StopIteration as end:
        written: Written = end.value
        return written
    raise AssertionError(f"the offline writer asked for {call.what}")


def save(project: Project, evidence: Evidence, done: Finished) -> list[Saved]:
    """Merge a post's new editions into its folder."""
    slug = evidence.post.slug
    return save_written(
        project, slug, evidence.hash, {edition: new for (post, edition), new in done.items() if post == slug}
    )
