"""Formulas become HTML while the site is built; a bad one is reported with its place."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import markdown
import pytest

from pipeline.mathext import TexError, render_tex
from pipeline.site import mathml

EXTENSIONS = ["pymdownx.arithmatex", "pipeline.mathext", "md_in_html", "tables", "footnotes", "attr_list", "toc"]
SETTINGS = {"pymdownx.arithmatex": {"generic": True}}


def convert(text: str) -> str:
    return markdown.Markdown(extensions=EXTENSIONS, extension_configs=SETTINGS).convert(text)


def test_a_formula_carries_html_and_mathml_with_its_source() -> None:
    html = render_tex(r"\gamma^k")
    assert html.startswith('<span class="katex"><span class="katex-mathml"><math')
    assert r'<annotation encoding="application/x-tex">\gamma^k</annotation>' in html
    assert 'class="katex-html" aria-hidden="true"' in html
    assert "katex-display" in render_tex(r"\gamma^k", display=True)


def test_katex_names_what_is_wrong() -> None:
    with pytest.raises(TexError, match=r"Undefined control sequence: \\gama"):
        render_tex(r"\gama")
    with pytest.raises(TexError, match="Unexpected end of input"):
        render_tex(r"\frac{a}{b")


def test_no_command_reaches_out_of_the_formula() -> None:
    assert "href" not in render_tex(r"\text{x}")
    assert 'href="https://example.org"' not in render_tex(r"\href{https://example.org}{x}")


def test_inline_and_display_are_rendered_and_prices_are_not() -> None:
    html = convert("Let $a<b$ cost \\$5 or $5 to $7.\n\n$$\na = \\text{if } x < 1\n$$\n")
    assert html.count('class="katex"') == 2
    assert html.count("katex-display") == 1
    assert "cost $5 or $5 to $7." in html
    assert r"a&lt;b</annotation>" in html
    assert r"x &lt; 1</annotation>" in html  # escaped once, not twice


def test_display_may_use_environments_and_ampersands() -> None:
    html = convert("$$\n\\begin{aligned}\na &= b \\\\\n  &\\le c\n\\end{aligned}\n$$\n")
    assert "kf-tex-error" not in html
    assert html.count("<mtr>") == 2


def test_formulas_in_captions_tables_footnotes_and_headings() -> None:
    html = convert(
        "## Rate $\\gamma$ {#rate}\n\n"
        '<figure markdown>\n<figcaption markdown="span">Bound $\\gamma^k$.</figcaption>\n</figure>\n\n'
        "| a |\n| --- |\n| $x_1$ |\n\nText[^1].\n\n[^1]: See $y_2$.\n"
    )
    assert html.count('class="katex"') == 4
    assert "$" not in html
    assert '<h2 id="rate">' in html


def test_a_formula_in_a_heading_reads_well_in_the_table_of_contents() -> None:
    md = markdown.Markdown(extensions=EXTENSIONS, extension_configs=SETTINGS)
    html = md.convert("## The *rate* $\\gamma^k$ again {#rate}\n")
    assert [token["name"] for token in md.toc_tokens] == ["The rate γk again"]  # type: ignore[attr-defined]
    assert html.startswith('<h2 id="rate">The <em>rate</em> <span class="arithmatex"')


def test_a_closing_mark_stays_on_the_line_of_its_formula() -> None:
    html = convert("Let $a$, or ($b$). Then $c$ is, $d$\n")
    assert mathml.without(html) == (
        '<p>Let <span class="kf-together">,</span> or (<span class="kf-together">).</span> Then  is, </p>'
    )
    assert convert("$a = b$").count("<wbr>") == 1, "between what KaTeX would part itself"
    assert "<wbr>" not in convert("$$\na = b\n$$\n")


def test_code_is_left_alone() -> None:
    html = convert("`$x$` and\n\n    $$y$$\n")
    assert "katex" not in html
    assert "$x$" in html and "$$y$$" in html


def test_formulas_are_kept_out_of_the_search_index() -> None:
    assert convert("$x$").count("data-search-exclude") == 1


def test_a_bad_formula_is_reported_with_file_and_line(
    caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("math") / "post.md"
    source.write_text("# Title\n\nfine $x$\n\nbroken $\\frac{1}{$ here\n", encoding="utf-8")
    md = markdown.Markdown(extensions=EXTENSIONS, extension_configs=SETTINGS)
    from markdown.treeprocessors import Treeprocessor

    links = Treeprocessor(md)
    links.file = SimpleNamespace(abs_src_path=str(source), src_uri="scientist/posts/post.md")  # type: ignore[attr-defined]
    md.treeprocessors.register(links, "relpath", 0)
    with caplog.at_level(logging.ERROR, "mkdocs.forge.math"):
        html = md.convert(source.read_text(encoding="utf-8"))
    assert [record.getMessage() for record in caplog.records] == [
        r"scientist/posts/post.md:5: formula \frac{1}{: Unexpected end of input in a macro argument, expected '}'"
    ]
    assert r'<code class="kf-tex-error">\frac{1}{</code>' in html


def test_a_display_inside_a_paragraph_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "mkdocs.forge.math"):
        convert("so that $$ x = 1 $$ holds")
    assert "a display stands in a paragraph of its own" in caplog.text


def test_rendering_is_cached() -> None:
    render_tex.cache_clear()
    convert("$q_1$ and $q_1$")
    assert render_tex.cache_info().misses == 1
    assert render_tex.cache_info().hits == 1
