"""The site's own pages are approved like posts: what changes, comes or goes afterwards fails by name."""

from __future__ import annotations

import json

import pytest

from experiments.kit.errors import CannotRun
from experiments.kit.files import sha256
from pipeline.own_pages import approve_own, check_own, own_files, record_path
from pipeline.project import Project


@pytest.fixture
def own(project: Project) -> Project:
    """The small project with a front page, a keeper of an empty folder, a published page and a third-party file."""
    for name in ("index.md", "scientist/posts/.gitkeep", "scientist/posts/post.md", "assets/fonts/type.woff2"):
        path = project.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    files = {"site/assets/fonts/type.woff2": {"sha256": sha256("assets/fonts/type.woff2")}}
    (project.site / "assets" / "vendor.json").write_text(json.dumps({"packages": [{"files": files}]}))
    return project


def found(project: Project) -> list[tuple[str, str, str | None]]:
    return [(finding.check, finding.severity, finding.file) for finding in check_own(project)]


def test_own_files_are_those_that_nothing_else_answers_for(own: Project) -> None:
    assert list(own_files(own)) == ["assets/vendor.json", "index.md"]


def test_before_anybody_approved_them_it_is_said_and_blocks_nothing(own: Project) -> None:
    assert found(own) == [("unapproved-own", "warning", "site")]


def test_approved_they_stand_and_any_change_is_named(own: Project) -> None:
    assert approve_own(own, "Ada") == ["assets/vendor.json", "index.md"]
    assert found(own) == []
    (own.site / "index.md").write_text("Twice as good.")
    (own.site / "hello.md").write_text("Words of a draft.")
    (own.site / "other.css").write_text("p {}")
    assert found(own) == [
        ("unapproved-page", "error", "site/hello.md"),
        ("edited-page", "error", "site/index.md"),
        ("unapproved-file", "error", "site/other.css"),
    ]
    approve_own(own, "Bob")
    assert found(own) == []
    assert [json.loads(line)["who"] for line in record_path(own).read_text().splitlines()] == ["Ada", "Bob"]
    (own.site / "hello.md").unlink()
    assert found(own) == [("missing-page", "error", "site/hello.md")]


def test_a_third_party_file_must_be_the_listed_one(own: Project) -> None:
    approve_own(own, "Ada")
    font = own.site / "assets" / "fonts" / "type.woff2"
    font.write_text("another")
    assert found(own) == [("edited-file", "error", "site/assets/fonts/type.woff2")]
    font.unlink()
    assert found(own) == [("missing-file", "error", "site/assets/fonts/type.woff2")]


@pytest.mark.parametrize("name", ["drafts/site.reviews.jsonl", "site/assets/vendor.json"])
def test_a_damaged_record_names_itself_and_the_fix(name: str, own: Project) -> None:
    approve_own(own, "Ada")
    (own.root / name).write_text("not json\n")
    with pytest.raises(CannotRun, match=rf"(?s){name}.*fix: restore"):
        list(check_own(own))
