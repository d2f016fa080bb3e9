"""Three-way merge: edits survive, conflicts keep both texts, nothing is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.merge import CONFLICT, merge, paragraphs

BASE = "one\n\ntwo\n\nthree\n\nfour\n"

WORD = st.text("abcdef", min_size=1, max_size=4)
TEXT = st.lists(WORD, min_size=1, max_size=8).map(lambda words: "\n\n".join(words) + "\n")


def test_changes_in_different_places_both_come_through() -> None:
    merged = merge(BASE, BASE.replace("two", "TWO, mine"), BASE.replace("four", "FOUR, new"))
    assert merged.text == "one\n\nTWO, mine\n\nthree\n\nFOUR, new\n"
    assert merged.conflicts == () and merged.kept_edits == 1


def test_one_place_changed_by_both_keeps_both_texts_and_blocks() -> None:
    merged = merge(BASE, BASE.replace("two", "mine"), BASE.replace("two", "new"))
    assert merged.text == f"one\n\nmine\n\n{CONFLICT}\n\nnew\n\nthree\n\nfour\n"
    assert [(c.mine, c.new) for c in merged.conflicts] == [("mine", "new")]


def test_same_change_on_both_sides_is_no_conflict() -> None:
    merged = merge(BASE, BASE.replace("two", "same"), BASE.replace("two", "same"))
    assert merged.text == BASE.replace("two", "same") and not merged.conflicts


def test_a_deleted_paragraph_stays_deleted() -> None:
    merged = merge(BASE, "one\n\nthree\n\nfour\n", BASE.replace("four", "FOUR"))
    assert merged.text == "one\n\nthree\n\nFOUR\n"


def test_fences_are_one_paragraph() -> None:
    text = "a\n\n```python\nx = 1\n\ny = 2\n```\n\n$$\nv\n\nw\n$$\n"
    assert paragraphs(text) == ["a", "```python\nx = 1\n\ny = 2\n```", "$$\nv\n\nw\n$$"]


@given(TEXT, TEXT)
def test_an_untouched_text_takes_the_new_one(base: str, new: str) -> None:
    assert merge(base, base, new).text == new


@given(TEXT, TEXT)
def test_a_writer_who_changes_nothing_changes_nothing(base: str, mine: str) -> None:
    assert merge(base, mine, base).text == mine


@given(TEXT, TEXT, TEXT)
@settings(max_examples=500)
def test_every_word_a_person_added_survives(base: str, mine: str, new: str) -> None:
    added = set(paragraphs(mine)) - set(paragraphs(base))
    assert added <= set(paragraphs(merge(base, mine, new).text))


@given(TEXT, TEXT, TEXT)
@settings(max_examples=500)
def test_every_paragraph_the_writer_added_is_there_or_stood_already(base: str, mine: str, new: str) -> None:
    added = set(paragraphs(new)) - set(paragraphs(base))
    assert added <= set(paragraphs(merge(base, mine, new).text))


@given(TEXT, TEXT, TEXT)
def test_merging_again_changes_nothing(base: str, mine: str, new: str) -> None:
    once = merge(base, mine, new).text
    assert merge(new, once, new).text == once
