"""The Messages API writers against a server that speaks the protocol: what is sent, kept, continued and refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anthropic import Anthropic

from experiments.kit.errors import CannotRun
from pipeline.project import Project, Settings
from pipeline.prompt import Prompt
from pipeline.writers import Request, choose
from pipeline.writers.model import Answer, Endpoint, ask, tidy, whole_sentences
from tests.writers.messages_server import Reply, Server, serve

PROMPT = Prompt("The rules.", "The task.")


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


def send(server: Server, root: Path, prompt: Prompt = PROMPT, retries: int = 0) -> Answer:
    client = Anthropic(api_key="test", base_url=server.url, max_retries=retries, timeout=20)
    settings = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}
    endpoint = Endpoint(client, "claude-test", "test", 200, settings)
    return ask(endpoint, prompt, Request(Project(root, Settings())), "the draft")


def test_an_answer_is_joined_from_its_text_blocks_and_kept(server: Server, tmp_path: Path) -> None:
    server.queue = [Reply("A draft with several pieces of text in it.", thinking="Hm.")]
    first = send(server, tmp_path)
    assert first.text == "A draft with several pieces of text in it."
    assert first.calls == 1 and first.tokens["input_tokens"] == 10
    again = send(server, tmp_path)
    assert (again.text, again.calls, len(server.seen)) == (first.text, 0, 1)
    assert send(server, tmp_path, Prompt("The rules.", "Another task.")).calls == 1


def test_the_stable_part_is_sent_as_a_cached_prefix(server: Server, tmp_path: Path) -> None:
    send(server, tmp_path)
    sent = server.seen[0]
    assert sent["system"] == [{"type": "text", "text": "The rules.", "cache_control": {"type": "ephemeral"}}]
    assert sent["messages"] == [{"role": "user", "content": "The task."}]
    assert sent["stream"] is True and sent["output_config"] == {"effort": "low"}
    assert not {"temperature", "top_p", "top_k"} & set(sent)


def test_an_answer_cut_by_its_length_is_continued(server: Server, tmp_path: Path) -> None:
    server.queue = [Reply("First half, ", "max_tokens"), Reply("second half.")]
    answer = send(server, tmp_path)
    assert answer.text == "First half, second half." and answer.calls == 2
    assert [m["role"] for m in server.seen[1]["messages"]] == ["user", "assistant", "user"]


def test_whole_sentences() -> None:
    assert whole_sentences("One. Two! And thr") == "One. Two!"
    assert whole_sentences("No end at all") == "No end at all"


def test_an_answer_that_never_ends_stops_with_a_message(server: Server, tmp_path: Path) -> None:
    server.queue = [Reply("More ", "max_tokens") for _ in range(9)]
    with pytest.raises(CannotRun, match="did not finish the draft in 4 answers"):
        send(server, tmp_path)
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply("", "refusal", details={"type": "refusal", "category": "frontier_llm", "explanation": "no"}),
         r"declined to write the draft \(frontier_llm: no\)"),
        (Reply("", "end_turn"), "answered the draft with nothing"),
        (Reply("x", "model_context_window_exceeded"), "does not fit into the context"),
        (Reply(status=401, error="authentication_error"), "does not accept the key"),
        (Reply(status=400, error="invalid_request_error"), "refused the request: .*provoked 400"),
        (Reply(status=500), r"the server failed \(500\)"),
        (Reply(status=529, error="overloaded_error"), r"the server failed \(529\)"),
    ],
)  # fmt: skip
def test_what_cannot_become_a_draft_stops_with_a_message(
    server: Server, tmp_path: Path, reply: Reply, why: str
) -> None:
    server.queue = [reply]
    with pytest.raises(CannotRun, match=why):
        send(server, tmp_path)
    assert not list((tmp_path / ".forge").rglob("*.json")), "a failed answer is not kept"


def test_a_dead_server_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"no answer from http://127\.0\.0\.1:9"):
        send(Server("http://127.0.0.1:9"), tmp_path)


def test_auto_takes_anthropic_only_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose("auto") == "offline"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    assert choose("auto") == "anthropic"
    with pytest.raises(CannotRun, match="did you mean 'offline'"):
        choose("ofline")


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("```markdown\n## A {#a}\n```", "## A {#a}"),
        ("---\ntitle: x\n---\n\nBody.", "Body."),
        ("  Body.\n", "Body."),
        ("```python\nx\n```\n\nBody.", "```python\nx\n```\n\nBody."),
    ],
)
def test_tidy(text: str, tidied: str) -> None:
    assert tidy(text) == tidied
