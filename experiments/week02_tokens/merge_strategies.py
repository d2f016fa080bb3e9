"""Greedy merging by any score: the same loop as byte-pair encoding, with another idea of which pair is best.

Three scores of a pair, from its count c(ab) and the counts c(a), c(b) of its parts among N tokens:

- `count`: c(ab). Byte-pair encoding (Sennrich et al. 2016).
- `ratio`: c(ab) / (c(a) c(b)). WordPiece's: by how much the pair is likelier than chance, whatever its weight in the
  text (Schuster and Nakajima 2012 ask for the largest gain in likelihood; this is the form in common use).
- `gain`: c(ab) log(c(ab) N / (c(a) c(b))). The first-order gain of log-likelihood of the text when tokens are drawn
  independently: the ratio, weighed by how often it pays.

A ratio can rise when its parts become rarer, so no bound on a heap holds. Every round scores all pairs instead, and
counts are kept exact, up and down. Slower than `bpe.py`, and with `count` its equal merge by merge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from experiments.week02_tokens.chain import KEY, Ints, chain, edges, keys, merge, without_overlaps

Floats = npt.NDArray[np.float64]
Score = Literal["count", "ratio", "gain"]
Scorer = Callable[[Floats, Floats, Floats, float], Floats]


def count_score(pair: Floats, left: Floats, right: Floats, total: float) -> Floats:
    """c(ab)."""
    return pair


def ratio_score(pair: Floats, left: Floats, right: Floats, total: float) -> Floats:
    """c(ab) / (c(a) c(b))."""
    return pair / (left * right)


def gain_score(pair: Floats, left: Floats, right: Floats, total: float) -> Floats:
    """c(ab) log(c(ab) N / (c(a) c(b)))."""
    return pair * np.log(pair * total / (left * right))


SCORES: Mapping[Score, Scorer] = {"count": count_score, "ratio": ratio_score, "gain": gain_score}


@dataclass(frozen=True)
class Config:
    """Tokens in all; how pairs are scored; pairs that occur fewer than `least` times are left alone."""

    vocabulary: int = 4096
    score: Score = "count"
    least: int = 2


@dataclass(frozen=True)
class Merges:
    """Token names by id, and the merges (left, right) -> made in the order learnt."""

    tokens: tuple[str, ...]
    merges: tuple[tuple[int, int], ...]
    made: tuple[int, ...]


def _joined(left: str, right: str) -> str:
    return left + right


def train(
    words: Sequence[Sequence[str]],
    weights: Sequence[int],
    config: Config,
    *,
    alphabet: Sequence[str] = (),
    join: Callable[[str, str], str] = _joined,
) -> Merges:
    """Learn merges from words of symbols, word i occurring `weights[i]` times.

    `alphabet` fixes the first ids, in its order; symbols it lacks follow in theirs. `join` spells a merged token.
    """
    tokens = list(dict.fromkeys([*alphabet, *sorted({symbol for word in words for symbol in word})]))
    id_of = {token: i for i, token in enumerate(tokens)}
    laid = chain([[id_of[symbol] for symbol in word] for word in words], weights)
    size = max(config.vocabulary, len(tokens)) + 1
    live = laid.token >= 0
    single = np.bincount(laid.token[live], weights=laid.weight[live], minlength=size).astype(np.float64)
    pairs = _Pairs(len(laid.token))
    pairs.add(edges(laid), keys(laid, edges(laid)), laid.weight)
    score = SCORES[config.score]
    merges: list[tuple[int, int]] = []
    made: list[int] = []
    while len(tokens) < config.vocabulary:
        best = pairs.best(score, single, config.least)
        if best is None:
            break
        left, right = divmod(int(pairs.key[best]), KEY)
        at = np.flatnonzero(pairs.of_edge == best)
        if left == right:
            at = without_overlaps(laid, at)
        name = join(tokens[left], tokens[right])
        new = id_of.setdefault(name, len(tokens))
        if new == len(tokens):
            tokens.append(name)
        merges.append((left, right))
        made.append(new)
        weight = int(laid.weight[at].sum())
        single[left] -= weight
        single[right] -= weight
        single[new] += weight
        second = laid.after[at]
        pairs.remove(np.unique(np.concatenate((laid.before[at], at, second))), laid.weight)
        fresh = merge(laid, at, new)
        pairs.add(fresh, keys(laid, fresh), laid.weight)
    return Merges(tuple(tokens), tuple(merges), tuple(made))


class _Pairs:
    """Exact counts of all pairs seen so far, and the pair of each edge (-1: none)."""

    def __init__(self, positions: int) -> None:
        self.of_edge = np.full(positions, -1, dtype=np.int64)
        self.index: dict[int, int] = {}
        self.key = np.empty(0, dtype=np.int64)
        self.count = np.empty(0, dtype=np.float64)

    def add(self, at: Ints, found: Ints, weight: Ints) -> None:
        """Count the edges `at`, which hold the pairs `found`."""
        distinct, inverse = np.unique(found, return_inverse=True)
        known = len(self.key)
        numbers = [self.index.setdefault(key, len(self.index)) for key in distinct.tolist()]
        where = np.array(numbers, dtype=np.int64)
        self.key = np.concatenate((self.key, distinct[where >= known]))
        self.count = np.concatenate((self.count, np.zeros(len(self.index) - known)))
        self.of_edge[at] = where[inverse]
        np.add.at(self.count, self.of_edge[at], weight[at])

    def remove(self, at: Ints, weight: Ints) -> None:
        """Uncount the edges at these positions, where there are any."""
        at = at[self.of_edge[at] >= 0]
        np.subtract.at(self.count, self.of_edge[at], weight[at])
        self.of_edge[at] = -1

    def best(self, score: Scorer, single: Floats, least: int) -> int | None:
        """The pair with the highest score among those that occur `least` times; the smaller ids win a tie."""
        candidates = np.flatnonzero(self.count >= max(least, 1))
        if not len(candidates):
            return None
        key = self.key[candidates]
        scores = score(self.count[candidates], single[key // KEY], single[key % KEY], float(single.sum()))
        top = np.flatnonzero(scores >= scores.max() * (1 - 1e-12) if scores.max() > 0 else scores == scores.max())
        return int(candidates[top[key[top].argmin()]])
