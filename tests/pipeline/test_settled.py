"""What was found up to date is only believed while nothing it rests on changed."""

from __future__ import annotations

import pytest

from pipeline.project import Project
from pipeline.settled import given, is_settled, preview_index, settle


def test_only_what_was_settled_is(drafted: Project) -> None:
    assert not is_settled(drafted, 1, "small", "offline")
    settle(drafted, 1, "small", "offline")
    assert is_settled(drafted, 1, "small", "offline")
    assert not is_settled(drafted, 2, "small", "offline")
    assert not is_settled(drafted, 1, "smoke", "offline")
    assert not is_settled(drafted, 1, "small", "local")
    settle(drafted, 2, "small", "offline")
    assert is_settled(drafted, 1, "small", "offline")


@pytest.mark.parametrize(
    "name",
    [
        "notes/plan/week-01.md", "notes/references.bib", "drafts/coin-post/scientist.md", "drafts/coin-post/new.md",
        "site/scientist/posts/coin-post.md", "experiments/new.py", ".forge/runs/new-smoke.json", "mkdocs.yml",
    ],
)  # fmt: skip
def test_whatever_a_week_rests_on_unsettles_it(drafted: Project, name: str) -> None:
    settle(drafted, 1, "small", "offline")
    path = drafted.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((path.read_bytes() if path.is_file() else b"") + b"\n")
    assert not is_settled(drafted, 1, "small", "offline")


def test_results_are_those_of_the_budget(drafted: Project) -> None:
    (topic,) = {path.parents[1] for path in drafted.root.glob("experiments/*/results/*/facts.json")}
    budget = next(topic.iterdir()).name
    settle(drafted, 1, budget, "offline")
    figure = next((topic / budget).rglob("*.svg"))
    figure.write_text(figure.read_text() + " ")
    assert not is_settled(drafted, 1, budget, "offline")


def test_a_key_a_lost_preview_and_a_damaged_record(drafted: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    preview_index(drafted).parent.mkdir(parents=True, exist_ok=True)
    preview_index(drafted).write_text("page")
    settle(drafted, 1, "small", "auto")
    assert is_settled(drafted, 1, "small", "auto")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert not is_settled(drafted, 1, "small", "auto")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    preview_index(drafted).unlink()
    assert not is_settled(drafted, 1, "small", "auto")
    (drafted.scratch / "settled.json").write_text("[")
    assert not is_settled(drafted, 1, "small", "auto")
    settle(drafted, 1, "small", "auto")
    assert is_settled(drafted, 1, "small", "auto")


def test_what_a_call_reads_and_never_writes_tells_an_edit_meanwhile(drafted: Project) -> None:
    before = given(drafted)
    (drafted.drafts / "coin-post" / "scientist.md").write_text("rewritten by the call itself")
    assert given(drafted) == before
    note = drafted.root / "notes" / "plan" / "week-01.md"
    note.write_text(note.read_text() + "\nOne more thought.\n")
    assert given(drafted) != before
