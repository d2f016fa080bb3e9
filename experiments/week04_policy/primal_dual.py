"""The primal-dual (Lagrangian) method, the usual alternative to CPO: pay for the cost, and let the price follow.

    maximise return - price * cost;   price <- max(0, price + rate * (cost - budget))

The policy takes trust region steps on the priced return. Nothing keeps an intermediate policy within the budget: the
price learns from violations, and tends to swing around its equilibrium. A `rate` of 0 and a price of 0 is TRPO, blind
to the cost; a fixed price is reward shaping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from experiments.kit.contract import Log
from experiments.week04_policy import cpo
from experiments.week04_policy.constrained import Sampled, Trail, learn, swamp
from experiments.week04_policy.natural_gradient import conjugate_gradient
from experiments.week04_policy.policy import Actor


@dataclass(frozen=True)
class Config(cpo.Config):
    """`price` is where the multiplier starts, `rate` how fast it follows the violation."""

    price: float = 0.0
    rate: float = 0.02


def train(config: Config, seed: int, log: Log) -> Trail:
    """One run on the swamp."""
    price = config.price

    def update(actor: Actor, batch: Sampled) -> float:
        nonlocal price
        price = max(0.0, price + config.rate * (batch.cost - config.budget))
        priced = replace(batch, reward_terms=batch.reward_terms - price * batch.cost_terms)
        m = cpo.modelled(actor, priced, config.budget, config.damping)
        u = conjugate_gradient(m.product, m.g, config.iterations)
        step = u * (2 * config.delta / (m.g @ u).clamp(min=1e-12)).sqrt()
        return cpo.searched(actor, priced, m, step, config, watch_cost=False)

    return learn(swamp(budget=config.budget), update, config.updates, config.episodes, seed, log)
