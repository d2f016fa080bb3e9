"""Drafting: what the offline writer composes, and that a person's edits survive the next draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.drafting import draft_posts, draft_reason
from pipeline.drafts import draft_slugs, load_draft, load_state
from pipeline.merge import BEGIN
from pipeline.project import Project
from pipeline.transaction import locked
from tests.toy_project import the_post


def again(project: Project, force: bool = False) -> list[str]:
    with locked(project):
        return [s.outcome for s in draft_posts(project, [the_post(project)], "offline", lambda line: None, force)]


def body(project: Project, edition: str) -> str:
    return (project.drafts / "coin-post" / f"{edition}.md").read_text()


def test_the_offline_draft_holds_the_argument_in_order(drafted: Project) -> None:
    text = body(drafted, "scientist")
    order = [
        "A bet on a coin is the smallest decision",
        "## What the throws say {#throws}",
        "A fair coin forgets.",
        "{claim}``coin.more|The long series shows {val}`coin.many` heads against {val}`coin.few`.``",
        "\n{fig}`coin.heads`\n",
        "{listing}`toy/coin_study.py:flip`",
        "{cite}`feller1968|name`",
        "## What these runs do not show {#limits}",
        "We threw fair coins only, and a few of them fell off the table.",
    ]
    positions = [text.index(piece) for piece in order]
    assert positions == sorted(positions)
    assert "secret" not in text and "[!plain]" not in text
    mention = text.index("{fig}`coin.heads`")
    assert mention < text.index("\n{fig}`coin.heads`\n"), "a figure is mentioned before it is shown"


def test_the_manager_draft_is_plain(drafted: Project) -> None:
    text = body(drafted, "manager")
    assert "## What happened {#throws}" in text and "Coins, plainly." in text
    assert "A coin does not remember." in text and "$" not in text and "{listing}" not in text
    assert "{claim}``coin.more|The long series has {val}`coin.times` as many heads.``" in text


def test_the_prompt_is_kept_as_sent_and_bases_equal_the_drafts(drafted: Project) -> None:
    folder = drafted.drafts / "coin-post"
    for edition in ("scientist", "manager"):
        prompt = (folder / "prompts" / f"{edition}.md").read_text()
        assert "Start with a bet." in prompt and "coin.more" in prompt and "secret" not in prompt
        assert (folder / "base" / f"{edition}.md").read_text() == body(drafted, edition)
    assert load_state(drafted, "coin-post")["manager"]["writer"] == "offline"
    assert draft_slugs(drafted) == ["coin-post"]


def test_nothing_changed_drafts_nothing(drafted: Project) -> None:
    assert again(drafted) == []
    assert draft_reason(drafted, the_post(drafted), "scientist") == ""


def test_edits_survive_a_new_draft(drafted: Project) -> None:
    path = drafted.drafts / "coin-post" / "scientist.md"
    edited = path.read_text().replace("A fair coin forgets.", "A fair coin forgets everything, which is its charm.")
    path.write_text(edited)
    note = drafted.notes / "plan" / "week-01.md"
    note.write_text(note.read_text().replace("A bet on a coin is the smallest", "A bet on one coin is the smallest"))
    assert again(drafted) == ["updated", "unchanged"]
    text = path.read_text()
    assert "which is its charm" in text and "A bet on one coin is the smallest" in text and BEGIN not in text


def test_a_paragraph_changed_on_both_sides_keeps_both(drafted: Project) -> None:
    path = drafted.drafts / "coin-post" / "scientist.md"
    path.write_text(path.read_text().replace("A fair coin forgets.", "My words."))
    note = drafted.notes / "plan" / "week-01.md"
    note.write_text(note.read_text().replace("A fair coin forgets.", "Their words."))
    again(drafted)
    text = path.read_text()
    assert "My words." in text and "Their words." in text and BEGIN in text


def test_a_changed_title_in_the_front_matter_stays(drafted: Project) -> None:
    path = drafted.drafts / "coin-post" / "manager.md"
    path.write_text(path.read_text().replace("title: What a coin knows", "title: My own title"))
    again(drafted, force=True)
    draft = load_draft(drafted, "coin-post", "manager")
    assert draft is not None and draft.front["title"] == "My own title"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("---\ntitle: [a\n---\nx", r"scientist\.md:\d+: front matter is not YAML"),
        ("---\ntitle: a\nx", r"opens with --- and never closes"),
        ("---\n- a\n---\nx", r"must be `key: value` lines"),
    ],
)
def test_a_broken_draft_is_named(drafted: Project, text: str, why: str) -> None:
    (drafted.drafts / "coin-post" / "scientist.md").write_text(text)
    with pytest.raises(CannotRun, match=why):
        load_draft(drafted, "coin-post", "scientist")


def test_a_draft_that_is_not_utf8_is_named(drafted: Project) -> None:
    path: Path = drafted.drafts / "coin-post" / "scientist.md"
    path.write_bytes(b"---\ntitle: a\n---\n\xff\xfe")
    with pytest.raises(CannotRun, match="is not UTF-8"):
        load_draft(drafted, "coin-post", "scientist")
