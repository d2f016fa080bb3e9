"""Preference losses: known values, formulae written out again, gradients, and optima that can be added up."""

# ruff: noqa: E501 (tables of settings stay whole, one a line)
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from experiments.week04_policy import enumerable as world
from experiments.week04_policy import preferences as pref
from experiments.week04_policy.enumerable import Config
from experiments.week04_policy.preferences import Pairs


def pairs(seed: int = 0, B: int = 64) -> Pairs:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 128, (2, B)).astype(float)
    p, ref = (-rng.uniform(0.2, 3, (2, B)) * n for _ in range(2))
    return Pairs(*(torch.from_numpy(t) for t in (p[0], p[1], ref[0], ref[1], n[0], n[1])))


def sig(x):
    return 1 / (1 + np.exp(-x))


def slow(name: str, p: Pairs, i: int, beta: float) -> float:
    """The formula for one pair, in plain floats."""
    w, l, rw, rl, nw, nl = (float(t[i]) for t in (p.chosen, p.rejected, p.ref_chosen, p.ref_rejected, p.n_chosen, p.n_rejected))  # fmt: skip
    c, r = w - rw, l - rl
    x, y = math.exp(w / nw), math.exp(l / nl)
    return {
        "dpo": math.log1p(math.exp(-beta * (c - r))),
        "ipo": (c - r - 1 / (2 * beta)) ** 2,
        "ipo_averaged": (c / nw - r / nl - 1 / (2 * beta)) ** 2,
        "hinge": max(0.0, 1 - beta * (c - r)),
        "simpo": math.log1p(math.exp(-(beta * (w / nw - l / nl) - 0.3))),
        "orpo": -w / nw + beta * math.log1p(math.exp(-(math.log(x / (1 - x)) - math.log(y / (1 - y))))),
    }[name]


LOSSES = {
    "dpo": pref.dpo,
    "ipo": pref.ipo,
    "ipo_averaged": lambda p, beta: pref.ipo(p, beta, averaged=True),
    "hinge": pref.hinge,
    "simpo": lambda p, beta: pref.simpo(p, beta, 0.3),
    "orpo": pref.orpo,
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_their_formulae_with_their_gradients(name):
    p, beta = pairs(), 0.02
    leaves = [t.clone().requires_grad_() for t in (p.chosen, p.rejected)]
    found = LOSSES[name](Pairs(*leaves, p.ref_chosen, p.ref_rejected, p.n_chosen, p.n_rejected), beta)
    slopes = torch.autograd.grad(found.sum(), leaves)
    for i in range(64):
        assert float(found.detach()[i]) == pytest.approx(slow(name, p, i, beta), rel=1e-9, abs=1e-9)
    for which in range(2):
        step = torch.zeros(64, dtype=torch.float64) + 1e-5
        up, down = ([p.chosen, p.rejected] for _ in range(2))
        up[which], down[which] = up[which] + step, down[which] - step
        rest = (p.ref_chosen, p.ref_rejected, p.n_chosen, p.n_rejected)
        a, b = Pairs(*up, *rest), Pairs(*down, *rest)
        for i in range(64):
            numeric = (slow(name, a, i, beta) - slow(name, b, i, beta)) / 2e-5
            assert float(slopes[which][i]) == pytest.approx(numeric, rel=1e-5, abs=1e-6)


def test_at_the_reference_dpo_is_log_two_whatever_the_data():
    p = pairs(1)
    same = Pairs(p.ref_chosen, p.ref_rejected, p.ref_chosen, p.ref_rejected, p.n_chosen, p.n_rejected)
    torch.testing.assert_close(pref.dpo(same, 0.3), torch.full((64,), math.log(2), dtype=torch.float64))
    torch.testing.assert_close(pref.ipo(same, 0.3), torch.full((64,), (1 / 0.6) ** 2, dtype=torch.float64))
    assert (pref.hinge(same, 0.3) == 1).all()


def test_kto_counts_gains_and_losses_from_its_reference_point():
    ratio = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    good = torch.tensor([True, True, False, False])
    z = pref.kto_reference(torch.tensor([0.5, 0.1], dtype=torch.float64))
    found = pref.kto(ratio, good, z, 0.7, (1.0, 1.5))
    wanted = [1 - sig(0.7 * 0.7), 1 - sig(0.7 * -2.3), 1.5 * (1 - sig(-0.7 * 0.2)), 1.5 * (1 - sig(-0.7 * 2.7))]
    assert found.tolist() == pytest.approx(wanted)
    found.sum().backward()
    assert (ratio.grad[:2] < 0).all() and (ratio.grad[2:] > 0).all()
    assert float(pref.kto_reference(torch.tensor([-3.0, 1.0]))) == 0  # a KL is not below zero
    assert not pref.kto_reference(torch.tensor([3.0], requires_grad=True)).requires_grad


def test_log_odds_are_exact_at_both_ends():
    log_p = torch.tensor([-1e-9, -1e-3, -0.5, -0.7, -5.0, -40.0], dtype=torch.float64)
    wanted = [math.log(math.exp(x) / -math.expm1(x)) for x in log_p.tolist()]
    assert pref.log_odds(log_p).tolist() == pytest.approx(wanted, rel=1e-12)


def test_the_reward_models_loss():
    c, r = torch.tensor([2.0, 0.0], dtype=torch.float64), torch.tensor([1.0, 3.0], dtype=torch.float64)
    wanted = [-math.log(sig(1 - 0.5)) + 0.1 * 9, -math.log(sig(-3 - 0.5)) + 0.1 * 9]
    assert pref.reward_model(c, r, 0.5, 0.1).tolist() == pytest.approx(wanted)


def test_dpo_on_all_preferences_is_the_reward_objectives_optimum():
    p = world.problem(3)
    found = world.train(Config("dpo", 0.5, steps=900), p, world.population(p))
    assert world.divergence(world.best(p, 0.5), found) < 1e-5


def test_ipo_on_all_preferences_is_its_own_optimum():
    """Azar et al. 2023, theorem 1; also checked to be where the gradient of its objective vanishes."""
    p = world.problem(4)
    found = world.train(Config("ipo", 0.5, steps=900), p, world.population(p))
    assert world.divergence(world.best_ipo(p, 0.5), found) < 1e-9
    theta = world.best_ipo(p, 0.5).clone().requires_grad_()
    log_pi = torch.log_softmax(theta, -1)
    mean_win = (world.wins(p) * p.reference.exp()[:, None, :]).sum(-1)
    objective = (log_pi.exp() * (mean_win - 0.5 * (log_pi - p.reference))).sum()
    assert float(torch.autograd.grad(objective, theta)[0].abs().max()) < 1e-12


def test_no_policy_beats_the_optimum():
    p = world.problem(5)

    def objective(log_pi):
        return world.value(p, log_pi) - 0.5 * world.divergence(log_pi, p.reference)

    best = world.best(p, 0.5)
    for seed in range(20):
        noise = torch.randn(best.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        other = torch.log_softmax(best + 0.3 * noise, -1)
        assert objective(other) < objective(best)
        assert objective(best) - objective(other) == pytest.approx(0.5 * world.divergence(other, best), abs=1e-12)


def test_labels_follow_the_rewards():
    p = world.problem(6)
    certain = world.sampled(p, 2000, 0, certain=True)
    r = p.rewards
    assert (r[certain.prompt, certain.chosen] > r[certain.prompt, certain.rejected]).all()
    noisy, truth = world.sampled(p, 200_000, 0), world.population(p)
    assert float(noisy.share.sum()) == pytest.approx(1) == pytest.approx(float(truth.share.sum()))
    shares = {key: s for *key, s in zip(*(t.tolist() for t in (noisy.prompt, noisy.chosen, noisy.rejected, noisy.share)), strict=True) for key in [tuple(key)]}  # fmt: skip
    exact = zip(*(t.tolist() for t in (truth.prompt, truth.chosen, truth.rejected, truth.share)), strict=True)
    mu = p.reference.exp()
    # shares among pairs of one prompt: prompts differ in how often equal completions are drawn and dropped
    assert max(abs(shares.get((x, w, l), 0.0) - s) for x, w, l, s in exact) < 0.004
    assert float(mu.sum()) == pytest.approx(len(mu))


@pytest.mark.parametrize("method", world.METHODS)
def test_every_method_improves_on_the_reference(method):
    p = world.problem(7)
    strength = {"dpo": 0.7, "ipo": 0.1, "simpo": 0.1, "orpo": 2.0, "kto": 0.3}[method]
    found = world.train(Config(method, strength, steps=300), p, world.sampled(p, 1000, 7))
    assert world.value(p, found) > world.value(p, p.reference) + 0.2
    assert world.agreement(p, found) > 0.6
