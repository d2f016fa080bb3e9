"""Scores by hand, the count score equal to byte-pair encoding, exact counts against recounting."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.week02_tokens import bpe, merge_strategies
from experiments.week02_tokens.merge_strategies import SCORES, Config
from experiments.week02_tokens.pretokens import ALPHABET, count_words, to_bytes, visible

TEXT = "the cat sat on the mat; the rat that sat there ate the cat, and that was that.\n" * 2


def scores_by_recounting(spelt, weights, score, least):
    """The score of every pair that occurs often enough, from fresh counts."""
    pairs, single = Counter(), Counter()
    for symbols, n in zip(spelt, weights, strict=True):
        for symbol in symbols:
            single[symbol] += n
        for pair in pairwise(symbols):
            pairs[pair] += n
    total = float(sum(single.values()))
    f = np.float64
    return {
        (a, b): float(SCORES[score](f(n), f(single[a]), f(single[b]), total))
        for (a, b), n in pairs.items()
        if n >= least
    }


@settings(deadline=None, max_examples=80)
@given(
    st.dictionaries(st.text(alphabet="abc", min_size=1, max_size=8), st.integers(1, 4), min_size=1, max_size=6),
    st.sampled_from(["count", "ratio", "gain"]),
    st.integers(1, 2),
)
def test_every_merge_is_the_best_by_recounting(counts, score, least):
    weights = list(counts.values())
    learnt = merge_strategies.train(list(counts), weights, Config(11, score, least), alphabet="abc")
    spelt = [list(word) for word in counts]
    for left, right in learnt.merges:
        pair = (learnt.tokens[left], learnt.tokens[right])
        scores = scores_by_recounting(spelt, weights, score, least)
        assert scores[pair] == pytest.approx(max(scores.values()), rel=1e-9)
        for symbols in spelt:
            i = 0
            while i + 1 < len(symbols):
                if (symbols[i], symbols[i + 1]) == pair:
                    symbols[i : i + 2] = [pair[0] + pair[1]]
                i += 1
    if len(learnt.tokens) < 11:
        assert not scores_by_recounting(spelt, weights, score, least)


def test_counting_is_byte_pair_encoding():
    counts = count_words([TEXT])
    model = bpe.train_on_words(counts, bpe.Config(300))
    spelt = [visible(to_bytes(word)) for word in counts]
    alphabet = [visible(bytes([b])) for b in ALPHABET]
    learnt = merge_strategies.train(spelt, list(counts.values()), Config(300, "count", 1), alphabet=alphabet)
    assert (learnt.merges, learnt.made) == (model.merges, model.made)


def test_scores_by_hand():
    n, a, b = np.array([6.0]), np.array([12.0]), np.array([10.0])
    assert SCORES["count"](n, a, b, 100)[0] == 6
    assert SCORES["ratio"](n, a, b, 100)[0] == pytest.approx(6 / 120)
    assert SCORES["gain"](n, a, b, 100)[0] == pytest.approx(6 * np.log(5))


def test_ratio_prefers_the_rare_pair_and_count_the_frequent_one():
    words, weights = ["ab", "ac", "ba", "qz"], [10, 10, 10, 1]
    first = {
        s: merge_strategies.train(words, weights, Config(6, s, 1)).tokens[-1] for s in ("count", "ratio")
    }  # a, b, c, q, z and one merge
    assert first == {"count": "ab", "ratio": "qz"}


def test_least_is_kept():
    learnt = merge_strategies.train(["qz", "ab"], [1, 5], Config(20, "ratio", 2))
    assert learnt.tokens[-1] == "ab" and len(learnt.merges) == 1
