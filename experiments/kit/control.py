"""Control tasks, many copies at a time: the one place that knows Gymnasium's autoreset and truncation.

Contract: `Copies` runs N copies of a task and hands out `Step`s. Gymnasium 1.x vector environments start a finished
copy afresh on the *next* call: that call ignores the action and pays nothing. Such a row is marked `valid = False`
and must not be learnt from or counted. What this buys: the observation after a valid row is always what the action
really led to, also where the time limit cut the episode (`truncated`), so its value can be bootstrapped as it stands.

CartPole is Gymnasium's own vector environment. Acrobot and Pendulum have none: here they are the same physics for all
copies at once (tested step by step against Gymnasium). Any other registered task runs as Gymnasium's loop over copies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class Step(NamedTuple):
    """What N copies answer: observations (N, D), and (N,) each of rewards, `terminated`, `truncated` and `valid`."""

    observations: Floats
    rewards: Floats
    terminated: Flags
    truncated: Flags
    valid: Flags


class Copies:
    """N copies of a task. `actions` is the number of discrete actions, or 0 where an action is `size` numbers."""

    def __init__(self, name: str, copies: int) -> None:
        self.name, self.copies = name, copies
        self._env: Any = Simulated(PHYSICS[name], copies) if name in PHYSICS else _gymnasium(name, copies)
        mode = self._env.metadata.get("autoreset_mode")
        if getattr(mode, "value", mode) != "NextStep":
            raise ValueError(f"{name}: autoreset mode {mode}; only NextStep is understood here")
        space = self._env.single_action_space
        self.actions = int(getattr(space, "n", 0))
        self.size = 1 if self.actions else int(np.prod(space.shape))
        self.observed = int(np.prod(self._env.single_observation_space.shape))
        self._ended = np.zeros(copies, dtype=np.bool_)

    def reset(self, seed: int | None = None) -> Floats:
        """Start every copy afresh; with a seed, repeatably. Returns observations (N, D)."""
        self._ended = np.zeros(self.copies, dtype=np.bool_)
        return np.asarray(self._env.reset(seed=seed)[0], dtype=np.float32).reshape(self.copies, -1)

    def step(self, actions: npt.NDArray[Any]) -> Step:
        """Act in every copy: whole numbers (N,), or numbers (N, size) that the task clips to its range."""
        if not self.actions:
            space = self._env.single_action_space
            actions = np.clip(actions, space.low, space.high).astype(np.float32)
        observations, rewards, terminated, truncated, _ = self._env.step(actions)
        valid = ~self._ended
        self._ended = terminated | truncated
        return Step(
            np.asarray(observations, dtype=np.float32).reshape(self.copies, -1),
            np.asarray(rewards, dtype=np.float32),
            np.asarray(terminated, dtype=np.bool_),
            np.asarray(truncated, dtype=np.bool_) & ~terminated,
            valid,
        )


def _gymnasium(name: str, copies: int) -> Any:
    import gymnasium

    own = gymnasium.spec(name).vector_entry_point is not None
    return gymnasium.make_vec(name, copies, vectorization_mode="vector_entry_point" if own else "sync")


@dataclass(frozen=True)
class Physics:
    """A task as functions of the states of all copies, (K, N): where they start, what an action does, what is seen."""

    start: Callable[[np.random.Generator, int], Array]
    step: Callable[[Array, npt.NDArray[Any]], tuple[Array, Array, Flags]]
    observe: Callable[[Array], Array]
    limit: int
    observed: int
    actions: int
    bound: float


class Simulated:
    """Gymnasium's vector interface over `Physics`, restarting on the next step as Gymnasium does."""

    def __init__(self, physics: Physics, copies: int) -> None:
        from gymnasium import spaces
        from gymnasium.vector import AutoresetMode

        self.physics, self.copies = physics, copies
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (physics.observed,), np.float32)
        self.single_action_space: Any = (
            spaces.Discrete(physics.actions)
            if physics.actions
            else spaces.Box(-physics.bound, physics.bound, (1,), np.float32)
        )
        self._rng = np.random.default_rng()

    def reset(self, *, seed: int | None = None) -> tuple[Floats, dict[str, Any]]:
        """Observations (N, D) of fresh copies."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.state = self.physics.start(self._rng, self.copies)
        self._steps = np.zeros(self.copies, dtype=np.int64)
        self._ended = np.zeros(self.copies, dtype=np.bool_)
        return self._seen(), {}

    def step(self, actions: npt.NDArray[Any]) -> tuple[Floats, Array, Flags, Flags, dict[str, Any]]:
        """One step of all copies; those that ended before start afresh instead and are paid nothing."""
        fresh = self._ended
        self.state, rewards, terminated = self.physics.step(self.state, actions)
        self._steps += 1
        truncated = self._steps >= self.physics.limit
        if fresh.any():
            self.state[:, fresh] = self.physics.start(self._rng, int(fresh.sum()))
            self._steps[fresh] = 0
            rewards = np.where(fresh, 0.0, rewards)
            terminated, truncated = terminated & ~fresh, truncated & ~fresh
        self._ended = terminated | truncated
        return self._seen(), rewards, terminated, truncated, {}

    def _seen(self) -> Floats:
        return self.physics.observe(self.state).astype(np.float32)


def _acrobot_rates(y: Array, torque: Array) -> Array:
    """Time derivatives (4, N) of two angles and their speeds; Sutton & Barto's equations, as in Gymnasium."""
    a, b, da, db = y
    g, cos_b, sin_b = 9.8, np.cos(b), np.sin(b)
    d1 = 0.25 + (1.25 + cos_b) + 2.0
    d2 = 0.25 + 0.5 * cos_b + 1.0
    phi2 = 0.5 * g * np.sin(a + b)
    phi1 = -0.5 * db**2 * sin_b - db * da * sin_b + 1.5 * g * np.sin(a) + phi2
    ddb = (torque + d2 / d1 * phi1 - 0.5 * da**2 * sin_b - phi2) / (1.25 - d2**2 / d1)
    return np.stack([da, db, -(d2 * ddb + phi1) / d1, ddb])


def _wrapped(angle: Array) -> Array:
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _acrobot_step(y: Array, actions: npt.NDArray[Any]) -> tuple[Array, Array, Flags]:
    torque, h = actions.astype(np.float64) - 1.0, 0.2
    k1 = _acrobot_rates(y, torque)
    k2 = _acrobot_rates(y + h / 2 * k1, torque)
    k3 = _acrobot_rates(y + h / 2 * k2, torque)
    k4 = _acrobot_rates(y + h * k3, torque)
    y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    y[:2] = _wrapped(y[:2])
    y[2] = np.clip(y[2], -4 * np.pi, 4 * np.pi)
    y[3] = np.clip(y[3], -9 * np.pi, 9 * np.pi)
    terminated = -np.cos(y[0]) - np.cos(y[0] + y[1]) > 1.0
    return y, np.where(terminated, 0.0, -1.0), terminated


def _pendulum_step(y: Array, actions: npt.NDArray[Any]) -> tuple[Array, Array, Flags]:
    angle, speed = y
    torque = np.clip(actions.reshape(-1).astype(np.float64), -2.0, 2.0)
    rewards = -(_wrapped(angle) ** 2 + 0.1 * speed**2 + 0.001 * torque**2)
    speed = np.clip(speed + (15.0 * np.sin(angle) + 3.0 * torque) * 0.05, -8.0, 8.0)
    return np.stack([angle + 0.05 * speed, speed]), rewards, np.zeros(angle.shape, dtype=np.bool_)


PHYSICS: Mapping[str, Physics] = {
    "Acrobot-v1": Physics(
        lambda rng, n: rng.uniform(-0.1, 0.1, (4, n)),
        _acrobot_step,
        lambda y: np.stack([np.cos(y[0]), np.sin(y[0]), np.cos(y[1]), np.sin(y[1]), y[2], y[3]], axis=1),
        limit=500, observed=6, actions=3, bound=1.0,
    ),
    "Pendulum-v1": Physics(
        lambda rng, n: rng.uniform([[-np.pi], [-1.0]], [[np.pi], [1.0]], (2, n)),
        _pendulum_step,
        lambda y: np.stack([np.cos(y[0]), np.sin(y[0]), y[1]], axis=1),
        limit=200, observed=3, actions=0, bound=2.0,
    ),
}  # fmt: skip
