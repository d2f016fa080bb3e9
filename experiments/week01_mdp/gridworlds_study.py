"""What are optimal values and policies worth on the classic gridworlds? Exact answers, no sampling.

Every world is solved by value iteration, policy iteration and modified policy iteration, which must agree, and compared
with acting at random. FrozenLake is also solved as what Gymnasium scores: a game with a step limit, whose best play is
a finite-horizon problem. The cliff is also solved for a walker who knows that some of its steps will be random.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.kit import envs, plots
from experiments.kit.contract import Budget, Canvas, Figure, Log, Outcome, Point, Theme
from experiments.kit.envs import World
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.week01_mdp.mdp import MDP, Policy, Values, greedy, lookahead, mdp_of, soften, uniform
from experiments.week01_mdp.modified_policy_iteration import Config as ModifiedConfig
from experiments.week01_mdp.modified_policy_iteration import modified_policy_iteration
from experiments.week01_mdp.policy_evaluation import evaluate_by_solving, policy_sweeps
from experiments.week01_mdp.policy_iteration import policy_iteration
from experiments.week01_mdp.value_iteration import Config as ValueConfig
from experiments.week01_mdp.value_iteration import sweeps, value_iteration

TITLE = "Gridworlds, solved exactly"
QUESTION = "What is the best one can do in each gridworld, and how soon does planning find it?"
LIMITS = (
    "Every world is small and its rules are known in advance; nothing here is learned from experience.",
    "Values are exact for these rules and discounts only, and say nothing about other maps of the same size.",
    "The maze is a single random draw, so its figures illustrate a method and do not describe mazes in general.",
)
TIMED = False

TOLERANCE = 1e-6
M = 5
MAZE_STATES, MAZE_SLIP, MAZE_WALLS, MAZE_SEED = 400, 0.2, 0.25, 2
EPSILON = 0.1
LIMIT = {"frozenlake4": 100, "frozenlake8": 200}  # Gymnasium's registered step limits
PATIENCE = {"90": 0.9, "99": 0.99, "999": 0.999}
SPREAD = (1, 8, 24, 72)  # sweeps at which the spreading of values is drawn
DISCOUNT = {
    "gridworld4": 1.0,
    "gridworld5": 0.9,
    "cliff": 1.0,
    "windy": 1.0,
    "frozenlake4": 0.99,
    "frozenlake8": 0.99,
    "maze": 0.99,
}
LABEL = {
    "gridworld4": "4×4 grid",
    "gridworld5": "5×5 grid",
    "cliff": "Cliff",
    "windy": "Windy grid",
    "frozenlake4": "FrozenLake 4×4",
    "frozenlake8": "FrozenLake 8×8",
    "maze": "Maze",
}


@dataclass(frozen=True)
class Config:
    """One world by name."""

    world: str
    discount: float


def sweep(budget: Budget) -> Sequence[Point]:
    """All seven worlds at every budget: they take a second together."""
    return [Point(Config(name, gamma)) for name, gamma in DISCOUNT.items()]


def world_of(name: str) -> World:
    """The world called `name`."""
    if name.startswith("frozenlake"):
        return envs.frozenlake(int(name.removeprefix("frozenlake")))
    if name == "maze":
        return envs.maze(MAZE_STATES, MAZE_SLIP, MAZE_WALLS, MAZE_SEED)
    build = {"gridworld4": envs.gridworld4, "gridworld5": envs.gridworld5, "cliff": envs.cliff, "windy": envs.windy}
    return build[name]()


def measure(config: Config, seed: int, log: Log) -> Mapping[str, Any]:
    """Solve one world by every method, and what is special about it."""
    world = world_of(config.world)
    mdp = mdp_of(world, config.discount)
    exact = policy_iteration(mdp)
    by_values = value_iteration(mdp, ValueConfig(TOLERANCE))
    modified = modified_policy_iteration(mdp, ModifiedConfig(M, TOLERANCE))
    chance = evaluate_by_solving(mdp, uniform(mdp))
    for k, V in enumerate(islice(sweeps(mdp), min(by_values.sweeps, 200)), 1):
        log({"sweep": k, "error": float(np.abs(V - exact.values).max())})
    inner = ~mdp.terminal
    found = {
        "states": mdp.S,
        "actions": mdp.A,
        "values": exact.values.tolist(),
        "random": chance.tolist(),
        "best": best_actions(mdp, exact.values).tolist(),
        "v_mean": float(exact.values[inner].mean()),
        "v_worst": float(exact.values[inner].min()),
        "random_mean": float(chance[inner].mean()),
        "agreement": float(max(np.abs(s.values - exact.values).max() for s in (by_values, modified))),
        "vi_sweeps": by_values.sweeps,
        "vi_backups": by_values.backups,
        "pi_rounds": exact.rounds,
        "mpi_rounds": modified.rounds,
        "mpi_sweeps": modified.sweeps,
        "mpi_backups": modified.backups,
        "policy_sweeps": settled_after(mdp, islice(sweeps(mdp), by_values.sweeps), exact.values),
    }
    if world.start is not None:
        found |= {"v_start": float(exact.values[world.start]), "random_start": float(chance[world.start])}
    special = {"gridworld4": _gridworld4, "gridworld5": _gridworld5, "cliff": _cliff, "windy": _windy, "maze": _maze}
    return found | special.get(config.world, _frozenlake)(world, mdp, exact.values)


def best_actions(mdp: MDP, V: Values) -> npt.NDArray[np.bool_]:
    """(A, S): the actions that a look-ahead on V finds best, ties included, none in a terminal state."""
    Q = lookahead(mdp, V)
    return np.asarray((Q > Q.max(axis=0) - 1e-9 * (1 + np.abs(Q).max())) & ~mdp.terminal)


def settled_after(mdp: MDP, iterates: Iterator[Values], V: Values) -> int:
    """How many of the iterates it takes until acting greedily is optimal, judged by V*, and stays so."""
    best = best_actions(mdp, V) | mdp.terminal
    late = [k for k, U in enumerate(iterates, 1) if not best[greedy(mdp, U), np.arange(mdp.S)].all()]
    return max(late, default=0) + 1


def nth(iterates: Iterator[Values], n: int) -> Values:
    """The n-th of an endless sequence, counted from 1."""
    return next(islice(iterates, n - 1, None))


def follow(world: World, policy: Policy) -> list[int]:
    """The states passed from the start when every move goes where it most likely goes."""
    assert world.start is not None
    path = [world.start]
    while not world.terminal[path[-1]] and len(path) <= world.states:
        row = world.transitions[[policy[path[-1]] * world.states + path[-1]]]
        path.append(int(row.indices[row.data.argmax()]))
    return path


def steps_to_end(world: World, policy: npt.NDArray[Any]) -> Values:
    """(S,): the expected number of steps until a terminal state."""
    cost = np.where(world.terminal, 0.0, -1.0) * np.ones((world.actions, 1))
    return -evaluate_by_solving(MDP(world.transitions, cost, 1.0), policy)


def _gridworld4(world: World, mdp: MDP, V: Values) -> dict[str, Any]:
    chance = evaluate_by_solving(mdp, uniform(mdp))
    needed = next(
        k
        for k, (old, new) in enumerate(_pairs(policy_sweeps(mdp, uniform(mdp))), 2)
        if np.abs(new - old).max() <= TOLERANCE
    )
    return {
        "random_corner": float(chance[3]),
        "random_next": float(chance[1]),
        "evaluation_sweeps": needed,
        "greedy_sweeps": settled_after(mdp, islice(policy_sweeps(mdp, uniform(mdp)), needed), V),
    }


def _pairs(iterates: Iterator[Values]) -> Iterator[tuple[Values, Values]]:
    old = next(iterates)
    for new in iterates:
        yield old, new
        old = new


def _gridworld5(world: World, mdp: MDP, V: Values) -> dict[str, Any]:
    chance = evaluate_by_solving(mdp, uniform(mdp))
    a, b = 1, 3  # the states whose every action jumps
    return {
        "optimal_a": float(V[a]),
        "optimal_b": float(V[b]),
        "random_a": float(chance[a]),
        "random_b": float(chance[b]),
        "jump_a": float(mdp.R[0, a]),
        "jump_b": float(mdp.R[0, b]),
        "bump": float(mdp.R.min()),
    }


def _cliff(world: World, mdp: MDP, V: Values) -> dict[str, Any]:
    assert world.start is not None
    shortest = greedy(mdp, V)
    slippery = soften(mdp, EPSILON)
    careful = policy_iteration(slippery)
    return {
        "path": follow(world, shortest),
        "soft_path": follow(world, careful.policy),
        "soft_values": careful.values.tolist(),
        "soft_best": best_actions(slippery, careful.values).tolist(),
        "soft_return": float(careful.values[world.start]),
        "careless_return": float(evaluate_by_solving(slippery, shortest)[world.start]),
        "step_reward": float(mdp.R.max(where=~mdp.terminal[None], initial=-np.inf)),
        "fall_reward": float(mdp.R.min()),
        "random_steps": float(steps_to_end(world, uniform(mdp))[world.start]),
    }


def _windy(world: World, mdp: MDP, V: Values) -> dict[str, Any]:
    return {
        "path": follow(world, greedy(mdp, V)),
        "step_reward": float(mdp.R.min()),
        "random_steps": float(steps_to_end(world, uniform(mdp))[world.start]),
    }


def _maze(world: World, mdp: MDP, V: Values) -> dict[str, Any]:
    policy = greedy(mdp, V)
    return {
        "path": follow(world, policy),
        "steps": float(steps_to_end(world, policy)[world.start]),
        "random_steps": float(steps_to_end(world, uniform(mdp))[world.start]),
        "spread": [nth(sweeps(mdp), k).tolist() for k in SPREAD],
    }


def _frozenlake(world: World, mdp: MDP, V: Values) -> dict[str, Any]:
    """Without discounting, the value of the start is the chance to reach the goal."""
    chance_of = mdp_of(world, 1.0)
    limit = LIMIT[world.name]
    fixed = greedy(mdp, V)
    patient = {k: policy_iteration(mdp_of(world, gamma)) for k, gamma in PATIENCE.items()}
    return {
        "holes": sum(mark == "H" for mark in world.marks.values()),
        "success_unlimited": float(policy_iteration(chance_of).values[0]),
        "success_limit": float(nth(sweeps(chance_of), limit)[0]),
        "greedy_limit": float(nth(policy_sweeps(chance_of, fixed), limit)[0]),
        "random_limit": float(nth(policy_sweeps(chance_of, uniform(mdp)), limit)[0]),
        **{f"v_{k}": float(s.values[0]) for k, s in patient.items()},
        **{f"success_{k}": float(evaluate_by_solving(chance_of, s.policy)[0]) for k, s in patient.items()},
    }
