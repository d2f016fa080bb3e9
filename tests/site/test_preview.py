"""Previews: drafts under review in the real theme, apart from everything published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline import site
from tests.site.conftest import fixture_pages
from tests.timing import cpu_seconds


def test_drafts_are_marked_and_counted(previewed: Path) -> None:
    page = (previewed / "scientist" / "optimal-decisions.html").read_text(encoding="utf-8")
    assert "Draft under review. Not published." in page
    assert "3 findings, 1 blocking" in page
    assert '<meta name="robots" content="noindex">' in page
    for place in ("index.html", "scientist/index.html"):
        assert "Under review" in (previewed / place).read_text(encoding="utf-8")
    assert "Drafts under review are included" in (previewed / "about.html").read_text(encoding="utf-8")


def test_a_published_post_carries_no_such_mark(built: Path) -> None:
    for path in built.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "under review" not in text.lower()
        assert "noindex" not in text


def test_it_opens_from_the_file_system(previewed: Path) -> None:
    page = (previewed / "scientist" / "optimal-decisions.html").read_text(encoding="utf-8")
    assert 'href="../manager/optimal-decisions.html"' in page
    assert 'src="../assets/figures/week01_mdp/convergence.light.svg#only-light"' in page
    assert not (previewed / "search").exists()


def test_pending_pages_win_over_published_ones(project: Path) -> None:
    name = "manager/posts/optimal-decisions.md"
    pages, _ = fixture_pages(review="pending")
    changed = pages[name].replace("Planning forwards means", "Planning sideways means")
    result = site.preview(project, {name: changed}, {}, project / ".forge" / "preview")
    assert result.ok, site.describe(result)
    assert "Planning sideways" in (result.out / "manager" / "optimal-decisions.html").read_text(encoding="utf-8")
    assert "Planning sideways" not in (project / "site" / name).read_text(encoding="utf-8")
    assert not (project / "public").exists()


def test_only_the_newest_published_posts_and_linked_ones_are_built(project: Path) -> None:
    posts = project / "site" / "scientist" / "posts"
    text = (posts / "decision-making-101.md").read_text(encoding="utf-8")
    for year in range(2001, 2013):
        (posts / f"old-{year}.md").write_text(
            text.replace("2026-11-19", f"{year}-01-01")
            .replace("decision-making-101", f"old-{year}")
            .replace(f"pair: old-{year}", "pair: ''")
            .replace("motorway", f"motorway of [{year + 1}](old-{year + 1}.md)" if year < 2012 else "motorway"),
            encoding="utf-8",
        )
    pages, _ = fixture_pages(review="pending")
    name = "scientist/posts/optimal-decisions.md"
    draft = pages[name].replace("whole\njourneys", "whole [journeys](old-2003.md)")
    assert "old-2003.md" in draft
    result = site.preview(project, {name: draft}, {}, project / ".forge" / "preview", recent=3)
    assert result.ok, site.describe(result)
    built = {path.stem for path in (result.out / "scientist").glob("*.html")}
    assert "old-2003" in built  # the draft links it; what that one links, and is not built, is no finding here
    assert not {f"old-{year}" for year in range(2004, 2010)} & built


def test_a_draft_with_findings_is_shown_and_its_findings_name_it(project: Path) -> None:
    pages, assets = fixture_pages(review="pending")
    name = "scientist/posts/optimal-decisions.md"
    pages[name] = pages[name].replace(r"$\gamma \in [0, 1)$", r"$\gama$").replace("](#limits)", "](#limit)")
    result = site.preview(project, pages, assets, project / ".forge" / "preview")
    assert [(f.check, f.severity, f.file) for f in result.findings] == [
        ("site.formula", "error", f"site/{name}"),
        ("site.link", "error", f"site/{name}"),
    ]
    assert result.ok
    shown = (result.out / "scientist" / "optimal-decisions.html").read_text(encoding="utf-8")
    assert r'<code class="kf-tex-error">\gama</code>' in shown


def test_a_draft_that_would_load_from_elsewhere_is_not_shown(project: Path) -> None:
    pages, assets = fixture_pages(review="pending")
    pages["manager/posts/optimal-decisions.md"] += "\n![x](https://pictures.example/x.png)\n"
    result = site.preview(project, pages, assets, project / ".forge" / "preview")
    assert not result.ok
    assert [f.check for f in result.findings] == ["site.external"]
    assert not result.out.exists()


def test_it_keeps_out_of_public_and_of_the_sources(project: Path) -> None:
    for out in (project / "public", project / "public" / "drafts"):
        with pytest.raises(CannotRun, match="public"):
            site.preview(project, {}, {}, out)
    with pytest.raises(CannotRun, match="overlaps"):
        site.preview(project, {}, {}, project / "site" / "x")
    with pytest.raises(CannotRun, match="not a path below"):
        site.preview(project, {"../notes/x.md": "x"}, {}, project / ".forge" / "preview")


def test_four_posts_take_at_most_two_seconds(project_with: Callable[..., Path]) -> None:
    root = project_with(posts=())
    pages, assets = fixture_pages(review="pending")
    assert len(pages) == 4

    def build() -> None:
        assert site.preview(root, pages, assets, root / ".forge" / "preview").ok

    assert min(cpu_seconds(build) for _ in range(3)) <= 2.0
