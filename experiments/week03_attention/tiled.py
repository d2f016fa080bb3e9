"""Tiled attention: the exact result of scaled dot-product attention without ever holding the (L, S) matrix.

FlashAttention's algorithm (Dao et al. 2022, algorithm 1; the order of loops and the late division of
FlashAttention-2, Dao 2023, algorithms 1 and 2), written with ordinary tensor operations. Queries and keys are cut into
tiles; for a tile of queries the softmax is kept *online* (Milakov & Gimelshein 2018): with the largest score so far m,
the sum of exponentials l and the unnormalised output o, a further tile of scores s changes them to

    m' = max(m, rowmax s)      l' = e^(m - m') l + rowsum e^(s - m')      o' = e^(m - m') o + e^(s - m') v

and o / l at the end is exact. For the backward pass only the output and the log of the normaliser are kept: the
weights of a tile are recomputed from them, P = exp(S - lse), which is cheaper than having stored them.

Departures: tiles are sized for a CPU's cache, not for a GPU's shared memory; a batch of heads shares each tile's
matrix product; the running maximum starts at the first tile, so a row never holds -inf.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

TILE_Q = 128
TILE_K = 512


def tiled_attention(q: Tensor, k: Tensor, v: Tensor, causal: bool = True) -> Tensor:
    """q (B, H, L, D), k (B, H, S, D), v (B, H, S, D) -> (B, H, L, D).

    Memory beyond the inputs and the output is one tile and a number a row: linear in L. With `causal` the queries are
    the last L of S positions; L > S would leave queries that may look nowhere and raises ValueError.
    """
    if causal and q.shape[-2] > k.shape[-2]:
        raise ValueError(f"causal attention needs at least as many keys as queries, got {k.shape[-2]} < {q.shape[-2]}")
    B, H, L, _ = q.shape
    flat = [x.reshape(B * H, x.shape[-2], x.shape[-1]) for x in (q, k, v)]
    out: Tensor = _Tiled.apply(*flat, causal)  # type: ignore[no-untyped-call]
    return out.view(B, H, L, v.shape[-1])


def _tiles(L: int, S: int, causal: bool) -> list[tuple[slice, list[slice]]]:
    """For each tile of queries the tiles of keys it may look at. The last of them may reach beyond the diagonal."""
    plan = []
    for i in range(0, L, TILE_Q):
        rows = slice(i, min(i + TILE_Q, L))
        end = min(S, S - L + rows.stop) if causal else S
        plan.append((rows, [slice(j, min(j + TILE_K, end)) for j in range(0, end, TILE_K)]))
    return plan


def _scores(q: Tensor, k: Tensor, rows: slice, cols: slice, ahead: int, causal: bool) -> Tensor:
    """Scores of a tile (N, rows, cols); q is scaled already. Positions ahead of the query are -inf."""
    s = torch.bmm(q, k.transpose(1, 2))
    first = ahead + rows.start  # the last key that the tile's first query may look at
    if causal and cols.stop - 1 > first:
        # Only the columns beyond `first` hold anything to mask: the rest of a tile is left alone.
        at = max(cols.start, first + 1)
        i = torch.arange(rows.start, rows.stop)[:, None]
        j = torch.arange(at, cols.stop)[None, :]
        s[:, :, at - cols.start :].masked_fill_(j > i + ahead, -torch.inf)
    return s


def _forward(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
    """q (N, L, D), k (N, S, D), v (N, S, E) -> output (N, L, E) and log-normaliser (N, L)."""
    (N, L, D), S = q.shape, k.shape[1]
    out, lse = q.new_empty(N, L, v.shape[2]), q.new_empty(N, L)
    for rows, columns in _tiles(L, S, causal):
        qi = q[:, rows] / math.sqrt(D)
        for number, cols in enumerate(columns):
            s = _scores(qi, k[:, cols], rows, cols, S - L, causal)  # (N, rows, cols)
            top = s.amax(-1, keepdim=True)
            if number == 0:  # nobody's first tile is all masked: key 0 is behind every query
                m = top
                p = s.sub_(m).exp_()
                l, o = p.sum(-1, keepdim=True), torch.bmm(p, v[:, cols])
                continue
            higher = torch.maximum(m, top)
            shrink = (m - higher).exp_()
            m = higher
            p = s.sub_(m).exp_()
            l = l.mul_(shrink).add_(p.sum(-1, keepdim=True))
            o = o.mul_(shrink).baddbmm_(p, v[:, cols])
        out[:, rows] = o.div_(l)
        lse[:, rows] = (m + l.log()).squeeze(-1)
    return out, lse


class _Tiled(torch.autograd.Function):
    """Forward and backward over (N, L, D), N = batch times heads."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
        out, lse = _forward(q, k, v, causal)
        ctx.save_for_backward(q, k, v, out, lse)
        ctx.causal = causal
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """FlashAttention-2, algorithm 2: dV = P^T dO; dS = P * (dO V^T - rowsum(dO * O)); dQ = dS K; dK = dS^T Q."""
        q, k, v, out, lse = ctx.saved_tensors
        do = grads[0]
        (_, L, D), S = q.shape, k.shape[1]
        scale = 1 / math.sqrt(D)
        dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
        delta = (do * out).sum(-1, keepdim=True)  # (N, L, 1)
        for rows, columns in _tiles(L, S, ctx.causal):
            qi, doi = q[:, rows] * scale, do[:, rows]
            for cols in columns:
                kj, vj = k[:, cols], v[:, cols]
                p = _scores(qi, kj, rows, cols, S - L, ctx.causal).sub_(lse[:, rows, None]).exp_()
                dv[:, cols] += torch.bmm(p.transpose(1, 2), doi)
                ds = torch.bmm(doi, vj.transpose(1, 2)).sub_(delta[:, rows]).mul_(p)
                dq[:, rows] += torch.bmm(ds, kj)
                dk[:, cols] += torch.bmm(ds.transpose(1, 2), qi)
        return dq.mul_(scale), dk, dv, None
