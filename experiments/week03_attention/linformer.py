"""Linformer: project the L keys and values onto r mixtures of positions before attending to them.

    softmax(Q (E K)^T / sqrt(d)) (F V)   with E, F of shape (r, L)          (Wang et al. 2020, eq. 7)

costs L * r instead of L^2. The argument is that attention matrices have low rank, by a random projection (theorem 1)
for which E has entries N(0, 1/r). Each mixture sees all positions, so it cannot be causal, and E is tied to one length.

The theorem projects the *weights* after the softmax; the method projects keys before it, and then relies on training E
and F. `projected_weights` is the first, `linformer_attention` the second.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from experiments.week03_attention.scaled_dot_product import attention, weights


def random_projection(r: int, L: int, generator: torch.Generator) -> Tensor:
    """(r, L) with independent entries N(0, 1/r): E[E^T E] is the identity."""
    return torch.randn(r, L, generator=generator) / math.sqrt(r)


def mean_pooling(r: int, L: int) -> Tensor:
    """(r, L) that averages L / r neighbouring positions each: the paper's cheapest projection (section 4)."""
    pool = torch.zeros(r, L)
    for row, columns in enumerate(torch.tensor_split(torch.arange(L), r)):
        pool[row, columns] = 1 / len(columns)
    return pool


def linformer_attention(q: Tensor, k: Tensor, v: Tensor, E: Tensor, F: Tensor) -> Tensor:
    """q (..., L, D), k and v (..., S, D), E and F (r, S) -> (..., L, D)."""
    return attention(q, E @ k, F @ v)


def projected_weights(q: Tensor, k: Tensor, v: Tensor, E: Tensor) -> Tensor:
    """P E^T E V: what theorem 1 bounds. It still forms P, so it shows the rank and saves nothing."""
    return weights(q, k) @ E.T @ (E @ v)
