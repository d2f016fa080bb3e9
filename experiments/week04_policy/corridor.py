"""A corridor whose policy gradient is one linear solve: the place to see what lambda trades.

States in a row, left or right, slipping now and then. The right end pays 1 and ends the episode, the left end ends it
with nothing; every step pays a little noise. The policy is a table of logits (S, 2), the start is the middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.week04_policy.gae import gae

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """`states` inner states; ends lie at -1 and `states`."""

    states: int
    slip: float
    gamma: float
    noise: float

    def policy(self, theta: Array) -> Array:
        """Probabilities (S, 2) of left and right."""
        e = np.exp(theta - theta.max(1, keepdims=True))
        return np.asarray(e / e.sum(1, keepdims=True))

    def moves(self) -> Array:
        """P (2, S, S + 2): columns are the left end, the states, the right end."""
        P = np.zeros((2, self.states, self.states + 2))
        for s in range(self.states):
            for a, there in enumerate((s, s + 2)):
                P[a, s, there] += 1 - self.slip
                P[a, s, s if a else s + 2] += self.slip
        return P

    def action_values(self, theta: Array) -> Array:
        """Q (S, 2)."""
        P = self.moves()
        reach = np.append(np.zeros(self.states + 1), 1.0)
        inner = np.einsum("sa,ast->st", self.policy(theta), P)
        V = np.linalg.solve(np.eye(self.states) - self.gamma * inner[:, 1:-1], inner @ reach)
        return np.asarray((P @ reach + self.gamma * P[:, :, 1:-1] @ V).T)

    def values(self, theta: Array) -> Array:
        """V (S,)."""
        return np.asarray((self.policy(theta) * self.action_values(theta)).sum(1))

    def value(self, theta: Array) -> float:
        """Expected discounted return from the middle."""
        return float(self.values(theta)[self.states // 2])

    def gradient(self, theta: Array) -> Array:
        """d value / d theta (S, 2): the policy gradient theorem, summed up exactly."""
        pi, Q = self.policy(theta), self.action_values(theta)
        inner = np.einsum("sa,ast->st", pi, self.moves())[:, 1:-1]
        visits = np.linalg.solve(np.eye(self.states) - self.gamma * inner.T, np.eye(self.states)[self.states // 2])
        return np.asarray(visits[:, None] * pi * (Q - (pi * Q).sum(1, keepdims=True)))


@dataclass(frozen=True)
class Lived:
    """Episodes side by side: states (T + 1, N) with -1 and S as ends, actions and rewards (T, N)."""

    states: npt.NDArray[np.int64]
    actions: npt.NDArray[np.int64]
    rewards: Array


def corridor(states: int = 7, slip: float = 0.1, gamma: float = 0.95, noise: float = 0.1) -> Chain:
    """The corridor of the study."""
    return Chain(states, slip, gamma, noise)


def episodes(chain: Chain, theta: Array, count: int, rng: np.random.Generator) -> Lived:
    """Whole episodes under the policy."""
    right = chain.policy(theta)[:, 1]
    s = np.full(count, chain.states // 2)
    states, actions, rewards = [s], [], []
    while ((s >= 0) & (s < chain.states)).any():
        inside = (s >= 0) & (s < chain.states)
        a = (rng.random(count) < right[s.clip(0, chain.states - 1)]).astype(np.int64)
        moved = np.where(rng.random(count) < chain.slip, 1 - a, a)
        following = np.where(inside, s + 2 * moved - 1, s)
        paid = (following == chain.states) + chain.noise * rng.standard_normal(count)
        actions.append(a)
        rewards.append(np.where(inside, paid, 0.0))
        states.append(following)
        s = following
    return Lived(np.stack(states), np.stack(actions), np.stack(rewards))


def estimates(chain: Chain, theta: Array, critic: Array, lived: Lived, lam: float) -> Array:
    """One gradient estimate an episode, (N, S * 2), from advantages with this critic (S,) and lambda."""
    S, pi = chain.states, chain.policy(theta)
    at = lived.states[:-1].clip(0, S - 1)
    valid = (lived.states[:-1] >= 0) & (lived.states[:-1] < S)
    ended = (lived.states[1:] < 0) | (lived.states[1:] >= S)
    values = np.append(critic, [0.0, 0.0])[np.where(lived.states < 0, S + 1, lived.states)]
    A = gae(lived.rewards, values, ended, np.zeros_like(ended), chain.gamma, lam)
    weight = A * chain.gamma ** np.arange(len(A))[:, None] * valid
    T, N = weight.shape
    found = np.zeros((N, S, 2))
    for t in range(T):
        score = np.eye(2)[lived.actions[t]] - pi[at[t]]  # (N, 2)
        found[np.arange(N), at[t]] += weight[t][:, None] * score
    return found.reshape(N, -1)
