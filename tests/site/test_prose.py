"""What a post's text gains while it is built: links from values, code and terms; no word of it changes."""

from __future__ import annotations

import re

import markdown

BASE = ["md_in_html", "tables", "footnotes", "attr_list", "toc", "pymdownx.details", "pymdownx.superfences",
        "pymdownx.highlight", "pymdownx.arithmatex", "pipeline.mathext", "pipeline.site.prose"]  # fmt: skip
OPTIONS = {
    "code": {"experiments/toy/coin.py": "code/toy/coin.md"},
    "terms": {"Contraction": "it shrinks", "Policy": "a rule", "State": "a situation"},
    "glossary": "glossary.md",
}
VALUE = '<data class="kf-value" value="3" data-key="coin.three" title="three heads · exact">3</data>'
APPENDIX = """
??? abstract "How this was measured"

    | value | what it is | how it was obtained |
    | ---: | --- | --- |
    | 3 | heads (`coin.three`) | exact · run x · experiments/toy/coin.py:12 |
    | 4 | tails (`coin.four`) | exact · run x · experiments/toy/gone.py:12 |
"""


def convert(text: str, **options: object) -> str:
    settings = {"pipeline.site.prose": {**OPTIONS, **options}, "pymdownx.arithmatex": {"generic": True}}
    return markdown.Markdown(extensions=BASE, extension_configs=settings).convert(text)  # type: ignore[arg-type]


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)).strip()


def test_a_value_links_to_its_row_and_the_row_to_its_line() -> None:
    html = convert(f"It fell {VALUE} times.\n{APPENDIX}")
    assert f'<a class="kf-origin" href="#fact-coin.three">{VALUE}</a>' in html
    assert '<details class="abstract" id="how-this-was-measured">' in html
    assert '<tr id="fact-coin.three" role="row">' in html and '<tr id="fact-coin.four" role="row">' in html
    assert '<a href="../../code/toy/coin.md#L12">experiments/toy/coin.py:12</a>' in html
    assert "gone.py:12</td>" in html  # a file that is not shown is named, not linked


def test_a_value_in_a_caption_a_table_and_a_claim_is_linked_too() -> None:
    html = convert(
        f'<figure markdown>\n<figcaption markdown="span">Fell {VALUE}.</figcaption>\n</figure>\n\n'
        f"| a |\n| --- |\n| {VALUE} |\n\n"
        f'<span class="kf-claim" data-key="c">Only {VALUE} fell.</span>\n{APPENDIX}'
    )
    assert html.count('<a class="kf-origin" href="#fact-coin.three">') == 3
    assert html.count("</data></a>") == 3


def test_a_value_without_a_row_links_to_the_appendix_and_without_one_to_nothing() -> None:
    other = VALUE.replace("coin.three", "coin.other")
    assert 'href="#how-this-was-measured"' in convert(other + "\n" + APPENDIX)
    assert "kf-origin" not in convert(other)


def test_a_listing_links_to_its_file() -> None:
    fence = '``` python title="experiments/toy/coin.py, lines 3–9"\nx = 1\n```\n'
    html = convert(fence)
    assert '<p class="kf-file"><a href="../../code/toy/coin.md#L3">experiments/toy/coin.py, lines 3–9</a></p>' in html
    assert 'class="filename"' not in html
    assert 'class="filename"' in convert(fence.replace("coin.py", "gone.py"))


def test_the_first_use_of_a_term_is_explained_outside_headings_code_and_links() -> None:
    text = (
        "## A contraction {#c}\n\n`contraction` and [contraction](#c), then a contraction, again a contraction.\n\n"
        "Policies differ. A state is one; a *state* is another."
    )
    html = convert(text)
    explained = re.findall(r'<a class="kf-term" href="([^"]*)" title="([^"]*)">([^<]*)</a>', html)
    assert explained == [
        ("../../glossary.md#term-contraction", "it shrinks", "contraction"),
        ("../../glossary.md#term-policy", "a rule", "Policies"),
        ("../../glossary.md#term-state", "a situation", "state"),
    ]
    assert "then a <a" in html and "A state is one; a <em><a" in html  # everyday words only where emphasised
    assert words(html) == words(convert(text, terms={}))


def test_a_term_inside_a_value_or_a_link_of_raw_html_stays() -> None:
    html = convert('<data class="kf-value" data-key="k" title="t">a contraction</data> <a href="#x">a policy</a>')
    assert "kf-term" not in html


def test_a_reference_mark_stands_against_its_word() -> None:
    html = convert("So it is said [^a], twice [^a].\n\n[^a]: Somebody.")
    assert "said<sup" in html and "twice<sup" in html


def test_rows_are_named_by_their_first_cell_under_an_empty_corner() -> None:
    html = convert("| | up | down |\n| --- | --- | --- |\n| *left* | 1 | 2 |\n| right | 3 | 4 |\n")
    assert "<td></td>\n<th>up</th>" in html
    assert '<th scope="row"><em>left</em></th>\n<td>1</td>' in html and '<th scope="row">right</th>' in html
    assert "scope" not in convert("| side | up |\n| --- | --- |\n| left | 1 |\n")


def test_tables_stand_in_boxes_and_have_a_class_so_that_no_script_moves_them() -> None:
    html = convert(f"| a |\n| --- |\n| 1 |\n{APPENDIX}\nAfter.\n")
    box = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table"><table class="kf-table"'
    assert html.count(box) == html.count("<table") == 2 and "<p>After.</p>" in html


def test_without_options_a_page_stays_as_it_is_but_for_its_values() -> None:
    text = "A contraction of a policy.\n"
    assert convert(text, code={}, terms={}, glossary="") == "<p>A contraction of a policy.</p>"
