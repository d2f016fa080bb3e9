"""How few bits could do: entropies of what was seen, and the bounds they set.

Shannon 1948, "A mathematical theory of communication": a code that gives each symbol its own word, blind to what came
before, needs at least the entropy H of the symbols on average (theorem 9), and an ideal one needs no more; a code that
looks at the k symbols before needs the conditional entropy of order k. Both are computed here from counts of the very
text they are stated for (plug-in estimates). Those are too small for high orders, where most contexts occur once and
seem to determine what follows: they bound nothing but a code that has been given the counts for free.
"""

from __future__ import annotations

import bz2
import lzma
import math
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt


def entropy(counts: npt.ArrayLike) -> float:
    """Bits a symbol of the distribution with these counts; zeros count nothing."""
    n = np.asarray(counts, dtype=np.float64)
    n = n[n > 0]
    p = n / n.sum()
    return float(-(p * np.log2(p)).sum()) + 0.0


def unigram_entropy(symbols: Sequence[Hashable]) -> float:
    """Bits a symbol, each by itself."""
    return entropy(list(Counter(symbols).values()))


def conditional_entropy(symbols: Sequence[int], order: int) -> float:
    """Bits a symbol, given the `order` symbols before it: H(X_0 … X_k) - H(X_0 … X_{k-1}), from one text's counts."""
    if order < 0 or len(symbols) <= order:
        raise ValueError(f"order {order} needs a text of more than {order} symbols")
    grams = Counter(zip(*(symbols[i:] for i in range(order + 1)), strict=False))
    contexts: Counter[tuple[int, ...]] = Counter()
    for gram, n in grams.items():
        contexts[gram[:-1]] += n
    return entropy(list(grams.values())) - entropy(list(contexts.values()))


def cross_entropy(counts: npt.ArrayLike, model: npt.ArrayLike) -> float:
    """Bits a symbol when symbols with these counts are coded for the distribution with the model's counts."""
    n, q = np.asarray(counts, dtype=np.float64), np.asarray(model, dtype=np.float64)
    on = n > 0
    if (q[on] <= 0).any():
        return math.inf
    return float(-(n[on] / n.sum() * np.log2(q[on] / q.sum())).sum())


def bits_per_byte(bits_per_symbol: float, symbols: int, size: int) -> float:
    """A rate by symbol as a rate by byte of the text, which does not depend on how the text was cut."""
    return bits_per_symbol * symbols / size


def huffman_bits(counts: npt.ArrayLike) -> float:
    """Bits a symbol of the best code of whole bits (Huffman 1952): within one bit of the entropy."""
    import heapq

    heap = [float(n) for n in np.asarray(counts, dtype=np.float64) if n > 0]
    if len(heap) < 2:
        return 0.0
    total, bits = sum(heap), 0.0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        bits += joined
        heapq.heappush(heap, joined)
    return bits / total


def compressed_size(data: bytes) -> dict[str, int]:
    """Bytes of the data packed by general compressors, which use context that a token code ignores."""
    return {"bz2": len(bz2.compress(data, 9)), "lzma": len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))}


def renyi_efficiency(counts: npt.ArrayLike, order: float) -> float:
    """Rényi entropy of the distribution over that of an even one over as many symbols (Zouhar et al. 2023, order 2.5).

    1 where all symbols are equally frequent; low where a few of them carry most of the text.
    """
    n = np.asarray(counts, dtype=np.float64)
    p = n[n > 0] / n.sum()
    if len(n) < 2:
        return 1.0
    if order == 1:
        return entropy(n) / math.log2(len(n))
    return float(np.log2((p**order).sum()) / (1 - order)) / math.log2(len(n))
