"""Constrained policy optimization (Achiam et al. 2017): the best step that a linear model says keeps the budget.

    maximise g^T x   subject to   c + b^T x <= 0,  x^T H x / 2 <= delta

g and b are the gradients of return and cost, c is how far the cost is above its budget, H is the Fisher matrix. The
dual has two numbers and is solved in closed form. Where no x satisfies both constraints, the step only lowers the cost
(recovery). A line search then demands of the *measured* KL and of the estimated cost what the model promised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.kit.contract import Log
from experiments.week04_policy.constrained import Sampled, Trail, change, learn, probabilities, swamp
from experiments.week04_policy.natural_gradient import (
    Product,
    conjugate_gradient,
    fisher_product,
    flat_gradient,
)
from experiments.week04_policy.policy import Actor, Categorical, kl
from experiments.week04_policy.trpo import line_search


@dataclass(frozen=True)
class Config:
    """`delta` is the KL a step may cost, in nats; `episodes` are played an update."""

    updates: int = 100
    episodes: int = 64
    delta: float = 0.01
    damping: float = 1e-3
    iterations: int = 30
    budget: float = 1.5
    shrink: float = 0.7
    tries: int = 12


def constrained_step(g: Tensor, b: Tensor, c: float, product: Product, delta: float, iterations: int) -> Tensor:
    """The step x (P,) of the problem above, from gradients g and b (P,) and products with H."""
    u, w = conjugate_gradient(product, g, iterations), conjugate_gradient(product, b, iterations)
    q, r, s = float(g @ u), -float(g @ w), float(b @ w)  # r with the sign of the loss -g
    plain = u * math.sqrt(2 * delta / max(q, 1e-12))
    if s < 1e-8:  # the cost does not depend on the policy here
        return plain
    outside = 2 * delta - c * c / s  # below 0: the constraint's plane does not cut the trust region
    if outside < 0:
        return plain if c < 0 else -w * math.sqrt(2 * delta / s)
    A, B = max(q - r * r / s, 0.0), max(outside, 1e-12)
    bound = r / c if c else math.inf * (1 if r > 0 else -1)
    low, high = ((0.0, bound), (bound, math.inf)) if c < 0 else ((bound, math.inf), (0.0, bound))
    with_cost = _into(math.sqrt(A / B), *low)
    without = _into(math.sqrt(q / (2 * delta)), *high)
    active = -0.5 * (A / (with_cost + 1e-12) + B * with_cost) - r * c / s
    idle = -0.5 * (q / (without + 1e-12) + 2 * delta * without)
    lam = with_cost if active >= idle else without
    nu = max(0.0, (lam * c - r) / s)
    return (u - nu * w) / (lam + 1e-12)


def _into(value: float, low: float, high: float) -> float:
    low, high = max(low, 0.0), max(high, 0.0)
    return max(low, min(high, value))


@dataclass(frozen=True)
class Model:
    """What a batch says at the current policy: gradients of return and cost (P,), excess cost c, products with H."""

    g: Tensor
    b: Tensor
    c: float
    product: Product
    old: Tensor


def modelled(actor: Actor, batch: Sampled, budget: float, damping: float) -> Model:
    """The linear and quadratic model of one batch."""
    parameters, states = list(actor.parameters()), len(batch.weights)
    old = probabilities(actor, states).detach()
    g = flat_gradient(change(actor, batch.reward_terms, old), parameters)
    b = flat_gradient(change(actor, batch.cost_terms, old), parameters)
    return Model(g, b, batch.cost - budget, fisher_product(actor, torch.eye(states), damping, batch.weights), old)


def searched(actor: Actor, batch: Sampled, model: Model, step: Tensor, config: Config, *, watch_cost: bool) -> float:
    """Take the longest share of the step that is within delta and improves: the return where the budget holds, the cost
    where it does not. Returns the KL moved by, 0 where nothing would do."""
    before = Categorical(model.old.log())

    @torch.no_grad()
    def divergence() -> float:
        return float(batch.weights @ kl(before, actor(torch.eye(len(batch.weights)))))

    @torch.no_grad()
    def kept() -> bool:
        gain = float(change(actor, batch.reward_terms, model.old) - batch.reward_terms.sum())
        extra = float(change(actor, batch.cost_terms, model.old) - batch.cost_terms.sum())
        if not watch_cost:
            return gain > 0
        return extra <= max(-model.c, 0.0) and (gain > 0 or model.c > 0)

    return line_search(actor, step, kept, divergence, config.delta, config.shrink, config.tries).kl


def train(config: Config, seed: int, log: Log) -> Trail:
    """One run on the swamp."""

    def update(actor: Actor, batch: Sampled) -> float:
        m = modelled(actor, batch, config.budget, config.damping)
        step = constrained_step(m.g, m.b, m.c, m.product, config.delta, config.iterations)
        return searched(actor, batch, m, step, config, watch_cost=True)

    return learn(swamp(budget=config.budget), update, config.updates, config.episodes, seed, log)
