"""What an actor lived through, as tensors, and the loop around it that all algorithms of this week share.

Two ways of collecting: `window` takes T steps of every copy, whatever episodes begin or end in them (actor-critic);
`episodes` plays one whole episode in every copy (Monte Carlo). Both give a `Batch`. `learn` counts valid steps only and
evaluates the likeliest actions on other seeds at fixed steps, so curves of different algorithms can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from experiments.kit.contract import Log
from experiments.kit.control import Copies
from experiments.week04_policy.policy import Actor

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Batch:
    """T steps of N copies: observations (T + 1, N, D), actions (T, N) or (T, N, A), NumPy (T, N) for the rest.

    Only `valid` rows happened. `rows` are their flat places in (T * N,).
    """

    observations: Tensor
    actions: Tensor
    rewards: Array
    terminated: Array
    truncated: Array
    valid: Array

    @property
    def rows(self) -> Tensor:
        """Flat indices of the valid rows."""
        return torch.from_numpy(np.flatnonzero(self.valid))

    @property
    def steps(self) -> int:
        """How many rows happened."""
        return int(self.valid.sum())

    def flat(self) -> tuple[Tensor, Tensor]:
        """Observations (B, D) and actions (B,) or (B, A) of the valid rows."""
        T, N = self.valid.shape
        rows = self.rows
        return self.observations[:-1].reshape(T * N, -1)[rows], self.actions.flatten(0, 1)[rows]

    def pick(self, values: Array) -> Tensor:
        """The valid rows (B,) of values (T, N), as float32."""
        return torch.from_numpy(np.ascontiguousarray(values[self.valid], dtype=np.float32))


class Rollouts:
    """Copies of a task, their last observations, and the actor's random numbers."""

    def __init__(self, task: str, copies: int, seed: int) -> None:
        self.copies = Copies(task, copies)
        self.generator = torch.Generator().manual_seed(seed)
        self._seen = self.copies.reset(seed)

    @torch.no_grad()
    def window(self, actor: Actor, T: int) -> Batch:
        """The next T steps of every copy."""
        return self._collect(actor, T, whole=False)

    @torch.no_grad()
    def episodes(self, actor: Actor) -> Batch:
        """One whole episode in every copy; rows after a copy's end are not valid."""
        self._seen = self.copies.reset()
        return self._collect(actor, 10**9, whole=True)

    def _collect(self, actor: Actor, T: int, whole: bool) -> Batch:
        observations, actions, steps = [self._seen], [], []
        over = np.zeros(self.copies.copies, dtype=np.bool_)
        for _ in range(T):
            a = actor(torch.from_numpy(self._seen)).sample(self.generator)
            step = self.copies.step(a.numpy())
            self._seen = step.observations
            observations.append(step.observations)
            actions.append(a)
            steps.append(step._replace(valid=step.valid & ~over))
            if whole:
                over |= step.terminated | step.truncated
                if over.all():
                    break
        rewards, terminated, truncated, valid = (
            np.stack([getattr(s, name) for s in steps]) for name in ("rewards", "terminated", "truncated", "valid")
        )
        seen = torch.from_numpy(np.stack(observations))
        return Batch(seen, torch.stack(actions), rewards, terminated, truncated, valid)


@torch.no_grad()
def evaluate(actor: Actor, task: str, episodes: int, seed: int) -> float:
    """Mean return of the likeliest actions over this many whole episodes."""
    copies = Copies(task, episodes)
    seen = copies.reset(seed)
    total, over = np.zeros(episodes), np.zeros(episodes, dtype=np.bool_)
    while not over.all():
        step = copies.step(actor(torch.from_numpy(seen)).mode().numpy())
        total += np.where(over, 0.0, step.rewards)
        over |= step.terminated | step.truncated
        seen = step.observations
    return float(total.mean())


@dataclass(frozen=True)
class Curve:
    """Evaluation returns at step counts, `spent` steps in all, and whatever the algorithm noted at each update."""

    steps: list[int]
    returns: list[float]
    notes: list[Mapping[str, float]]
    spent: int

    def note(self, name: str) -> list[float]:
        """One reported number, update by update."""
        return [row[name] for row in self.notes]


EVALUATION_SEED = 1_000_003


def learn(
    task: str, actor: Actor, steps: int, update: Callable[[float], tuple[int, Mapping[str, float]]],
    seed: int, log: Log, evaluations: int = 10, episodes: int = 20,
) -> Curve:  # fmt: skip
    """Call `update(progress)` until `steps` valid steps are spent; evaluate `evaluations` times on the way.

    `update` takes the share of steps spent so far and returns the steps it used and what it wants noted.
    """
    at: list[int] = []
    returns: list[float] = []
    noted: list[Mapping[str, float]] = []
    spent, marks = 0, [steps * (i + 1) // evaluations for i in range(evaluations)]
    while spent < steps:
        used, notes = update(spent / steps)
        spent += used
        noted.append(notes)
        while marks and spent >= marks[0]:
            mean = evaluate(actor, task, episodes, EVALUATION_SEED + seed)
            at.append(marks.pop(0))
            returns.append(mean)
            log({"step": spent, "return": mean, **notes})
    return Curve(at, returns, noted, spent)
