"""IMPALA (Espeholt et al. 2018): actors never wait for the learner, and V-trace mends what that breaks.

An actor plays with parameters that are `lag` updates old, so its data come from mu, not from pi. The critic is fitted
to V-trace targets and the policy follows rho (r + gamma v' - V) grad log pi. `correct=False` leaves the correction out:
then ratios count as one and the lag does its harm.

Departure: the asynchrony is simulated. One process, parameters held back by a queue, so that a run can be repeated and
the lag is exactly what it says; speed is therefore not part of what is studied here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from experiments.kit.contract import Log
from experiments.week04_policy.gae import Array
from experiments.week04_policy.policy import Actor, Critic, adam
from experiments.week04_policy.rollout import Batch, Curve, Rollouts, learn
from experiments.week04_policy.vtrace import vtrace


@dataclass(frozen=True)
class Config:
    """`lag` is how many updates the actors' parameters are behind."""

    task: str = "CartPole-v1"
    steps: int = 100_000
    evaluations: int = 10
    copies: int = 16
    window: int = 16
    gamma: float = 0.98
    lam: float = 0.95
    rate: float = 3e-3
    entropy: float = 0.01
    value: float = 0.5
    max_norm: float = 0.5
    lag: int = 4
    correct: bool = True


class Lagged:
    """A queue of past actors: `behave` is the one `lag` pushes ago (or the oldest there is)."""

    def __init__(self, actor: Actor, lag: int) -> None:
        self._past = deque([deepcopy(actor)], maxlen=lag + 1)

    @property
    def behave(self) -> Actor:
        """The actor that collects now."""
        return self._past[0]

    def push(self, actor: Actor) -> None:
        """Take a copy of the learner's actor."""
        self._past.append(deepcopy(actor))


@torch.no_grad()
def corrected(
    batch: Batch, actor: Actor, behave: Actor, critic: Critic, gamma: float, lam: float, correct: bool
) -> tuple[Array, Array, Array]:
    """V-trace targets, advantages and the ratios pi / mu, each (T, N)."""
    x = batch.observations[:-1]
    ratios = (actor(x).log_prob(batch.actions) - behave(x).log_prob(batch.actions)).exp().numpy()
    used = ratios if correct else np.ones_like(ratios)
    values = critic(batch.observations).numpy()
    targets, advantages = vtrace(batch.rewards, values, used, batch.terminated, batch.truncated, gamma, lam)
    return targets, advantages, ratios


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
        targets, advantages = batch.pick(v), batch.pick(A)
        now = actor(x)
        loss = config.value * (critic(x) - targets).square().mean() - (now.log_prob(actions) * advantages).mean()
        loss = loss - config.entropy * now.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, config.max_norm, foreach=True)
        optimizer.step()
        past.push(actor)
        return batch.steps, {"ratio": float(np.abs(np.log(ratios[batch.valid])).mean())}

    return learn(config.task, actor, config.steps, update, seed, log, config.evaluations)
