"""Sentences end at their full stops and nowhere else; places are exact for any text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sentences import HOLE, split


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    "text",
    [
        "It holds, e.g. in Fig. 3 of R. S. Sutton and A. G. Barto, at 0.95 exactly.",
        "Compare approx. 4 with no. 5, i.e. ch. 2... and so on.",
        f"See {HOLE}, cf. {HOLE} vs. {HOLE}.",
        "version 2.13.0 of a.b.c is lower-case. as a whole",
        "",
    ],
)
def test_one_sentence_stays_one(text: str) -> None:
    assert pieces(text) == ([text] if text else [])


def test_sentences_part() -> None:
    text = f'  One. Two! Three? "Four." (Five.) {HOLE} six. {HOLE}{HOLE} seven… Eight: in the U.S. The end.  '
    assert pieces(text) == [
        "One.", "Two!", "Three?", '"Four."', "(Five.)", f"{HOLE} six.", f"{HOLE}{HOLE} seven…", "Eight: in the U.S.",
        "The end.",
    ]  # fmt: skip


@given(st.text(alphabet=f"aB. !?…\"'()1\n{HOLE}", max_size=60))
def test_nothing_is_lost_but_white_space(text: str) -> None:
    found = split(text)
    kept = "".join(text[start:end] for start, end in found)
    assert "".join(kept.split()) == "".join(text.split())
    assert all(start < end and not text[start].isspace() and not text[end - 1].isspace() for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
