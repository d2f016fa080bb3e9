"""Scaled dot-product attention: every query takes a weighted average of the values, weighted by how well keys match.

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V            (Vaswani et al. 2017, eq. 1)

Without the 1/sqrt(d) a dot product of d independent terms has variance d, the softmax saturates and its gradient
vanishes. `naive` is the textbook form: it holds the whole (L, S) matrix of weights, which is what the tiled form
(`tiled.py`) avoids. The two older ways to score a query against a key are in `scores.py`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def causal_mask(L: int, S: int | None = None) -> Tensor:
    """(L, S) bool, True where query i may look at key j: the keys end where the queries end, and none is ahead."""
    S = L if S is None else S
    return torch.ones(L, S, dtype=torch.bool).tril(S - L)


def weights(q: Tensor, k: Tensor, mask: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """Attention weights: q (..., L, D), k (..., S, D) -> (..., L, S); every row sums to 1.

    `mask` is True where a query may look, `bias` is added to the scaled scores (ALiBi, relative positions); both
    broadcast to (..., L, S). A query that may look nowhere gets weights of zero.
    """
    s = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., L, S)
    if bias is not None:
        s = s + bias
    return masked_softmax(s, mask)


def masked_softmax(s: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the last axis of scores (..., L, S) where `mask` is True; rows without any True are zero."""
    if mask is None:
        return s.softmax(-1)
    p = s.masked_fill(~mask, -torch.inf).softmax(-1)
    return p.masked_fill(~mask.any(-1, keepdim=True), 0.0)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """q (..., L, D), k (..., S, D), v (..., S, E) -> (..., L, E)."""
    return weights(q, k, mask, bias) @ v
