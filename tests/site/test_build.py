"""The build: strict, whole or not at all, the same twice, and nothing in it that was not published."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline import site
from pipeline.cards import draw_card
from pipeline.site import search
from pipeline.site.scan import scan_external, scan_links

DRAFT_BYTES = "wombat-draft-bytes-5b1f"


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_fixture_site_builds_strictly(project: Path) -> None:
    result = site.build(project)
    assert result.findings == []
    assert result.ok
    assert result.out == project / "public"
    for page in ("index.html", "404.html", "about/index.html", "scientist/index.html", "scientist/tags/index.html"):
        assert (result.out / page).is_file()
    for edition in site.EDITIONS:
        assert (result.out / edition / "optimal-decisions" / "index.html").is_file()
        assert (result.out / edition / "archive" / "2026" / "11" / "index.html").is_file()
    assert result.pages == sum(1 for _ in result.out.rglob("*.html"))
    assert sorted(p.name for p in (project / ".forge" / "site").iterdir()) == []


def test_a_site_without_posts_builds(project_with: Callable[..., Path]) -> None:
    result = site.build(project_with(posts=()))
    assert result.findings == []
    home = (result.out / "index.html").read_text(encoding="utf-8")
    assert home.count("The first post is still in review.") == 2
    assert "Nothing is published" in (result.out / "scientist" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("edition", site.EDITIONS)
def test_posts_in_one_edition_only(edition: str, project_with: Callable[..., Path]) -> None:
    root = project_with(posts=(edition,))
    for path in (root / "site" / edition / "posts").glob("*.md"):
        edit(path, f"pair: {path.stem}", "pair: ''")
    result = site.build(root)
    assert result.findings == []
    page = (result.out / edition / "optimal-decisions" / "index.html").read_text(encoding="utf-8")
    assert "not published yet" in page
    assert "data-kf-switch" not in page


def test_a_pair_that_is_not_there_is_found(project: Path) -> None:
    (project / "site" / "manager" / "posts" / "optimal-decisions.md").unlink()
    result = site.build(project)
    assert not result.ok
    assert {f.check for f in result.findings} == {"site.link"}
    assert any("../../manager/optimal-decisions/" in f.message for f in result.findings)
    assert [f.file for f in result.findings] == ["site/scientist/posts/optimal-decisions.md"]


def test_lists_show_posts_of_one_day_in_the_plans_order_last_first(project: Path) -> None:
    for path in project.glob("site/scientist/posts/*.md"):
        text = re.sub(r"^date: .*$", "date: {created: 2026-02-02, updated: 2026-03-04}", path.read_text(), flags=re.M)
        path.write_text(text.replace("week: 1", "week: 2") if path.stem == "decision-making-101" else text)
    result = site.build(project)
    assert result.ok, site.describe(result)
    for page in ("index.html", "scientist/index.html", "scientist/feed.xml"):
        text = (result.out / page).read_text()
        assert 0 < text.index("Decision Making 101") < text.index("Bellman Equations Explained"), page
    post = (result.out / "scientist" / "decision-making-101" / "index.html").read_text()
    assert "February 2, 2026" in post and "updated March 4, 2026" in post
    assert '"datePublished": "2026-02-02"' in post and '"dateModified": "2026-03-04"' in post


def test_two_builds_are_identical(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("FORGE_SITE_URL", "https://example.org/forge/")
    first = tree(site.build(project).out)
    for path in (project / "site").rglob("*.md"):
        os.utime(path)
    second = tree(site.build(project, out=project / "public").out)
    assert first == second
    assert b"<lastmod>2026-11-20</lastmod>" in gzip.decompress(first["sitemap.xml.gz"])
    assert "SOURCE_DATE_EPOCH" not in os.environ


def test_a_failed_build_leaves_the_old_site_whole(project: Path) -> None:
    before = tree(site.build(project).out)
    post = project / "site" / "scientist" / "posts" / "optimal-decisions.md"
    edit(post, r"\lVert", r"\lvertt")
    result = site.build(project)
    assert not result.ok
    assert tree(result.out) == before
    assert sorted(p.name for p in (project / ".forge" / "site").iterdir()) == []


def test_a_bad_formula_names_file_line_and_formula(project: Path) -> None:
    post = project / "site" / "scientist" / "posts" / "optimal-decisions.md"
    edit(post, r"$\gamma \in [0, 1)$", r"$\gama \in [0, 1)$")
    line = next(n for n, text in enumerate(post.read_text(encoding="utf-8").splitlines(), 1) if r"\gama" in text)
    (finding,) = site.build(project).findings  # once, though excerpts convert the post again
    assert (finding.check, finding.severity) == ("site.formula", "error")
    assert (finding.file, finding.line) == ("site/scientist/posts/optimal-decisions.md", line)
    assert finding.message == r"formula \gama \in [0, 1): Undefined control sequence: \gama"


@pytest.mark.parametrize(
    ("link", "words"),
    [("(#limits)", "no such anchor"), ("(nowhere.md)", "not found"), ("(/elsewhere/)", "absolute link")],
)
def test_a_dead_link_names_file_and_line(project: Path, link: str, words: str) -> None:
    post = project / "site" / "scientist" / "posts" / "optimal-decisions.md"
    edit(post, "[limits](#limits)", f"[limits]{link.replace('#limits', '#limit')}")
    line = next(n for n, text in enumerate(post.read_text(encoding="utf-8").splitlines(), 1) if "[limits](" in text)
    result = site.build(project)
    assert not result.ok
    (finding,) = result.findings
    assert (finding.check, finding.file, finding.line) == (
        "site.link",
        "site/scientist/posts/optimal-decisions.md",
        line,
    )
    assert words in finding.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("date: 2026-11-20", "date: '2026-11-20'", "front matter date: Expected type"),
        ("- author", "- stranger", "stranger"),
        ("<!-- more -->", "", "Couldn't find '<!-- more -->'"),
    ],
)
def test_front_matter_and_excerpt_are_checked(project: Path, old: str, new: str, message: str) -> None:
    edit(project / "site" / "manager" / "posts" / "optimal-decisions.md", old, new)
    result = site.build(project)
    assert not result.ok
    (finding,) = result.findings
    assert message in finding.message
    assert "optimal-decisions.md" in f"{finding.file}{finding.message}"


def test_a_broken_template_is_a_finding_not_a_traceback(project: Path) -> None:
    (project / "pipeline" / "theme" / "post.html").write_text(
        "{% extends 'main.html' %}{% block container %}{{ nothing.at.all }}{% endblock %}"
    )
    result = site.build(project)
    assert not result.ok
    assert result.findings and all(f.check == "site.build" for f in result.findings)


def test_a_build_asks_no_other_machine(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*address: object) -> None:
        raise AssertionError(f"the build wanted to reach {address}")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    monkeypatch.setattr(socket.socket, "connect", asked)
    assert site.build(project).findings == []


def test_nothing_is_printed(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(project / "site" / "about.md", "](assets/licences/README.txt)", "](nowhere.md)")
    site.build(project)
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""


def test_a_build_may_not_overwrite_its_sources(project: Path) -> None:
    for out in (project / "site", project / "site" / "public", project):
        with pytest.raises(CannotRun, match="overlaps"):
            site.build(project, out=out)


def test_a_build_replaces_only_an_earlier_site_or_an_empty_folder(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    out.mkdir()
    assert site.build(project, out=out).ok
    assert site.build(project, out=out).ok
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    with pytest.raises(CannotRun, match="holds something that is no site"):
        site.build(project, out=precious)
    assert (precious / "thesis.tex").read_text() == "years of work"


def test_unpublished_bytes_never_reach_public(project_with: Callable[..., Path]) -> None:
    root = project_with(posts=())
    draft = root / "drafts" / "secret" / "scientist.md"
    draft.parent.mkdir(parents=True)
    page = (
        "---\ntitle: Secret\nslug: secret\ndate: 2026-12-01\nedition: scientist\npair: ''\ntemplate: post.html\n"
        f"tags: [{DRAFT_BYTES}]\nreview: pending\n---\n\n{DRAFT_BYTES}\n\n<!-- more -->\n\n## A {{#a}}\n\nText.\n"
    )
    draft.write_text(page, encoding="utf-8")
    shown = site.preview(root, {"scientist/posts/secret.md": page}, {}, root / ".forge" / "preview")
    assert shown.ok, site.describe(shown)
    assert any(DRAFT_BYTES.encode() in data for data in tree(shown.out).values())
    assert not (root / "public").exists()
    result = site.build(root)  # in the same process, after the preview
    assert result.ok
    assert not [name for name, data in tree(result.out).items() if DRAFT_BYTES.encode() in data or "secret" in name]
    assert not [path for path in (root / "site").rglob("*") if path.is_file() and "secret" in path.name]


def test_the_author_comes_from_the_project(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.forge]\nauthor = "Ada Example"\n', encoding="utf-8")
    for edition in site.EDITIONS:
        for path in (project / "site" / edition / "posts").glob("*.md"):
            edit(path, "authors:\n- author\n", "")
    page = site.build(project).out / "scientist" / "optimal-decisions" / "index.html"
    assert "<span>Ada Example</span>" in page.read_text(encoding="utf-8")


def test_the_search_index_is_short_and_has_no_markup_of_formulas(built: Path) -> None:
    index = json.loads((built / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert all(len(entry["text"]) <= 2 * search.CHARACTERS for entry in index["docs"])
    titles = {entry["title"] for entry in index["docs"]}
    assert "The optimality equation" in titles
    assert "Decision Making 101: How AI Learns to Choose (Manager edition)" in titles
    assert not [entry for entry in index["docs"] if "tags" in entry and "#" in entry["location"]]
    assert not re.search(r"katex|annotation|\\mathcal", json.dumps(index))
    boosts = {
        entry["location"].split("/")[0]: entry.get("boost") for entry in index["docs"] if "/" in entry["location"]
    }
    assert boosts["scientist"] == 2 and boosts["manager"] is None


def test_machines_can_cite_a_post(built: Path) -> None:
    page = (built / "scientist/optimal-decisions/index.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert found
    data = json.loads(found[1])
    assert data["@type"] == "BlogPosting" and data["datePublished"] == "2026-11-20"
    assert data["isPartOf"]["name"] == "Knowledge Forge: Scientist edition"
    assert data["citation"][0]["sameAs"] == "https://doi.org/10.1002/9780470316887"
    assert "url" not in data and "og:image" not in page  # a site without an address has no absolute links
    for name in ("citation_title", "citation_author", "citation_publication_date", "citation_reference"):
        assert f'<meta name="{name}" content="' in page
    feeds = re.findall(r'<link rel="alternate feed" type="application/atom\+xml" title="[^"]*" href="([^"]*)">', page)
    assert feeds == ["../../manager/feed.xml", "../feed.xml"]


def test_with_an_address_previews_and_citations_are_absolute(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_SITE_URL", "https://example.org/forge/")
    card = project / "site/assets/cards/scientist/optimal-decisions.png"
    card.parent.mkdir(parents=True)
    card.write_bytes(draw_card("Title", "scientist", 1, "Forge", None))
    page = (site.build(project).out / "scientist/optimal-decisions/index.html").read_text(encoding="utf-8")
    base = "https://example.org/forge/"
    assert f'<meta property="og:image" content="{base}assets/cards/scientist/optimal-decisions.png">' in page
    assert f'<meta name="citation_public_url" content="{base}scientist/optimal-decisions/">' in page
    assert f'"url": "{base}scientist/optimal-decisions/"' in page
    assert "url          = {https://example.org/forge/scientist/optimal-decisions/}" in page


def test_neighbours_series_and_data_stand_below_a_post(built: Path) -> None:
    page = (built / "scientist/optimal-decisions/index.html").read_text(encoding="utf-8")
    assert 'href="../series/#week-1">Week 1: First steps</a>' in page
    assert re.search(r'<a class="kf-steps__prev" href="../decision-making-101/" rel="prev">', page)
    assert 'aria-current="page">The Mathematics of Optimal Decisions' in page
    assert 'href="../../assets/series/week01_mdp/convergence.d5a1f7c2b0.csv" download' in page


def test_no_comment_reaches_public(built: Path) -> None:
    for path in (*built.glob("scientist/**/*.html"), *built.glob("manager/**/*.html"), built / "index.html"):
        assert "<!--" not in path.read_text(encoding="utf-8"), path


def test_pages_load_the_formula_style_only_where_a_formula_stands(built: Path) -> None:
    assert "katex.min.css" in (built / "scientist/optimal-decisions/index.html").read_text(encoding="utf-8")
    assert "katex.min.css" not in (built / "manager/optimal-decisions/index.html").read_text(encoding="utf-8")


def test_scan_external_sees_what_a_browser_would_load(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<link rel="canonical" href="https://a.example/"><link rel="stylesheet" href="https://b.example/x.css">'
        '<a href="https://c.example/">fine</a><img src=//d.example/i.png srcset="i.png 1x, https://e.example/j.png 2x">'
        "<p style=\"background: url('https://f.example/k.png')\">x</p><script src='ok.js'></script>"
        "<style>@import 'https://g.example/l.css';</style><img src='data:image/png;base64,AA=='>",
        encoding="utf-8",
    )
    (tmp_path / "sheet.css").write_text("a{background:url(http://h.example/m.png)}b{src:url(ok.woff2)}")
    (tmp_path / "figure.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><image xlink:href="https://i.example/n.png"/>'
        '<g><use xlink:href="#local"/></g><metadata rdf:resource="http://purl.org/dc"/></svg>'
    )
    hosts = {re.search(r"//(\w)\.example", f.message)[1] for f in scan_external(tmp_path)}  # type: ignore[index]
    assert hosts == {"b", "d", "e", "f", "g", "h", "i"}
    assert {f.file for f in scan_external(tmp_path, name="public")} == {
        "public/page.html",
        "public/sheet.css",
        "public/figure.svg",
    }


def test_an_outside_image_in_a_post_stops_the_build(project: Path) -> None:
    post = project / "site" / "manager" / "posts" / "optimal-decisions.md"
    edit(post, "## Limits {#limits}", "![a picture](https://pictures.example/x.png)\n\n## Limits {#limits}")
    result = site.build(project)
    assert not result.ok
    (finding,) = result.findings
    assert finding.check == "site.external"
    assert "https://pictures.example/x.png" in finding.message


def test_scan_links_follows_directories_fragments_and_the_base(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="a/">1</a><a href="a/#here">2</a><a href="a/#gone">3</a><a href="b/">4</a><a href="#top">5</a>'
        '<a id="top" href="mailto:x@y.example">6</a><a href="https://z.example/#q">7</a><img src="a/pic.png">',
    )
    (tmp_path / "a" / "index.html").write_text('<h2 id="here">x</h2><a href="..">up</a><a href="/kf/a/">base</a>')
    messages = [f.message for f in scan_links(tmp_path, base="/kf/")]
    assert messages == [
        "link a/#gone leads to a place that a/index.html does not have",
        "link a/pic.png leads to nothing",
        "link b/ leads to nothing",
    ]
