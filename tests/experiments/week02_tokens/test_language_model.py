"""The small model: bits add up, learning happens, seeds repeat."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from experiments.week02_tokens import language_model as lm

SHAPE = lm.Config(5, width=8, hidden=16, context=8, batch=8, steps=60)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def test_an_untrained_even_model_needs_log2_v_bits():
    torch.manual_seed(0)
    model = lm.LanguageModel(SHAPE)
    torch.nn.init.zeros_(model.token.weight)
    ids = np.arange(50) % 5
    assert lm.total_bits(model, ids, 8) == pytest.approx(49 * math.log2(5), rel=1e-6)


@pytest.mark.parametrize("n", [2, 5, 9, 10, 13, 17, 40])
def test_every_id_but_the_first_counts_once(n):
    """With the even model the total tells how many ids were counted."""
    model = lm.LanguageModel(SHAPE)
    torch.nn.init.zeros_(model.token.weight)
    assert lm.total_bits(model, np.zeros(n, dtype=np.int64), 8, batch=2) / math.log2(5) == pytest.approx(n - 1)


def test_bits_are_those_of_one_window():
    torch.manual_seed(1)
    model = lm.LanguageModel(SHAPE)
    ids = np.array([0, 3, 1, 4, 2, 2, 0])
    text = torch.from_numpy(ids)
    nats = F.cross_entropy(model(text[None, :-1])[0], text[1:], reduction="sum")
    assert lm.total_bits(model, ids, 8) == pytest.approx(nats.item() / math.log(2), rel=1e-6)


def test_it_learns_a_cycle_and_repeats_by_seed():
    ids = np.arange(400) % 5
    losses = []
    first = lm.train(ids, SHAPE, 3, lambda step, loss: losses.append(loss))
    again = lm.train(ids, SHAPE, 3)
    assert len(losses) == 60 and losses[-1] < 0.2 < 2 < losses[0]
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert lm.total_bits(first, ids[:101], 8) / 100 < 0.3


def test_rate_rises_then_falls():
    rates = [lm.rate_at(step, SHAPE) for step in range(60)]
    assert rates[5] == pytest.approx(max(rates)) == pytest.approx(SHAPE.rate)
    assert rates[0] < rates[3] and rates[-1] < 0.11 * SHAPE.rate
    assert all(a >= b for a, b in pairwise(rates[6:]))


def test_parameters_count_everything():
    body, table = lm.parameters(SHAPE)
    assert table == 5 * 8 + 5
    assert body + table == sum(p.numel() for p in lm.LanguageModel(SHAPE).parameters())
