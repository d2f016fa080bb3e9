"""Message Batches over real HTTP: rounds, resuming by id, failures inside a batch, and no call submitted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from experiments.kit.errors import CannotRun
from pipeline.drafts import Written
from pipeline.prompt import Prompt
from pipeline.writers import batch as batch_module
from pipeline.writers import outbox as outbox_module
from pipeline.writers.batch import Job, Posting, write_batch
from pipeline.writers.calls import About
from pipeline.writers.conversation import Answer, Call, ContextOverflow, Writing
from pipeline.writers.endpoint import Patience
from pipeline.writers.purse import BudgetReached, Purse
from tests.writers.helpers import ABOUT, MODEL, OTHER, Desk, calls, endpoint, spent
from tests.writers.messages_server import Reply, Server


def echo(request: dict[str, Any]) -> Reply:
    """An answer that says what was asked."""
    return Reply(f"<{request['messages'][-1]['content']}>")


class Press:
    """Writings under names; `turn` is one command."""

    def __init__(self, desk: Desk, **writings: Callable[[], Writing]) -> None:
        self.desk = desk
        self.writings = writings
        self.done: dict[str, Written] = {}

    def turn(self, purse: Purse | None = None, wait: bool = False, **to: object) -> Posting:
        jobs = [
            Job(About(1, "coin-post", name), make(), lambda written, name=name: self.done.update({name: written}))
            for name, make in self.writings.items()
            if name not in self.done
        ]
        asked = endpoint(self.desk.server, **to)  # type: ignore[arg-type]
        return write_batch(self.desk.project, jobs, asked, purse or Purse(), self.desk.told.append, wait)


def submitted(server: Server) -> list[str]:
    """The last word of every request in every batch."""
    return [one["params"]["messages"][-1]["content"] for batch in server.batches.values() for one in batch["requests"]]


def test_each_round_is_one_batch_and_costs_half(desk: Desk, server: Server) -> None:
    server.answer = echo
    press = Press(desk, scientist=lambda: calls("s1", "s2"), manager=lambda: calls("m1", "m2", "m3"))
    (waiting,) = press.turn().waiting
    assert waiting.id == "msgbatch_1" and submitted(server) == ["s1", "m1"]
    (still,) = press.turn().waiting
    assert still.id == "msgbatch_1" and len(server.batches) == 1, "found in progress, nothing is sent"
    server.end_batches()
    (second,) = press.turn().waiting
    assert second.id == "msgbatch_2" and submitted(server)[2:] == ["s2", "m2"]
    server.end_batches()
    assert len(press.turn().waiting) == 1
    assert press.done["scientist"].body == "<s1>|<s2>" and submitted(server)[4:] == ["m3"]
    server.end_batches()
    assert press.turn().waiting == []
    assert press.done["manager"].body == "<m1>|<m2>|<m3>" and server.seen == [], "nothing went live"
    assert {line.how for line in desk.lines} == {"batch"} and len(desk.lines) == 5
    full = sum(Decimal(10 * 2 + line.usage.get("output", 0) * 10) for line in desk.lines) / 10**6
    assert spent(desk.lines) == full / 2


def test_a_request_in_a_batch_is_what_goes_live_but_for_streaming(desk: Desk, server: Server) -> None:
    Press(desk, scientist=lambda: calls("task")).turn()
    (one,) = server.batches["msgbatch_1"]["requests"]
    desk.ask("other")
    live = {key: value for key, value in server.seen[0].items() if key != "stream"}
    live["messages"] = [{"role": "user", "content": "task"}]
    assert one["params"] == live and len(one["custom_id"]) == 32


def test_what_was_answered_live_is_not_posted_and_the_other_way_round(desk: Desk, server: Server) -> None:
    server.answer = echo
    desk.ask("one")
    press = Press(desk, scientist=lambda: calls("one", "two"))
    press.turn()
    assert submitted(server) == ["two"]
    with pytest.raises(CannotRun, match="batch msgbatch_1 is under way with this call"):
        desk.run(calls("one", "two"))
    server.end_batches()
    purse = Purse()
    assert desk.run(calls("one", "two"), purse).body == "<one>|<two>"
    assert len(server.seen) == 1, "the live command took the batch's answer"
    assert purse.paid == Decimal(desk.lines[-1].usd or 0) > 0
    assert press.turn().waiting == [] and press.done["scientist"].body == "<one>|<two>"


def test_equal_calls_of_two_writings_are_one_request(desk: Desk, server: Server) -> None:
    press = Press(desk, scientist=lambda: calls("same"), manager=lambda: calls("same"))
    press.turn()
    assert submitted(server) == ["same"]
    server.end_batches()
    press.turn()
    assert press.done["scientist"].body == press.done["manager"].body == "An answer."
    assert len(desk.lines) == 1


@pytest.mark.parametrize("result", ["expired", "canceled", "errored", "a new kind"])
def test_what_came_back_without_an_answer_goes_into_the_next_batch(desk: Desk, server: Server, result: str) -> None:
    press = Press(desk, a=lambda: calls("a"), b=lambda: calls("b"), c=lambda: calls("c"))
    press.turn()
    server.queue = [Reply("A."), Reply(result=result, error="overloaded_error"), Reply("C.")]
    server.end_batches()
    (waiting,) = press.turn().waiting
    assert sorted(press.done) == ["a", "c"] and submitted(server)[3:] == ["b"] and len(waiting.calls) == 1
    server.queue = [Reply("B.")]
    server.end_batches()
    assert press.turn().waiting == [] and press.done["b"].body == "B."
    assert len(desk.lines) == 3, "each answer was paid for once, and failures cost nothing"


def test_an_empty_answer_is_paid_for_and_posted_again(desk: Desk, server: Server) -> None:
    press = Press(desk, a=lambda: calls("a"))
    press.turn()
    server.queue = [Reply("")]
    server.end_batches()
    press.turn()
    assert len(server.batches) == 2 and len(desk.lines) == 1
    server.end_batches()
    press.turn()
    assert press.done["a"].body == "An answer." and len(desk.lines) == 2


def test_a_call_is_posted_three_times_at_most(desk: Desk, server: Server) -> None:
    press = Press(desk, a=lambda: calls("a"), b=lambda: calls("b"))
    for _ in range(3):
        press.turn()
        server.answer = lambda request: (
            Reply(result="expired") if request["messages"][0]["content"] == "a" else Reply("B.")
        )
        server.end_batches()
    posting = press.turn()
    assert posting.waiting == [] and len(server.batches) == 3 and press.done["b"].body == "B."
    (failed,) = posting.failed
    assert "came back from 3 batches without an answer: 504 expired" in str(failed) and "without --batch" in str(failed)
    server.answer = echo
    assert desk.ask("a") == "<a>"
    assert press.turn().failed == [] and press.done["a"].body == "<a>"


def test_an_error_that_stays_fails_its_writing_only(desk: Desk, server: Server) -> None:
    press = Press(desk, a=lambda: calls("a"), b=lambda: calls("b"))
    press.turn()
    server.queue = [Reply(result="errored", error="invalid_request_error", message="bad effort"), Reply("B.")]
    server.end_batches()
    posting = press.turn()
    assert "bad effort" in str(posting.failed[0]) and press.done["b"].body == "B." and posting.waiting == []


def test_a_call_that_does_not_fit_is_trimmed_also_by_a_later_command(desk: Desk, server: Server) -> None:
    def writing() -> Writing:
        for prompt in ("all", "half"):
            try:
                answer: Answer = yield Call(prompt, Prompt("The rules.", prompt), 100)
                return Written({}, answer.text, "", "anthropic")
            except ContextOverflow as error:
                assert (error.tokens, error.limit) == (9, 5)
        raise AssertionError

    press = Press(desk, a=writing)
    press.turn()
    server.queue = [Reply(result="errored", error="invalid_request_error", message="prompt is too long: 9 tokens > 5")]
    server.end_batches()
    press.turn()
    press.turn()
    assert submitted(server) == ["all", "half"]
    server.end_batches()
    press.turn()
    assert press.done["a"].body == "An answer."


def test_continuations_and_refusals_go_in_rounds_too(desk: Desk, server: Server) -> None:
    press = Press(desk, a=lambda: calls("a"), b=lambda: calls("b"))
    both = (MODEL, OTHER)
    press.turn(models=both)
    server.queue = [Reply("Half, ", "max_tokens"), Reply("", "refusal", details={"type": "refusal", "category": "bio"})]
    server.end_batches()
    press.turn(models=both)
    requests = [one["params"] for one in server.batches["msgbatch_2"]["requests"]]
    assert [len(request["messages"]) for request in requests] == [3, 1]
    assert [request["model"] for request in requests] == [MODEL, OTHER]
    server.queue = [Reply("whole."), Reply("Mine.")]
    server.end_batches()
    press.turn(models=both)
    assert press.done["a"].body == "Half, whole." and press.done["b"].model == OTHER


def test_waiting_runs_all_rounds(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "POLL_SECONDS", 0.01)
    server.answer, server.end_at_once = echo, True
    press = Press(desk, a=lambda: calls("a1", "a2"), b=lambda: calls("b1"))
    assert press.turn(wait=True).waiting == []
    assert press.done["a"].body == "<a1>|<a2>" and len(server.batches) == 2


def test_the_budget_bounds_a_batch_beside_those_under_way(desk: Desk, server: Server) -> None:
    press = Press(desk, a=lambda: calls("a", max_tokens=1000))  # at most 0.005 for the answer, half the live price
    with pytest.raises(BudgetReached, match="a batch of 1 calls: it could cost up to"):
        press.turn(Purse(Decimal("0.004")))
    assert server.batches == {} and list((desk.root / ".forge").rglob("batches/*.json")) == []
    press.turn(Purse(Decimal("0.006")))
    assert len(server.batches) == 1
    more = Press(desk, b=lambda: calls("b", max_tokens=1000))
    with pytest.raises(BudgetReached, match=r"a batch of 1 calls beside \$0.0050 under way"):
        more.turn(Purse(Decimal("0.006")))


def test_a_batch_whose_answer_was_lost_is_found_again(desk: Desk, server: Server) -> None:
    server.batch_faults = ["drop"]
    (waiting,) = Press(desk, a=lambda: calls("a")).turn().waiting
    assert waiting.id == "msgbatch_1" and len(server.batches) == 1, "not submitted again"
    assert any("batch msgbatch_1 had reached the service" in line for line in desk.told)


def test_an_overloaded_service_is_asked_again(desk: Desk, server: Server) -> None:
    server.batch_faults = ["overloaded", "overloaded"]
    (waiting,) = Press(desk, a=lambda: calls("a")).turn().waiting
    assert waiting.id == "msgbatch_1" and server.paths.count("POST /v1/messages/batches") == 3


def test_another_batch_of_the_account_is_not_taken_for_ours(desk: Desk, server: Server) -> None:
    """Somebody else submits one call in the very moment ours gets lost: told apart by what its results are for."""
    server.batch_faults = ["overloaded"] * 2
    impatient = Patience(deadline=5, idle=1, connect=1, pause=0.01, attempts=2)
    press = Press(desk, a=lambda: calls("a"))
    with pytest.raises(CannotRun, match="submitting a batch: it failed 2 times"):
        press.turn(patience=impatient)
    theirs = [{"custom_id": "x" * 32, "params": {"messages": [{"content": "theirs"}]}}]
    server.batches["msgbatch_9"] = {
        "requests": theirs, "processing_status": "in_progress", "created_at": "2026-11-21T10:00:00Z"
    }  # fmt: skip
    (waiting,) = press.turn().waiting
    assert waiting.id == "msgbatch_9", "it might be ours: one call, submitted since"
    server.end_batches()
    (waiting,) = press.turn().waiting
    assert waiting.id == "msgbatch_1" and waiting.foreign == ("msgbatch_9",) and desk.lines == []
    server.end_batches()
    press.turn()
    assert press.done["a"].body == "An answer."


def test_a_batch_the_service_does_not_know_is_told(desk: Desk, server: Server) -> None:
    press = Press(desk, a=lambda: calls("a"))
    press.turn()
    server.batches.clear()
    with pytest.raises(CannotRun, match=r"knows no batch msgbatch_1 .*\n  fix: use the key .* delete \.forge/batches/"):
        press.turn()


def test_results_cut_off_are_read_again(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    press = Press(desk, a=lambda: calls("a"), b=lambda: calls("b"))
    press.turn()
    server.end_batches()
    lines, reads = server.results["msgbatch_1"], []

    class Torn(list):  # type: ignore[type-arg]
        def __iter__(self):  # type: ignore[no-untyped-def]
            reads.append(1)
            return iter([*lines[:1], "no object"] if len(reads) < 4 else lines)

    server.results["msgbatch_1"] = Torn(lines)
    press.turn()
    assert sorted(press.done) == ["a", "b"] and len(desk.lines) == 2


def test_unreadable_results_are_no_answers(desk: Desk, server: Server) -> None:
    press = Press(desk, a=lambda: calls("a"))
    press.turn(patience=Patience(deadline=2, idle=1, connect=1, pause=0.01, attempts=2))
    server.end_batches()
    server.results["msgbatch_1"] = [
        {"custom_id": server.results["msgbatch_1"][0]["custom_id"], "result": {"type": "succeeded", "message": {}}}
    ]
    with pytest.raises(CannotRun, match="results: it failed 2 times: a message without content"):
        press.turn(patience=Patience(deadline=2, idle=1, connect=1, pause=0.01, attempts=2))
    assert desk.lines == []


def test_a_secret_keeps_its_call_out_of_the_batch(desk: Desk, server: Server) -> None:
    key = "sk-" + "ant-api03-" + "a1B2c3D4" * 8
    posting = Press(desk, a=lambda: calls(f"key {key}"), b=lambda: calls("b")).turn()
    assert "nothing was sent" in str(posting.failed[0]) and submitted(server) == ["b"]


def test_a_kill_at_any_write_submits_nothing_twice(desk: Desk, server: Server) -> None:
    """A process that dies (SIGKILL) after its first, second, third... file is written, until one gets through."""
    server.answer = echo
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from pipeline.writers import calls as log, outbox
        from pipeline.writers.batch import Job, write_batch
        from pipeline.writers.purse import Purse
        from tests.writers.helpers import ABOUT, Desk, calls, endpoint
        from tests.writers.messages_server import Server

        left = int(sys.argv[1])
        def counted(path, data, write=log.atomic_write):
            global left
            write(path, data)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        log.atomic_write = outbox.atomic_write = counted
        server = Server({server.url!r})
        desk = Desk(Path({str(desk.root)!r}), server)
        done = []
        jobs = [Job(ABOUT, calls("a1", "a2"), done.append), Job(ABOUT, calls("b1"), done.append)]
        posting = write_batch(desk.project, jobs, endpoint(server), Purse(), print)
        print(sorted(w.body for w in done), len(posting.waiting))
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}

    def command(writes: int) -> subprocess.CompletedProcess[str]:
        server.end_batches()
        run = [sys.executable, "-c", script, str(writes)]
        return subprocess.run(run, capture_output=True, text=True, env=environment, timeout=120)

    for writes in (1, 2, 1, 2, 1, 2, 1):
        assert command(writes).returncode in (-signal.SIGKILL, 0)
    last = command(0)
    for _ in range(3):
        if "['<a1>|<a2>', '<b1>'] 0" in last.stdout:
            break
        last = command(0)
    assert "['<a1>|<a2>', '<b1>'] 0" in last.stdout, last.stderr + last.stdout
    assert sorted(submitted(server)) == ["a1", "a2", "b1"], "each call was submitted once"
    assert len(desk.log.all_lines()) == 3


def test_a_batch_s_file_that_cannot_be_read_is_named(desk: Desk) -> None:
    press = Press(desk, a=lambda: calls("a"))
    press.turn()
    (path,) = (desk.root / ".forge" / "batches").glob("*.json")
    whole = json.loads(path.read_text())
    assert whole["id"] == "msgbatch_1" and whole["state"] == "open"
    path.write_text("[]")
    with pytest.raises(CannotRun, match=r"\.forge/batches/\w+\.json cannot be read"):
        press.turn()


def test_a_batch_needs_a_batch_price(desk: Desk, server: Server) -> None:
    asked = endpoint(server)
    assert asked.prices is not None
    rows = tuple(replace(row, batch=None) for row in asked.prices.rows)
    asked = replace(asked, prices=replace(asked.prices, rows=rows))
    with pytest.raises(CannotRun, match="no batch price is known for claude-sonnet-5-5"):
        write_batch(desk.project, [Job(ABOUT, calls("a"), lambda written: None)], asked, Purse(), print)
    assert outbox_module.LISTED and server.paths == []
