"""The constrained task and its algorithms: linear programme, exact steps, and the budget in the end."""

# ruff: noqa: E501 (tables of settings stay whole, one a line)
from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from experiments.week04_policy import cpo, pcpo, primal_dual
from experiments.week04_policy.constrained import LAYOUT, Sampler, evaluated, optimum, swamp


def simulated(task, policy, episodes=20_000):
    """Monte Carlo return and cost, written out plainly."""
    rng = np.random.default_rng(0)
    s, alive = np.full(episodes, task.start), np.ones(episodes, dtype=bool)
    total, discount = np.zeros(2), 1.0
    for _ in range(250):
        a = (policy[s].cumsum(1) < rng.random((episodes, 1))).sum(1)
        total[1] += discount * (task.costs[a, s] * alive).sum()
        landed = (task.transitions[a, s].cumsum(1) < rng.random((episodes, 1))).sum(1)
        arrived = (landed == task.states) & alive
        total[0] += discount * arrived.sum()
        alive &= ~arrived
        s = np.where(alive, landed, 0)
        discount *= task.gamma
    return total / episodes


def test_the_task_is_what_its_picture_says():
    task = swamp()
    assert task.states == sum(letter not in "#G" for row in LAYOUT for letter in row) == 13
    np.testing.assert_allclose(task.transitions.sum(-1), 1)
    assert task.costs[0].sum() == 4 and task.rewards.max() == pytest.approx(0.925)


def test_evaluation_is_what_happens():
    task = swamp()
    policy = np.random.default_rng(1).dirichlet(np.ones(4), task.states)
    np.testing.assert_allclose(evaluated(task, policy), simulated(task, policy), rtol=0.05, atol=0.005)


def test_the_optimum_uses_its_budget_and_mixes():
    task = swamp()
    value, cost, policy = optimum(task)
    assert cost == pytest.approx(1.5, abs=1e-9)
    assert 0.05 < policy[task.start].max() < 0.95
    free, full, _ = optimum(task, 1e6)
    none, least, _ = optimum(task, 0.1)
    assert least <= 0.1 + 1e-9 and none < value < free and full > 3
    values = [optimum(task, b)[0] for b in (0.1, 0.8, 1.5, 2.2, 2.9)]
    assert (np.diff(values) > 0).all() and (np.diff(values, 2) < 1e-9).all()  # concave in the budget


def test_the_optimum_is_the_best_of_what_a_price_can_buy():
    """Lagrangian duality: max over policies of return - price * (cost - budget), minimised over prices."""
    task = swamp()

    def dual(price: float) -> float:
        V = np.zeros(task.states + 1)
        for _ in range(2000):
            Q = task.rewards - price * task.costs + task.gamma * task.transitions @ V
            V = np.append(Q.max(0), 0.0)
        return float(V[task.start] + price * task.budget)

    assert min(dual(p) for p in np.linspace(0, 0.1, 101)) == pytest.approx(optimum(task)[0], abs=1e-3)


def test_samples_estimate_gradients_of_return_and_cost():
    task, rng = swamp(), np.random.default_rng(2)
    policy = rng.dirichlet(np.ones(4) * 3, task.states)
    sampler = Sampler(task, np.random.default_rng(3), episodes=20_000, lam=1.0)
    batch = sampler.sample(policy)
    assert batch.cost == pytest.approx(evaluated(task, policy)[1], rel=0.03)
    assert float(batch.weights.sum()) == pytest.approx(1, abs=1e-5)
    other = rng.dirichlet(np.ones(4) * 3, task.states)
    small = 0.02
    moved = (1 - small) * policy + small * other
    for terms, which in ((batch.reward_terms, 0), (batch.cost_terms, 1)):
        predicted = float((terms.numpy() * (moved / policy - 1)).sum()) / small
        actual = (evaluated(task, moved)[which] - evaluated(task, policy)[which]) / small
        assert predicted == pytest.approx(actual, rel=0.15, abs=0.02)


def quadratic(seed: int, n: int = 6):
    rng = np.random.default_rng(seed)
    R = rng.normal(size=(n, n))
    return R @ R.T + 0.5 * np.eye(n), rng.normal(size=n), rng.normal(size=n), float(rng.normal() * 0.3)


def torches(H, g, b):
    return torch.from_numpy(g), torch.from_numpy(b), lambda v: torch.from_numpy(H) @ v


@pytest.mark.parametrize("seed", range(40))
def test_cpos_step_solves_its_problem(seed):
    H, g, b, c = quadratic(seed)
    delta = 0.05
    tg, tb, product = torches(H, g, b)
    x = cpo.constrained_step(tg, tb, c, product, delta, 50).numpy()
    assert 0.5 * x @ H @ x <= delta * (1 + 1e-6)
    lowest = c - np.sqrt(2 * delta * b @ np.linalg.solve(H, b))
    if lowest > 0:  # nothing within reach keeps the budget: go down as steeply as allowed
        assert b @ x + c == pytest.approx(lowest, abs=1e-6)
        return
    assert b @ x + c <= 1e-6
    inside = [
        {"type": "ineq", "fun": lambda y: delta - 0.5 * y @ H @ y, "jac": lambda y: -H @ y},
        {"type": "ineq", "fun": lambda y: -(c + b @ y), "jac": lambda y: -b},
    ]
    found = minimize(lambda y: -g @ y, np.zeros(6), jac=lambda y: -g, constraints=inside, method="SLSQP", options={"ftol": 1e-13, "maxiter": 500})  # fmt: skip
    assert g @ x == pytest.approx(-found.fun, abs=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_pcpos_step_is_the_nearest_point_of_the_half_space(seed):
    H, g, b, c = quadratic(100 + seed)
    tg, tb, product = torches(H, g, b)
    x = pcpo.projected_step(tg, tb, c, product, 0.05, 50).numpy()
    u = np.linalg.solve(H, g)
    first = u * np.sqrt(0.1 / (g @ u))
    assert b @ x + c <= 1e-9
    keep = {"type": "ineq", "fun": lambda y: -(c + b @ y), "jac": lambda y: -b}
    found = minimize(lambda y: 0.5 * (y - first) @ H @ (y - first), first, jac=lambda y: H @ (y - first), constraints=[keep], method="SLSQP", options={"ftol": 1e-14})  # fmt: skip
    np.testing.assert_allclose(x, found.x, atol=1e-5)


def test_an_idle_constraint_changes_nothing():
    H, g, b, _ = quadratic(7)
    tg, tb, product = torches(H, g, b)
    u = np.linalg.solve(H, g)
    plain = u * np.sqrt(0.1 / (g @ u))
    np.testing.assert_allclose(cpo.constrained_step(tg, tb, -100.0, product, 0.05, 50).numpy(), plain, atol=1e-7)
    np.testing.assert_allclose(pcpo.projected_step(tg, tb, -100.0, product, 0.05, 50).numpy(), plain, atol=1e-7)


def test_cpo_keeps_the_budget_within_its_tolerance():
    """Batches of 256 episodes know the cost to about 0.12; the trust region bound holds on every step."""
    trail = cpo.train(cpo.Config(updates=80, episodes=256), 0, lambda row: None)
    late = trail.costs[40:]
    assert max(trail.kl) <= 0.01
    assert np.mean(late) <= 1.5 + 0.05 and max(late) <= 1.5 + 0.4
    assert np.mean(trail.returns[40:]) > 0.95 * optimum(swamp())[0]


def test_the_others_end_near_the_budget_too_and_blindness_does_not():
    config = {"updates": 100, "episodes": 128}
    projected = pcpo.train(cpo.Config(**config), 1, lambda row: None)
    priced = primal_dual.train(primal_dual.Config(**config), 1, lambda row: None)
    blind = primal_dual.train(primal_dual.Config(**config, rate=0.0), 1, lambda row: None)
    assert np.mean(projected.costs[50:]) == pytest.approx(1.5, abs=0.3)
    assert np.mean(priced.costs[50:]) == pytest.approx(1.5, abs=0.8)
    assert min(blind.costs[50:]) > 3
