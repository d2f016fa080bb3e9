"""Sparse attention: look at a few positions only, chosen by a pattern, and never compute the rest.

sliding window   the last w positions                                        (Longformer, Beltagy et al. 2020; Mistral)
local            the own block of w positions                                (Liu et al. 2018; Parmar et al. 2018
                                                                             add a memory in front)
Longformer       a window on both sides, and g global positions that see and are seen by all
BigBird          blocks: a window of blocks, global blocks, and r random blocks a row     (Zaheer et al. 2020)

A pattern answers two questions: may query i look at key j (`allowed`), and which blocks of keys can a block of queries
need (`blocks`). `sparse_attention` visits only those blocks, so its time and memory follow the pattern, not L^2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from experiments.week03_attention.scaled_dot_product import masked_softmax

Allowed = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Pattern:
    """`allowed(i, j)` on index grids that broadcast, bool; `blocks(b)` the key blocks that query block b may need."""

    name: str
    block: int
    allowed: Allowed
    blocks: Callable[[int], list[int]]

    def mask(self, L: int) -> Tensor:
        """The whole pattern as an (L, L) bool matrix: for pictures and proofs, not for work."""
        i = torch.arange(L)
        return self.allowed(i[:, None], i[None, :]).expand(L, L)


def sliding_window(w: int, block: int = 64) -> Pattern:
    """Causal: the query itself and the w - 1 positions before it."""
    reach = -(-(w - 1) // block)
    return Pattern(
        f"sliding window {w}",
        block,
        lambda i, j: (j <= i) & (i - j < w),
        lambda b: list(range(max(0, b - reach), b + 1)),
    )


def local(w: int) -> Pattern:
    """Causal within blocks of w positions; nothing crosses the border of a block."""
    return Pattern(f"local {w}", w, lambda i, j: (j <= i) & (i // w == j // w), lambda b: [b])


def longformer(L: int, w: int, g: int, block: int = 64) -> Pattern:
    """Both directions: w positions on either side, and the first g positions are global. For sequences of length L."""
    reach, last, heads = -(-w // block), -(-L // block), -(-g // block)

    def blocks(b: int) -> list[int]:
        if b < heads:
            return list(range(last))
        return sorted({*range(heads), *range(max(0, b - reach), min(last, b + reach + 1))})

    return Pattern(f"Longformer {w}+{g}", block, lambda i, j: ((i - j).abs() <= w) | (i < g) | (j < g), blocks)


def bigbird(L: int, block: int = 64, window: int = 3, heads: int = 1, chance: int = 3, seed: int = 0) -> Pattern:
    """Both directions, block by block: `window` blocks around the own one (odd), the first `heads` blocks global, and
    `chance` further blocks for each row, drawn once from `seed`. For sequences of length L."""
    last, side = -(-L // block), window // 2
    rng = np.random.default_rng(seed)
    table = torch.zeros(last, last, dtype=torch.bool)
    for b in range(last):
        table[b, max(0, b - side) : b + side + 1] = True
        table[b, :heads] = True
        free = np.flatnonzero(~table[b].numpy())
        table[b, rng.choice(free, min(chance, len(free)), replace=False)] = True
    table[:heads] = True
    return Pattern(
        f"BigBird {window}+{heads}+{chance}",
        block,
        lambda i, j: table[i // block, j // block],
        lambda b: table[b].nonzero().flatten().tolist(),
    )


def sparse_attention(q: Tensor, k: Tensor, v: Tensor, pattern: Pattern) -> Tensor:
    """q, k, v (B, H, L, D) -> (B, H, L, D), equal to masked attention with the pattern's mask.

    One block of queries at a time, with the keys of its blocks gathered side by side.
    """
    L, D = q.shape[-2:]
    out = []
    for b, start in enumerate(range(0, L, pattern.block)):
        i = torch.arange(start, min(start + pattern.block, L))
        j = torch.cat([torch.arange(c * pattern.block, min((c + 1) * pattern.block, L)) for c in pattern.blocks(b)])
        s = q[..., i, :] @ k[..., j, :].transpose(-2, -1) / math.sqrt(D)
        out.append(masked_softmax(s, pattern.allowed(i[:, None], j[None, :])) @ v[..., j, :])
    return torch.cat(out, -2)
