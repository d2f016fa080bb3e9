"""Pages made while building: where they go, what they say, and that they never win over a page of one's own."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from pipeline import site
from pipeline.site import code, series, terms, tree
from pipeline.site.generated import Generated, escaped, front, with_generated
from pipeline.site.shelf import Post, Shelf, fill_shelf, front_matter

NAV = [{"Home": "index.md"}, {"Scientist": ["scientist/index.md"]}, {"About": "about.md"}]


def page(path: str, *nav: str) -> Generated:
    return Generated(path, "# x", "notes/x.md", nav)


def test_pages_find_their_place_in_the_navigation() -> None:
    before = copy.deepcopy(NAV)
    made = with_generated(
        NAV, [page("a.md", "Scientist", "Weeks"), page("b.md", "Plan", "Road"), page("c.md", "Plan", "Now")]
    )
    assert made == [
        {"Home": "index.md"},
        {"Scientist": ["scientist/index.md", {"Weeks": "a.md"}]},
        {"Plan": [{"Road": "b.md"}, {"Now": "c.md"}]},
        {"About": "about.md"},
    ]
    assert before == NAV
    assert with_generated(NAV, [page("quiet.md")]) == NAV
    assert with_generated([], [page("only.md", "Only")]) == [{"Only": "only.md"}]


@pytest.mark.parametrize("text", ["a *b* _c_ [d] `e` #f", "x < y & z", "costs $5 to $7", "back\\slash {g}", "it's"])
def test_plain_text_survives_markdown_and_yaml(text: str) -> None:
    import html
    import re

    import markdown

    shown = markdown.markdown(escaped(text))
    assert html.unescape(re.sub(r"<[^>]*>", "", shown)) == text
    assert front_matter(front(text, text))["title"] == text


@pytest.fixture
def shelf(project: Path) -> Shelf:
    return fill_shelf(project, project / "site")


def test_the_shelf_knows_posts_weeks_terms_and_measurements(shelf: Shelf) -> None:
    assert [post.key for post in shelf.of("scientist")] == [
        "scientist/decision-making-101",
        "scientist/optimal-decisions",
    ]
    assert shelf.week(1) == ("First steps", "Phase 1: Foundations") and shelf.week(7) == ("", "")
    assert set(shelf.glossary) == {"Contraction", "Policy", "State", "Unused term"}
    assert list(shelf.measured) == ["scientist/optimal-decisions"]


def test_the_weeks_page_goes_by_phase_and_week(shelf: Shelf) -> None:
    (science, management) = series.pages(shelf)
    assert (science.path, science.nav) == ("scientist/series.md", ("Scientist", "Weeks"))
    assert management.path == "manager/series.md"
    assert "## Phase 1: Foundations {#phase-1-foundations}" in science.text
    assert "### Week 1: First steps {#week-1}" in science.text
    assert science.text.index("(posts/decision-making-101.md)") < science.text.index("(posts/optimal-decisions.md)")


def test_the_glossary_holds_used_terms_and_where(shelf: Shelf) -> None:
    used = terms.used_terms(shelf)
    assert "Unused term" not in used and "Contraction" in used
    (made,) = terms.pages(shelf)
    assert "## Contraction {#term-contraction .kf-entry}" in made.text
    assert "An update that brings any two guesses closer together." in made.text
    assert "(scientist/posts/optimal-decisions.md)" in made.text


def test_terms_in_code_formulas_tags_and_the_appendix_do_not_count(tmp_path: Path) -> None:
    hidden = (
        "---\ntitle: contraction\n---\n`contraction` $contraction$ <b title='contraction'>x</b>\n\n"
        '```\ncontraction\n```\n\n[^a]: Contraction.\n\n??? abstract "How this was measured"\n\n    contraction\n'
    )
    post = Post("scientist", "a", "A", text=hidden)
    assert terms.used_terms(Shelf(tmp_path, (post,), glossary={"Contraction": "x"})) == {}
    post = Post("scientist", "a", "A", text="Two contractions.")
    assert terms.used_terms(Shelf(tmp_path, (post,), glossary={"Contraction": "x"})) == {"Contraction": [post]}


def test_code_pages_show_the_file_and_mark_the_named_lines(shelf: Shelf) -> None:
    file = shelf.root / "experiments" / "week01_mdp" / "value_iteration.py"
    file.write_text(file.read_text() + '"""\n```\nfence & <tag>\n```\n"""\n')
    (made,) = code.pages(shelf)
    assert made.path == "code/week01_mdp/value_iteration.md" and made.nav == ()
    for line in (30, 41, 58):
        assert f'<span id="L{line}">' in made.text
    assert "```" not in made.text and "fence &amp; &lt;tag&gt;" in made.text
    assert str(len(file.read_text().splitlines())) in made.text


def test_a_page_of_ones_own_wins(project: Path) -> None:
    (project / "site" / "glossary.md").write_text("---\ntitle: Mine\n---\n\n# My own glossary\n")
    (project / "mkdocs.yml").write_text(
        (project / "mkdocs.yml")
        .read_text()
        .replace("  - About: about.md", "  - Mine: glossary.md\n  - About: about.md")
    )
    docs = project / ".forge" / "docs"
    tree.lay_out(project / "site", docs)
    assert "glossary.md" not in {made.path for made in tree.generate(fill_shelf(project, docs), docs)}
    result = site.build(project)
    assert result.ok, site.describe(result)
    assert "My own glossary" in (result.out / "glossary" / "index.html").read_text(encoding="utf-8")


def test_findings_about_a_generated_page_name_what_it_is_made_from(project: Path) -> None:
    note = project / "notes" / "glossary.md"
    note.write_text(note.read_text() + "\n**Dynamic programming**: tables. ^dp\n")
    post = project / "site" / "manager" / "posts" / "optimal-decisions.md"
    post.write_text(
        post.read_text().replace("## Limits {#limits}", "See [x](../../glossary.md#term-none).\n\n## Limits {#limits}")
    )
    result = site.build(project)
    assert [(f.check, f.file) for f in result.findings] == [("site.link", "site/manager/posts/optimal-decisions.md")]
    assert not list((project / "site").glob("**/series.md")) and not (project / "site" / "code").exists()
