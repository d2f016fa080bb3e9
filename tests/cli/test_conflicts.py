"""`forge conflicts`: both texts side by side, and the choice between them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from experiments.kit.errors import CannotRun
from pipeline.checks import check_draft
from pipeline.cli.conflicts_command import command, side_by_side
from pipeline.drafts import Written, load_draft, save_written
from pipeline.project import Project
from tests.toy_project import the_post


@pytest.fixture
def torn(drafted: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A post whose title and one paragraph both the person and the writer changed."""
    path = drafted.drafts / "coin-post" / "scientist.md"
    text = path.read_text()
    base = load_draft(drafted, "coin-post", "scientist")
    assert base is not None and "A fair coin forgets." in text
    path.write_text(text.replace("A fair coin forgets.", "My coin forgets.").replace("What a coin knows", "My title"))
    body = base.body.replace("A fair coin forgets.", "Their coin forgets.")
    new = Written({**base.front, "title": "Their title"}, body, "prompt", "offline")
    (saved,) = save_written(drafted, "coin-post", "hash", {"scientist": new})
    assert saved.conflicts == 2
    monkeypatch.chdir(drafted.root)
    return drafted


def run(*args: str) -> Result:
    return CliRunner().invoke(command, args)


def test_they_block_with_line_and_fix_and_are_told_once(torn: Project) -> None:
    draft = load_draft(torn, "coin-post", "scientist")
    assert draft is not None
    found = [f for f in check_draft(torn, the_post(torn), draft, None) if f.severity == "error"]
    assert [f.check for f in found] == ["conflict", "conflict"]
    rows = draft.text.splitlines()
    assert rows[(found[0].line or 0) - 1] == "conflicts: {title: Their title}"
    assert "conflict: your text" in rows[(found[1].line or 0) - 1] and "My coin" in found[1].sentence
    assert found[1].fix == "forge conflicts coin-post --edition scientist"


def test_a_leftover_marker_still_blocks(torn: Project) -> None:
    path = torn.drafts / "coin-post" / "scientist.md"
    path.write_text(path.read_text().replace("{todo}`conflict: end`\n", ""))
    draft = load_draft(torn, "coin-post", "scientist")
    assert draft is not None
    assert "todo" in {f.check for f in check_draft(torn, the_post(torn), draft, None) if f.severity == "error"}


def test_they_are_shown_side_by_side(torn: Project) -> None:
    shown = run()
    assert shown.exit_code == 1 and "2 conflicts left" in shown.output
    assert any("My coin forgets." in row and "│ Their coin forgets." in row for row in shown.output.splitlines())
    listed = json.loads(run("coin-post", "--json").output)
    assert [entry["key"] for entry in listed] == ["title", ""] and listed[0]["mine"] == "My title"


@pytest.mark.parametrize(
    ("keep", "inside", "outside"),
    [
        ("mine", ["My coin"], ["Their"]),
        ("theirs", ["Their coin"], ["My coin", "My title"]),
        ("both", ["My coin", "Their coin"], []),
    ],
)
def test_settling(torn: Project, keep: str, inside: list[str], outside: list[str]) -> None:
    done = run("coin-post", "--keep", keep)
    assert done.exit_code == 0, done.output
    draft = load_draft(torn, "coin-post", "scientist")
    assert draft is not None
    assert all(words in draft.text for words in inside) and not any(words in draft.text for words in outside)
    assert "conflict" not in draft.text and draft.front["title"] == ("Their title" if keep == "theirs" else "My title")


def test_one_line_only(torn: Project) -> None:
    line = json.loads(run("--json").output)[1]["line"]
    assert run("--line", str(line), "--keep", "mine").exit_code == 0
    assert [entry["key"] for entry in json.loads(run("--json").output)] == ["title"]
    missing = run("--line", "999")
    assert isinstance(missing.exception, CannotRun) and "no conflict begins on line 999" in str(missing.exception)
    assert isinstance(run("coin-pst").exception, CannotRun)


def test_long_texts_stay_in_their_columns() -> None:
    rows = side_by_side("a " * 80, "b " * 90 + "\n\nend", 80).splitlines()
    assert all(len(row) <= 80 for row in rows) and rows[-1].endswith("│ end")
