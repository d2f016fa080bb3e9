"""Asynchronous PPO (as in Petrenko et al. 2020, Sample Factory): PPO's clip on data that is already old.

Actors lag behind as in `impala.py`, where the lag is simulated. V-trace corrects what the critic is told and the
advantages; the clip holds the policy near mu, the policy that collected, so a stale batch cannot drag it far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from experiments.kit.contract import Log
from experiments.week04_policy.impala import Lagged, corrected
from experiments.week04_policy.policy import Actor, Critic, adam
from experiments.week04_policy.ppo import clipped_objective
from experiments.week04_policy.rollout import Curve, Rollouts, learn


@dataclass(frozen=True)
class Config:
    """As `impala.Config`, with PPO's clip and epochs."""

    task: str = "CartPole-v1"
    steps: int = 100_000
    evaluations: int = 10
    copies: int = 8
    window: int = 64
    batch: int = 256
    epochs: int = 4
    gamma: float = 0.98
    lam: float = 0.95
    rate: float = 1e-3
    clip: float = 0.2
    value: float = 0.5
    max_norm: float = 0.5
    lag: int = 4
    correct: bool = True


def train(config: Config, seed: int, log: Log) -> Curve:
    """One run."""
    torch.manual_seed(seed)
    rollouts = Rollouts(config.task, config.copies, seed)
    copies = rollouts.copies
    actor, critic = Actor(copies.observed, copies.actions, copies.size), Critic(copies.observed)
    parameters = [*actor.parameters(), *critic.parameters()]
    optimizer, past = adam(parameters, config.rate), Lagged(actor, config.lag)

    def update(progress: float) -> tuple[int, Mapping[str, float]]:
        behave = past.behave
        batch = rollouts.window(behave, config.window)
        optimizer.param_groups[0]["lr"] = config.rate * (1 - progress)
        v, A, ratios = corrected(batch, actor, behave, critic, config.gamma, config.lam, config.correct)
        x, actions = batch.flat()
        if config.correct:
            A = A / np.minimum(1, ratios)  # the clipped objective weighs by pi / mu itself
        targets, advantages = batch.pick(v), batch.pick(A)
        with torch.no_grad():
            collected = behave(x).log_prob(actions)
        for _ in range(config.epochs):
            for rows in torch.randperm(len(x)).split(config.batch):  # type: ignore[no-untyped-call]
                A_ = advantages[rows]
                A_ = (A_ - A_.mean()) / (A_.std() + 1e-8)
                log_ratio = actor(x[rows]).log_prob(actions[rows]) - collected[rows]
                error = (critic(x[rows]) - targets[rows]).square().mean()
                loss = config.value * error - clipped_objective(log_ratio, A_, config.clip).mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, config.max_norm, foreach=True)
                optimizer.step()
        past.push(actor)
        return batch.steps, {"ratio": float(np.abs(np.log(ratios[batch.valid])).mean())}

    return learn(config.task, actor, config.steps, update, seed, log, config.evaluations)
