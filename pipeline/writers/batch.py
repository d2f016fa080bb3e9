"""Run many writings through Message Batches, at half the price: each round, all calls that wait are one batch.

A round can take a day, so a command need not wait: what the service has goes on by its id (`outbox.py`), and the same
command later takes the answers and posts the next round. An answer that is kept, live or from a batch, is never asked
for again; a call that came back without one goes into the next batch, `MAX_TRIES` times in all. One writing's failure
does not stop the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from experiments.kit.errors import CannotRun
from pipeline.drafts import Written
from pipeline.project import Project
from pipeline.writers.calls import About, CallLog
from pipeline.writers.conversation import Writing
from pipeline.writers.dialogue import Dialogue
from pipeline.writers.endpoint import Endpoint
from pipeline.writers.faults import ServerError, fatal, overflow
from pipeline.writers.live import worst_price
from pipeline.writers.outbox import Batch, Outbox, Posted
from pipeline.writers.outgoing import refuse_secrets
from pipeline.writers.purse import Purse, usd
from pipeline.writers.send import Report

MAX_TRIES = 3
POLL_SECONDS = 30.0


@dataclass(frozen=True)
class Job:
    """One edition to write. `finished` is told what it became as soon as that is known."""

    about: About
    writing: Writing
    finished: Callable[[Written], None]


@dataclass
class Posting:
    """How far a command came: the batches still under way, and what made writings fail."""

    waiting: list[Batch] = field(default_factory=list)
    failed: list[CannotRun] = field(default_factory=list)


def write_batch(
    project: Project, jobs: Sequence[Job], endpoint: Endpoint, purse: Purse, report: Report, wait: bool = False
) -> Posting:
    """Take every writing as far as answers allow, and post what they ask next.

    Returns when a batch is under way, or with `wait` when every writing is done or has failed. Raises CannotRun where
    nothing can go on, BudgetReached before a batch that could exceed the purse.
    """
    endpoint.check_prices(batch=True)
    outbox, log, posting = Outbox(project, endpoint, report), CallLog(project), Posting()
    refused: dict[str, ServerError] = {}  # what came back without an answer in this command
    talks: list[tuple[Job, Dialogue]] = []
    try:
        for job in jobs:
            try:
                talks.append((job, Dialogue(job.writing, endpoint, job.about)))
            except CannotRun as error:
                posting.failed.append(error)
        while True:
            posting.waiting = _collect(outbox, purse, refused)
            calls: dict[str, Posted] = {}
            for job, dialogue in tuple(talks):
                try:
                    _advance(dialogue, log, outbox, refused, report)
                    if dialogue.request is not None:
                        refuse_secrets(project, dialogue.request, dialogue.what)
                        posted = Posted(dialogue.request, dialogue.what, dialogue.about)
                        calls[endpoint.key(dialogue.request)] = posted
                        continue
                except CannotRun as error:
                    posting.failed.append(error)
                talks.remove((job, dialogue))
                if dialogue.written is not None:
                    job.finished(dialogue.written)
            under_way = {key for batch in posting.waiting for key in batch.calls}
            calls = {key: call for key, call in calls.items() if key not in under_way}
            if calls:
                posting.waiting.append(_post(outbox, calls, endpoint, purse, posting.waiting, report))
            if not (wait and talks and posting.waiting):
                return posting
            told = ", ".join(f"{batch.id} ({len(batch.calls)} calls)" for batch in posting.waiting)
            report(f"waiting for batch {told}; looking again in {POLL_SECONDS:g} s")
            time.sleep(POLL_SECONDS)
    finally:
        for _, dialogue in talks:
            dialogue.close()


def _collect(outbox: Outbox, purse: Purse, refused: dict[str, ServerError]) -> list[Batch]:
    """Take the answers of batches that have ended; those that have not are returned."""
    waiting = []
    for batch in outbox.under_way():
        replies = outbox.collect(batch)
        if replies is None:
            waiting.append(batch)
            continue
        purse.add(replies.values())
        refused |= batch.failed
    return waiting


def _advance(
    dialogue: Dialogue, log: CallLog, outbox: Outbox, refused: Mapping[str, ServerError], report: Report
) -> None:
    """Answer a dialogue from what is kept, as far as that goes. Raises CannotRun where it cannot go on."""
    while dialogue.request is not None:
        key = dialogue.endpoint.key(dialogue.request)
        reply = log.get(key)
        if reply is not None:
            told = dialogue.take(reply)
            if told:
                report(told)
            continue
        failures = outbox.failures(key)
        too_big = overflow(failures[-1]) if failures else None
        if too_big is not None:
            report(f"{dialogue.what}: does not fit the model's context; asking with less")
            dialogue.overflow(too_big)
            continue
        if key in refused and not refused[key].passes:
            raise fatal(refused[key], dialogue.request["model"], dialogue.what)
        if len(failures) >= MAX_TRIES:
            reasons = "; ".join(dict.fromkeys(str(error) for error in failures))
            raise CannotRun(
                f"{dialogue.what}: it came back from {len(failures)} batches without an answer: {reasons}\n"
                "  fix: run it again without --batch; answers that arrived are kept and used"
            )
        return


def _post(
    outbox: Outbox, calls: dict[str, Posted], endpoint: Endpoint, purse: Purse, waiting: list[Batch], report: Report
) -> Batch:
    """Submit the next round, where the purse allows it beside what is under way."""
    worst = Decimal(0)
    if purse.limit is not None:
        for call in calls.values():
            worst += worst_price(endpoint, call.request, call.what, report, batch=True)
        held = sum((batch.worst for batch in waiting), Decimal(0))
        under_way = f" beside {usd(held)} under way" if held else ""
        purse.allow(worst + held, f"a batch of {len(calls)} calls{under_way}")
    batch = outbox.submit(calls, worst)
    report(f"batch {batch.id}: {len(calls)} calls submitted")
    return batch
