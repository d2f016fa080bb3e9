"""Prices before spending, against sums done by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from experiments.kit.errors import CannotRun
from pipeline.writers.calls import About
from pipeline.writers.conversation import Later
from pipeline.writers.estimate import ENOUGH, FILLED, Estimate, estimate
from tests.writers.helpers import ABOUT, MODEL, OTHER, Desk, calls, endpoint
from tests.writers.messages_server import Reply, Server

MANAGER = About(1, "coin-post", "manager")
SECTIONS = Later("sections", most=1, likely=1, max_tokens=1000, request_chars=400)
REPAIR = Later("repair", most=2, likely=0, max_tokens=100, request_chars=200, history=True)


def price(desk: Desk, server: Server, *later: Later, **more: object) -> Estimate:
    jobs = [(ABOUT, calls("task"), later), (MANAGER, calls("plain task"), later)]
    return estimate(desk.project, jobs, endpoint(server, **more), desk.told.append)  # type: ignore[arg-type]


def test_a_first_call_by_hand(desk: Desk, server: Server) -> None:
    row, second = price(desk, server).rows
    assert server.seen == [] and server.paths.count("POST /v1/messages/count_tokens") == 3, "the stable part once"
    tokens, stable = row.prompt_tokens, row.stable_tokens
    assert 0 < stable < tokens < second.prompt_tokens
    # Worst: an answer of 200 tokens, continued three times, each time with all of it in the prompt again.
    prompts = sum(tokens + part * 240 for part in range(4))
    assert row.worst_usd == (prompts * Decimal("2.5") + 4 * 200 * 10) / 10**6
    assert (row.calls_worst, row.output_worst, row.calls_likely, row.output_likely) == (4, 800, 1, 70)
    new = tokens - stable
    assert row.likely_usd == (new * 2 + stable * Decimal("2.5") + 70 * 10) / 10**6
    new = second.prompt_tokens - stable
    assert second.likely_usd == (new * 2 + stable * Decimal("0.1") + 70 * 10) / 10**6, "read from the cache"


def test_later_calls_are_bounded_with_their_history(desk: Desk, server: Server) -> None:
    row = price(desk, server, SECTIONS, REPAIR).rows[0]
    assert row.calls_worst == 4 * (1 + 1 + 2) and row.output_worst == 4 * (200 + 1000 + 2 * 100)
    sections = row.stable_tokens + 200
    repair = sections + 4000 + 100  # what the sections were asked with, their longest answer, the request
    usd = Decimal(0)
    for prompt, most, times in ((row.prompt_tokens, 200, 1), (sections, 1000, 1), (repair, 100, 2)):
        usd += times * (sum(prompt + part * (most + 40) for part in range(4)) * Decimal("2.5") + 4 * most * 10) / 10**6
    assert row.worst_usd == usd
    assert row.calls_likely == 2


def test_every_fallback_model_is_in_the_worst_price(desk: Desk, server: Server) -> None:
    one = price(desk, server).rows[0]
    both = price(desk, server, models=(MODEL, OTHER)).rows[0]
    assert both.worst_usd == one.worst_usd * 3, "the other costs twice as much"
    assert both.likely_usd == one.likely_usd


def test_how_far_answers_fill_their_limit_is_measured(desk: Desk, server: Server) -> None:
    before = price(desk, server)
    assert (before.filled, before.measured_on) == (FILLED, 0)
    server.answer = lambda request: Reply("x" * 400)  # 100 of 200 tokens
    desk.run(calls(*[f"prompt {number}" for number in range(ENOUGH)]))
    after = price(desk, server)
    assert (after.filled, after.measured_on) == (0.5, ENOUGH) and after.rows[0].output_likely == 100


def test_kept_answers_cost_nothing(desk: Desk, server: Server) -> None:
    desk.ask("task")
    row, other = price(desk, server).rows
    assert row.kept and row.worst_usd == row.likely_usd == 0 and not other.kept and other.worst_usd > 0


def test_a_free_endpoint_costs_nothing_and_says_why(desk: Desk, server: Server) -> None:
    free = replace(endpoint(server, ("some.gguf",)), name="local", prices=None)
    priced = estimate(desk.project, [(ABOUT, calls("task"), (SECTIONS,))], free, desk.told.append)
    assert priced.worst_usd == 0 and priced.source == "the endpoint is declared free" and priced.since is None
    assert priced.rows[0].prompt_tokens > 0 and priced.rows[0].calls_worst == 8


def test_a_price_that_is_not_known_is_an_error(desk: Desk, server: Server) -> None:
    with pytest.raises(CannotRun, match="no price is known for the model 'claude-opus-5-6'"):
        price(desk, server, models=("claude-opus-5-6",))
    assert server.paths == []


def test_counting_goes_through_the_same_patience(desk: Desk, server: Server) -> None:
    server.count_faults = [
        Reply(status=529, error="overloaded_error"),
        Reply(status=200, raw=b"{}", content_type="x/y"),
    ]
    assert price(desk, server).rows[0].prompt_tokens > 0
    server.count_faults = [Reply(status=401, error="authentication_error")]
    with pytest.raises(CannotRun, match="counting tokens: the key is not accepted"):
        price(desk, server)
