"""Heads that share keys and values: multi-head, multi-query and grouped-query attention, and the cache they shrink.

With H query heads, multi-head attention (Vaswani et al. 2017) keeps H key and value heads, multi-query attention
(Shazeer 2019) keeps one, and grouped-query attention (Ainslie et al. 2023) keeps G, each shared by H / G query heads.
Training costs hardly change. Decoding one token at a time reads the whole cache for every token, so its size,

    2 * layers * G * S * d_head numbers for S positions,

sets the speed; that is what the sharing is for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.week03_attention.scaled_dot_product import masked_softmax


def grouped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """q (B, H, L, D), k and v (B, G, S, D) with G dividing H -> (B, H, L, D).

    G = H is multi-head, G = 1 multi-query attention. Keys are never copied for the heads that share them: the query
    heads of a group are stacked as further rows of one matrix product. Raises ValueError where G does not divide H.
    """
    (B, H, L, D), G = q.shape, k.shape[1]
    if H % G:
        raise ValueError(f"{H} query heads cannot share {G} key heads evenly")
    stacked = q.reshape(B, G, H // G * L, D)
    s = (stacked @ k.transpose(-2, -1) / math.sqrt(D)).view(B, G, H // G, L, -1)
    p = masked_softmax(s, mask)
    return (p.view(B, G, H // G * L, -1) @ v).view(B, H, L, D)


@dataclass
class Cache:
    """Keys and values of the positions seen so far, in buffers of fixed length: (B, G, max_length, D) each."""

    k: Tensor
    v: Tensor
    length: int = 0

    @classmethod
    def empty(cls, B: int, G: int, max_length: int, D: int, dtype: torch.dtype = torch.float32) -> Cache:
        """A cache with room for `max_length` positions."""
        return cls(torch.zeros(B, G, max_length, D, dtype=dtype), torch.zeros(B, G, max_length, D, dtype=dtype))

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write the next positions (B, G, n, D); returns all keys and values so far. Raises ValueError when full."""
        end = self.length + k.shape[2]
        if end > self.k.shape[2]:
            raise ValueError(f"the cache holds {self.k.shape[2]} positions, not {end}")
        self.k[:, :, self.length : end], self.v[:, :, self.length : end] = k, v
        self.length = end
        return self.k[:, :, :end], self.v[:, :, :end]

    @property
    def bytes(self) -> int:
        """Size of both buffers in bytes."""
        return 2 * self.k.numel() * self.k.element_size()


def decode_step(cache: Cache, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of one new position over everything before it: q (B, H, 1, D), k and v (B, G, 1, D)."""
    return grouped_attention(q, *cache.append(k, v))


def mean_pooled(w: Tensor, G: int) -> Tensor:
    """A key or value projection of H heads (H, d_head, d_model) as G heads, each the mean of its group.

    How Ainslie et al. 2023 (section 2.1) turn a trained multi-head model into a grouped one before further training.
    """
    H = w.shape[0]
    return w.view(G, H // G, *w.shape[1:]).mean(1)
