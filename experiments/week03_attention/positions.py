"""How a transformer is told where a token stands. Attention itself does not know: permute the keys and nothing changes.

added to the input     sinusoidal (Vaswani et al. 2017, section 3.5), learned
added to the scores    Shaw et al. 2018 (a vector for each clipped distance; their second table, added to the
                       values, is left out), ALiBi (Press et al. 2022: a slope a head)
turning q and k        RoPE (Su et al. 2021), written with real pairs and, equally, with complex numbers

RoPE and ALiBi depend on the distance i - j alone by construction, Shaw by its table; the additive ones depend on both
positions and leave the model to find out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

BASE = 10_000.0


def sinusoidal(L: int, D: int) -> Tensor:
    """(L, D): PE[p, 2i] = sin(p / 10000^(2i/D)), PE[p, 2i+1] = cos of the same. D must be even."""
    angle = _angles(torch.arange(L), D)  # (L, D/2)
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1)


def _angles(positions: Tensor, D: int, base: float = BASE) -> Tensor:
    """p * base^(-2i/D) for i = 0 .. D/2 - 1: (L, D/2), in float64 so that far positions keep their phase."""
    if D % 2:
        raise ValueError(f"rotations need an even number of dimensions, not {D}")
    frequency = base ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    return (positions.double()[:, None] * frequency).to(torch.get_default_dtype())


def rope(x: Tensor, positions: Tensor, base: float = BASE) -> Tensor:
    """Turn each pair (x_2i, x_2i+1) by its position's angle: x (..., L, D), positions (L,) -> (..., L, D).

    Su et al. 2021, eq. 34. Turning both q and k makes q_i . k_j a function of i - j.
    """
    angle = _angles(positions, x.shape[-1], base)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def rope_complex(x: Tensor, positions: Tensor, base: float = BASE) -> Tensor:
    """The same as `rope`, as a product with e^(i p theta): a pair of reals is one complex number."""
    angle = _angles(positions, x.shape[-1], base).to(x.dtype)
    turned = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(turned).flatten(-2)


def alibi_slopes(H: int) -> Tensor:
    """One slope a head: 2^(-8h/H) for h = 1 .. H when H is a power of two.

    Otherwise (authors' code) the slopes of the next lower power of two, then every second one of its double.
    """
    power = 2 ** math.floor(math.log2(H))
    slopes = [2 ** (-8 * h / power) for h in range(1, power + 1)]
    slopes += [2 ** (-8 * h / (2 * power)) for h in range(1, 2 * (H - power) + 1, 2)]
    return torch.tensor(slopes)


def alibi(H: int, L: int) -> Tensor:
    """(H, L, L) to add to the scores: -slope * distance to the past; the future is for the mask."""
    i = torch.arange(L)
    return -alibi_slopes(H)[:, None, None] * (i[:, None] - i[None, :]).clamp(min=0)


def shaw_index(L: int, reach: int) -> Tensor:
    """(L, L) rows of the table of 2 * reach + 1 vectors: the distance j - i, clipped to +-reach, plus reach."""
    i = torch.arange(L)
    return (i[None, :] - i[:, None]).clamp(-reach, reach) + reach


def shaw_bias(q: Tensor, table: Tensor, reach: int) -> Tensor:
    """q_i . a_(j-i) / sqrt(D): q (..., L, D), table (2 * reach + 1, D) -> (..., L, L), to add to the scaled scores.

    Shaw et al. 2018, eq. 5, computed as in section 3.3: first against all table rows, then picked by distance, so that
    no (L, L, D) tensor is formed.
    """
    L, D = q.shape[-2:]
    every = q @ table.T / math.sqrt(D)  # (..., L, 2 * reach + 1)
    index = shaw_index(L, reach).expand(*q.shape[:-2], L, L)
    return every.gather(-1, index)
