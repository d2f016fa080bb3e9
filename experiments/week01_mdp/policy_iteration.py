"""Policy iteration: evaluate the policy, act greedily on the result, repeat until nothing can be improved.

Idea (Howard 1960; Sutton & Barto 2018, section 4.3): a policy that is greedy for its predecessor's values is at least
as good everywhere (the policy improvement theorem, eq. 4.7), and there are finitely many policies. It is Newton's
method on the Bellman equation (Puterman & Brumelle 1979), which is why so few rounds do.

Departures from the book. The first policy is the random one: every exit can be reached under it, so problems without
discounting work too. An action is replaced only by one that is better by a margin: the book's version need not settle
where actions tie, because rounding may pick a different one each round (S&B exercise 4.4); and among new actions that
tie chance has chosen beforehand, so that the rounds are the same on every processor. And the evaluation is a choice:
`solve` is exact (see policy_evaluation.py for why it scales), `sweeps` is the book's. After sweeps the margin also
covers what the evaluation may be off by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.week01_mdp.mdp import MDP, Mixed, Policy, Solution, Values, lookahead, uniform
from experiments.week01_mdp.policy_evaluation import evaluate_by_solving, evaluate_by_sweeps

TIE = 1e-9  # far above rounding, far below what a step more to the goal costs


@dataclass(frozen=True)
class Config:
    """How to evaluate; for sweeps, how closely (an optimal value is then missed by about 2 tolerance / (1 - gamma));
    and the `margin` by which an action must beat another, relative to the largest value."""

    evaluation: Literal["solve", "sweeps"] = "solve"
    tolerance: float = 1e-4
    margin: float = 1e-10
    max_rounds: int = 10_000


def policy_iteration(mdp: MDP, config: Config = Config()) -> Solution:
    """An optimal policy and its values. Raises RuntimeError where `max_rounds` do not suffice."""
    policy: Policy | Mixed = uniform(mdp)
    V = np.zeros(mdp.S)
    sweeps = backups = 0
    for round_ in range(1, config.max_rounds + 1):
        if config.evaluation == "solve":
            V = evaluate_by_solving(mdp, policy)
            off = 0.0
        else:
            V, more = evaluate_by_sweeps(mdp, policy, config.tolerance, V)
            off = config.tolerance
            sweeps += more
            backups += more * mdp.S * (mdp.A if policy.ndim == 2 else 1)
        margin = config.margin * max(1.0, float(np.abs(V).max())) + 2 * mdp.gamma * off
        better, residual = improve(mdp, V, policy, margin)
        backups += mdp.A * mdp.S
        if policy.ndim == 1 and np.array_equal(better, policy):
            error = residual / (1 - mdp.gamma) if mdp.gamma < 1 else float("inf")
            return Solution(V, better, error, round_, sweeps, backups)
        policy = better
    raise RuntimeError(f"policy iteration: still improving after {config.max_rounds} rounds")


def improve(mdp: MDP, V: Values, policy: Policy | Mixed, margin: float) -> tuple[Policy, float]:
    """The policy greedy for V, keeping every action that none beats by more than `margin`; and max |T V - V|.

    New actions that tie are told apart by an order that chance drew for each state, once and for all. Rounding must not
    choose, for it differs between processors; nor may the first, which would send a whole region of equal values the
    same way and take many more rounds. A tie is relative to the state's own value, which far from all reward is smaller
    than any margin for the whole.
    """
    Q = lookahead(mdp, V)  # (A, S)
    best = Q.max(axis=0)
    residual = float(np.abs(best - V).max())
    order = np.random.default_rng(0).random(Q.shape)
    greedy = np.where(best - Q <= TIE * np.abs(best), order, -1.0).argmax(axis=0)
    if policy.ndim == 2:
        return greedy, residual
    kept = Q[policy.astype(np.int64, copy=False), np.arange(mdp.S)]
    return np.where(best > kept + margin, greedy, policy), residual
