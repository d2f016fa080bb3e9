"""Three ways to score how well a key answers a query, in the order history tried them.

additive         v^T tanh(W q + U k)      Bahdanau, Cho & Bengio 2015, section A.1.2: a one-layer network on the pair
multiplicative   q^T W k                  Luong, Pham & Manning 2015, eq. 8 ("general"): a bilinear form
scaled dot       q^T k / sqrt(d)          Vaswani et al. 2017: no parameters of its own, one matrix product

All give scores (..., L, S) for q (..., L, D) and k (..., S, D). The additive score needs a tanh for each of the
L * S * A entries of a hidden layer, which no matrix unit speeds up; that cost, not its quality, ended its use.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Additive:
    """Parameters of Bahdanau's score: W (A, D), U (A, D), v (A,)."""

    W: Tensor
    U: Tensor
    v: Tensor


def additive(q: Tensor, k: Tensor, p: Additive) -> Tensor:
    """v^T tanh(W q + U k): (..., L, S)."""
    hidden = torch.tanh((q @ p.W.T).unsqueeze(-2) + (k @ p.U.T).unsqueeze(-3))  # (..., L, S, A)
    return hidden @ p.v


def multiplicative(q: Tensor, k: Tensor, W: Tensor) -> Tensor:
    """q^T W k with W (D, D): (..., L, S)."""
    return q @ W @ k.transpose(-2, -1)


def scaled_dot(q: Tensor, k: Tensor) -> Tensor:
    """q^T k / sqrt(d): (..., L, S); equal to `multiplicative` with W = I / sqrt(d)."""
    return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
