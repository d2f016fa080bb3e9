"""WordPiece: longest match by hand, unknown words, marks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from experiments.week02_tokens import wordpiece
from experiments.week02_tokens.wordpiece import UNKNOWN, WordPiece

TOY = WordPiece((UNKNOWN, "un", "##aff", "##able", "##a", "##f", "u", "##n", "a", "able", "##b", "##l", "##e"), 12)


def cut(word):
    return [TOY.tokens[i] for i in wordpiece.cutter(TOY)(word)]


def test_longest_match_first():
    assert cut("unaffable") == ["un", "##aff", "##able"]  # the example of BERT's code
    assert cut("able") == ["able"]
    assert cut("una") == ["un", "##a"]


def test_a_word_that_cannot_be_cut_to_the_end_is_unknown_as_a_whole():
    assert cut("unx") == [UNKNOWN]
    assert cut("") == []
    assert cut("unaffableunaff") == [UNKNOWN]  # longer than the longest word


def test_greedy_is_not_always_possible_to_finish():
    """abc cannot be cut: the longest beginning ab leaves ##c, which is missing, and there is no way back to a."""
    model = WordPiece((UNKNOWN, "a", "ab", "##bc"))
    assert wordpiece.cutter(model)("abc") == [0]


def test_training_by_ratio_joins_what_belongs_together():
    model = wordpiece.train({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}, wordpiece.Config(12, "ratio", 1))
    assert model.tokens[:9] == (UNKNOWN, "##g", "##n", "##s", "##u", "b", "h", "p", "##gs")  # before the frequent ug


def test_alphabet_is_in_the_vocabulary_in_both_forms():
    model = wordpiece.train({"ab": 3}, wordpiece.Config(30), alphabet="abz")
    assert {"z", "##z", "b", "##b"} <= set(model.tokens)
    assert UNKNOWN not in [model.tokens[i] for i in wordpiece.cutter(model)("zzab")]


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=8), max_size=6))
def test_words_come_back(words):
    model = wordpiece.train({"abcab": 4, "cabba": 2}, wordpiece.Config(20, "count", 1), alphabet="abc")
    assert wordpiece.spell(model, wordpiece.encoder(model)(words)) == words
