"""Byte-pair encoding: known merges, a slow oracle, ties, overlaps, round trips of anything."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from experiments.week02_tokens import bpe
from experiments.week02_tokens.chain import byte_chain, chain, edges, keys, merge, without_overlaps
from experiments.week02_tokens.pretokens import ALPHABET, BYTE_ID, to_bytes, words

FEW = st.text(alphabet="ab ", max_size=24)


def oracle(counts, vocabulary):
    """Algorithm 1 of Sennrich et al., as slow as it is plain: recount everything, merge everywhere."""
    tokens = [bytes([b]) for b in ALPHABET]
    spelt = [([BYTE_ID[b] for b in to_bytes(word)], n) for word, n in counts.items()]
    merges, made = [], []
    while len(tokens) < vocabulary:
        pairs = Counter()
        for ids, n in spelt:
            for pair in pairwise(ids):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        token = tokens[best[0]] + tokens[best[1]]
        new = tokens.index(token) if token in tokens else len(tokens)
        if new == len(tokens):
            tokens.append(token)
        merges.append(best)
        made.append(new)
        for w, (ids, n) in enumerate(spelt):
            joined, i = [], 0
            while i < len(ids):
                if i + 1 < len(ids) and (ids[i], ids[i + 1]) == best:
                    joined.append(new)
                    i += 2
                else:
                    joined.append(ids[i])
                    i += 1
            spelt[w] = (joined, n)
    return tuple(tokens), tuple(merges), tuple(made)


def encode_slowly(model, word):
    """Apply the earliest merge present, everywhere from left to right, until none is."""
    ids = [BYTE_ID[b] for b in word]
    rank = {pair: i for i, pair in reversed(list(enumerate(model.merges)))}
    while present := [rank[pair] for pair in pairwise(ids) if pair in rank]:
        first = min(present)
        joined, i = [], 0
        while i < len(ids):
            if i + 1 < len(ids) and (ids[i], ids[i + 1]) == model.merges[first]:
                joined.append(model.made[first])
                i += 2
            else:
                joined.append(ids[i])
                i += 1
        ids = joined
    return ids


def test_the_textbook_example():
    """aaabdaaabac: aa, then ab (or aa+a: a tie that the smaller ids win), then both together."""
    model = bpe.train(["aaabdaaabac"], bpe.Config(259, "line"))
    assert [model.tokens[i] for i in model.made] == [b"aa", b"ab", b"aaab"]
    ids = bpe.encoder(model)("aaabdaaabac")
    assert [model.tokens[i] for i in ids] == [b"aaab", b"d", b"aaab", b"a", b"c"]


@settings(deadline=None)
@given(st.dictionaries(FEW.filter(bool), st.integers(1, 5), max_size=6), st.integers(256, 272))
@example({"aaaaa": 1, "aaa": 2}, 262)
@example({"abc": 2, "bcabc": 3, "abab": 1}, 270)
def test_training_equals_the_slow_oracle(counts, vocabulary):
    model = bpe.train_on_words(counts, bpe.Config(vocabulary))
    assert (model.tokens, model.merges, model.made) == oracle(counts, vocabulary)


@settings(deadline=None)
@given(st.lists(FEW, min_size=1, max_size=4), st.text(alphabet="ab ", max_size=40))
def test_encoding_equals_the_slow_oracle(texts, text):
    model = bpe.train(texts, bpe.Config(266))
    assert bpe.merger(model)(text.encode()) == encode_slowly(model, text.encode())


def test_a_token_spelt_in_two_ways_is_one_token():
    """xbc makes bc, then a+bc; aab makes ab; where ab stands before c, the two lead to the same token."""
    counts = {"xbcxbc": 50, "abc": 20, "aab": 30, "aabq": 30, "ab": 60}
    model = bpe.train_on_words(counts, bpe.Config(268))
    assert len(set(model.tokens)) == len(model.tokens)
    assert (model.tokens, model.merges, model.made) == oracle(counts, 268)


@pytest.fixture(scope="module")
def small():
    text = "the cat sat on the mat, the rat ate the cat's hat. 1234 naïve façade 안녕하세요 😉\n" * 3
    return bpe.train([text], bpe.Config(330))


@settings(deadline=None)
@given(text=st.text(max_size=60))
@example(text="\x1c \x85 \u2028")
def test_round_trip_of_any_text(small, text):
    assert bpe.decode(small, bpe.encoder(small)(text)) == text


@settings(deadline=None)
@given(data=st.binary(max_size=60))
def test_round_trip_of_any_bytes(small, data):
    text = data.decode("utf-8", "surrogateescape")
    assert bpe.decode(small, bpe.encoder(small)(text)).encode("utf-8", "surrogateescape") == data


def test_remembered_units_change_nothing(small):
    encode = bpe.encoder(small)
    text = "the cat sat. The cat? the  cat\n"
    assert encode(text) == encode(text) == [i for w in words(text) for i in bpe.merger(small)(to_bytes(w))]


def test_memory_is_bounded(small, monkeypatch):
    monkeypatch.setattr(bpe, "KEPT", 3)
    text = " ".join(f"word{i}" for i in range(20))
    assert bpe.decode(small, bpe.encoder(small)(text)) == text


def test_truncated_is_what_training_would_have_given():
    texts = ["she sells sea shells by the sea shore; the shells she sells are sea shells\n"] * 2
    large = bpe.train(texts, bpe.Config(300))
    for size in (256, 257, 270, 299, 300):
        assert bpe.truncated(large, size) == bpe.train(texts, bpe.Config(size))


def test_least_stops_training():
    model = bpe.train(["aa aa aa bb"], bpe.Config(300, least=3))
    assert [model.tokens[i] for i in model.made] == [b"aa", b" aa"] or len(model.made) == 1
    assert all(token not in model.tokens for token in (b"bb", b" bb"))


def test_too_small_a_vocabulary_is_refused():
    with pytest.raises(ValueError, match="256 bytes"):
        bpe.train(["x"], bpe.Config(100))


def test_nothing_to_learn():
    assert bpe.train([], bpe.Config(300)).merges == ()
    assert bpe.encoder(bpe.train(["a"], bpe.Config(300)))("") == []


def test_a_long_word_takes_no_square():
    """100,000 bytes without a blank: minutes if pairs were searched anew after each merge."""
    model = bpe.train(["aaab" * 50], bpe.Config(264, "line"))
    assert bpe.decode(model, bpe.encoder(model)("aaab" * 25_000)) == "aaab" * 25_000


def test_chain_merges_in_place():
    laid = byte_chain([b"abab", b"b"], [2, 5], np.arange(256))
    at = edges(laid)
    assert at.tolist() == [1, 2, 3] and laid.weight[at].tolist() == [2, 2, 2]
    fresh = merge(laid, np.array([1, 3]), 300)
    assert sorted(fresh.tolist()) == [1]  # one edge, between the two new tokens, and it is named once
    assert divmod(int(keys(laid, fresh)[0]), 1 << 31) == (300, 300)
    triple = chain([[7, 7, 7, 7, 7]], [1])
    assert without_overlaps(triple, edges(triple)).tolist() == [1, 3]
