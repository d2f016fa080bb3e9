"""Entropies by hand, bounds that must hold, and the identities between them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.week02_tokens import entropy

COUNTS = st.lists(st.integers(1, 1000), min_size=2, max_size=30)


def test_known_values():
    assert entropy.entropy([1, 1]) == 1
    assert entropy.entropy([1, 1, 2, 0]) == 1.5
    assert entropy.entropy([5]) == 0
    assert entropy.unigram_entropy("abab") == 1
    assert entropy.huffman_bits([1, 1, 2]) == 1.5
    assert entropy.huffman_bits([7]) == 0
    assert entropy.bits_per_byte(3.0, 10, 60) == 0.5


def test_context_that_decides_leaves_nothing():
    assert entropy.conditional_entropy(b"ab" * 50, 0) == pytest.approx(1)
    assert entropy.conditional_entropy(b"ab" * 50, 1) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="more than 3"):
        entropy.conditional_entropy(b"abc", 3)


def test_conditional_entropy_of_a_chain():
    """A seeded two-state chain that stays with probability .9: the entropy of order one is H(.9)."""
    rng = np.random.default_rng(0)
    turns = (rng.random(200_000) < 0.1).cumsum() % 2
    h = -0.9 * math.log2(0.9) - 0.1 * math.log2(0.1)
    assert entropy.conditional_entropy(turns.tolist(), 1) == pytest.approx(h, abs=0.01)
    assert entropy.conditional_entropy(turns.tolist(), 0) == pytest.approx(1, abs=0.01)


@given(COUNTS)
def test_bounds(counts):
    h = entropy.entropy(counts)
    assert -1e-12 <= h <= math.log2(len(counts)) + 1e-9
    assert h - 1e-9 <= entropy.huffman_bits(counts) < h + 1
    assert entropy.cross_entropy(counts, counts) == pytest.approx(h)
    assert entropy.cross_entropy(counts, [1] * len(counts)) == pytest.approx(math.log2(len(counts)))
    assert entropy.renyi_efficiency(counts, 2.5) <= entropy.renyi_efficiency(counts, 1) + 1e-9


@given(COUNTS, COUNTS)
def test_gibbs_inequality(a, b):
    n = min(len(a), len(b))
    assert entropy.cross_entropy(a[:n], b[:n]) >= entropy.entropy(a[:n]) - 1e-9


def test_the_impossible_costs_everything():
    assert entropy.cross_entropy([1, 1], [1, 0]) == math.inf


def test_even_distributions_are_efficient():
    assert entropy.renyi_efficiency([4, 4, 4], 2.5) == pytest.approx(1)
    assert entropy.renyi_efficiency([100, 1, 1], 2.5) < 0.2
    assert entropy.renyi_efficiency([1], 2.5) == 1


def test_packing_finds_repetition():
    sizes = entropy.compressed_size(b"abcdefgh" * 2000)
    assert max(sizes.values()) < 400
