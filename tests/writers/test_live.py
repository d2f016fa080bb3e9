"""The live driver over real HTTP: what is sent, kept, continued, handed on, bounded and looked through."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.drafts import Written
from pipeline.prompt import Prompt
from pipeline.writers import choose
from pipeline.writers.calls import LEDGER
from pipeline.writers.conversation import Answer, Call, ContextOverflow, Writing
from pipeline.writers.dialogue import MAX_PARTS
from pipeline.writers.endpoint import Endpoint
from pipeline.writers.purse import BudgetReached, Purse
from tests.writers.helpers import MODEL, OTHER, Desk, calls, endpoint, spent
from tests.writers.messages_server import Reply, Server

DECLINED = Reply("", "refusal", details={"type": "refusal", "category": "frontier_llm", "explanation": "no"})


def test_a_request_is_what_the_api_takes(desk: Desk, server: Server) -> None:
    desk.ask()
    sent = server.seen[0]
    assert sent == {
        "model": MODEL,
        "max_tokens": 200,
        "stream": True,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "medium"},
        "system": [{"type": "text", "text": "The rules.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "task"}],
    }
    desk.ask("for an hour", to=endpoint(server, ttl="1h"))
    assert server.seen[1]["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_an_answer_is_kept_and_never_asked_for_again(desk: Desk, server: Server) -> None:
    server.queue = [Reply("A draft in several pieces of text.", thinking="Hm.", usage={"input_tokens": 1000})]
    first = desk.run(calls("task"))
    assert (first.body, first.calls, first.model) == ("A draft in several pieces of text.", 1, MODEL)
    assert first.usd == pytest.approx(0.002 + 8 * 10e-6)
    again = desk.run(calls("task"))
    assert (again.body, again.calls, len(server.seen)) == (first.body, 0, 1)
    assert again.usd == first.usd, "what it cost stays with the text, whoever pays"
    assert len(desk.lines) == 1
    assert desk.ask("another task") == "An answer." and len(server.seen) == 2


def test_what_is_kept(desk: Desk) -> None:
    desk.ask()
    (path,) = (desk.root / ".forge" / "calls").glob("*.json")
    kept = json.loads(path.read_text())
    assert kept["request"]["messages"] == [{"role": "user", "content": "task"}] and kept["text"] == "An answer."
    assert kept["usage"] == {"input": 10, "output": 2} and kept["usd"] == "0.00004"
    assert kept["when"].startswith("20") and len(kept["prompt_version"]) == 12 and kept["request_id"] == "req_1"
    (line,) = desk.lines
    assert (line.week, line.post, line.edition, line.how, line.outcome) == (1, "coin-post", "scientist", "live", "paid")
    assert "task" not in (desk.root / "drafts" / "coin-post" / LEDGER).read_text().replace(line.what, ""), "no text"


def test_deleting_the_log_loses_no_cost(desk: Desk, server: Server) -> None:
    desk.ask()
    for path in (desk.root / ".forge").rglob("*.json"):
        path.unlink()
    desk.ask()
    assert len(server.seen) == 2 and len(desk.log.all_lines()) == 2


def test_a_line_that_a_kill_prevented_is_counted_and_added(desk: Desk) -> None:
    desk.ask()
    record = desk.root / "drafts" / "coin-post" / LEDGER
    record.unlink()
    assert len(desk.log.all_lines()) == 1
    desk.ask()
    assert len(desk.lines) == 1
    desk.ask()
    assert len(desk.lines) == 1


def test_a_torn_line_is_passed_over_and_none_is_glued_to_it(desk: Desk) -> None:
    desk.ask()
    record = desk.root / "drafts" / "coin-post" / LEDGER
    record.write_bytes(record.read_bytes() + b'{"id": "half')
    desk.ask("another")
    assert [line.what for line in desk.lines] == ["the draft: task", "the draft: another"]


def test_an_answer_cut_by_its_length_is_continued(desk: Desk, server: Server) -> None:
    server.queue = [Reply("First half, ", "max_tokens"), Reply("second half.")]
    written = desk.run(calls("task"))
    assert (written.body, written.calls) == ("First half, second half.", 2)
    turns = server.seen[1]["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[1]["content"] == "First half, " and server.seen[1]["system"] == server.seen[0]["system"]
    assert "another part is kept too" and desk.run(calls("task")).calls == 0


def test_a_call_that_may_be_cut_is_handed_over_as_it_is(desk: Desk, server: Server) -> None:
    server.queue = [Reply("As far as it we", "max_tokens")]
    assert desk.run(calls("task", may_be_cut=True)).body == "As far as it we"
    assert len(server.seen) == 1


def test_thinking_that_uses_up_an_answer_is_asked_again_with_less(desk: Desk, server: Server) -> None:
    server.queue = [Reply("", "max_tokens", thinking="Hm."), Reply("Words.")]
    assert desk.ask() == "Words."
    assert [request["output_config"]["effort"] for request in server.seen] == ["medium", "low"]
    server.queue = [Reply("", "max_tokens"), Reply("", "max_tokens")]
    with pytest.raises(
        CannotRun, match="the draft: other: claude-sonnet-5-5 used up its 200 tokens before the first word"
    ):
        desk.ask("other")


def test_turns_are_sent_as_a_conversation(desk: Desk, server: Server) -> None:
    def writing() -> Writing:
        first: Answer = yield Call("outline", Prompt("The rules.", "Outline."), 100)
        second: Answer = yield Call("sections", Prompt("The rules.", "Outline.", ((first.text, "Write."),)), 100)
        return Written({}, second.text, "", "anthropic")

    server.queue = [Reply("The outline."), Reply("The text.")]
    assert desk.run(writing()).body == "The text."
    assert [turn["content"] for turn in server.seen[1]["messages"]] == ["Outline.", "The outline.", "Write."]


def test_a_declined_call_is_asked_of_the_next_model_and_said(desk: Desk, server: Server) -> None:
    server.queue = [Reply("Outline."), DECLINED, Reply("Sections."), Reply("Repair.")]
    written = desk.run(calls("outline", "sections", "repair"), to=endpoint(server, (MODEL, OTHER)))
    assert written.body == "Outline.|Sections.|Repair."
    assert [request["model"] for request in server.seen] == [MODEL, MODEL, OTHER, OTHER]
    assert written.model == f"{MODEL}, {OTHER}"
    assert any(f"{MODEL} declined (frontier_llm, no); asking {OTHER}" in line for line in desk.told)
    assert f"{MODEL} declined the draft: sections (frontier_llm)" in written.notes
    assert f"the draft: outline: written by {MODEL}" in written.notes
    assert f"the draft: repair: written by {OTHER}" in written.notes
    again = desk.run(calls("outline", "sections", "repair"), to=endpoint(server, (MODEL, OTHER)))
    assert (again.body, again.notes[-1], len(server.seen)) == (written.body, written.notes[-1], 4), "nor is a refusal"


def test_a_refusal_stops_where_no_model_is_left(desk: Desk, server: Server) -> None:
    server.queue = [DECLINED]
    with pytest.raises(CannotRun, match=r"(?s)declined \(frontier_llm, no\).*fallback_models = .*\[tool.forge\]"):
        desk.ask()
    server.queue = [Reply("By the fallback.")]
    assert desk.run(calls("task"), to=endpoint(server, (MODEL, OTHER))).body == "By the fallback."
    assert [request["model"] for request in server.seen] == [MODEL, OTHER], "the refusal was kept"


def test_a_call_that_does_not_fit_can_be_made_smaller(desk: Desk, server: Server) -> None:
    seen: list[tuple[int | None, int | None]] = []

    def writing() -> Writing:
        for size in (9000, 3000, 1000):
            try:
                answer: Answer = yield Call(f"with {size}", Prompt("The rules.", "x" * size), 100)
                return Written({}, answer.text, "", "local")
            except ContextOverflow as error:
                seen.append((error.tokens, error.limit))
        raise AssertionError

    server.answer = lambda request: (
        Reply("It fits.")
        if len(request["messages"][0]["content"]) < 2000
        else Reply(status=400, error="invalid_request_error", message="prompt is too long: 9000 tokens > 2000 maximum")
    )
    assert desk.run(writing()).body == "It fits."
    assert seen == [(9000, 2000), (9000, 2000)]
    assert sum("does not fit" in line for line in desk.told) == 2, "nothing is trimmed silently"


def test_a_writing_that_never_trims_enough_stops(desk: Desk, server: Server) -> None:
    def writing() -> Writing:
        while True:
            try:
                yield Call("all of it", Prompt("The rules.", "x"), 100)
            except ContextOverflow:
                continue

    server.answer = lambda request: Reply(status=400, error="exceed_context_size_error")
    with pytest.raises(ContextOverflow):
        desk.run(writing())
    assert len(server.seen) == 21


def test_the_budget_stops_before_a_call_that_could_exceed_it(desk: Desk, server: Server) -> None:
    purse = Purse(Decimal("0.0050"))  # a call of 200 tokens can cost 0.002 for its answer alone
    server.answer = lambda request: Reply("x" * 400)
    with pytest.raises(BudgetReached, match=r"could cost up to \$0.00\d\d, and of the budget of \$0.0050 ") as error:
        desk.run(calls(*map(str, range(9))), purse)
    said = str(error.value)
    assert "it was not sent" in said and "paid so far: $0.00" in said and "--budget-usd 0.01 or more" in said
    assert len(server.seen) >= 2
    assert spent(desk.lines) == purse.paid <= Decimal("0.0050")
    before = len(server.seen)
    assert desk.run(calls(*map(str, range(before))), Purse(Decimal("0.0000001"))).calls == 0, "kept answers are free"


def test_an_attempt_is_weighed_again(desk: Desk, server: Server) -> None:
    server.answer = lambda request: Reply("x" * 60, cut=True, usage={"input_tokens": 400})
    purse = Purse(Decimal("0.0050"))
    with pytest.raises(BudgetReached, match="for answers that broke off"):
        desk.run(calls("task"), purse)
    assert purse.lost + purse.paid <= Decimal("0.0050") and 1 < len(server.seen) < 7
    assert [line.outcome for line in desk.lines] == ["lost"] * len(server.seen)


def test_a_free_endpoint_counts_no_dollars_and_needs_no_price(desk: Desk, server: Server) -> None:
    free = replace(endpoint(server, ("some.gguf",)), name="local", prices=None)
    purse = Purse(Decimal("0.01"))
    assert desk.run(calls("task"), purse, free).usd == 0
    assert purse.paid == 0 and desk.lines[0].usd == "0" and desk.lines[0].usage["input"] == 10
    assert not any(path.endswith("count_tokens") for path in server.paths)


def test_an_unknown_model_is_an_error_before_anything_is_sent(desk: Desk, server: Server) -> None:
    with pytest.raises(CannotRun, match="no price is known for the model 'claude-sonnet-5-6'; did you mean"):
        endpoint(server, ("claude-sonnet-5-6",)).check_prices()
    with pytest.raises(CannotRun, match="no write_1h price is known for claude-fable-5-2"):
        endpoint(server, ("claude-fable-5-2",), ttl="1h").check_prices()
    endpoint(server, ("claude-fable-5-2",)).check_prices()
    assert server.seen == []


def test_an_answer_with_an_unpriced_kind_is_kept_all_the_same(desk: Desk, server: Server) -> None:
    server.queue = [Reply("Text.", usage={"cache_creation": {"ephemeral_1h_input_tokens": 500}})]
    asked = endpoint(server, ("claude-fable-5-2",))
    assert desk.run(calls("task"), to=asked).body == "Text."
    assert desk.lines[0].usd is None and desk.lines[0].usage["write_1h"] == 500
    assert desk.run(calls("task"), to=asked).calls == 0


def test_a_secret_stops_the_call_and_says_where_it_is(desk: Desk, server: Server) -> None:
    key = "sk-" + "ant-api03-" + "a1B2c3D4" * 8
    (desk.root / "notes" / "log.md").write_text(f"one\ntwo\nmy key is {key} ok\n")
    with pytest.raises(CannotRun) as error:
        desk.run(calls(f"Notes: my key is {key} ok"))
    assert "nothing was sent" in str(error.value) and "notes/log.md:3: an Anthropic key (sk-a…)" in str(error.value)
    assert key not in str(error.value)
    assert server.seen == [] and server.paths == [], "not even to be counted"


def test_a_file_of_the_log_that_cannot_be_read_is_named(desk: Desk) -> None:
    desk.ask()
    (path,) = (desk.root / ".forge" / "calls").glob("*.json")
    path.write_text("{")
    with pytest.raises(CannotRun, match=r"\.forge/calls/\w+\.json cannot be read"):
        desk.ask()


def test_an_interrupt_in_an_answer_is_written_down(desk: Desk, server: Server) -> None:
    class Interrupted(list[str]):
        def append(self, line: str) -> None:
            raise KeyboardInterrupt

    server.queue = [Reply("word " * 1000, usage={"input_tokens": 500})]
    desk.told = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        desk.ask()
    assert [(line.outcome, line.usage["input"]) for line in desk.lines] == [("lost", 500)]


def test_a_kill_right_after_the_answer_pays_for_nothing_twice(desk: Desk, server: Server) -> None:
    """The process is killed (SIGKILL) in the moment its answer is on disk, before anything else; three times."""
    server.answer = lambda request: Reply(f"Answer to {request['messages'][0]['content']}.")
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from pipeline.writers import calls as log
        from tests.writers.helpers import Desk, calls
        from tests.writers.messages_server import Server

        def write_and_die(path, data, write=log.atomic_write):
            write(path, data)
            os.kill(os.getpid(), signal.SIGKILL)

        if sys.argv[1] == "die":
            log.atomic_write = write_and_die
        desk = Desk(Path({str(desk.root)!r}), Server({server.url!r}))
        print(desk.run(calls("one", "two", "three")).body)
        """
    )
    root = Path(__file__).resolve().parents[2]

    def run(how: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(root)}
        return subprocess.run(
            [sys.executable, "-c", script, how], capture_output=True, text=True, env=environment, timeout=120
        )

    for count in (1, 2, 3):
        assert run("die").returncode == -signal.SIGKILL
        assert len(server.seen) == count
    done = run("live")
    assert done.stdout.strip() == "Answer to one.|Answer to two.|Answer to three.", done.stderr
    assert len(server.seen) == 3, "three calls, three answers, four processes"
    assert len(desk.lines) == 3 and spent(desk.lines) == spent(desk.log.all_lines())


@pytest.mark.slow
def test_kills_at_any_moment_cost_at_most_the_call_under_way(desk: Desk, server: Server) -> None:
    server.answer = lambda request: Reply("word " * 50)
    prompts = [str(number) for number in range(6)]
    script = (
        "from pathlib import Path\nfrom tests.writers.helpers import Desk, calls\n"
        "from tests.writers.messages_server import Server\n"
        f"Desk(Path({str(desk.root)!r}), Server({server.url!r})).run(calls(*{prompts!r}))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    for wait in (0.9, 1.0, 1.1, 1.2, 1.3):
        process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.kill()
        process.wait()
    answered = {path.name for path in (desk.root / ".forge" / "calls").glob("*.json")}
    sent = len(server.seen)
    assert desk.run(calls(*prompts)).calls == len(prompts) - len(answered)
    assert len(server.seen) == sent + len(prompts) - len(answered)
    assert len(server.seen) <= len(prompts) + 5, "at most the one call under way at each kill was asked again"
    assert {line.id for line in desk.lines} == {line.id for line in desk.log.all_lines()}
    assert len(desk.lines) == len(prompts)


def test_the_cached_share_is_told(desk: Desk, server: Server) -> None:
    server.queue = [
        Reply("A.", usage={"input_tokens": 100, "cache_creation_input_tokens": 900}),
        Reply("B.", usage={"input_tokens": 100, "cache_read_input_tokens": 900}),
    ]
    written = desk.run(calls("one", "two"))
    assert "cached share of the prompts: 45 %" in written.notes
    assert written.usd == pytest.approx((200 * 2 + 900 * 2.5 + 900 * 0.1) / 1e6)


def test_auto_takes_anthropic_only_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose("auto") == "offline"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    assert choose("auto") == "anthropic"
    with pytest.raises(CannotRun, match="did you mean 'offline'"):
        choose("ofline")


def test_the_prefix_is_the_same_for_every_call_of_a_writing(desk: Desk, server: Server) -> None:
    desk.run(calls("one", "two", "three"))
    assert len({json.dumps(request["system"]) for request in server.seen}) == 1


def test_keys_differ_by_who_is_asked(server: Server) -> None:
    paid: Endpoint = endpoint(server)
    request = paid.fields(MODEL, Prompt("a", "b"), 10)
    assert paid.key(request) == endpoint(server).key(dict(reversed(request.items())))
    assert paid.key(request) != replace(paid, name="local").key(request)
    assert paid.key(request) != paid.key({**request, "max_tokens": 11})


def test_no_call_asks_for_more_parts_than_an_estimate_counts(desk: Desk, server: Server) -> None:
    server.queue = [Reply("", "max_tokens"), *[Reply("More ", "max_tokens") for _ in range(9)]]
    with pytest.raises(CannotRun, match="the draft: task: claude-sonnet-5-5 did not finish in 4 answers of 200 tokens"):
        desk.ask()
    assert len(server.seen) == MAX_PARTS
    server.queue = [Reply("More ", "max_tokens") for _ in range(9)]
    with pytest.raises(CannotRun, match="did not finish"):
        desk.ask("other")
    assert len(server.seen) == 2 * MAX_PARTS


def test_an_answer_that_filled_the_context_is_paid_for_and_told_to_the_writing(desk: Desk, server: Server) -> None:
    def writing() -> Writing:
        with pytest.raises(ContextOverflow, match="was full before the answer was whole"):
            yield Call("all", Prompt("The rules.", "all"), 100)
        answer: Answer = yield Call("half", Prompt("The rules.", "half"), 100)
        return Written({}, answer.text, "", "anthropic")

    server.queue = [Reply("Some of", "model_context_window_exceeded"), Reply("All of it.")]
    written = desk.run(writing())
    assert (written.body, written.calls) == ("All of it.", 2)
    assert written.usd == pytest.approx(float(spent(desk.lines)))
