"""Value iteration: guess what every state is worth, look one step ahead, replace the guess, repeat.

Idea (Bellman 1957; Sutton & Barto 2018, section 4.4, eq. 4.10): the optimality operator

    (T V)(s) = max_a [ r(s, a) + gamma * sum_s' P(s' | s, a) V(s') ]

brings any two guesses closer by the factor gamma, so repeating it ends at the only V with T V = V.

Departures from the book: states are updated all at once from the old values (two arrays, one sparse matrix product a
sweep), not one by one in place. And S&B stop when a sweep changes little, which promises nothing about the distance
left; here MacQueen's bounds (1966; Puterman 1994, section 6.6) do: if a sweep to V moved values by between `low` and
`high`, then V* lies between V + k*low and V + k*high, with k = gamma / (1 - gamma). Stopping when that band is
narrower than the tolerance and answering with its middle makes the error at most half the tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.week01_mdp.mdp import MDP, Solution, Values, greedy, lookahead


@dataclass(frozen=True)
class Config:
    """`tolerance` is the width of the band around V* to stop at; `max_sweeps` the most sweeps to spend."""

    tolerance: float = 1e-3
    max_sweeps: int = 1_000_000


def sweeps(mdp: MDP, V: Values | None = None) -> Iterator[Values]:
    """T V, T T V, ... without end. From V = 0 the k-th is also the best expected return of k steps."""
    V = np.zeros(mdp.S) if V is None else V
    while True:
        V = lookahead(mdp, V).max(axis=0)  # (A, S) -> (S,)
        yield V


def value_iteration(mdp: MDP, config: Config = Config()) -> Solution:
    """Optimal values and a greedy policy. Raises RuntimeError where `max_sweeps` do not suffice."""
    V = np.zeros(mdp.S)
    for sweep, TV in enumerate(sweeps(mdp, V), 1):
        low, high = macqueen_bounds(mdp, V, TV)
        V = TV
        if high - low <= config.tolerance:
            break
        if sweep == config.max_sweeps:
            raise RuntimeError(f"value iteration: {sweep} sweeps leave a band {high - low:.3g} wide")
    V, error = middle(mdp, V, low, high)
    return Solution(V, greedy(mdp, V), error, sweep, sweep, sweep * mdp.A * mdp.S)


def macqueen_bounds(mdp: MDP, V: Values, TV: Values) -> tuple[float, float]:
    """(low, high) such that TV + low <= V* <= TV + high in every state.

    Without discounting there is no such bound: then the smallest and largest change of the sweep, S&B's criterion.
    """
    change = TV - V
    k = mdp.gamma / (1 - mdp.gamma) if mdp.gamma < 1 else 1.0
    return k * float(change.min()), k * float(change.max())


def middle(mdp: MDP, V: Values, low: float, high: float) -> tuple[Values, float]:
    """The middle of the band and its half-width, which bounds the error. Terminal states are known to be worth 0."""
    if mdp.gamma == 1:
        return V, float("inf")
    return np.where(mdp.terminal, 0.0, V + (low + high) / 2), (high - low) / 2
