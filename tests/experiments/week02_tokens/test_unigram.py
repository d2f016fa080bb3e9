"""The unigram model: likelihoods by enumeration, EM that never falls, Viterbi and n-best against brute force."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.week02_tokens import unigram
from experiments.week02_tokens.unigram import Config, Unigram

TOY = Unigram(("a", "b", "ab", "ba", "aba", "c"), tuple(np.log([0.3, 0.25, 0.2, 0.1, 0.05, 0.1]).tolist()))
WORDS = st.text(alphabet="abc", min_size=1, max_size=9)
COUNTS = st.dictionaries(WORDS, st.integers(1, 5), min_size=1, max_size=6)


def segmentations(word, tokens):
    """Every way to spell the word."""
    if not word:
        yield []
    for i in range(1, len(word) + 1):
        if word[:i] in tokens:
            yield from ([word[:i], *rest] for rest in segmentations(word[i:], tokens))


def score(model, pieces):
    log_p = dict(zip(model.tokens, model.log_p, strict=True))
    return sum(log_p[piece] for piece in pieces)


@given(WORDS)
def test_viterbi_is_optimal(word):
    best, pieces = unigram.viterbi(unigram.known(TOY), word)
    assert "".join(pieces) == word
    assert best == pytest.approx(max(score(TOY, each) for each in segmentations(word, TOY.tokens)))
    assert best == pytest.approx(score(TOY, pieces))


@given(WORDS, st.integers(1, 6))
def test_n_best_are_the_n_best(word, n):
    everything = sorted((score(TOY, each) for each in segmentations(word, TOY.tokens)), reverse=True)
    found = unigram.n_best(unigram.known(TOY), word, n)
    assert [s for s, _ in found] == pytest.approx(everything[:n])
    assert len({tuple(pieces) for _, pieces in found}) == len(found)
    assert all("".join(pieces) == word and score(TOY, pieces) == pytest.approx(s) for s, pieces in found)


@settings(deadline=None)
@given(COUNTS)
def test_forward_backward_equals_enumeration(counts):
    p = np.exp(TOY.log_p)
    lat = unigram.lattice(list(counts), list(counts.values()), TOY.tokens)
    expected, likelihood = unigram.expectation(lat, p)
    brute, total = Counter(), 0.0
    for word, n in counts.items():
        ways = [(math.exp(score(TOY, each)), each) for each in segmentations(word, TOY.tokens)]
        Z = sum(chance for chance, _ in ways)
        total += n * math.log(Z)
        for chance, each in ways:
            for piece in each:
                brute[piece] += n * chance / Z
    assert likelihood == pytest.approx(total)
    assert expected == pytest.approx([brute[token] for token in TOY.tokens])


@settings(deadline=None)
@given(COUNTS)
def test_em_never_lowers_the_likelihood(counts):
    lat = unigram.lattice(list(counts), list(counts.values()), TOY.tokens)
    p = np.full(len(TOY.tokens), 1 / len(TOY.tokens))
    likelihoods = []
    for _ in range(6):
        expected, likelihood = unigram.expectation(lat, p)
        likelihoods.append(likelihood)
        p = unigram.maximization(expected)
    assert all(b >= a - 1e-9 * abs(a) for a, b in pairwise(likelihoods))


def test_likelihood_rises_between_prunings_on_text():
    counts = Counter(("she sells sea shells by the sea shore the shells she sells are sea shells " * 3).split())
    rows = []
    model = unigram.train(counts, Config(24, seeds=4, least=1, steps=4), lambda n, nats: rows.append((n, nats)))
    assert len(model.tokens) == 24 and sum(np.exp(model.log_p)) == pytest.approx(1, abs=0.02)
    for (n, before), (m, after) in pairwise(rows):
        assert m < n or after >= before - 1e-9


def test_cost_is_what_the_likelihood_loses():
    """By hand: dropping ab, expected 4 times among 10 tokens, leaves a and b to spell it."""
    expected = np.array([3.0, 3.0, 4.0])
    cost = unigram.costs(("a", "b", "ab"), expected)
    after = math.log(14)
    assert cost[2] == pytest.approx(4 * (math.log(0.4) - (2 * math.log(7) - 2 * after)))
    assert cost[0] == cost[1] == math.inf  # nothing else spells them


def test_best_but_whole_leaves_out_only_the_word_itself():
    lat = unigram.lattice(["ab", "aba"], [1, 1], TOY.tokens)
    best, via = unigram.best_log_p(lat, np.array(TOY.log_p), but_whole=True)
    assert best[0] == pytest.approx(math.log(0.3 * 0.25))
    ways = [each for each in segmentations("aba", TOY.tokens) if len(each) > 1]
    assert best[1] == pytest.approx(max(score(TOY, each) for each in ways))
    assert [TOY.tokens[i] for i in unigram.replacements(lat, via)[0]] == ["b", "a"]


def test_sampling_follows_the_probabilities():
    known = unigram.known(TOY)
    rng = np.random.default_rng(0)
    n = 4000
    for alpha in (1.0, 0.3):
        drawn = Counter(tuple(unigram.sample(known, "aba", alpha, rng)) for _ in range(n))
        ways = {tuple(each): math.exp(alpha * score(TOY, each)) for each in segmentations("aba", TOY.tokens)}
        Z = sum(ways.values())
        for way, weight in ways.items():
            p = weight / Z
            assert abs(drawn[way] / n - p) < 4 * math.sqrt(p * (1 - p) / n)
    assert unigram.sample(known, "aba", 400.0, rng) == unigram.viterbi(known, "aba")[1]


def test_unknown_symbols_stand_for_themselves():
    known = unigram.known(TOY)
    assert unigram.viterbi(known, "axb")[1] == ["a", "x", "b"]
    assert unigram.encoder(TOY)(["axb"]) == [0, -1, 1]
    assert unigram.viterbi(known, "") == (0.0, [])


def test_alphabet_can_always_be_spelt():
    model = unigram.train({"abab": 5, "ba": 2}, Config(6, least=1), alphabet="abz")
    assert {"a", "b", "z"} <= set(model.tokens)
    assert -1 not in unigram.encoder(model)(["zab"])


def test_too_small_a_vocabulary_and_unspellable_words_are_refused():
    with pytest.raises(ValueError, match="cannot hold the 3 symbols"):
        unigram.train({"abc": 1}, Config(2))
    with pytest.raises(ValueError, match="cannot be spelt"):
        unigram.expectation(unigram.lattice(["abx"], [1], TOY.tokens), np.exp(TOY.log_p))


def test_long_words_are_cut_for_training():
    assert unigram.clipped({"abcde": 2}, 2) == {"ab": 2, "cd": 2, "e": 2}
    assert set(unigram.train({"ab" * 50: 1}, Config(4, least=1, longest=8)).tokens) >= {"a", "b"}
