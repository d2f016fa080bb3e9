"""Exact attention in all its forms: equal to torch's own in values and gradients."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from experiments.week03_attention import tiled
from experiments.week03_attention.heads import Cache, decode_step, grouped_attention, mean_pooled
from experiments.week03_attention.scaled_dot_product import attention, causal_mask, weights
from experiments.week03_attention.scores import Additive, additive, multiplicative, scaled_dot
from experiments.week03_attention.tiled import tiled_attention

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def inputs(B: int, H: int, L: int, S: int, D: int, dtype: torch.dtype, G: int | None = None) -> list[Tensor]:
    generator = torch.Generator().manual_seed(B * 1000 + L)
    shapes = ((B, H, L, D), (B, G or H, S, D), (B, G or H, S, D), (B, H, L, D))
    return [torch.randn(s, dtype=dtype, generator=generator) for s in shapes]


def gradients(f, q: Tensor, k: Tensor, v: Tensor, upstream: Tensor) -> list[Tensor]:
    leaves = [x.clone().requires_grad_() for x in (q, k, v)]
    out = f(*leaves)
    return [out.detach(), *torch.autograd.grad(out, leaves, upstream)]


def largest_gap(ours, theirs, *args: Tensor) -> float:
    pairs = zip(gradients(ours, *args), gradients(theirs, *args), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("causal", [True, False])
def test_naive_equals_torch(dtype: torch.dtype, causal: bool) -> None:
    q, k, v, up = inputs(2, 3, 65, 65, 16, dtype)
    mask = causal_mask(65) if causal else None
    gap = largest_gap(
        lambda q, k, v: attention(q, k, v, mask),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal),
        q, k, v, up,
    )  # fmt: skip
    assert gap <= TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("L", "S"), [(1, 1), (127, 127), (300, 300), (700, 700), (5, 700), (130, 600)])
def test_tiled_equals_torch_with_gradients(dtype: torch.dtype, causal: bool, L: int, S: int) -> None:
    q, k, v, up = inputs(1, 2, L, S, 16, dtype)
    mask = causal_mask(L, S) if causal else None
    gap = largest_gap(
        lambda q, k, v: tiled_attention(q, k, v, causal),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=mask),
        q, k, v, up,
    )  # fmt: skip
    assert gap <= TOLERANCE[dtype]


@settings(max_examples=40, deadline=None)
@given(
    L=st.integers(1, 90), more=st.integers(0, 60), tile_q=st.integers(1, 40), tile_k=st.integers(1, 40),
    causal=st.booleans(), scale=st.floats(0.1, 30),
)  # fmt: skip
def test_no_tiling_changes_the_result(L: int, more: int, tile_q: int, tile_k: int, causal: bool, scale: float) -> None:
    """Also with scores so large that a softmax without the running maximum would overflow."""
    q, k, v, _ = inputs(1, 2, L, L + more, 8, torch.float64)
    expected = attention(q * scale, k, v, causal_mask(L, L + more) if causal else None)
    before = tiled.TILE_Q, tiled.TILE_K
    tiled.TILE_Q, tiled.TILE_K = tile_q, tile_k
    try:
        assert torch.allclose(tiled_attention(q * scale, k, v, causal), expected, atol=1e-10)
    finally:
        tiled.TILE_Q, tiled.TILE_K = before


def test_tiled_survives_scores_that_overflow_exp() -> None:
    q, k, v, _ = inputs(1, 1, 600, 600, 8, torch.float32)
    out = tiled_attention(q * 1e3, k * 1e3, v)
    assert torch.isfinite(out).all()


def test_tiled_passes_gradcheck() -> None:
    q, k, v, _ = inputs(1, 1, 6, 9, 4, torch.float64)
    leaves = tuple(x.requires_grad_() for x in (q, k, v))
    assert torch.autograd.gradcheck(lambda q, k, v: tiled_attention(q, k, v, True), leaves)


def test_tiled_refuses_queries_without_keys() -> None:
    q, k, v, _ = inputs(1, 1, 5, 3, 4, torch.float32)
    with pytest.raises(ValueError, match="at least as many keys"):
        tiled_attention(q, k, v)


@pytest.mark.parametrize("G", [1, 2, 4, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_grouped_equals_torch_with_repeated_heads(G: int, dtype: torch.dtype) -> None:
    q, k, v, up = inputs(2, 8, 33, 33, 16, dtype, G)
    gap = largest_gap(
        lambda q, k, v: grouped_attention(q, k, v, causal_mask(33)),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True),
        q, k, v, up,
    )  # fmt: skip
    assert gap <= TOLERANCE[dtype]


def test_groups_must_divide_heads() -> None:
    q, k, v, _ = inputs(1, 4, 3, 3, 4, torch.float32, G=3)
    with pytest.raises(ValueError, match="evenly"):
        grouped_attention(q, k, v)


@pytest.mark.parametrize("G", [1, 2, 4])
def test_decoding_with_a_cache_equals_one_causal_pass(G: int) -> None:
    q, k, v, _ = inputs(2, 4, 17, 17, 8, torch.float64, G)
    cache = Cache.empty(2, G, 17, 8, torch.float64)
    steps = [decode_step(cache, q[:, :, t : t + 1], k[:, :, t : t + 1], v[:, :, t : t + 1]) for t in range(17)]
    assert torch.allclose(torch.cat(steps, 2), grouped_attention(q, k, v, causal_mask(17)), atol=1e-12)
    with pytest.raises(ValueError, match="holds 17 positions"):
        cache.append(k[:, :, :1], v[:, :, :1])


def test_the_cache_shrinks_with_the_groups() -> None:
    size = {G: Cache.empty(1, G, 128, 64).bytes for G in (8, 2, 1)}
    assert size[8] == 2 * 8 * 128 * 64 * 4
    assert size[8] == 4 * size[2] == 8 * size[1]


def test_mean_pooling_projections_keeps_equal_heads() -> None:
    w = torch.randn(2, 5, 7).repeat_interleave(4, 0)
    assert torch.allclose(mean_pooled(w, 2), w[::4])


def test_a_permutation_of_the_keys_changes_nothing() -> None:
    """Attention does not know positions: what week 3's second post starts from."""
    q, k, v, _ = inputs(1, 2, 9, 9, 8, torch.float64)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(attention(q, k[:, :, order], v[:, :, order]), attention(q, k, v), atol=1e-12)


def test_a_query_that_may_look_nowhere_gets_zero_not_nan() -> None:
    q, k, v, _ = inputs(1, 1, 3, 3, 4, torch.float32)
    mask = torch.tensor([[True, False, False], [False, False, False], [True, True, True]])
    assert torch.equal(attention(q, k, v, mask)[0, 0, 1], torch.zeros(4))
    assert weights(q, k, mask).sum(-1).flatten().tolist() == pytest.approx([1, 0, 1])


def test_additive_score_is_what_the_formula_says() -> None:
    g = torch.Generator().manual_seed(1)
    q, k = torch.randn(3, 4, generator=g), torch.randn(5, 4, generator=g)
    p = Additive(torch.randn(6, 4, generator=g), torch.randn(6, 4, generator=g), torch.randn(6, generator=g))
    scores = additive(q, k, p)
    for i in range(3):
        for j in range(5):
            by_hand = sum(float(p.v[a]) * math.tanh(float(p.W[a] @ q[i]) + float(p.U[a] @ k[j])) for a in range(6))
            assert float(scores[i, j]) == pytest.approx(by_hand, abs=1e-5)


def test_scaled_dot_is_multiplicative_with_a_scaled_identity() -> None:
    q, k, _, _ = inputs(1, 2, 5, 7, 16, torch.float64)
    W = torch.eye(16, dtype=torch.float64) / 4
    assert torch.allclose(multiplicative(q, k, W), scaled_dot(q, k), atol=1e-12)


def test_the_scale_keeps_the_variance_of_scores_at_one() -> None:
    g = torch.Generator().manual_seed(2)
    for D in (16, 256):
        s = scaled_dot(torch.randn(400, D, generator=g), torch.randn(400, D, generator=g))
        assert float(s.var()) == pytest.approx(1, abs=0.05)
