"""Drafting where money counts: its price before it is spent, and Message Batches at half of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from experiments.kit.errors import CannotRun
from experiments.kit.record import Edition
from pipeline.drafting import Report, Task, begin, due, save
from pipeline.drafts import Saved, Written
from pipeline.evidence import Evidence
from pipeline.project import Project
from pipeline.writers import Request, choose, later
from pipeline.writers.batch import Job, write_batch
from pipeline.writers.estimate import Estimate, estimate
from pipeline.writers.outbox import Batch
from pipeline.writers.purse import Purse
from pipeline.writers.service import open_endpoint


@dataclass
class Posted:
    """What `draft_in_batches` did: editions saved, batches under way, and why writings failed."""

    saved: list[Saved] = field(default_factory=list)
    waiting: list[Batch] = field(default_factory=list)
    failed: list[CannotRun] = field(default_factory=list)


def budget_of(project: Project, asked: Decimal | None) -> Decimal | None:
    """USD a command may spend: as asked, else `budget_usd` of `[tool.forge]`, else without bound."""
    if asked is not None:
        return asked
    set_to = Decimal(str(project.settings.budget_usd))
    return set_to or None


def price_posts(
    project: Project, evidences: Iterable[Evidence], writer: str, report: Report, again: bool = False,
    batch: bool = False,
) -> Estimate | None:  # fmt: skip
    """What drafting the editions that are due would cost; None where nothing would be asked of a model."""
    tasks = due(project, evidences, again)
    name = choose(writer)
    if name == "offline" or not tasks:
        return None
    ahead = later(name, Request(project))
    with open_endpoint(name, project) as endpoint:
        jobs = [(task.about, begin(project, task, name, report, {}), ahead) for task in tasks]
        return estimate(project, jobs, endpoint, report, batch)


def draft_in_batches(
    project: Project, evidences: Iterable[Evidence], writer: str, report: Report, *, again: bool = False,
    budget_usd: Decimal | None = None, wait: bool = False,
) -> Posted:  # fmt: skip
    """Write what is due through Message Batches, each post saved as soon as its due editions are written.

    Editions do not see each other while they are written: what one asks must be the same whichever is ready first, or
    an answer that was paid for would not be found again. Their comparison is left to `forge check`.
    """
    if choose(writer) != "anthropic":
        raise CannotRun("--batch is the Messages API's: it needs --writer anthropic and a key")
    tasks = due(project, evidences, again)
    done: dict[tuple[str, Edition], Written] = {}
    posted = Posted()

    def finished(task: Task, written: Written) -> None:
        done[task.evidence.post.slug, task.edition] = written
        slug = task.evidence.post.slug
        if all((slug, each.edition) in done for each in tasks if each.evidence.post.slug == slug):
            posted.saved += save(project, task.evidence, done)

    with open_endpoint("anthropic", project) as endpoint:
        jobs = [
            Job(task.about, begin(project, task, "anthropic", report, {}), partial(finished, task)) for task in tasks
        ]
        posting = write_batch(project, jobs, endpoint, Purse(budget_usd), report, wait)
    posted.waiting, posted.failed = posting.waiting, posting.failed
    return posted
