"""Generalized advantage estimation and lambda-returns (Schulman et al. 2016; Sutton & Barto 2018, chapter 12).

    delta_t = r_t + gamma V(s_{t+1}) - V(s_t)            A_t = delta_t + gamma lambda A_{t+1}

lambda trades the variance of many rewards (1: Monte Carlo minus baseline) against the bias of the critic (0: one
step). An episode that *terminates* is worth nothing afterwards; one that is *truncated* goes on where nobody looks,
so its last observation is bootstrapped. Either way the sum stops there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def gae(rewards: Array, values: Array, terminated: Array, truncated: Array, gamma: float, lam: float) -> Array:
    """Advantages (T, N) from rewards and flags (T, N) and values (T + 1, N)."""
    delta = rewards + gamma * values[1:] * ~terminated - values[:-1]
    keep = gamma * lam * ~(terminated | truncated)
    advantages = np.empty_like(delta)
    running = np.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        running = delta[t] + keep[t] * running
        advantages[t] = running
    return advantages


def lambda_returns(
    rewards: Array, values: Array, terminated: Array, truncated: Array, gamma: float, lam: float
) -> Array:
    """Returns (T, N): G_t = r_t + gamma ((1 - lambda) V(s_{t+1}) + lambda G_{t+1}); equal to `gae` plus V(s_t)."""
    returns = np.empty_like(values[:-1])
    following = values[-1]
    for t in reversed(range(len(rewards))):
        following = np.where(truncated[t], values[t + 1], following)
        blend = (1 - lam) * values[t + 1] + lam * following
        returns[t] = following = rewards[t] + gamma * blend * ~terminated[t]
    return returns


def returns_to_go(rewards: Array, terminated: Array, truncated: Array, gamma: float) -> Array:
    """Discounted sums (T, N) of the rewards still to come in the episode, without any critic."""
    zero = np.zeros((len(rewards) + 1, *rewards.shape[1:]), dtype=rewards.dtype)
    return gae(rewards, zero, terminated, truncated, gamma, 1.0)


def normalised(advantages: Array) -> Array:
    """Advantages with mean 0 and standard deviation 1."""
    centred: Array = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    return centred
