"""A small constrained task with a known optimum: a short way through a swamp, a long way around it.

    ......     An errand from S to G pays 1 on arrival, discounted. Every step in the swamp (w) costs 1, discounted.
    .####.     With probability `slip` a move goes in a random direction. The budget on the expected cost lies between
    SwwwwG     the two ways, so the best policy *mixes* them: no deterministic one is optimal (Altman 1999).

The optimum is a linear programme over discounted visits; any policy's return and cost are one linear solve. Learners
see sampled episodes only. The policy is a table, so all a batch says fits into tables over states and actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import linprog
from torch import Tensor

from experiments.kit.contract import Log
from experiments.week04_policy.gae import gae
from experiments.week04_policy.policy import Actor, Categorical

Array = npt.NDArray[np.float64]
LAYOUT = ("......", ".####.", "SwwwwG")
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))


@dataclass(frozen=True)
class Swamp:
    """transitions (A, S, S + 1) with the goal last, rewards and costs (A, S), and the starting state."""

    transitions: Array
    rewards: Array
    costs: Array
    start: int
    gamma: float
    budget: float

    @property
    def states(self) -> int:
        """States but the goal."""
        return int(self.rewards.shape[1])


def swamp(slip: float = 0.1, gamma: float = 0.95, budget: float = 1.5) -> Swamp:
    """The task above."""
    cells = [(r, c) for r, row in enumerate(LAYOUT) for c, letter in enumerate(row) if letter not in "#G"]
    goal = next((r, c) for r, row in enumerate(LAYOUT) for c, letter in enumerate(row) if letter == "G")
    number = {cell: s for s, cell in enumerate([*cells, goal])}
    S = len(cells)
    P = np.zeros((4, S, S + 1))
    for s, (r, c) in enumerate(cells):
        for a, aimed in enumerate(MOVES):
            for move, p in [(aimed, 1 - slip), *((m, slip / 4) for m in MOVES)]:
                P[a, s, number.get((r + move[0], c + move[1]), s)] += p
    wet = np.array([LAYOUT[r][c] == "w" for r, c in cells])
    start = next(s for s, (r, c) in enumerate(cells) if LAYOUT[r][c] == "S")
    return Swamp(P, P[:, :, -1].copy(), np.tile(wet.astype(np.float64), (4, 1)), start, gamma, budget)


def evaluated(task: Swamp, policy: Array) -> tuple[float, float]:
    """Expected discounted return and cost of a policy (S, A), exactly."""
    P = np.einsum("sa,ast->st", policy, task.transitions[:, :, :-1])
    first = np.eye(task.states)[task.start]
    visits = np.linalg.solve(np.eye(task.states) - task.gamma * P.T, first)
    return float(visits @ (policy.T * task.rewards).sum(0)), float(visits @ (policy.T * task.costs).sum(0))


def optimum(task: Swamp, budget: float | None = None) -> tuple[float, float, Array]:
    """Return, cost and policy (S, A) of the best policy within the budget (the task's own if None)."""
    S, A = task.states, 4
    flow = np.zeros((S, S * A))  # visits (s, a) in order s * A + a
    for s in range(S):
        for a in range(A):
            flow[:, s * A + a] -= task.gamma * task.transitions[a, s, :-1]
            flow[s, s * A + a] += 1
    found = linprog(
        -task.rewards.T.ravel(), A_ub=task.costs.T.ravel()[None], b_ub=[task.budget if budget is None else budget],
        A_eq=flow, b_eq=np.eye(S)[task.start], method="highs",
    )  # fmt: skip
    visits = found.x.reshape(S, A)  # type: ignore[union-attr]
    total = visits.sum(1, keepdims=True)
    policy = np.where(total > 1e-12, visits / np.maximum(total, 1e-12), 1 / A)
    return (*evaluated(task, policy), policy)


@dataclass(frozen=True)
class Sampled:
    """A batch in tables: mean cost, `weights` (S,) of discounted visits (summing to 1), and, for the old policy, terms
    (S, A) whose sum, each times pi / pi_old, estimates return and cost of pi less those of pi_old."""

    cost: float
    weights: Tensor
    reward_terms: Tensor
    cost_terms: Tensor
    steps: int


@dataclass
class Sampler:
    """Plays whole episodes (cut after `horizon` steps) and keeps tables of values for its baselines."""

    task: Swamp
    rng: np.random.Generator
    episodes: int
    horizon: int = 150
    lam: float = 0.97
    rate: float = 0.3

    def __post_init__(self) -> None:
        self.values = np.zeros((2, self.task.states + 1))  # of reward and of cost; the goal's stay 0

    def sample(self, policy: Array) -> Sampled:
        """A batch under a policy (S, A)."""
        task, N = self.task, self.episodes
        S = task.states
        cumulative = task.transitions.cumsum(-1)
        s = np.full(N, task.start)
        states, actions = [s], []  # type: ignore[var-annotated]
        while len(actions) < self.horizon and (s < S).any():
            inside = np.minimum(s, S - 1)
            a = (policy[inside].cumsum(1) < self.rng.random((N, 1))).sum(1).clip(max=3)
            landed = (cumulative[a, inside] < self.rng.random((N, 1))).sum(1).clip(max=S)
            s = np.where(s < S, landed, S)
            states.append(s)
            actions.append(a)
        at, a = np.stack(states), np.stack(actions)  # (T + 1, N), (T, N)
        valid = at[:-1] < S
        inside = np.minimum(at[:-1], S - 1)
        discount = task.gamma ** np.arange(len(a))[:, None] * valid
        never = np.zeros_like(valid)
        visits = np.bincount(inside.ravel(), discount.ravel(), S)
        terms, cost = [], 0.0
        for k, table in enumerate((task.rewards, task.costs)):
            # the expected reward of (s, a) is known to the sampler no more than to the learner: arrival is observed
            paid = (at[1:] == S) * valid * 1.0 if k == 0 else table[a, inside] * valid
            values = self.values[k][at]
            advantages = gae(paid, values, at[1:] == S, never, task.gamma, self.lam) * valid
            terms.append(
                np.bincount((inside * 4 + a).ravel(), (discount * advantages).ravel(), S * 4).reshape(S, 4) / N
            )
            counts = np.bincount(inside.ravel(), valid.ravel(), S)
            targets = np.bincount(inside.ravel(), ((advantages + values[:-1]) * valid).ravel(), S)
            seen = counts > 0
            self.values[k][:-1][seen] += self.rate * (targets[seen] / counts[seen] - self.values[k][:-1][seen])
            if k == 1:
                cost = float((discount * paid).sum() / N)
        tensors = (torch.from_numpy(t.astype(np.float32)) for t in (visits / visits.sum(), *terms))
        return Sampled(cost, *tensors, int(valid.sum()))  # type: ignore[arg-type, call-arg]


@dataclass(frozen=True)
class Trail:
    """Exact return and cost of the policy after every update, and the KL of each step, in nats."""

    returns: list[float]
    costs: list[float]
    kl: list[float]
    steps: int


Update = Callable[[Actor, Sampled], float]
"""Moves the actor, given a batch of its own; returns the KL it moved by."""


def probabilities(actor: Actor, states: int) -> Tensor:
    """The table (S, A) of an actor over one-hot states."""
    out = actor(torch.eye(states))
    assert isinstance(out, Categorical)
    return out.log_p.exp()


def change(actor: Actor, terms: Tensor, old: Tensor) -> Tensor:
    """Estimated return (or cost) of the actor less that of the old table (S, A), from `terms`."""
    return (terms * probabilities(actor, len(old)) / old).sum()


def learn(task: Swamp, update: Update, updates: int, episodes: int, seed: int, log: Log) -> Trail:
    """`updates` rounds of sampling and moving a table that starts uniform."""
    torch.manual_seed(seed)
    actor = Actor(task.states, 4, hidden=())
    sampler = Sampler(task, np.random.default_rng(seed), episodes)
    returns, costs, moved, steps = [], [], [], 0
    for i in range(updates):
        with torch.no_grad():
            policy = probabilities(actor, task.states).double().numpy()
        batch = sampler.sample(policy / policy.sum(1, keepdims=True))
        moved.append(update(actor, batch))
        steps += batch.steps
        with torch.no_grad():
            policy = probabilities(actor, task.states).double().numpy()
        value, cost = evaluated(task, policy / policy.sum(1, keepdims=True))
        returns.append(value)
        costs.append(cost)
        if i % 10 == 9:
            row: Mapping[str, float] = {"update": i + 1, "return": value, "cost": cost}
            log(row)
    return Trail(returns, costs, moved, steps)
