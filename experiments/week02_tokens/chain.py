"""All words of a text laid end to end, so that a merge is a handful of array operations instead of a loop over words.

Each position holds a token, the position after it and the position before it in its word, and how often that word
occurs. A border lies before, between and after the words. Merging two tokens writes the new token over the first,
takes the second out and links its neighbours: a doubly linked list in arrays, changed at all places of a pair at once.
An *edge* is a pair of neighbouring tokens, named by the position of its left token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

BORDER, GONE = -1, -2  # in place of a token
KEY = 1 << 31  # an edge's tokens in one number: left * KEY + right


@dataclass
class Chain:
    """N positions: tokens, links (N,) and weights (N,), how often the word around a position occurs."""

    token: Ints
    after: Ints
    before: Ints
    weight: Ints


def chain(words: Sequence[Sequence[int]], weights: Sequence[int]) -> Chain:
    """Lay out words of token ids; word i occurs `weights[i]` times."""
    flat = np.fromiter((t for word in words for t in (*word, BORDER)), dtype=np.int64)
    return _linked(np.concatenate(([BORDER], flat)), words, weights)


def byte_chain(words: Sequence[bytes], weights: Sequence[int], ids: Ints) -> Chain:
    """The same for words of bytes, where byte b has the id `ids[b]`."""
    flat = b"\0" + b"".join([word + b"\0" for word in words])
    return _linked(ids[np.frombuffer(flat, dtype=np.uint8)], words, weights)


def _linked(token: Ints, words: Sequence[Sequence[int] | bytes], weights: Sequence[int]) -> Chain:
    N = len(token)
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    borders = np.concatenate(([0], np.cumsum(lengths + 1)))
    weight = np.concatenate(([0], np.repeat(np.asarray(weights, dtype=np.int64), lengths + 1)))
    token[borders] = BORDER
    weight[borders] = 0
    return Chain(token, np.minimum(np.arange(1, N + 1), N - 1), np.arange(-1, N - 1), weight)


def edges(laid: Chain) -> Ints:
    """Positions of all edges."""
    return np.flatnonzero((laid.token >= 0) & (laid.token[laid.after] >= 0))


def keys(laid: Chain, at: Ints) -> Ints:
    """The pair of tokens at each of the edges `at`, in one number."""
    found: Ints = laid.token[at] * KEY + laid.token[laid.after[at]]
    return found


def still(laid: Chain, at: Ints, left: int, right: int) -> Ints:
    """Those of the positions `at` where the pair stands now."""
    standing: Ints = at[(laid.token[at] == left) & (laid.token[laid.after[at]] == right)]
    return standing


def without_overlaps(laid: Chain, at: Ints) -> Ints:
    """Of sorted edges of a token with itself, those that a merge from left to right takes: aaa holds one of two."""
    joined = np.concatenate(([False], laid.after[at[:-1]] == at[1:]))
    i = np.arange(len(at))
    first = np.maximum.accumulate(np.where(joined, 0, i))
    taken: Ints = at[(i - first) % 2 == 0]
    return taken


def merge(laid: Chain, at: Ints, new: int) -> Ints:
    """Merge the pairs at the sorted edges `at`, which do not overlap, into `new`, in place.

    Returns the edges whose tokens changed, each once.
    """
    token, after, before = laid.token, laid.after, laid.before
    second = after[at]
    third = after[second]
    token[at] = new
    token[second] = GONE
    after[at] = third
    before[third] = at
    left = before[at]
    fresh = token[left] >= 0
    fresh[1:] &= left[1:] != at[:-1]  # two merges side by side share an edge
    return np.concatenate((left[fresh], at[token[third] >= 0]))
