"""A finding's jump lands on the block that holds its words."""

from __future__ import annotations

import re

from pipeline.review_app.places import passage_at, spoken, with_anchors

HTML = (
    "<html><body><nav><p>coin forgets everything it was told</p></nav><article><h1>Coins</h1>"
    "<p>A bet on a coin is a <em>choice</em>.</p><ul><li>A coin forgets everything.</li></ul>"
    "<script>var p = 'a coin forgets everything';</script></article></body></html>"
)


def where(html: str, anchor: str) -> str:
    found = re.search(rf'<(\w+)><a id="{anchor}" class="kf-here"></a>', html)
    assert found, html
    return found[1]


def test_the_block_with_the_words_gets_the_anchor() -> None:
    html = with_anchors(HTML, {"a": "A bet on a coin is a choice.", "b": "A coin forgets everything."})
    assert (where(html, "a"), where(html, "b")) == ("p", "li")
    assert re.sub(r'<a id="\w" class="kf-here"></a>', "", html) == HTML, "nothing else changed"


def test_words_found_nowhere_lead_to_the_top() -> None:
    assert where(with_anchors(HTML, {"a": "Zebras gallop over yellow plains."}), "a") == "h1"


def test_roles_give_their_words_and_formulas_none() -> None:
    said = spoken(
        "See {claim}``coin.more|the long series shows {val}`coin.many` heads`` when $p_x$ {cite}`feller1968`."
    )
    assert said.split() == ["See", "the", "long", "series", "shows", "heads", "when", "."]


def test_a_line_without_words_is_found_by_what_stands_before() -> None:
    text = "---\ntitle: x\n---\n\nA coin forgets everything.\n\n{fig}`coin.heads`\n"
    assert passage_at(text, 7, "") == "A coin forgets everything."
    assert passage_at(text, 7, "A bet on a coin.") == "A bet on a coin."
