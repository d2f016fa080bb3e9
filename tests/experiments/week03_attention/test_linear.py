"""Linear attention: unbiased where the paper says so, and nearer with more features."""

from __future__ import annotations

import math

import pytest
import torch

from experiments.week03_attention.linformer import (
    linformer_attention,
    mean_pooling,
    projected_weights,
    random_projection,
)
from experiments.week03_attention.performer import directions, performer_attention, positive, trigonometric
from experiments.week03_attention.scaled_dot_product import attention, causal_mask


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("features", [positive, trigonometric])
@pytest.mark.parametrize("orthogonal", [True, False])
def test_features_estimate_the_exponential_kernel(features, orthogonal: bool) -> None:
    """Lemma 1 of Choromanski et al. 2021: E[phi(x) . phi(y)] = exp(x . y), within 4 standard errors."""
    g = generator(3)
    x, y = 0.5 * torch.randn(8, generator=g), 0.5 * torch.randn(8, generator=g)
    draws = []
    for _ in range(400):
        w = directions(64, 8, g, orthogonal)
        draws.append(float(features(x, w) @ features(y, w)))
    estimates = torch.tensor(draws)
    error = abs(float(estimates.mean()) - math.exp(float(x @ y)))
    assert error <= 4 * float(estimates.std()) / math.sqrt(len(draws))


def test_orthogonal_directions_lower_the_variance() -> None:
    x, y = (0.7 * torch.randn(16, generator=generator(s)) for s in (1, 2))
    spread = {}
    for orthogonal in (True, False):
        g = generator(5)
        draws = [positive(x, w) @ positive(y, w) for w in (directions(16, 16, g, orthogonal) for _ in range(1500))]
        spread[orthogonal] = float(torch.stack(draws).var())
    assert spread[True] < spread[False]


def test_blocks_of_directions_are_orthogonal() -> None:
    w = directions(24, 8, generator())
    for block in w.split(8):
        gram = block @ block.T
        assert torch.allclose(gram, torch.diag(gram.diagonal()), atol=1e-4)


def test_performer_comes_nearer_with_more_features() -> None:
    g = generator(7)
    q, k, v = (torch.randn(1, 2, 96, 16, generator=g) for _ in range(3))
    q, k = q / 2, k / 2  # the variance grows with exp(|q + k|^2): scores of size 1 need thousands of features
    exact = attention(q, k, v)
    errors = []
    for m in (16, 128, 2048):
        tries = [performer_attention(q, k, v, directions(m, 16, g)) for _ in range(5)]
        errors.append(sum(float((out - exact).norm() / exact.norm()) for out in tries) / 5)
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.15


def test_causal_performer_looks_only_back() -> None:
    """Prefix by prefix it equals the form without a mask: position t sees exactly the first t + 1 keys."""
    g = generator(9)
    q, k, v = (torch.randn(1, 1, 300, 8, dtype=torch.float64, generator=g) for _ in range(3))
    w = directions(32, 8, g).double()
    causal = performer_attention(q, k, v, w, causal=True)
    for t in (0, 1, 127, 128, 299):
        alone = performer_attention(q[:, :, t : t + 1], k[:, :, : t + 1], v[:, :, : t + 1], w)
        assert torch.allclose(causal[:, :, t : t + 1], alone, atol=1e-9)


def test_causal_performer_nears_causal_attention() -> None:
    g = generator(11)
    q, k, v = (torch.randn(1, 1, 150, 8, generator=g) for _ in range(3))
    q, k = q / 2, k / 2
    out = performer_attention(q, k, v, directions(4096, 8, g), causal=True)
    exact = attention(q, k, v, causal_mask(150))
    assert float((out - exact).norm() / exact.norm()) < 0.1


def test_linformer_with_a_full_projection_is_exact() -> None:
    g = generator(13)
    q, k, v = (torch.randn(1, 2, 12, 8, generator=g) for _ in range(3))
    assert torch.allclose(linformer_attention(q, k, v, torch.eye(12), torch.eye(12)), attention(q, k, v), atol=1e-6)
    assert torch.allclose(projected_weights(q, k, v, torch.eye(12)), attention(q, k, v), atol=1e-6)


def test_projections_keep_length_on_average() -> None:
    g = generator(15)
    total = torch.zeros(40, 40)
    for _ in range(2000):
        E = random_projection(16, 40, g)
        total = total + E.T @ E
    assert torch.allclose(total / 2000, torch.eye(40), atol=0.05)
    assert mean_pooling(3, 7).sum(1).tolist() == pytest.approx([1, 1, 1])


def test_projected_weights_are_an_unbiased_estimate() -> None:
    """The random projection of the theorem: E[P E^T E V] = P V."""
    g = generator(17)
    q, k, v = (torch.randn(20, 8, generator=g) for _ in range(3))
    draws = torch.stack([projected_weights(q, k, v, random_projection(8, 20, g)) for _ in range(3000)])
    error = (draws.mean(0) - attention(q, k, v)).abs()
    assert bool((error <= 5 * draws.std(0) / math.sqrt(3000)).all())
