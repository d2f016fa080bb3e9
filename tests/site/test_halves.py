"""Pages that a second process converted are the ones that the build would have converted, and it is never missed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import site
from pipeline.site import halves
from tests.site.test_build import edit, tree

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no second process to give")
FORK = halves._fork


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every build has a second process, done with all pages before the build starts; the pages taken from it."""

    def fork(work: Callable[[], None]) -> list[int]:
        for process in FORK(work):
            os.waitpid(process, 0)
        return []

    names: list[str] = []
    put = halves.Converted.put_on

    def put_on(self: halves.Converted, page: object, files: object) -> None:
        names.append(page.file.src_uri)  # type: ignore[attr-defined]
        put(self, page, files)

    monkeypatch.setattr(halves, "LEAST", 1)
    monkeypatch.setattr(halves, "_fork", fork)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(halves.Converted, "put_on", put_on)
    return names


def test_the_site_is_the_same(built: Path, project: Path, taken: list[str]) -> None:
    result = site.build(project)
    assert result.findings == []
    assert {"scientist/posts/optimal-decisions.md", "manager/posts/optimal-decisions.md", "about.md"} <= set(taken)
    assert tree(result.out) == tree(built)


def test_what_is_wrong_is_said_once_with_file_and_line(project: Path, taken: list[str]) -> None:
    post = project / "site" / "scientist" / "posts" / "optimal-decisions.md"
    edit(post, r"$\gamma \in [0, 1)$", r"$\gama \in [0, 1)$")
    edit(post, "[limits](#limits)", "[limits](#limit)")
    result = site.build(project)
    assert "scientist/posts/optimal-decisions.md" in taken
    assert not result.ok and [finding.check for finding in result.findings] == ["site.formula", "site.link"]
    assert all(
        finding.file == "site/scientist/posts/optimal-decisions.md" and finding.line for finding in result.findings
    )


def test_a_second_process_that_fails_is_not_missed(
    built: Path, project: Path, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(halves.Half, "_do", fails)
    assert tree(site.build(project).out) == tree(built) and taken == []


def test_a_second_process_still_at_work_is_ended(built: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def fork(work: Callable[[], None]) -> list[int]:
        begun.extend(process := FORK(work))
        return list(process)

    monkeypatch.setattr(halves, "LEAST", 1)
    monkeypatch.setattr(halves, "_fork", fork)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert tree(site.build(project).out) == tree(built)
    assert len(begun) == 2 and not any(Path(f"/proc/{process}").exists() for process in begun)
    assert list((project / ".forge" / "site").iterdir()) == []
