"""Estimators of a bandit's gradient: bias and variance against exact sums."""

# ruff: noqa: E501 (tables of settings stay whole, one a line)
from __future__ import annotations

import numpy as np
import pytest

from experiments.week04_policy import bandits as b

RNG = np.random.default_rng(0)
THETA, MU, NOISE = RNG.normal(size=5), RNG.normal(size=5) + 2, 0.5


def draws(n: int = 4, R: int = 200_000, seed: int = 1):
    return b.sample(THETA, MU, NOISE, (R, n), np.random.default_rng(seed))


def test_the_gradient_is_the_derivative():
    for i in range(5):
        step = 1e-6 * np.eye(5)[i]
        slope = (b.softmax(THETA + step) @ MU - b.softmax(THETA - step) @ MU) / 2e-6
        assert b.exact_gradient(THETA, MU)[i] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize(("name", "factor"), [("none", 1), ("mean", 0.75), ("leave_one_out", 1), ("value", 1), ("optimal", 1), ("model", 1)])  # fmt: skip
def test_the_mean_of_the_estimates(name, factor):
    arms, x = draws()
    g = b.estimates(name, THETA, MU, arms, x, MU + 0.3)
    error = np.abs(g.mean(0) - factor * b.exact_gradient(THETA, MU))
    assert (error < 5 * g.std(0) / np.sqrt(len(g))).all()


def test_dividing_by_the_deviation_changes_length_and_direction():
    arms, x = draws()
    g = b.estimates("group", THETA, MU, arms, x, MU).mean(0)
    exact = b.exact_gradient(THETA, MU)
    cosine = g @ exact / np.linalg.norm(g) / np.linalg.norm(exact)
    assert 0.5 < cosine < 0.999 and abs(np.linalg.norm(g) / np.linalg.norm(exact) - 1) > 0.1


@pytest.mark.parametrize("name", ["none", "value", "optimal", "model"])
def test_variance_is_exact(name):
    arms, x = draws(n=1)
    guess = MU + np.array([0.5, -0.5, 0.2, 0.0, 0.1])
    baseline = {"none": 0.0, "value": b.softmax(THETA) @ MU, "optimal": b.optimal_baseline(THETA, MU), "model": guess}
    measured = b.estimates(name, THETA, MU, arms, x, guess).var(0).sum()
    assert b.variance(THETA, MU, NOISE, baseline[name]) == pytest.approx(measured, rel=0.03)


def test_no_constant_beats_the_optimal_baseline():
    best = b.variance(THETA, MU, NOISE, b.optimal_baseline(THETA, MU))
    around = [b.variance(THETA, MU, NOISE, b.optimal_baseline(THETA, MU) + d) for d in (-0.1, -0.01, 0.01, 0.1)]
    assert all(v > best for v in around)
    assert best < b.variance(THETA, MU, NOISE, float(b.softmax(THETA) @ MU)) < b.variance(THETA, MU, NOISE, 0.0)


def test_a_perfect_model_leaves_only_the_noise():
    assert b.variance(THETA, MU, 0.0, MU) == pytest.approx(0, abs=1e-12)


def test_importance_weights():
    q = np.array([0.4, 0.1, 0.2, 0.2, 0.1])
    rng = np.random.default_rng(2)
    arms = rng.choice(5, size=(200_000, 8), p=q)
    x = MU[arms]
    exact, p = b.exact_gradient(THETA, MU), b.softmax(THETA)
    plain = b.off_policy("plain", THETA, q, arms, x, 0.0)
    assert (np.abs(plain.mean(0) - exact) < 5 * plain.std(0) / np.sqrt(len(plain))).all()
    clipped = b.off_policy("clipped", THETA, q, arms, x, 0.0)
    limit = np.minimum(p, q)
    wanted = limit * MU - p * (limit @ MU)
    np.testing.assert_allclose(clipped.mean(0), wanted, atol=0.01)
    assert clipped.var(0).sum() < plain.var(0).sum()
    ignored = b.off_policy("ignored", THETA, q, arms, x, 0.0)
    np.testing.assert_allclose(ignored.mean(0), q * MU - p * (q @ MU), atol=0.01)
    normal = b.off_policy("self_normalised", THETA, q, arms, x, 0.0)
    assert np.linalg.norm(normal.mean(0) - exact) < 0.2 * np.linalg.norm(ignored.mean(0) - exact)
