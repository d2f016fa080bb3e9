"""Projection-based constrained policy optimization (Yang et al. 2020): first improve, then step back into the budget.

    x1 = sqrt(2 delta / g^T H^{-1} g) H^{-1} g                          (a natural step for the return)
    x  = x1 - max(0, (b^T x1 + c) / (b^T H^{-1} b)) H^{-1} b            (the nearest point, in KL, of the half-space)

The plan of this week spells PCPO out as "primal-dual"; in the literature it is the projection above. The primal-dual
method is in `primal_dual.py`, and both are compared.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from experiments.kit.contract import Log
from experiments.week04_policy.constrained import Sampled, Trail, learn, swamp
from experiments.week04_policy.cpo import Config, modelled
from experiments.week04_policy.natural_gradient import Product, conjugate_gradient, flat, set_flat
from experiments.week04_policy.policy import Actor, Categorical, kl


def projected_step(g: Tensor, b: Tensor, c: float, product: Product, delta: float, iterations: int) -> Tensor:
    """The step x (P,), from gradients of return and cost (P,), excess cost c and products with H."""
    u, w = conjugate_gradient(product, g, iterations), conjugate_gradient(product, b, iterations)
    first = u * math.sqrt(2 * delta / max(float(g @ u), 1e-12))
    s = float(b @ w)
    if s < 1e-8:
        return first
    return first - max(0.0, (float(b @ first) + c) / s) * w


def train(config: Config, seed: int, log: Log) -> Trail:
    """One run on the swamp. As in the paper there is no line search: the projection is taken as it comes."""

    def update(actor: Actor, batch: Sampled) -> float:
        m = modelled(actor, batch, config.budget, config.damping)
        step = projected_step(m.g, m.b, m.c, m.product, config.delta, config.iterations)
        parameters = list(actor.parameters())
        set_flat(parameters, flat(parameters).detach() + step)
        return moved(actor, batch, m.old)

    return learn(swamp(budget=config.budget), update, config.updates, config.episodes, seed, log)


def moved(actor: Actor, batch: Sampled, old: Tensor) -> float:
    """KL(old || now) over the batch's visits, in nats."""
    with torch.no_grad():
        return float(batch.weights @ kl(Categorical(old.log()), actor(torch.eye(len(old)))))
