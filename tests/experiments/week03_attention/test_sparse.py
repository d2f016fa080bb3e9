"""Patterns: each looks where its paper says, and computing only its blocks gives masked attention."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from experiments.week03_attention.sparse import (
    Pattern,
    bigbird,
    local,
    longformer,
    sliding_window,
    sparse_attention,
)

PATTERNS = [
    sliding_window(10, block=16),
    sliding_window(1, block=16),
    sliding_window(500, block=16),
    local(24),
    longformer(200, 9, 3, block=16),
    longformer(200, 9, 40, block=16),
    bigbird(200, block=16, window=3, heads=1, chance=2),
    bigbird(200, block=64, window=5, heads=2, chance=9),
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: f"{p.name}/{p.block}")
def test_only_the_blocks_equals_the_whole_mask(pattern: Pattern) -> None:
    g = torch.Generator().manual_seed(0)
    q, k, v, up = (torch.randn(1, 2, 200, 8, dtype=torch.float64, generator=g) for _ in range(4))
    results = []
    for f in (
        lambda q, k, v: sparse_attention(q, k, v, pattern),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=pattern.mask(200)),
    ):
        leaves = [x.clone().requires_grad_() for x in (q, k, v)]
        out = f(*leaves)
        results.append([out.detach(), *torch.autograd.grad(out, leaves, up)])
    assert max(float((a - b).abs().max()) for a, b in zip(*results, strict=True)) <= 1e-10


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: f"{p.name}/{p.block}")
def test_no_allowed_pair_lies_outside_the_visited_blocks(pattern: Pattern) -> None:
    mask = pattern.mask(200)
    for i, j in mask.nonzero().tolist():
        assert j // pattern.block in pattern.blocks(i // pattern.block)


def test_known_masks() -> None:
    assert sliding_window(2).mask(4).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    assert local(2).mask(4).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert longformer(5, 1, 1).mask(5).int().tolist() == [
        [1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 0, 1, 1, 1], [1, 0, 0, 1, 1],
    ]  # fmt: skip


def test_bigbird_has_its_three_parts() -> None:
    pattern = bigbird(640, block=64, window=3, heads=1, chance=2, seed=3)
    for b in range(1, 10):
        blocks = set(pattern.blocks(b))
        assert {0, b} <= blocks
        assert {c for c in (b - 1, b + 1) if 0 <= c < 10} <= blocks
        window = {c for c in (b - 1, b, b + 1) if 0 <= c < 10}
        assert len(blocks - window - {0}) == 2
    assert pattern.blocks(0) == list(range(10))
    again = bigbird(640, block=64, window=3, heads=1, chance=2, seed=3)
    assert all(pattern.blocks(b) == again.blocks(b) for b in range(10))


def test_work_grows_with_the_length_not_its_square() -> None:
    """Blocks visited a row stay the same when the sequence doubles: window, local and BigBird."""
    for make in (lambda L: sliding_window(128), lambda L: local(64), lambda L: bigbird(L)):
        few = {len(make(4096).blocks(b)) for b in range(20, 60)}
        many = {len(make(8192).blocks(b)) for b in range(20, 60)}
        assert max(many) <= max(few)
