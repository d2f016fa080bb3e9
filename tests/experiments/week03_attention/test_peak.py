"""Counted memory: exact on small cases, linear for tiled attention, quadratic for the textbook's."""

from __future__ import annotations

import torch

from experiments.week03_attention.peak import PeakMemory, peak_bytes
from experiments.week03_attention.scaled_dot_product import attention, causal_mask
from experiments.week03_attention.tiled import tiled_attention

FLOAT = 4


def test_counts_what_is_alive_together() -> None:
    a = torch.ones(1000)

    def work() -> torch.Tensor:
        b = a * 2
        c = b + 1
        del b  # two of a thousand numbers lived together
        return c.view(10, 100).add_(1)  # a view and an in-place sum make nothing new

    assert peak_bytes(work) == 2 * 1000 * FLOAT


def test_counts_the_backward_pass() -> None:
    x = torch.ones(500, requires_grad=True)
    assert peak_bytes(lambda: (x * x).sum().backward()) >= 2 * 500 * FLOAT


def test_everything_freed_leaves_nothing_alive() -> None:
    memory = PeakMemory()
    with memory:
        torch.ones(10)
        torch.zeros(1000)
    assert (memory.peak, memory.alive) == (1000 * FLOAT, 0)


def test_tiled_memory_is_linear_and_textbook_memory_quadratic() -> None:
    """Doubling the length at most doubles the one and quadruples the other."""
    peaks = {}
    for L in (1024, 2048, 4096):
        q, k, v = (torch.randn(1, 2, L, 16) for _ in range(3))
        mask = causal_mask(L)
        peaks[L] = (peak_bytes(lambda: tiled_attention(q, k, v)), peak_bytes(lambda: attention(q, k, v, mask)))  # noqa: B023
    assert peaks[4096][0] < 2.1 * peaks[2048][0] < 4.2 * peaks[1024][0]
    assert peaks[4096][1] > 3.9 * peaks[2048][1]
    assert peaks[4096][0] < 4096 * 4096 * FLOAT / 8


def test_tiled_backward_is_linear_too() -> None:
    peaks = []
    for L in (2048, 4096):
        q, k, v = (torch.randn(1, 2, L, 16, requires_grad=True) for _ in range(3))
        peaks.append(peak_bytes(lambda: tiled_attention(q, k, v).sum().backward()))  # noqa: B023
    assert peaks[1] < 2.1 * peaks[0]
