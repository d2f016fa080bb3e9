"""Policy iteration: evaluate the policy, act greedily on the result, repeat until nothing can be improved.

Idea (Howard 1960; Sutton & Barto 2018, section 4.3): a policy that is greedy for its predecessor's values is at least
as good everywhere (the policy improvement theorem, eq. 4.7), and there are finitely many policies. It is Newton's
method on the Bellman equation (Puterman & Brumelle 1979), which is why so few rounds do.

Departures from the book. The first policy is the random one, which every gridworld's exit can be reached under, so that
problems without discounting work too. An action is replaced only by one that is better by a margin: the book's version
never settles where actions tie, because rounding picks a different one each round (S&B exercise 4.4). And the
evaluation is a choice: `sweeps` is the book's, `solve` is exact, `krylov` is for many states; `auto` solves up to
20,000 states. After an inexact evaluation the margin covers its error, and the error reported says what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.week01_mdp.mdp import MDP, Mixed, Policy, Solution, Values, lookahead, uniform
from experiments.week01_mdp.policy_evaluation import evaluate_by_krylov, evaluate_by_solving, evaluate_by_sweeps

SOLVE_UP_TO = 20_000  # states: beyond, the factors of a grid's matrix fill in


@dataclass(frozen=True)
class Config:
    """How to evaluate, how closely (`tolerance`, where inexact), and the `margin` an improvement must have, relative
    to the largest value."""

    evaluation: Literal["auto", "solve", "sweeps", "krylov"] = "auto"
    tolerance: float = 1e-6
    margin: float = 1e-10
    max_rounds: int = 10_000


def policy_iteration(mdp: MDP, config: Config = Config()) -> Solution:  # noqa: B008
    """An optimal policy and its values. Raises RuntimeError where `max_rounds` do not suffice."""
    how = config.evaluation
    if how == "auto":
        how = "solve" if mdp.S <= SOLVE_UP_TO or mdp.gamma == 1 else "krylov"
    policy: Policy | Mixed = uniform(mdp)
    V = np.zeros(mdp.S)
    sweeps = 0
    for round_ in range(1, config.max_rounds + 1):
        if how == "solve":
            V = evaluate_by_solving(mdp, policy)
        elif how == "sweeps":
            V, more = evaluate_by_sweeps(mdp, policy, config.tolerance, V)
            sweeps += more
        else:
            V, more = evaluate_by_krylov(mdp, policy, config.tolerance, V)
            sweeps += more
        margin = config.margin * max(1.0, float(np.abs(V).max()))
        if how != "solve":
            margin = max(margin, 2 * mdp.gamma * config.tolerance)  # a lookahead on V is off by at most half of this
        better, gain = improve(mdp, V, policy, margin)
        if policy.ndim == 1 and np.array_equal(better, policy):
            error = gain / (1 - mdp.gamma) if mdp.gamma < 1 else float("inf")
            return Solution(V, better, error, round_, sweeps, sweeps * mdp.S + round_ * mdp.A * mdp.S)
        policy = better
    raise RuntimeError(f"policy iteration: still improving after {config.max_rounds} rounds")


def improve(mdp: MDP, V: Values, policy: Policy | Mixed, margin: float) -> tuple[Policy, float]:
    """The policy greedy for V, keeping every action that none beats by more than `margin`; and max |T V - V|."""
    Q = lookahead(mdp, V)  # (A, S)
    best = Q.max(axis=0)
    residual = float(np.abs(best - V).max())
    if policy.ndim == 2:
        return Q.argmax(axis=0), residual
    kept = np.take_along_axis(Q, policy[None], axis=0)[0]
    return np.where(best > kept + margin, Q.argmax(axis=0), policy), residual
