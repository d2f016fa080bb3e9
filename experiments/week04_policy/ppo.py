"""Proximal policy optimization (Schulman et al. 2017): many epochs on one batch, held back in one of two ways.

    clip:  mean of min(r A, clip(r, 1 - eps, 1 + eps) A),  r = pi(a | s) / pi_old(a | s)
    KL:    mean of r A - beta KL(pi_old || pi), beta doubled or halved when KL leaves [target / 1.5, 1.5 target]

Details as in Stable-Baselines3, so that both can be timed side by side: advantages normalised a minibatch, critic
loss mean squared error times .5 (CleanRL's has one more factor of .5), gradients clipped to norm .5, Adam with
epsilon 1e-5, rate and clip falling linearly to zero if `decay`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.kit.contract import Log
from experiments.week04_policy.gae import gae
from experiments.week04_policy.policy import Actor, Critic, Distribution, adam, as_one, kl
from experiments.week04_policy.rollout import Curve, Rollouts, learn

Variant = Literal["clip", "kl"]


@dataclass(frozen=True)
class Config:
    """Defaults are those of rl-baselines3-zoo for CartPole."""

    task: str = "CartPole-v1"
    steps: int = 100_000
    evaluations: int = 10
    copies: int = 8
    window: int = 32
    batch: int = 256
    epochs: int = 20
    gamma: float = 0.98
    lam: float = 0.8
    rate: float = 1e-3
    decay: bool = True
    variant: Variant = "clip"
    clip: float = 0.2
    kl_target: float = 0.01
    entropy: float = 0.0
    value: float = 0.5
    max_norm: float = 0.5


def clipped_objective(log_ratio: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """min(r A, clip(r, 1 - clip, 1 + clip) A), element by element."""
    ratio = log_ratio.exp()
    return torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def penalised_objective(log_ratio: Tensor, advantages: Tensor, divergence: Tensor, beta: float) -> Tensor:
    """r A - beta KL, element by element."""
    return log_ratio.exp() * advantages - beta * divergence


def adapted(beta: float, divergence: float, target: float) -> float:
    """The next penalty: doubled when the policy went too far, halved when not far enough."""
    if divergence > 1.5 * target:
        return beta * 2
    return beta / 2 if divergence < target / 1.5 else beta


class Samples(NamedTuple):
    """What an epoch learns from, row by row (B, ...): `before` is the policy that acted, `old` its log pi(a | s)."""

    observations: Tensor
    actions: Tensor
    before: Distribution
    old: Tensor
    advantages: Tensor
    returns: Tensor

    def at(self, rows: Tensor) -> Samples:
        """Some rows of it."""
        x, actions, before, old, A, G = self
        return Samples(x[rows], actions[rows], before.at(rows), old[rows], A[rows], G[rows])

    def normalised(self) -> Samples:
        """With advantages of mean 0 and deviation 1."""
        A = self.advantages
        return self._replace(advantages=(A - A.mean()) / (A.std() + 1e-8))


def minibatches(samples: Samples, epochs: int, size: int) -> Iterator[Samples]:
    """Random parts of `size` rows, epoch by epoch; a rest of fewer than two is left out. One part needs no order."""
    rows = len(samples.old)
    if rows <= size:
        yield from [samples.normalised()] * epochs
        return
    for _ in range(epochs):
        for part in torch.randperm(rows).split(size):  # type: ignore[no-untyped-call]
            if len(part) > 1:
                yield samples.at(part).normalised()


def train(config: Config, seed: int, log: Log) -> Curve:
    """One run."""
    torch.manual_seed(seed)
    rollouts = Rollouts(config.task, config.copies, seed)
    copies = rollouts.copies
    actor, critic = Actor(copies.observed, copies.actions, copies.size), Critic(copies.observed)
    whole, gradient = as_one([*actor.parameters(), *critic.parameters()])  # so to clip and to step is one call each
    optimizer = adam([whole], config.rate)
    beta = 1.0

    def objective(s: Samples, now: Distribution, clip: float) -> Tensor:
        log_ratio = now.log_prob(s.actions) - s.old
        if config.variant == "clip":
            return clipped_objective(log_ratio, s.advantages, clip).mean()
        return penalised_objective(log_ratio, s.advantages, kl(s.before, now), beta).mean()

    def update(progress: float) -> tuple[int, Mapping[str, float]]:
        nonlocal beta
        left = 1 - progress if config.decay else 1.0
        optimizer.param_groups[0]["lr"] = config.rate * left
        batch = rollouts.window(actor, config.window)
        x, actions = batch.flat()
        with torch.no_grad():
            values = critic(batch.observations).numpy()
            before = actor(x)
            old = before.log_prob(actions)
        raw = gae(batch.rewards, values, batch.terminated, batch.truncated, config.gamma, config.lam)
        samples = Samples(x, actions, before, old, batch.pick(raw), batch.pick(raw + values[:-1]))
        for s in minibatches(samples, config.epochs, config.batch):
            now = actor(s.observations)
            loss = config.value * F.mse_loss(critic(s.observations), s.returns)
            loss = loss - objective(s, now, config.clip * left)
            if config.entropy:
                loss = loss - config.entropy * now.entropy().mean()
            gradient.zero_()
            loss.backward()  # type: ignore[no-untyped-call]
            gradient.mul_((config.max_norm / (gradient.norm() + 1e-6)).clamp(max=1.0))
            optimizer.step()
        divergence = mean_kl(actor, x, before)
        if config.variant == "kl":
            beta = adapted(beta, divergence, config.kl_target)
        return batch.steps, {"kl": divergence, "beta": beta}

    return learn(config.task, actor, config.steps, update, seed, log, config.evaluations)


@torch.no_grad()
def mean_kl(actor: Actor, x: Tensor, before: Distribution) -> float:
    """Mean KL(before || now) over observations x (B, D), in nats."""
    return float(kl(before, actor(x)).mean())
