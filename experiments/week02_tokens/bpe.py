"""Byte-pair encoding: join the most frequent pair of neighbouring tokens, again and again.

The idea (Gage 1994; Sennrich, Haddow and Birch 2016, algorithm 1): start from bytes, count all pairs of neighbours in
the words of a text, make the most frequent pair a token of its own, repeat. To encode, apply the merges in the order
in which they were learnt.

What makes it fast: a pair can only lose places once its tokens exist, because every later merge takes tokens away and
brings new ones. So the places of a pair are written down once, when its younger token is made, and the count written
then is an upper bound for good. A heap of such bounds yields the true maximum after a look at the pair on top: if its
count has fallen, it goes back with the true one. Nothing is ever counted down.

Ties go to the smaller pair of ids, as in Hugging Face's trainer, whose merges this reproduces one by one. A merge that
spells a token which exists already (ab+c after a+bc) leads to that token.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain as flatten
from itertools import pairwise

import numpy as np

from experiments.week02_tokens.chain import KEY, Chain, Ints, byte_chain, edges, keys, merge, still, without_overlaps
from experiments.week02_tokens.pretokens import (
    ALPHABET,
    BYTE_ID,
    Split,
    as_bytes,
    count_words,
    from_visible,
    to_bytes,
    to_text,
    units,
    words,
)

Pair = tuple[int, int]
Encode = Callable[[str], list[int]]
Merge = Callable[[bytes], list[int]]
KEPT = 1 << 20  # distinct units an encoder remembers before it starts afresh


@dataclass(frozen=True)
class Config:
    """`vocabulary` tokens in all, the 256 bytes included; pairs that occur fewer than `least` times are left alone."""

    vocabulary: int = 4096
    split: Split = "gpt2"
    least: int = 1


@dataclass(frozen=True)
class BPE:
    """Tokens by id, merges in the order learnt, and how texts are cut. Merge i makes the token `made[i]`."""

    tokens: tuple[bytes, ...]
    merges: tuple[Pair, ...]
    made: tuple[int, ...]
    split: Split = "gpt2"


def train(texts: Iterable[str], config: Config = Config()) -> BPE:
    """Learn merges from texts. Fewer than asked where no pair is left."""
    return train_on_words(count_words(texts, config.split), config)


def train_on_words(counts: Mapping[str, int], config: Config = Config()) -> BPE:
    """Learn merges from words and how often each occurs. Raises ValueError for a vocabulary below 256."""
    if config.vocabulary < len(ALPHABET):
        raise ValueError(f"a vocabulary of {config.vocabulary} cannot hold the {len(ALPHABET)} bytes")
    ids = np.empty(256, dtype=np.int64)
    ids[list(ALPHABET)] = np.arange(256)
    laid = byte_chain(*as_bytes(counts), ids)
    tokens = [bytes([b]) for b in ALPHABET]
    id_of = {token: i for i, token in enumerate(tokens)}
    merges: list[Pair] = []
    made: list[int] = []
    places: dict[int, Ints] = {}
    heap: list[tuple[int, int]] = []
    _note_places(laid, edges(laid), places, heap)
    while heap and len(tokens) < config.vocabulary:
        bound, key = heapq.heappop(heap)
        left, right = divmod(key, KEY)
        at = still(laid, places[key], left, right)
        count = int(laid.weight[at].sum())
        if count < -bound:
            places[key] = at
            if count:
                heapq.heappush(heap, (-count, key))
            continue
        if count < config.least:
            break
        if left == right:
            at = without_overlaps(laid, np.sort(at))
        token = tokens[left] + tokens[right]
        new = id_of.setdefault(token, len(tokens))
        if new == len(tokens):
            tokens.append(token)
        merges.append((left, right))
        made.append(new)
        places[key] = at[:0]
        _note_places(laid, merge(laid, np.sort(at), new), places, heap)
    return BPE(tuple(tokens), tuple(merges), tuple(made), config.split)


def _note_places(laid: Chain, at: Ints, places: dict[int, Ints], heap: list[tuple[int, int]]) -> None:
    """Write down the places of the pairs at the new edges `at`, and their counts on the heap."""
    if not len(at):
        return
    found = keys(laid, at)
    order = found.argsort(kind="stable")
    found, at = found[order], at[order]
    starts = np.flatnonzero(np.concatenate(([True], found[1:] != found[:-1])))
    counts = np.add.reduceat(laid.weight[at], starts).tolist()
    bounds = [*starts.tolist(), len(found)]
    for key, count, (low, high) in zip(found[starts].tolist(), counts, pairwise(bounds), strict=True):
        here = at[low:high]
        if key in places:  # only where a merge spelt a token that existed
            here = np.union1d(places[key], here)
            left, right = divmod(key, KEY)
            count = int(laid.weight[still(laid, here, left, right)].sum())
        places[key] = here
        heapq.heappush(heap, (-count, key))


def truncated(model: BPE, vocabulary: int) -> BPE:
    """The model that training would have given at a smaller vocabulary: its first merges."""
    size, keep = len(ALPHABET), 0
    for new in model.made:
        if new == size and size == vocabulary:
            break
        size += new == size
        keep += 1
    return BPE(model.tokens[:size], model.merges[:keep], model.made[:keep], model.split)


def from_gpt2(vocabulary: Mapping[str, int], merges: str) -> BPE:
    """GPT-2's published files: its vocabulary (visible characters to ids) and the text of its merges."""
    id_of = {from_visible(name): i for name, i in vocabulary.items() if not name.startswith("<|")}
    tokens = sorted(id_of, key=id_of.__getitem__)
    pairs = []
    for line in merges.splitlines():
        if line and not line.startswith("#version"):  # there are merges of # as well
            left, right = line.split(" ")
            pairs.append((from_visible(left), from_visible(right)))
    made = tuple(id_of[left + right] for left, right in pairs)
    return BPE(tuple(tokens), tuple((id_of[left], id_of[right]) for left, right in pairs), made)


def merger(model: BPE) -> Merge:
    """A function that encodes one word: its bytes, joined by the earliest merge that applies, then the next.

    A heap holds the pairs by rank and place, so a word of n bytes takes n log n steps, however long it is.
    """
    rank = {pair: (i, new) for i, (pair, new) in reversed(list(enumerate(zip(model.merges, model.made, strict=True))))}
    id_of = [BYTE_ID[b] for b in range(256)]

    def merged(word: bytes) -> list[int]:
        ids: list[int] = [id_of[b] for b in word]
        n = len(ids)
        heap = [(*rank[pair], i, i + 1) for i, pair in enumerate(pairwise(ids)) if pair in rank]
        if not heap:
            return ids
        heapq.heapify(heap)
        after, before = list(range(1, n + 1)), list(range(-1, n - 1))
        while heap:
            _, new, i, j = heapq.heappop(heap)
            # A stale entry: one of its tokens has been joined to something else since.
            if ids[i] < 0 or after[i] != j or rank.get((ids[i], ids[j]), (0, -1))[1] != new:
                continue
            ids[i], ids[j] = new, -1
            k = after[i] = after[j]
            if k < n:
                before[k] = i
                if (pair := (new, ids[k])) in rank:
                    heapq.heappush(heap, (*rank[pair], i, k))
            if (h := before[i]) >= 0 and (pair := (ids[h], new)) in rank:
                heapq.heappush(heap, (*rank[pair], h, i))
        return [t for t in ids if t >= 0]

    return merged


class _Kept(dict[str, tuple[int, ...]]):
    """Unit -> ids, worked out when a unit is first asked for."""

    def __init__(self, split: Split, merged: Merge) -> None:
        super().__init__()
        self.split, self.merged = split, merged

    def __missing__(self, unit: str) -> tuple[int, ...]:
        if len(self) >= KEPT:
            self.clear()
        ids = tuple(flatten.from_iterable(self.merged(to_bytes(word)) for word in words(unit, self.split)))
        self[unit] = ids
        return ids


def encoder(model: BPE, merged: Merge | None = None) -> Encode:
    """A function from text to ids. It remembers units it has seen: natural text repeats itself.

    `merged` is the model's `merger`, where it has been made already.
    """
    ids_of, split = _Kept(model.split, merged or merger(model)).__getitem__, model.split

    def encode(text: str) -> list[int]:
        return list(flatten.from_iterable(map(ids_of, units(text, split))))

    return encode


def decode(model: BPE, ids: Sequence[int]) -> str:
    """The text of the ids; bytes that are no UTF-8 come as surrogate escapes."""
    return to_text(b"".join(map(model.tokens.__getitem__, ids)))
