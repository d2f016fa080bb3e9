"""Run a writing against a model as it goes: each call is taken from the log or sent, and its answer handed back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from experiments.kit.errors import CannotRun
from pipeline.drafts import Written
from pipeline.project import Project
from pipeline.writers.calls import About, CallLog, Reply
from pipeline.writers.conversation import ContextOverflow, Writing
from pipeline.writers.dialogue import Dialogue
from pipeline.writers.endpoint import Endpoint, Fields
from pipeline.writers.outbox import Outbox
from pipeline.writers.outgoing import refuse_secrets
from pipeline.writers.purse import Purse
from pipeline.writers.send import Message, Report, count_tokens, send


def write_live(
    project: Project, writing: Writing, endpoint: Endpoint, about: About, purse: Purse, report: Report
) -> Written:
    """What a writing returns, its calls answered one after the other.

    Raises CannotRun: BudgetReached before a call that could exceed the purse, ContextOverflow where the writing does
    not make its call smaller, and with words and a fix for everything else. What arrived is kept.
    """
    log = CallLog(project)
    dialogue = Dialogue(writing, endpoint, about)
    try:
        while dialogue.request is not None:
            try:
                reply = log.get(endpoint.key(dialogue.request)) or _ask(project, dialogue, log, purse, report)
            except ContextOverflow as error:
                report(f"{dialogue.what}: does not fit the model's context; asking with less")
                dialogue.overflow(error)
                continue
            told = dialogue.take(reply)
            if told:
                report(told)
    finally:
        dialogue.close()
    assert dialogue.written is not None
    return dialogue.written


def _ask(project: Project, dialogue: Dialogue, log: CallLog, purse: Purse, report: Report) -> Reply:
    """Send the waiting call and keep its answer."""
    request, endpoint, about, what = dialogue.request, dialogue.endpoint, dialogue.about, dialogue.what
    assert request is not None
    refuse_secrets(project, request, what)
    collected = _from_batch(project, endpoint, request, purse, report)
    if collected is not None:
        return collected
    worst = worst_price(endpoint, request, what, report) if purse.limit is not None else Decimal(0)
    replies: list[Reply] = []

    def paid(message: Message) -> None:
        replies.append(log.arrived(endpoint, request, what, about, "live", message))
        purse.calls += 1
        purse.paid += worst if (spent := replies[-1].usd) is None else spent

    def lost(usage: Mapping[str, Any]) -> None:
        purse.lost += log.lost(endpoint, request, what, about, usage)

    send(endpoint, request, what, report, before=lambda: purse.allow(worst, what), paid=paid, lost=lost)
    return replies[-1]


def worst_price(endpoint: Endpoint, request: Fields, what: str, report: Report, batch: bool = False) -> Decimal:
    """The most a call can cost, its prompt counted by the server; nothing is counted where the endpoint is free."""
    if endpoint.prices is None:
        return Decimal(0)
    tokens = count_tokens(endpoint, request, what, report)
    return endpoint.worst(request["model"], tokens, request["max_tokens"], batch)


def _from_batch(project: Project, endpoint: Endpoint, request: Fields, purse: Purse, report: Report) -> Reply | None:
    """The answer of a batch this call is in; None where it is in none. Raises CannotRun while that batch runs."""
    outbox, key = Outbox(project, endpoint, report), endpoint.key(request)
    for batch in outbox.under_way():
        if key in batch.calls:
            replies = outbox.collect(batch)
            if replies is None:
                raise CannotRun(
                    f"batch {batch.id} is under way with this call; sent live as well, it would be paid for twice\n"
                    "  fix: run the command with --batch to go on with it (--batch --wait to wait for it)"
                )
            purse.add(replies.values())
            if key in replies:
                return replies[key]
    return None
