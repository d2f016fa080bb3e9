"""GAE, lambda-returns and V-trace against sums written out as in the papers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.week04_policy.gae import gae, lambda_returns, normalised, returns_to_go
from experiments.week04_policy.vtrace import vtrace


def lived(seed: int, T: int, N: int = 2):
    rng = np.random.default_rng(seed)
    rewards, values = rng.normal(size=(T, N)), rng.normal(size=(T + 1, N))
    end = rng.integers(0, 6, size=(T, N))
    return rewards, values, end == 0, end == 1, rng.uniform(0.1, 3, size=(T, N))


def horizon(t: int, n: int, terminated, truncated) -> int:
    """The last step (inclusive) of the episode or window that step t lies in."""
    T = len(terminated)
    return next((k for k in range(t, T) if terminated[k, n] or truncated[k, n]), T - 1)


def n_step(t: int, k: int, n: int, rewards, values, terminated, gamma: float) -> float:
    """r_t + ... + gamma^k r_{t+k} and then the value of what comes next, if anything does."""
    total = sum(gamma**i * rewards[t + i, n] for i in range(k + 1))
    return total + (0.0 if terminated[t + k, n] else gamma ** (k + 1) * values[t + k + 1, n])


def mixture(t: int, n: int, rewards, values, terminated, truncated, gamma: float, lam: float) -> float:
    """Sutton & Barto's forward view: n-step returns weighted by (1 - lambda) lambda^k, the last takes the rest."""
    last = horizon(t, n, terminated, truncated) - t
    parts = [n_step(t, k, n, rewards, values, terminated, gamma) for k in range(last + 1)]
    return sum((1 - lam) * lam**k * part for k, part in enumerate(parts[:-1])) + lam**last * parts[-1]


CASES = given(st.integers(0, 10**6), st.integers(1, 12), st.floats(0, 1), st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@CASES
def test_lambda_returns_are_the_mixture_of_n_step_returns(seed, T, gamma, lam):
    rewards, values, terminated, truncated, _ = lived(seed, T)
    found = lambda_returns(rewards, values, terminated, truncated, gamma, lam)
    wanted = [[mixture(t, n, rewards, values, terminated, truncated, gamma, lam) for n in range(2)] for t in range(T)]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@settings(max_examples=60, deadline=None)
@CASES
def test_gae_is_the_sum_of_discounted_errors(seed, T, gamma, lam):
    rewards, values, terminated, truncated, _ = lived(seed, T)
    found = gae(rewards, values, terminated, truncated, gamma, lam)
    for t in range(T):
        for n in range(2):
            wanted = 0.0
            for k in range(t, horizon(t, n, terminated, truncated) + 1):
                after = 0.0 if terminated[k, n] else values[k + 1, n]
                wanted += (gamma * lam) ** (k - t) * (rewards[k, n] + gamma * after - values[k, n])
            assert found[t, n] == pytest.approx(wanted, abs=1e-12)
    returns = lambda_returns(rewards, values, terminated, truncated, gamma, lam)
    np.testing.assert_allclose(found + values[:-1], returns, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 10), st.floats(0, 1), st.floats(0, 1), st.floats(0.2, 4), st.floats(0.2, 4)
)
def test_vtrace_is_the_sum_of_the_paper(seed, T, gamma, lam, rho_bar, c_bar):
    rewards, values, terminated, truncated, ratios = lived(seed, T)
    targets, advantages = vtrace(rewards, values, ratios, terminated, truncated, gamma, lam, rho_bar, c_bar)
    rho, c = np.minimum(rho_bar, ratios), lam * np.minimum(c_bar, ratios)

    def v(s: int, n: int) -> float:
        total = values[s, n]
        for t in range(s, horizon(s, n, terminated, truncated) + 1):
            after = 0.0 if terminated[t, n] else values[t + 1, n]
            delta = rho[t, n] * (rewards[t, n] + gamma * after - values[t, n])
            total += gamma ** (t - s) * np.prod(c[s:t, n]) * delta
        return float(total)

    for t in range(T):
        for n in range(2):
            assert targets[t, n] == pytest.approx(v(t, n), abs=1e-10)
            if terminated[t, n]:
                after = 0.0
            elif truncated[t, n] or t == T - 1:
                after = values[t + 1, n]
            else:
                after = v(t + 1, n)
            wanted = rho[t, n] * (rewards[t, n] + gamma * after - values[t, n])
            assert advantages[t, n] == pytest.approx(wanted, abs=1e-10)


def test_vtrace_on_policy_is_the_lambda_return():
    rewards, values, terminated, truncated, _ = lived(3, 20)
    targets, _ = vtrace(rewards, values, np.ones_like(rewards), terminated, truncated, 0.97, lam=0.9)
    np.testing.assert_allclose(targets, lambda_returns(rewards, values, terminated, truncated, 0.97, 0.9), atol=1e-12)


def test_vtrace_fixes_the_value_of_the_clipped_policy():
    """Its fixed point is the value of pi_rho, proportional to min(rho_bar mu, pi): on a bandit that is one sum."""
    rng = np.random.default_rng(0)
    pi, mu, mean = np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.5, 0.3]), np.array([1.0, -1.0, 2.0])
    a = rng.choice(3, size=(1, 400_000), p=mu)
    ended, never = np.ones(a.shape, dtype=bool), np.zeros(a.shape, dtype=bool)
    clipped = np.minimum(mu, pi)
    wanted = clipped @ mean / clipped.sum()
    values = np.vstack([np.full((1, a.shape[1]), wanted), np.zeros((1, a.shape[1]))])
    targets, _ = vtrace(mean[a], values, (pi / mu)[a], ended, never, 1.0)
    assert targets.mean() == pytest.approx(wanted, abs=0.01)
    assert abs(wanted - pi @ mean) > 0.05


def test_truncated_and_terminated_differ_by_the_bootstrap_alone():
    rewards, values = np.array([[1.0], [1.0]]), np.array([[0.0], [0.0], [10.0]])
    yes, no = np.array([[False], [True]]), np.zeros((2, 1), dtype=bool)
    assert gae(rewards, values, yes, no, 0.5, 1.0).ravel().tolist() == [1.5, 1.0]
    assert gae(rewards, values, no, yes, 0.5, 1.0).ravel().tolist() == [4.0, 6.0]


def test_returns_to_go_and_normalising():
    rewards, no = np.ones((3, 1)), np.zeros((3, 1), dtype=bool)
    assert returns_to_go(rewards, no, no, 0.5).ravel().tolist() == [1.75, 1.5, 1.0]
    scaled = normalised(np.array([1.0, 2.0, 6.0]))
    assert scaled.mean() == pytest.approx(0) and scaled.std() == pytest.approx(1, abs=1e-7)
