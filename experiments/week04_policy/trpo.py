"""Trust region policy optimization (Schulman et al. 2015): a natural step, shortened until it keeps its promises.

    maximise mean of pi / pi_old A   subject to   mean KL(pi_old || pi) <= delta

The natural step meets the constraint to second order only, so it is halved (or so) until the *measured* KL is within
delta and the surrogate has improved. A step that never does is not taken. Every accepted step therefore keeps the
bound on its batch, which the tests and the studies check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from experiments.kit.contract import Log
from experiments.week04_policy.natural_gradient import (
    Ascent,
    flat,
    natural_step,
    prepared,
    set_flat,
    surrogate,
)
from experiments.week04_policy.natural_gradient import Config as NaturalConfig
from experiments.week04_policy.policy import Actor, Critic, adam, fit
from experiments.week04_policy.ppo import mean_kl
from experiments.week04_policy.rollout import Curve, Rollouts, learn


@dataclass(frozen=True)
class Config(NaturalConfig):
    """`shrink` is the factor of each backtracking, `tries` how many lengths are tried."""

    shrink: float = 0.7
    tries: int = 12


@dataclass(frozen=True)
class Accepted:
    """The outcome of a line search: the measured KL (0 where nothing was accepted) and the share of the full step."""

    kl: float
    share: float


def line_search(
    actor: Actor, step: torch.Tensor, kept: Callable[[], bool], measure: Callable[[], float], delta: float,
    shrink: float, tries: int,
) -> Accepted:  # fmt: skip
    """Shorten the step until `measure()` (a KL) is at most delta and `kept()` holds; put everything back otherwise."""
    parameters = list(actor.parameters())
    start = flat(parameters).detach().clone()
    share = 1.0
    for _ in range(tries):
        set_flat(parameters, start + share * step)
        divergence = measure()
        if divergence <= delta and kept():
            return Accepted(divergence, share)
        share *= shrink
    set_flat(parameters, start)
    return Accepted(0.0, 0.0)


def trust_region_step(actor: Actor, data: Ascent, config: Config) -> Accepted:
    """One step of the policy on one batch."""
    step, _ = natural_step(actor, data, config.delta, config.damping, config.iterations)

    @torch.no_grad()
    def gain() -> float:
        return float(surrogate(actor, data.x, data.actions, data.old, data.advantages))

    before = gain()
    return line_search(
        actor, step, lambda: gain() > before, lambda: mean_kl(actor, data.x, data.before),
        config.delta, config.shrink, config.tries,
    )  # fmt: skip


def train(config: Config, seed: int, log: Log) -> Curve:
    """One run."""
    torch.manual_seed(seed)
    rollouts = Rollouts(config.task, config.copies, seed)
    copies = rollouts.copies
    actor, critic = Actor(copies.observed, copies.actions, copies.size), Critic(copies.observed)
    critic_optimizer = adam(critic, config.critic_rate)

    def update(progress: float) -> tuple[int, Mapping[str, float]]:
        batch = rollouts.window(actor, config.window)
        data, targets = prepared(batch, actor, critic, config.gamma, config.lam)
        accepted = trust_region_step(actor, data, config)
        fit(critic, critic_optimizer, data.x, targets, config.critic_epochs, 256)
        return batch.steps, {"kl": accepted.kl, "share": accepted.share}

    return learn(config.task, actor, config.steps, update, seed, log, config.evaluations)
