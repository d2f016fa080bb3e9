"""A finite Markov decision process as data, and the one computation everything else is made of.

Idea: states, actions, transition probabilities, rewards and a discount (Sutton & Barto 2018, ch. 3; Puterman 1994,
ch. 2). All of dynamic programming repeats `lookahead`: from a guess V of what states are worth, what is each action
worth? With the transitions of all actions stacked into one sparse matrix, that is a single matrix-vector product.

Departures from the book: rewards are expectations r(s, a), not a distribution; a terminal state is an absorbing state
that pays nothing, so that every row of P sums to one and no formula needs a special case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from experiments.kit.envs import World

Values = npt.NDArray[np.float64]  # (S,)
Policy = npt.NDArray[np.int64]  # (S,): one action a state
Mixed = npt.NDArray[np.float64]  # (A, S): probability of each action in each state


@dataclass(frozen=True)
class MDP:
    """S states, A actions. Raises ValueError where P, R and gamma are not a decision process.

    P: (A*S, S) sparse, row a*S + s is the distribution of the next state.  R: (A, S).  gamma: (0, 1].
    """

    P: sparse.csr_array
    R: npt.NDArray[np.float64]
    gamma: float

    def __post_init__(self) -> None:
        A, S = self.R.shape
        if self.P.shape != (A * S, S):
            raise ValueError(f"P is {self.P.shape}, but rewards {self.R.shape} need ({A * S}, {S})")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"the discount is {self.gamma}, but it must lie in (0, 1]")
        if not np.isfinite(self.R).all():
            raise ValueError("a reward is not a finite number")
        if self.P.data.size and self.P.data.min() < 0:
            raise ValueError("a transition probability is negative")
        off = np.abs(self.P.sum(axis=1) - 1)
        if off.max() > 1e-9:
            a, s = divmod(int(off.argmax()), S)
            raise ValueError(f"the probabilities of action {a} in state {s} do not sum to one (off by {off.max():.3g})")

    @property
    def S(self) -> int:  # noqa: N802
        return int(self.R.shape[1])

    @property
    def A(self) -> int:  # noqa: N802
        return int(self.R.shape[0])

    @cached_property
    def terminal(self) -> npt.NDArray[np.bool_]:
        """(S,): states that every action leaves unchanged and unpaid. Their value is 0."""
        stay = np.stack([self.P[a * self.S : (a + 1) * self.S].diagonal() for a in range(self.A)])  # (A, S)
        return np.asarray(((stay > 1 - 1e-12) & (self.R == 0)).all(axis=0))


@dataclass(frozen=True)
class Solution:
    """What an algorithm found, and what it did for it.

    `values` (S,) and `policy` (S,); `error` bounds max |values - V*| (infinite where nothing is guaranteed).
    `rounds` counts policy improvements, `sweeps` value updates of every state, `backups` look-aheads at one state and
    action, which is the work: a sweep of value iteration is A*S of them, a sweep of evaluation S.
    """

    values: Values
    policy: Policy
    error: float
    rounds: int
    sweeps: int
    backups: int


def mdp_of(world: World, gamma: float) -> MDP:
    """The world's transitions and rewards with a discount."""
    return MDP(world.transitions, world.rewards, gamma)


def lookahead(mdp: MDP, V: Values) -> npt.NDArray[np.float64]:
    """Q (A, S): the reward of each action plus the discounted value of where it leads. S&B eq. 4.6."""
    Q = (mdp.P @ V).reshape(mdp.A, mdp.S)
    Q *= mdp.gamma
    Q += mdp.R
    return Q


def greedy(mdp: MDP, V: Values) -> Policy:
    """The policy (S,) that looks one step ahead and takes the best action, the first of equals. S&B eq. 4.9."""
    policy: Policy = lookahead(mdp, V).argmax(axis=0)
    return policy


def under(mdp: MDP, policy: Policy | Mixed) -> tuple[sparse.csr_array, Values]:
    """The Markov reward process a policy leaves: P_pi (S, S) and r_pi (S,). Policies are (S,) or mixed (A, S)."""
    A, S = mdp.A, mdp.S
    if policy.ndim == 1:
        rows = policy.astype(np.int64, copy=False) * S + np.arange(S)
        return mdp.P[rows], mdp.R.ravel()[rows]
    mixing = sparse.csr_array(  # (S, A*S): entry (s, a*S + s) is pi(a | s)
        (policy.T.ravel(), np.add.outer(np.arange(S), np.arange(A) * S).ravel(), np.arange(S + 1) * A), (S, A * S)
    )
    return mixing @ mdp.P, (policy * mdp.R).sum(axis=0)


def uniform(mdp: MDP) -> Mixed:
    """The policy (A, S) that chooses every action equally often."""
    return np.full((mdp.A, mdp.S), 1 / mdp.A)


def soften(mdp: MDP, epsilon: float) -> MDP:
    """The same process when each chosen action is replaced, with probability epsilon, by a random one.

    S&B section 5.4: the best epsilon-soft policy of a process is the best policy of its softened process.
    """
    mixing = sparse.kron(np.full((mdp.A, mdp.A), 1 / mdp.A), sparse.eye_array(mdp.S))  # each action -> a random one
    P = (1 - epsilon) * mdp.P + epsilon * (mixing @ mdp.P)
    R = (1 - epsilon) * mdp.R + epsilon * mdp.R.mean(axis=0)
    return MDP(sparse.csr_array(P), R, mdp.gamma)
