"""Performer: softmax attention estimated with random features, in time linear in the length.

exp(q . k) is the expectation over w ~ N(0, I) of  phi_w(q) phi_w(k)  with the *positive* features

    phi_w(x) = exp(w . x - |x|^2 / 2)            (Choromanski et al. 2021, lemma 1: FAVOR+)

so with m draws the weights need never be formed:  softmax(Q K^T) V  ~  phi(Q) (phi(K)^T V), normalised by
phi(Q) (phi(K)^T 1). Drawing the w orthogonal (section 2.4) lowers the variance. Positive features cannot make a
normaliser negative, which the older sine and cosine features (`trigonometric`) can; both are unbiased for exp(q . k).

Departures: no redrawing during training; features are scaled by their largest exponent before `exp`, which cancels in
the ratio.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

CHUNK = 128


def directions(m: int, d: int, generator: torch.Generator, orthogonal: bool = True) -> Tensor:
    """m random directions (m, d) with rows distributed as N(0, I). With `orthogonal`, each d of them are orthogonal."""
    if not orthogonal:
        return torch.randn(m, d, generator=generator)
    blocks = []
    for _ in range(-(-m // d)):
        Q, R = torch.linalg.qr(torch.randn(d, d, generator=generator))
        Q = Q * R.diagonal().sign()  # QR of a Gaussian matrix is uniform only with this sign fixed
        blocks.append(Q * torch.randn(d, d, generator=generator).norm(dim=1, keepdim=True))
    return torch.cat(blocks)[:m]


def positive(x: Tensor, w: Tensor) -> Tensor:
    """exp(w . x - |x|^2 / 2) / sqrt(m): x (..., D) -> (..., m). Its products estimate exp(x . y)."""
    return torch.exp(_exponent(x, w)) / math.sqrt(w.shape[0])


def trigonometric(x: Tensor, w: Tensor) -> Tensor:
    """The older estimate, exp(|x|^2 / 2) (cos(w . x), sin(w . x)) / sqrt(m): x (..., D) -> (..., 2m)."""
    a = x @ w.T
    return torch.exp(x.square().sum(-1, keepdim=True) / 2) * torch.cat((a.cos(), a.sin()), -1) / math.sqrt(w.shape[0])


def _exponent(x: Tensor, w: Tensor) -> Tensor:
    return x @ w.T - x.square().sum(-1, keepdim=True) / 2


def performer_attention(q: Tensor, k: Tensor, v: Tensor, w: Tensor, causal: bool = False) -> Tensor:
    """q (..., L, D), k (..., S, D), v (..., S, E), w (m, D) -> (..., L, E), an estimate of softmax attention.

    With `causal` L must be S; the prefix sums run chunk by chunk, so memory stays linear in L.
    """
    scale = q.shape[-1] ** -0.25  # q . k / sqrt(D), half of it on either side
    a, b = _exponent(q * scale, w), _exponent(k * scale, w)
    # One constant for all keys and one for each query cancel between numerator and normaliser.
    fq = torch.exp(a - a.amax(-1, keepdim=True))  # (..., L, m)
    fk = torch.exp(b - b.amax((-2, -1), keepdim=True))  # (..., S, m)
    if not causal:
        top = fq @ (fk.transpose(-2, -1) @ v)
        return top / (fq @ fk.sum(-2).unsqueeze(-1))
    state = torch.zeros(*k.shape[:-2], w.shape[0], v.shape[-1], dtype=v.dtype)
    total = torch.zeros(*k.shape[:-2], w.shape[0], 1, dtype=v.dtype)
    out = []
    for start in range(0, q.shape[-2], CHUNK):
        here = slice(start, start + CHUNK)
        qc, kc, vc = fq[..., here, :], fk[..., here, :], v[..., here, :]
        inside = (qc @ kc.transpose(-2, -1)).tril()
        top = qc @ state + inside @ vc
        out.append(top / (qc @ total + inside.sum(-1, keepdim=True)))
        state = state + kc.transpose(-2, -1) @ vc
        total = total + kc.sum(-2).unsqueeze(-1)
    return torch.cat(out, -2)
