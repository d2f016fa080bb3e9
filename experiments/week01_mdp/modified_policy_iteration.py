"""Modified policy iteration: between value iteration and policy iteration, evaluate a little before improving again.

Idea (Puterman & Shin 1978; Puterman 1994, section 6.5; S&B 2018, section 4.6 calls it generalized policy iteration):
a full evaluation is wasted on a policy about to be replaced, and a full look-ahead over all actions is wasted while the
policy stands. So look ahead once, then follow the greedy policy for `m` cheap sweeps. m = 0 is value iteration; m
without bound is policy iteration.

Departures from the book: the number of sweeps is fixed, and stopping uses MacQueen's bounds on the look-ahead, as in
`value_iteration.py`, so the answer carries the same guarantee. Ties need no guard: the values decide, not the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from experiments.week01_mdp.mdp import MDP, Policy, Solution, Values, lookahead
from experiments.week01_mdp.policy_evaluation import policy_sweeps
from experiments.week01_mdp.value_iteration import macqueen_bounds, middle


@dataclass(frozen=True)
class Config:
    """`m` evaluation sweeps a round; `tolerance` as in value iteration."""

    m: int = 20
    tolerance: float = 1e-3
    max_rounds: int = 1_000_000


def modified_policy_iteration(mdp: MDP, config: Config = Config()) -> Solution:
    """Optimal values and a greedy policy. Raises RuntimeError where `max_rounds` do not suffice."""
    V = np.zeros(mdp.S)
    for round_ in range(1, config.max_rounds + 1):
        Q = lookahead(mdp, V)  # (A, S)
        policy, TV = Q.argmax(axis=0), Q.max(axis=0)
        low, high = macqueen_bounds(mdp, V, TV)
        V = TV
        if high - low <= config.tolerance:
            V, error = middle(mdp, V, low, high)
            sweeps = round_ + (round_ - 1) * config.m
            backups = round_ * mdp.A * mdp.S + (round_ - 1) * config.m * mdp.S
            return Solution(V, policy, error, round_, sweeps, backups)
        V = follow(mdp, policy, V, config.m)
    raise RuntimeError(f"modified policy iteration: {config.max_rounds} rounds leave a band {high - low:.3g} wide")


def follow(mdp: MDP, policy: Policy, V: Values, m: int) -> Values:
    """V after m sweeps of evaluating the policy."""
    return next(islice(policy_sweeps(mdp, policy, V), m - 1, None)) if m else V
