"""Words, not lines: what stays, goes and comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.review_app.worddiff import Piece, passages, word_diff

TEXT = st.text(alphabet="ab .,\n{}`'vl", max_size=60)


def test_one_word_of_a_sentence() -> None:
    assert word_diff("A fair coin forgets.", "A bent coin forgets.") == (
        Piece("same", "A "), Piece("del", "fair"), Piece("ins", "bent"), Piece("same", " coin forgets."),
    )  # fmt: skip


def test_neighbouring_words_change_together() -> None:
    pieces = word_diff("the old grey house", "the new white house")
    assert pieces == (
        Piece("same", "the "), Piece("del", "old grey"), Piece("ins", "new white"), Piece("same", " house"),
    )  # fmt: skip


def test_a_role_is_one_word() -> None:
    pieces = word_diff("It took {val}`vi.a.sweeps` sweeps.", "It took {val}`vi.b.sweeps` sweeps.")
    assert Piece("del", "{val}`vi.a.sweeps`") in pieces and Piece("ins", "{val}`vi.b.sweeps`") in pieces


@given(TEXT, TEXT)
def test_both_texts_can_be_read_back(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(p.text for p in pieces if p.kind != "ins") == old
    assert "".join(p.text for p in pieces if p.kind != "del") == new


def test_unchanged_paragraphs_are_counted() -> None:
    found = passages("One.\n\nTwo.\n\nThree.\n\nFour.", "One.\n\nTwo.\n\nThird.\n\nFour.")
    assert [passage.skipped for passage in found] == [2, 0, 1]
    assert found[1].pieces[0] == Piece("del", "Three")
    assert passages("One.\n\nTwo.", "One.\n\nTwo.") == []
