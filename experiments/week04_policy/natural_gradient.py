"""The natural policy gradient (Kakade 2001): measure a step by how far it moves the policy, not its parameters.

    x = F^{-1} g,    F = E[grad log pi grad log pi^T],    step = sqrt(2 delta / g^T x) x

F is the curvature of KL(pi_old || pi) at pi_old, so F v is a gradient of a directional derivative and is never formed;
conjugate gradients solve F x = g from products alone. The step has KL delta to second order: nothing checks it after
the fact (that is TRPO's idea).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from experiments.kit.contract import Log
from experiments.week04_policy.gae import gae
from experiments.week04_policy.policy import Actor, Critic, Distribution, adam, fit, kl
from experiments.week04_policy.ppo import mean_kl
from experiments.week04_policy.rollout import Batch, Curve, Rollouts, learn

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Config:
    """`delta` is the KL a step may cost, in nats; `damping` is added to F's diagonal."""

    task: str = "CartPole-v1"
    steps: int = 100_000
    evaluations: int = 10
    copies: int = 8
    window: int = 128
    gamma: float = 0.99
    lam: float = 0.95
    delta: float = 0.01
    damping: float = 0.1
    iterations: int = 10
    critic_rate: float = 3e-3
    critic_epochs: int = 10


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors as one vector (P,)."""
    return torch.cat([t.reshape(-1) for t in tensors])


def flat_gradient(value: Tensor, parameters: Sequence[nn.Parameter], *, keep: bool = False) -> Tensor:
    """The gradient (P,) of a scalar; `keep` leaves it differentiable. Parameters it does not use get zeros."""
    found = torch.autograd.grad(value, parameters, create_graph=keep, allow_unused=True)
    return flat([torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)])


def set_flat(parameters: Sequence[nn.Parameter], vector: Tensor) -> None:
    """Write a vector (P,) into parameters."""
    nn.utils.vector_to_parameters(vector, parameters)


def fisher_product(actor: Actor, x: Tensor, damping: float, weights: Tensor | None = None) -> Product:
    """v (P,) -> (F + damping I) v, with F averaged over observations x (B, D), or weighed by `weights` (B,)."""
    parameters = list(actor.parameters())
    now = actor(x)
    divergence = kl(now.detach(), now)
    slope = flat_gradient(divergence.mean() if weights is None else weights @ divergence, parameters, keep=True)

    def product(v: Tensor) -> Tensor:
        second = torch.autograd.grad(slope @ v, parameters, retain_graph=True)
        return flat(second) + damping * v

    return product


def conjugate_gradient(product: Product, b: Tensor, iterations: int, tolerance: float = 1e-10) -> Tensor:
    """x with product(x) = b for a symmetric positive definite product; at most `iterations` rounds."""
    x, r = torch.zeros_like(b), b.clone()
    p, rr = r.clone(), r @ r
    for _ in range(iterations):
        if rr < tolerance:
            break
        z = product(p)
        alpha = rr / (p @ z)
        x, r = x + alpha * p, r - alpha * z
        rr, before = r @ r, rr
        p = r + rr / before * p
    return x


def surrogate(actor: Actor, x: Tensor, actions: Tensor, old: Tensor, advantages: Tensor) -> Tensor:
    """Mean of pi / pi_old times the advantage: its gradient at pi_old is the policy gradient."""
    return ((actor(x).log_prob(actions) - old).exp() * advantages).mean()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Ascent:
    """Everything a step of the policy needs: observations (B, D), actions, log-probabilities and advantages (B,)."""

    x: Tensor
    actions: Tensor
    old: Tensor
    advantages: Tensor
    before: Distribution


def prepared(batch: Batch, actor: Actor, critic: Critic, gamma: float, lam: float) -> tuple[Ascent, Tensor]:
    """The step's data with normalised advantages, and the critic's targets (B,)."""
    x, actions = batch.flat()
    with torch.no_grad():
        values = critic(batch.observations).numpy()
        before = actor(x)
        old = before.log_prob(actions)
    raw = gae(batch.rewards, values, batch.terminated, batch.truncated, gamma, lam)
    A = batch.pick(raw)
    return Ascent(x, actions, old, (A - A.mean()) / (A.std() + 1e-8), before), batch.pick(raw + values[:-1])


def natural_step(actor: Actor, data: Ascent, delta: float, damping: float, iterations: int) -> tuple[Tensor, Tensor]:
    """The step (P,) whose KL is delta to second order, and the gradient g (P,)."""
    g = flat_gradient(surrogate(actor, data.x, data.actions, data.old, data.advantages), list(actor.parameters()))
    product = fisher_product(actor, data.x, damping)
    direction = conjugate_gradient(product, g, iterations)
    curvature = direction @ product(direction)
    return direction * (2 * delta / (curvature + 1e-12)).sqrt(), g


def train(config: Config, seed: int, log: Log) -> Curve:
    """One run."""
    torch.manual_seed(seed)
    rollouts = Rollouts(config.task, config.copies, seed)
    copies = rollouts.copies
    actor, critic = Actor(copies.observed, copies.actions, copies.size), Critic(copies.observed)
    parameters, critic_optimizer = list(actor.parameters()), adam(critic, config.critic_rate)

    def update(progress: float) -> tuple[int, Mapping[str, float]]:
        batch = rollouts.window(actor, config.window)
        data, targets = prepared(batch, actor, critic, config.gamma, config.lam)
        step, _ = natural_step(actor, data, config.delta, config.damping, config.iterations)
        set_flat(parameters, flat(parameters).detach() + step)
        fit(critic, critic_optimizer, data.x, targets, config.critic_epochs, 256)
        return batch.steps, {"kl": mean_kl(actor, data.x, data.before)}

    return learn(config.task, actor, config.steps, update, seed, log, config.evaluations)
