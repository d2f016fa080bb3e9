"""Distributions, the Fisher matrix, trust regions: against torch.distributions, explicit matrices and measured KL."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Categorical as TorchCategorical
from torch.distributions import Independent, Normal, kl_divergence

from experiments.week04_policy import appo, grpo, impala, natural_gradient, ppo, reinforce, trpo
from experiments.week04_policy.natural_gradient import conjugate_gradient, fisher_product, flat, flat_gradient
from experiments.week04_policy.policy import Actor, Categorical, Critic, Gaussian, adam, fit, kl
from experiments.week04_policy.rollout import Rollouts, evaluate


def distributions(seed: int):
    torch.manual_seed(seed)
    a, b = (Categorical(torch.log_softmax(torch.randn(7, 4), -1)) for _ in range(2))
    c, d = (Gaussian(torch.randn(7, 3), 0.5 * torch.randn(7, 3)) for _ in range(2))
    torches = [TorchCategorical(logits=a.log_p), TorchCategorical(logits=b.log_p)]
    torches += [Independent(Normal(x.mean, x.log_std.exp()), 1) for x in (c, d)]
    return (a, b, c, d), torches


def test_distributions_are_torchs():
    (a, b, c, d), (ta, tb, tc, td) = distributions(0)
    for ours, theirs, actions in ((a, ta, torch.arange(7) % 4), (c, tc, torch.randn(7, 3))):
        torch.testing.assert_close(ours.log_prob(actions), theirs.log_prob(actions))
        torch.testing.assert_close(ours.entropy(), theirs.entropy())
    torch.testing.assert_close(kl(a, b), kl_divergence(ta, tb))
    torch.testing.assert_close(kl(c, d), kl_divergence(tc, td))
    with pytest.raises(TypeError, match="one kind"):
        kl(a, c)


def test_samples_follow_the_distribution():
    generator = torch.Generator().manual_seed(1)
    p = torch.tensor([0.6, 0.3, 0.1])
    drawn = Categorical(p.log().expand(60_000, 3)).sample(generator)
    torch.testing.assert_close(torch.bincount(drawn) / 60_000, p, atol=0.01, rtol=0)
    numbers = Gaussian(torch.full((60_000, 1), 2.0), torch.full((60_000, 1), -1.0)).sample(generator)
    assert float(numbers.mean()) == pytest.approx(2, abs=0.01)
    assert float(numbers.std()) == pytest.approx(np.exp(-1), abs=0.01)


@pytest.mark.parametrize("actions", [3, 0])
def test_fisher_products_are_the_expected_outer_product_of_scores(actions):
    torch.manual_seed(2)
    actor, x = Actor(4, actions, 1, hidden=(5,)), torch.randn(6, 4)
    parameters = list(actor.parameters())
    for p in parameters:
        p.data += 0.3 * torch.randn_like(p)
    F = torch.zeros(flat(parameters).numel(), flat(parameters).numel())
    if actions:
        for row in x:
            out = actor(row)
            for a in range(actions):
                score = flat_gradient(out.log_prob(torch.tensor(a)), parameters, keep=True).detach()
                F += out.log_p[a].exp().detach() * torch.outer(score, score) / len(x)
    else:  # for a Gaussian: J^T diag(1 / s^2, 2) J of mean and log deviation
        for row in x:
            J = flat_gradient(actor(row).mean.sum(), parameters)
            K = flat_gradient(actor(row).log_std.sum(), parameters)
            F += (torch.outer(J, J) * (-2 * actor.log_std.detach()).exp() + 2 * torch.outer(K, K)) / len(x)
    product = fisher_product(actor, x, damping=0.1)
    for _ in range(5):
        v = torch.randn(F.shape[0])
        torch.testing.assert_close(product(v), F @ v + 0.1 * v, atol=1e-5, rtol=1e-4)
    weights = torch.full((6,), 1 / 6)
    torch.testing.assert_close(fisher_product(actor, x, 0.1, weights)(v), product(v), atol=1e-6, rtol=1e-5)


def test_conjugate_gradients_solve():
    torch.manual_seed(3)
    R = torch.randn(20, 20, dtype=torch.float64)
    A, b = R @ R.T + torch.eye(20, dtype=torch.float64), torch.randn(20, dtype=torch.float64)
    found = conjugate_gradient(lambda v: A @ v, b, 60, tolerance=1e-24)
    torch.testing.assert_close(found, torch.linalg.solve(A, b), atol=1e-9, rtol=1e-9)


def test_the_natural_gradient_of_a_table_is_the_advantage():
    """Kakade's theorem, in its plainest case: for softmax logits, F^-1 grad J is mu up to a constant."""
    torch.manual_seed(4)
    actor, mu = Actor(1, 4, hidden=()), torch.tensor([0.3, -1.0, 2.0, 0.1])
    actor.net.pairs[0][1].data = torch.randn(4)
    x, parameters = torch.zeros(1, 1), list(actor.parameters())
    g = flat_gradient(actor(x).log_p.exp()[0] @ mu, parameters)
    step = conjugate_gradient(fisher_product(actor, x, 1e-6), g, 50)[4:]  # the bias; weights see only zeros
    torch.testing.assert_close(step - step.mean(), mu - mu.mean(), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("task", ["CartPole-v1", "Pendulum-v1"])
def test_trpo_keeps_its_bound_on_every_accepted_step(task):
    config = trpo.Config(task=task, steps=8000, evaluations=1, delta=0.02, damping=0.01)
    curve = trpo.train(config, 0, lambda row: None)
    assert len(curve.notes) >= 7
    assert max(curve.note("kl")) <= config.delta
    accepted = [row for row in curve.notes if row["share"] > 0]
    assert len(accepted) >= 5 and all(row["kl"] > 0.1 * config.delta for row in accepted)


def test_a_refused_step_leaves_the_policy_alone():
    actor = Actor(3, 2)
    before = flat(list(actor.parameters())).detach().clone()
    refused = trpo.line_search(actor, torch.ones_like(before), lambda: False, lambda: 0.0, 0.01, 0.5, 5)
    assert refused == trpo.Accepted(0.0, 0.0)
    assert (flat(list(actor.parameters())) == before).all()


def test_clipping_takes_away_the_reason_to_go_further():
    ratio = torch.tensor([0.5, 0.9, 1.1, 1.5], dtype=torch.float64)
    for A in (1.0, -1.0):
        log_ratio = ratio.log().requires_grad_()
        ppo.clipped_objective(log_ratio, torch.full((4,), A, dtype=torch.float64), 0.2).sum().backward()
        stuck = [False, False, False, True] if A > 0 else [True, False, False, False]
        assert (log_ratio.grad == 0).tolist() == stuck
    found = ppo.clipped_objective(ratio.log(), torch.ones(4, dtype=torch.float64), 0.2)
    assert found.tolist() == pytest.approx([0.5, 0.9, 1.1, 1.2])


def test_the_penalty_follows_the_distance():
    assert ppo.adapted(1.0, 0.02, 0.01) == 2.0
    assert ppo.adapted(1.0, 0.005, 0.01) == 0.5
    assert ppo.adapted(1.0, 0.01, 0.01) == 1.0
    found = ppo.penalised_objective(torch.zeros(2), torch.tensor([1.0, -1.0]), torch.tensor([0.0, 0.5]), 2.0)
    assert found.tolist() == [1.0, -2.0]


def test_group_advantages_and_k3():
    scores = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]])
    found = grpo.group_advantages(scores)
    np.testing.assert_allclose(found, [[-1 / 1.0001, 0, 1 / 1.0001], [0, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(grpo.group_advantages(scores, scale=False), [[-1, 0, 1], [0, 0, 0]])
    p = torch.log_softmax(torch.randn(100, 5, dtype=torch.float64), -1)
    q = torch.log_softmax(torch.randn(100, 5, dtype=torch.float64), -1)
    each = grpo.k3(p, q)
    assert (each >= 0).all()
    torch.testing.assert_close((p.exp() * each).sum(-1), (p.exp() * (p - q)).sum(-1))  # unbiased


def test_grpo_loss_by_hand():
    p, old, ref = (torch.tensor([[-1.0, -2.0], [-0.5, 9.0]], dtype=torch.float64) + d for d in (0.0, 0.1, -0.2))
    A, mask = torch.tensor([1.0, -2.0], dtype=torch.float64), torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    r, k = np.exp(-0.1), np.exp(-0.2) + 0.2 - 1
    wanted = np.mean([-r * 1 + 0.3 * k, 2 * r + 0.3 * k])
    assert float(grpo.grpo_loss(p, old, ref, A, mask, 0.2, 0.3)) == pytest.approx(wanted, abs=1e-12)


def test_baselines():
    G, valid = np.array([[1.0, 2.0], [3.0, 9.0]]), np.array([[True, True], [True, False]])
    values = np.full((2, 2), 0.5)
    np.testing.assert_allclose(reinforce.advantages(G, valid, "none", values), G)
    np.testing.assert_allclose(reinforce.advantages(G, valid, "mean", values), G - 2)
    np.testing.assert_allclose(reinforce.advantages(G, valid, "value", values), G - 0.5)


def test_lagged_actors_are_old():
    actor = Actor(2, 2)
    past = impala.Lagged(actor, 2)
    for i in range(1, 6):
        actor.net.pairs[-1][1].data.fill_(float(i))
        past.push(actor)
        assert float(past.behave.net.pairs[-1][1].detach()[0]) == max(0, i - 2)
    actor.net.pairs[-1][1].data.fill_(99.0)
    assert float(past.behave.net.pairs[-1][1].detach()[0]) == 3


def test_whole_episodes_and_windows():
    rollouts = Rollouts("CartPole-v1", 4, 0)
    actor = Actor(4, 2)
    batch = rollouts.episodes(actor)
    ends = (batch.terminated | batch.truncated) & batch.valid
    assert (ends.sum(0) == 1).all()
    lengths = batch.valid.sum(0)
    assert all(ends[lengths[n] - 1, n] and batch.valid[: lengths[n], n].all() for n in range(4))
    assert batch.steps == lengths.sum() == len(batch.rows) == len(batch.flat()[0])
    window = rollouts.window(actor, 50)
    assert window.observations.shape == (51, 4, 4) and window.valid.shape == (50, 4)
    again = rollouts.window(actor, 50)
    assert (again.observations[0] == window.observations[-1]).all()
    ended = (window.terminated | window.truncated)[:-1]
    assert (window.valid[1:] == ~ended).all()
    picked = window.pick(np.arange(200).reshape(50, 4))
    assert (picked == window.rows).all()


def test_critics_learn_what_they_are_shown():
    torch.manual_seed(5)
    critic, x = Critic(2), torch.randn(512, 2)
    loss = fit(critic, adam(critic, 1e-2), x, x[:, 0] - x[:, 1], 60, 128)
    assert loss < 0.02


ALGORITHMS = {
    "reinforce": (reinforce, {"copies": 4}),
    "natural": (natural_gradient, {"window": 64}),
    "trpo": (trpo, {"window": 64}),
    "ppo": (ppo, {"epochs": 4}),
    "ppo_kl": (ppo, {"epochs": 4, "variant": "kl", "entropy": 0.01}),
    "impala": (impala, {}),
    "appo": (appo, {}),
    "grpo": (grpo, {"copies": 4}),
}


@pytest.mark.parametrize("task", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_training_runs_counts_and_repeats(name, task):
    module, settings = ALGORITHMS[name]
    config = module.Config(task=task, steps=2500, evaluations=2, **settings)
    rows: list = []
    first, second = (module.train(config, seed, rows.append) for seed in (3, 3))
    assert first.returns == second.returns and first.notes == second.notes
    assert first.steps == [1250, 2500] and first.spent >= 2500
    assert all(np.isfinite(list(row.values())).all() for row in rows) and len(rows) == 4


def test_ppo_learns_cartpole():
    config = ppo.Config(steps=25_000, evaluations=1, decay=False)
    assert ppo.train(config, 1, lambda row: None).returns[-1] >= 400


def test_evaluation_uses_the_likeliest_action():
    actor = Actor(4, 2)
    for p in actor.parameters():
        p.data.zero_()
    actor.net.pairs[-1][1].data = torch.tensor([1e-3, 0.0])  # nearly even odds, yet always pushes left
    assert 8 <= evaluate(actor, "CartPole-v1", 5, 0) <= 11
