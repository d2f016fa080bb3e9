"""On the wire: what the writers send is the evidence and nothing else, and its stable part is the same every time."""

from __future__ import annotations

import getpass
import json
import platform
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.drafting import draft_posts
from pipeline.drafts import load_draft, load_state
from pipeline.project import Project, find_project
from pipeline.spending import draft_in_batches, price_posts
from pipeline.transaction import locked
from pipeline.writers.calls import CallLog
from tests.toy_project import the_post
from tests.writers.messages_server import Reply, Server

PRIVATE = "zebra-in-another-note"
IN_ENVIRONMENT = "zebra-in-the-environment"


@pytest.fixture
def keyed(project: Project, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The small project with a key, things that must not be sent, and the test server for the Messages API."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("MY_PASSWORD", IN_ENVIRONMENT)
    (project.notes / "diary.md").write_text(f"Nobody's business: {PRIVATE}\n")
    server.answer = lambda request: Reply("## The answer {#opening}\n\nWords that hold nothing, and " * 3)
    yield project


def draft(project: Project, **more: object) -> None:
    with locked(project):
        draft_posts(project, [the_post(project)], "anthropic", lambda line: None, **more)  # type: ignore[arg-type]


def wire(server: Server) -> str:
    """Everything that was sent: bodies and headers."""
    batches = [batch["requests"] for batch in server.batches.values()]
    return json.dumps([server.seen, server.headers, batches], ensure_ascii=False)


@pytest.mark.parametrize("how", ["live", "batch"])
def test_nothing_but_the_evidence_is_sent(keyed: Project, server: Server, how: str) -> None:
    if how == "live":
        draft(keyed)
        assert len(server.seen) >= 4
    else:
        draft_in_batches(keyed, [the_post(keyed)], "anthropic", lambda line: None)
        assert len(server.batches) == 1
    sent = wire(server)
    assert "A fair coin forgets." in sent and "coin.more" in sent
    assert PRIVATE not in sent and "secret remark" not in sent, "neither another note nor a private comment"
    assert IN_ENVIRONMENT not in sent
    for place in (str(keyed.root), str(Path.home()), str(Path(__file__).resolve().parents[2]), str(Path.cwd())):
        assert place not in sent
    assert platform.node() not in sent
    assert f"/{getpass.getuser()}/" not in sent
    assert {key for request in server.seen for key in request} <= {
        "model", "max_tokens", "system", "messages", "thinking", "output_config", "stream"
    }  # fmt: skip


def test_the_stable_part_is_one_for_editions_stages_and_turns(keyed: Project, server: Server) -> None:
    draft(keyed)
    assert len({json.dumps(request["system"]) for request in server.seen}) == 1
    (block,) = server.seen[0]["system"]
    assert block["cache_control"] == {"type": "ephemeral"}
    assert "scientist" in json.dumps(server.seen[0]["messages"]).lower()
    for changing in ("2026-11-21T", "written:", "sent back"):
        assert changing not in block["text"]


def test_a_draft_says_who_wrote_it_and_what_it_cost(keyed: Project, server: Server) -> None:
    draft(keyed)
    state = load_state(keyed, "coin-post")["scientist"]
    lines = [line for line in CallLog(keyed).lines("coin-post") if line.edition == "scientist"]
    assert state["model"] == "claude-sonnet-5-5" and state["calls"] == len(lines) > 1
    assert state["usd"] == pytest.approx(float(sum(Decimal(line.usd or 0) for line in lines)), abs=1e-6)
    assert {line.week for line in lines} == {1}


def test_drafting_again_asks_nothing_that_was_answered(keyed: Project, server: Server) -> None:
    draft(keyed)
    before, body = len(server.seen), load_draft(keyed, "coin-post", "scientist")
    (keyed.drafts / "coin-post" / "draft.json").unlink()
    (keyed.drafts / "coin-post" / "scientist.md").unlink()
    (keyed.drafts / "coin-post" / "manager.md").unlink()
    draft(keyed)
    again = load_draft(keyed, "coin-post", "scientist")
    assert body is not None and again is not None and again.text == body.text
    assert len(server.seen) == before


def test_a_batch_writes_what_live_calls_would_have(keyed: Project, server: Server) -> None:
    posted = draft_in_batches(keyed, [the_post(keyed)], "anthropic", lambda line: None)
    rounds = 1
    while posted.waiting:
        server.end_batches()
        posted = draft_in_batches(keyed, [the_post(keyed)], "anthropic", lambda line: None)
        rounds += 1
        assert rounds < 15
    assert [saved.edition for saved in posted.saved] == ["scientist", "manager"] and posted.failed == []
    submitted = [one["custom_id"] for batch in server.batches.values() for one in batch["requests"]]
    assert len(submitted) == len(set(submitted)) and server.seen == []
    assert {line.how for line in CallLog(keyed).lines("coin-post")} == {"batch"}


def test_the_estimate_bounds_what_is_then_paid(keyed: Project, server: Server) -> None:
    priced = price_posts(keyed, [the_post(keyed)], "anthropic", lambda line: None)
    assert priced is not None and server.seen == []
    draft(keyed)
    lines = CallLog(keyed).lines("coin-post")
    for row in priced.rows:
        paid = sum(Decimal(line.usd or 0) for line in lines if line.edition == row.about.edition)
        assert 0 < paid <= row.worst_usd and row.likely_usd < row.worst_usd
        assert len([line for line in lines if line.edition == row.about.edition]) <= row.calls_worst
    assert price_posts(keyed, [the_post(keyed)], "anthropic", lambda line: None) is None, "nothing is due"
    kept = price_posts(keyed, [the_post(keyed)], "anthropic", lambda line: None, again=True)
    assert kept is not None and [row.kept for row in kept.rows] == [True, True] and kept.worst_usd == 0


def test_an_estimate_in_batches_is_half(keyed: Project) -> None:
    live = price_posts(keyed, [the_post(keyed)], "anthropic", lambda line: None)
    batch = price_posts(keyed, [the_post(keyed)], "anthropic", lambda line: None, batch=True)
    assert live is not None and batch is not None
    assert batch.worst_usd == live.worst_usd / 2 and batch.likely_usd == live.likely_usd / 2


def test_a_secret_in_the_notes_stops_everything(keyed: Project, server: Server) -> None:
    note = keyed.notes / "plan" / "week-01.md"
    key = "gh" + "p_" + "a1B2c3D4e5F6" * 3
    text = note.read_text().replace("A fair coin forgets.", f"A fair coin forgets. Token {key}.")
    note.write_text(text)
    line = text[: text.index(key)].count("\n") + 1
    for run in (
        lambda: draft(keyed),
        lambda: price_posts(keyed, [the_post(keyed)], "anthropic", lambda line: None),
    ):
        with pytest.raises(CannotRun, match=rf"notes/plan/week-01\.md:{line}: a GitHub token \(ghp_…\)"):
            run()
    posted = draft_in_batches(keyed, [the_post(keyed)], "anthropic", lambda line: None)
    assert len(posted.failed) == 2 and server.paths == [], "no request of any kind"


def test_settings_reach_the_wire(keyed: Project, server: Server) -> None:
    (keyed.root / "pyproject.toml").write_text(
        '[tool.forge]\nanthropic_model = "claude-opus-5-5"\nanthropic_effort = "low"\ncache_ttl = "1h"\n'
    )
    draft(find_project(keyed.root))
    sent = server.seen[0]
    assert (sent["model"], sent["output_config"], sent["thinking"]) == (
        "claude-opus-5-5", {"effort": "low"}, {"type": "adaptive"}
    )  # fmt: skip
    assert sent["system"][0]["cache_control"]["ttl"] == "1h"
