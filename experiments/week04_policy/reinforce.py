"""REINFORCE (Williams 1992): follow the gradient of log pi(a_t | s_t) times what came after.

    g = mean over steps of grad log pi(a_t | s_t) (G_t - b(s_t)),    G_t = r_t + gamma r_{t+1} + ...

Any baseline b that does not look at the action leaves the expectation as it is and may lower the variance: none, the
mean return, or a learnt value. Whole episodes, one step of Adam an update. As in common practice, the factor gamma^t
of the discounted objective is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from experiments.kit.contract import Log
from experiments.week04_policy.gae import Array, returns_to_go
from experiments.week04_policy.policy import Actor, Critic, adam, fit
from experiments.week04_policy.rollout import Batch, Curve, Rollouts, learn

Baseline = Literal["none", "mean", "value"]


@dataclass(frozen=True)
class Config:
    """`copies` episodes an update."""

    task: str = "CartPole-v1"
    steps: int = 100_000
    evaluations: int = 10
    copies: int = 8
    gamma: float = 0.99
    rate: float = 5e-3
    baseline: Baseline = "value"
    critic_rate: float = 5e-3
    critic_epochs: int = 5


def advantages(returns: Array, valid: Array, baseline: Baseline, values: Array) -> Array:
    """Returns (T, N) less the baseline; `values` (T, N) are the critic's."""
    match baseline:
        case "none":
            return returns
        case "mean":
            return returns - returns[valid].mean()  # type: ignore[no-any-return]
        case "value":
            return returns - values


def train(config: Config, seed: int, log: Log) -> Curve:
    """One run."""
    torch.manual_seed(seed)
    rollouts = Rollouts(config.task, config.copies, seed)
    copies = rollouts.copies
    actor, critic = Actor(copies.observed, copies.actions, copies.size), Critic(copies.observed)
    optimizer, critic_optimizer = adam(actor, config.rate), adam(critic, config.critic_rate)

    def update(progress: float) -> tuple[int, Mapping[str, float]]:
        batch: Batch = rollouts.episodes(actor)
        x, actions = batch.flat()
        returns = returns_to_go(batch.rewards, batch.terminated, batch.truncated, config.gamma)
        values = np.zeros_like(returns)
        if config.baseline == "value":
            with torch.no_grad():
                values[batch.valid] = critic(x).numpy()
        weight = batch.pick(advantages(returns, batch.valid, config.baseline, values))
        loss = -(actor(x).log_prob(actions) * weight).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if config.baseline == "value":
            fit(critic, critic_optimizer, x, batch.pick(returns), config.critic_epochs, 256)
        return batch.steps, {"train_return": float(batch.rewards[batch.valid].sum() / config.copies)}

    return learn(config.task, actor, config.steps, update, seed, log, config.evaluations)
