"""Cutting: nothing is lost, units end where words end, bytes and their visible forms are one to one."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.week02_tokens import pretokens
from experiments.week02_tokens.pretokens import (
    ALPHABET,
    PATTERNS,
    count_words,
    from_visible,
    to_bytes,
    to_text,
    units,
    visible,
    words,
)

SPLITS = ["gpt2", "blank", "line"]
BLANKS = st.text(alphabet=st.sampled_from(list("ab1.'_ \n\t\r\x0b\x0c\x1c\x1d\x1f\x85\xa0  　é字")), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello world", ["Hello", " world"]),
        ("it's 2024's best, isn't it?", ["it", "'s", " 2024", "'s", " best", ",", " isn", "'t", " it", "?"]),
        ("a  b", ["a", " ", " b"]),
        ("a \n b", ["a", " \n", " b"]),
        ("x\n\ny", ["x", "\n", "\n", "y"]),
        ("tail  ", ["tail", "  "]),
        ("a_b", ["a", "_", "b"]),
        ("안녕하세요!", ["안녕하세요", "!"]),
    ],
)
def test_gpt2_words_by_hand(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize("split", SPLITS)
@given(text=BLANKS | st.text(max_size=40))
@example(text="a\x1cb \x1c\x1f!")
@example(text=" ")
@example(text="")
def test_units_are_made_of_whole_words(split, text):
    """The short cut through units gives the words that the pattern gives on the whole text."""
    assert "".join(units(text, split)) == text
    assert [w for unit in units(text, split) for w in words(unit, split)] == words(text, split)
    assert count_words([text], split) == Counter(words(text, split))


@given(st.binary(max_size=60))
def test_any_bytes_survive(data):
    assert to_bytes(to_text(data)) == data
    assert from_visible(visible(data)) == data
    assert len(visible(data)) == len(data)


def test_alphabet_is_gpt2s():
    assert sorted(ALPHABET) == list(range(256))
    assert [pretokens.BYTE_ID[b] for b in b"!~ \n"] == [0, 93, 220, 198]
    assert visible(b" a\n") == "ĠaĊ"
    shown = [visible(bytes([b])) for b in ALPHABET]
    assert shown == sorted(shown) and all(c.isprintable() and not c.isspace() for c in shown)


def test_patterns_cover_every_character():
    text = "".join(map(chr, range(0x3000)))
    assert all("".join(PATTERNS[split].findall(text)) == text for split in PATTERNS)
