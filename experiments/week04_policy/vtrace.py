"""V-trace: values and advantages from data that another policy collected (Espeholt et al. 2018, section 4).

With rho_t = min(rho_bar, pi(a_t | s_t) / mu(a_t | s_t)) and c_t = lambda min(c_bar, pi / mu):

    v_s = V(s_s) + sum_{t >= s} gamma^{t-s} (prod_{i=s}^{t-1} c_i) rho_t (r_t + gamma V(s_{t+1}) - V(s_t))

rho_bar decides *what* is learnt (the value of a policy between mu and pi), c_bar only *how fast* and how noisily.
With mu = pi it is the lambda-return. Termination and truncation as in `gae.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def vtrace(
    rewards: Array, values: Array, ratios: Array, terminated: Array, truncated: Array, gamma: float,
    lam: float = 1.0, rho_bar: float = 1.0, c_bar: float = 1.0,
) -> tuple[Array, Array]:  # fmt: skip
    """Targets v (T, N) for the critic and advantages rho (r + gamma v' - V) (T, N) for the policy.

    rewards, ratios pi / mu and flags are (T, N), values (T + 1, N).
    """
    rho, c = np.minimum(rho_bar, ratios), lam * np.minimum(c_bar, ratios)
    delta = rho * (rewards + gamma * values[1:] * ~terminated - values[:-1])
    ended = terminated | truncated
    excess = np.empty_like(delta)  # v - V
    running = np.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        running = delta[t] + gamma * c[t] * ~ended[t] * running
        excess[t] = running
    targets = values[:-1] + excess
    following = values[1:].copy()  # v of the next state; plain V where the episode or the window ends
    following[:-1] += ~ended[:-1] * excess[1:]
    advantages = rho * (rewards + gamma * following * ~terminated - values[:-1])
    return targets, advantages
