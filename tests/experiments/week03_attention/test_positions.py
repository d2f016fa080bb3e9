"""Positional encodings: the identities their papers are built on."""

from __future__ import annotations

import math

import pytest
import torch

from experiments.week03_attention.positions import (
    alibi,
    alibi_slopes,
    rope,
    rope_complex,
    shaw_bias,
    shaw_index,
    sinusoidal,
)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_sinusoidal_is_the_papers_formula() -> None:
    table = sinusoidal(50, 6)
    for p in (0, 1, 49):
        for i in range(3):
            angle = p / 10_000 ** (2 * i / 6)
            assert float(table[p, 2 * i]) == pytest.approx(math.sin(angle), abs=1e-6)
            assert float(table[p, 2 * i + 1]) == pytest.approx(math.cos(angle), abs=1e-6)
    with pytest.raises(ValueError, match="even"):
        sinusoidal(4, 5)


def test_sinusoidal_products_depend_on_distance_alone() -> None:
    """PE(p) . PE(p + d) = sum_i cos(d w_i)."""
    table = sinusoidal(100, 32)
    for d in (0, 3, 40):
        products = (table[: 100 - d] * table[d:]).sum(-1)
        assert torch.allclose(products, products[0].expand_as(products), atol=1e-4)


def test_rope_scores_depend_on_distance_alone() -> None:
    q, k = randn(1, 16), randn(1, 16, seed=1)
    score = [float(rope(q, torch.tensor([p + 7])) @ rope(k, torch.tensor([p])).T) for p in (0, 3, 500)]
    assert score == pytest.approx([score[0]] * 3, rel=1e-4)
    assert float(rope(q, torch.tensor([9])) @ rope(k, torch.tensor([0])).T) != pytest.approx(score[0], rel=1e-3)


def test_rope_keeps_lengths_and_position_zero() -> None:
    x = randn(5, 8)
    turned = rope(x, torch.arange(5))
    assert torch.allclose(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-6)
    assert torch.allclose(turned[0], x[0])


def test_rope_turns_the_first_pair_by_its_position() -> None:
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert rope(x, torch.tensor([2])).flatten().tolist() == pytest.approx([math.cos(2), math.sin(2)], abs=1e-6)


def test_complex_rotation_is_the_same_map() -> None:
    x = randn(2, 3, 40, 16)
    assert torch.allclose(rope(x, torch.arange(40)), rope_complex(x, torch.arange(40)), atol=1e-12)


def test_alibi_slopes_of_the_paper() -> None:
    """Press et al. 2022, section 3: for 8 heads 1/2, 1/4, ... 1/256; for 16 they interpolate by the root."""
    assert alibi_slopes(8).tolist() == pytest.approx([2**-h for h in range(1, 9)])
    assert alibi_slopes(16).tolist() == pytest.approx([2 ** (-h / 2) for h in range(1, 17)])
    assert alibi_slopes(12).tolist() == pytest.approx(
        [2**-h for h in range(1, 9)] + [2 ** (-h / 2) for h in (1, 3, 5, 7)]
    )


def test_alibi_falls_with_distance() -> None:
    bias = alibi(2, 4)
    assert bias.shape == (2, 4, 4)
    assert bias[0, 3].tolist() == pytest.approx([-3 / 16, -2 / 16, -1 / 16, 0])


def test_shaw_picks_the_vector_of_the_distance() -> None:
    q, table = randn(2, 6, 4), randn(5, 4, seed=2)
    bias = shaw_bias(q, table, reach=2)
    for i in range(6):
        for j in range(6):
            row = table[max(-2, min(2, j - i)) + 2]
            assert torch.allclose(bias[:, i, j], q[:, i] @ row / 2, atol=1e-12)
    assert shaw_index(4, 1).tolist()[0] == [1, 2, 2, 2]
