"""What are optimal values and policies worth on the classic gridworlds? Exact answers, no sampling.

Every world is solved by value iteration, policy iteration and modified policy iteration, which must agree, and compared
with acting at random. FrozenLake is also solved as what Gymnasium scores: a game with a step limit, whose best play is
a finite-horizon problem. The cliff is also solved for a walker who knows that some of its steps will be random.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.kit import envs, plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
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
    found: dict[str, Any] = {
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
    found |= special.get(config.world, _frozenlake)(world, mdp, exact.values)
    return {key: tidy(value) for key, value in found.items()}


def tidy(value: Any) -> Any:
    """Floats to twelve digits, so that another machine's rounding in the last bits leaves the record as it is."""
    if isinstance(value, list):
        return [tidy(each) for each in value]
    return float(f"{value:.12g}") + 0.0 if isinstance(value, float) else value


def best_actions(mdp: MDP, V: Values) -> npt.NDArray[np.bool_]:
    """(A, S): the actions that a look-ahead on V finds best, ties included, none in a terminal state."""
    Q = lookahead(mdp, V)
    return np.asarray((Q.max(axis=0) - Q < 1e-9 * (1 + np.abs(Q).max())) & ~mdp.terminal)


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


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Parameters of the worlds and methods, then what was found, world by world."""
    found = {o.config.world: o.metrics for o in outcomes}
    made = [
        parameter("grid.tolerance", TOLERANCE, "value", "width of the band at which iterative methods stop", fmt=".0e"),
        parameter("grid.mpi_m", M, "sweeps", "evaluation sweeps a round of modified policy iteration", fmt="d"),
        parameter(
            "env.cliff.epsilon", EPSILON, "fraction", "share of the unsteady walker's steps that are random", fmt=".0%"
        ),
        parameter("env.maze.slip", MAZE_SLIP, "fraction", "chance that a step in the maze goes sideways", fmt=".0%"),
        parameter("env.maze.walls", MAZE_WALLS, "fraction", "chance that a cell of the maze is a wall", fmt=".0%"),
        parameter("env.maze.seed", MAZE_SEED, "seed", "seed of the maze's random draw", fmt="d"),
        parameter("env.frozenlake.slip", 2 / 3, "fraction", "chance that a step on the ice goes sideways", fmt=".0%"),
    ]
    for name, m in found.items():
        label, gamma = LABEL[name], DISCOUNT[name]
        made += [
            parameter(f"env.{name}.states", m["states"], "states", f"{label}: states, terminal ones included", fmt="d"),
            parameter(f"env.{name}.actions", m["actions"], "actions", f"{label}: actions in each state", fmt="d"),
            parameter(f"env.{name}.discount", gamma, "discount", f"{label}: discount", fmt=".3g"),
        ]
        made += _values(name, m) + _work(name, m)
    made += _small_grids(found) + _errands(found) + _cliff_facts(found["cliff"])
    for name in LIMIT:
        made += _lake(name, found[name])
    return made


def _exact(key: str, value: float, unit: str, description: str, fmt: str, plain: str = "", **more: Any) -> Fact:
    """A fact that no randomness or machine touches."""
    return fact(key, value, unit, description, fmt=fmt, plain_fmt=plain or None, kind="exact", depth=3, **more)


def _values(name: str, m: Mapping[str, Any]) -> list[Fact]:
    label = LABEL[name]
    digits = ".3f" if name.startswith("frozenlake") else ",.1f"
    plain = ".3f" if name.startswith("frozenlake") else ",.0f"
    made = [
        _exact(f"grid.{name}.v_mean", m["v_mean"], "value", f"{label}: optimal value, average over non-terminal states", digits, plain, better="higher"),
        _exact(f"grid.{name}.v_worst", m["v_worst"], "value", f"{label}: optimal value of the worst state", digits, plain, better="higher"),
        _exact(f"grid.{name}.random_mean", m["random_mean"], "value", f"{label}: value of acting at random, average over non-terminal states", digits, plain, better="higher"),
    ]  # fmt: skip
    if "v_start" in m:
        made += [
            _exact(f"grid.{name}.v_start", m["v_start"], "value", f"{label}: optimal value of the start", digits, plain, better="higher"),
            _exact(f"grid.{name}.random_start", m["random_start"], "value", f"{label}: value of the start when acting at random", digits, plain, better="higher"),
        ]  # fmt: skip
    return made


def _work(name: str, m: Mapping[str, Any]) -> list[Fact]:
    label = LABEL[name]
    return [
        _exact(f"grid.{name}.agreement", m["agreement"], "value", f"{label}: largest difference between the methods' values", ".1e", better="lower"),
        _exact(f"grid.{name}.policy_sweeps", m["policy_sweeps"], "iterations", f"{label}: sweeps of value iteration after which acting greedily is optimal for good", "d", better="lower"),
        _exact(f"grid.{name}.vi_sweeps", m["vi_sweeps"], "iterations", f"{label}: sweeps of value iteration until its values settle", "d", better="lower"),
        _exact(f"grid.{name}.pi_rounds", m["pi_rounds"], "iterations", f"{label}: rounds of policy iteration", "d", better="lower"),
        _exact(f"grid.{name}.mpi_rounds", m["mpi_rounds"], "iterations", f"{label}: rounds of modified policy iteration", "d", better="lower"),
        _exact(f"grid.{name}.mpi_sweeps", m["mpi_sweeps"], "iterations", f"{label}: sweeps of modified policy iteration, of either kind", "d", better="lower"),
        _exact(f"grid.{name}.vi_backups", m["vi_backups"], "backups", f"{label}: look-aheads made by value iteration", ",d", better="lower"),
        _exact(f"grid.{name}.mpi_backups", m["mpi_backups"], "backups", f"{label}: look-aheads made by modified policy iteration", ",d", better="lower"),
    ]  # fmt: skip


def _small_grids(found: Mapping[str, Mapping[str, Any]]) -> list[Fact]:
    four, five = found["gridworld4"], found["gridworld5"]
    return [
        parameter("env.gridworld4.step_reward", -1, "reward", "4×4 grid: reward of every step", fmt="d"),
        parameter("env.gridworld5.jump_a", five["jump_a"], "value", "5×5 grid: reward for leaving A", fmt="d"),
        parameter("env.gridworld5.jump_b", five["jump_b"], "value", "5×5 grid: reward for leaving B", fmt="d"),
        parameter("env.gridworld5.bump", five["bump"], "value", "5×5 grid: reward of bumping into the edge", fmt="d"),
        _exact("grid.gridworld4.random_corner", four["random_corner"], "value", "4×4 grid: value of a far corner when moving at random", ".0f", better="higher"),
        _exact("grid.gridworld4.random_next", four["random_next"], "value", "4×4 grid: value of a cell beside the exit when moving at random", ".0f", better="higher"),
        _exact("grid.gridworld4.evaluation_sweeps", four["evaluation_sweeps"], "iterations", "4×4 grid: sweeps until the random policy's values settle", "d", better="lower"),
        _exact("grid.gridworld4.greedy_sweeps", four["greedy_sweeps"], "iterations", "4×4 grid: sweeps of evaluating the random policy after which acting greedily is optimal", "d", better="lower"),
        _exact("grid.gridworld5.optimal_a", five["optimal_a"], "value", "5×5 grid: optimal value of A", ".4f", ".1f", better="higher"),
        _exact("grid.gridworld5.optimal_b", five["optimal_b"], "value", "5×5 grid: optimal value of B", ".4f", ".1f", better="higher"),
        _exact("grid.gridworld5.random_a", five["random_a"], "value", "5×5 grid: value of A when moving at random", ".2f", ".1f", better="higher"),
        _exact("grid.gridworld5.random_b", five["random_b"], "value", "5×5 grid: value of B when moving at random", ".2f", ".1f", better="higher"),
    ]  # fmt: skip


def _errands(found: Mapping[str, Mapping[str, Any]]) -> list[Fact]:
    """Steps from the start to the end: undiscounted, whatever the rewards."""
    cliff, windy, maze = found["cliff"], found["windy"], found["maze"]
    return [
        parameter("env.cliff.step_reward", cliff["step_reward"], "reward", "Cliff: reward of every step", fmt="d"),
        parameter("env.cliff.fall_reward", cliff["fall_reward"], "reward", "Cliff: reward of a fall", fmt="d"),
        parameter("env.windy.step_reward", windy["step_reward"], "reward", "Windy grid: reward of every step", fmt="d"),
        _exact("grid.cliff.optimal_steps", len(cliff["path"]) - 1, "steps", "Cliff: steps of the shortest path", "d", better="lower"),
        _exact("grid.cliff.random_steps", cliff["random_steps"], "steps", "Cliff: expected steps when moving at random", ",.0f", better="lower"),
        _exact("grid.windy.optimal_steps", len(windy["path"]) - 1, "steps", "Windy grid: steps of the shortest path", "d", better="lower"),
        _exact("grid.windy.random_steps", windy["random_steps"], "steps", "Windy grid: expected steps when moving at random", ",.0f", better="lower"),
        _exact("grid.maze.path_steps", len(maze["path"]) - 1, "steps", "Maze: steps of the best path if nothing slipped", "d", better="lower"),
        _exact("grid.maze.optimal_steps", maze["steps"], "steps", "Maze: expected steps of the optimal policy, slips included", ".1f", ".0f", better="lower"),
        _exact("grid.maze.random_steps", maze["random_steps"], "steps", "Maze: expected steps when moving at random", ",.0f", better="lower"),
    ]  # fmt: skip


def _cliff_facts(m: Mapping[str, Any]) -> list[Fact]:
    return [
        _exact("grid.cliff.optimal_return", m["v_start"], "return", "Cliff: return of the shortest path", ".0f", better="higher"),
        _exact("grid.cliff.random_return", m["random_start"], "return", "Cliff: expected return when moving at random", ",.0f", better="higher"),
        _exact("grid.cliff.soft_return", m["soft_return"], "return", "Cliff: best expected return of a walker some of whose steps are random", ".4f", ".1f", better="higher"),
        _exact("grid.cliff.soft_steps", len(m["soft_path"]) - 1, "steps", "Cliff: steps of the path that this walker plans", "d", better="lower"),
        _exact("grid.cliff.careless_return", m["careless_return"], "return", "Cliff: expected return of the shortest path walked with the same random steps", ".4f", ".1f", better="higher"),
    ]  # fmt: skip


def _lake(name: str, m: Mapping[str, Any]) -> list[Fact]:
    label = LABEL[name]
    made = [
        parameter(f"env.{name}.holes", m["holes"], "holes", f"{label}: holes in the ice", fmt="d"),
        parameter(f"env.{name}.limit", LIMIT[name], "steps", f"{label}: step limit Gymnasium registers", fmt="d"),
    ]
    chances = {
        "success_unlimited": "best chance of success without a step limit",
        "success_limit": "best chance of success within the step limit",
        "greedy_limit": "chance of success within the limit of the one fixed policy that value iteration finds",
        "random_limit": "chance of success within the limit when moving at random",
    }
    for key, words in chances.items():
        made.append(
            _exact(f"grid.{name}.{key}", m[key], "fraction", f"{label}: {words}", ".5f", ".1%", better="higher")
        )
    for tag, gamma in PATIENCE.items():
        made += [
            parameter(f"grid.{name}.discount_{tag}", gamma, "discount", f"{label}: a discount planned with", fmt=".3g"),
            _exact(f"grid.{name}.v_{tag}", m[f"v_{tag}"], "value", f"{label}: optimal value of the start at discount {gamma}", ".6f", ".2f"),
            _exact(f"grid.{name}.success_{tag}", m[f"success_{tag}"], "fraction", f"{label}: chance of success, without a step limit, of the policy planned at discount {gamma}", ".4f", ".0%", better="higher"),
        ]  # fmt: skip
    return made


def derived() -> Sequence[Derivation]:
    """Values that sentences need and that follow from the facts."""
    agreements = [f"grid.{name}.agreement" for name in DISCOUNT]
    made = [
        derive("grid.worlds", "count", *agreements, description="worlds solved", fmt="d"),
        derive("grid.agreement", "worst_of", *agreements, description="largest difference between methods in any world", fmt=".1e"),
        derive("grid.gridworld4.value_patience", "ratio", "grid.gridworld4.evaluation_sweeps", "grid.gridworld4.greedy_sweeps", description="4×4 grid: how many times more sweeps the values need than the policy", fmt=".0f"),
        derive("grid.gridworld5.planning_gain", "ratio", "grid.gridworld5.optimal_a", "grid.gridworld5.random_a", description="5×5 grid: A under the best policy over A at random", fmt=".2f", plain_fmt=".1f"),
        derive("grid.frozenlake4.limit_cost", "difference", "grid.frozenlake4.success_unlimited", "grid.frozenlake4.success_limit", description="FrozenLake 4×4: chance lost to the step limit", fmt=".3f", plain_fmt=".1%"),
        derive("grid.frozenlake4.fixed_cost", "difference", "grid.frozenlake4.success_limit", "grid.frozenlake4.greedy_limit", description="FrozenLake 4×4: chance lost by ignoring the clock", fmt=".4f", plain_fmt=".1%"),
        derive("grid.frozenlake8.fixed_cost", "difference", "grid.frozenlake8.success_limit", "grid.frozenlake8.greedy_limit", description="FrozenLake 8×8: chance lost by ignoring the clock", fmt=".4f", plain_fmt=".1%"),
        derive("grid.frozenlake8.patience_gain", "difference", "grid.frozenlake8.success_999", "grid.frozenlake8.success_99", description="FrozenLake 8×8: chance gained by planning at the larger discount", fmt=".3f", plain_fmt=".0%"),
        derive("grid.frozenlake4.luck_ratio", "ratio", "grid.frozenlake4.success_limit", "grid.frozenlake4.random_limit", description="FrozenLake 4×4: best chance over the chance at random", fmt=".1f", plain_fmt=".0f"),
        derive("grid.cliff.care_gain", "difference", "grid.cliff.soft_return", "grid.cliff.careless_return", description="Cliff: return gained by planning for one's own random steps", fmt=".2f", plain_fmt=".0f"),
        derive("grid.cliff.detour", "difference", "grid.cliff.soft_steps", "grid.cliff.optimal_steps", description="Cliff: extra steps of the careful path", fmt="d"),
        derive("grid.cliff.random_ratio", "ratio", "grid.cliff.random_steps", "grid.cliff.optimal_steps", description="Cliff: steps at random over steps of the shortest path", fmt=",.0f"),
        derive("grid.maze.random_ratio", "ratio", "grid.maze.random_steps", "grid.maze.optimal_steps", description="Maze: expected steps at random over those of the optimal policy", fmt=",.0f"),
        derive("grid.maze.slip_cost", "difference", "grid.maze.optimal_steps", "grid.maze.path_steps", description="Maze: expected extra steps that slipping costs", fmt=".1f", plain_fmt=".0f"),
        derive("grid.maze.iteration_ratio", "ratio", "grid.maze.vi_sweeps", "grid.maze.pi_rounds", description="Maze: sweeps of value iteration over rounds of policy iteration", fmt=".0f"),
        derive("grid.maze.mpi_saving", "ratio", "grid.maze.vi_backups", "grid.maze.mpi_backups", description="Maze: look-aheads of value iteration over those of modified policy iteration", fmt=".1f"),
    ]  # fmt: skip
    for name in ("gridworld5", "frozenlake4", "frozenlake8", "maze"):
        keys = f"grid.{name}.vi_sweeps", f"grid.{name}.policy_sweeps"
        words = f"{LABEL[name]}: sweeps until the values settle over sweeps until the policy does"
        made.append(derive(f"grid.{name}.value_lag", "ratio", *keys, description=words, fmt=".1f"))
    return made


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim(
            "grid.claim.methods_agree",
            "below",
            *[f"grid.{name}.agreement" for name in DISCOUNT],
            bound=TOLERANCE,
            says="On all {val}`grid.worlds` worlds the methods arrive at the same values, to within {val}`grid.agreement`.",
            plain="Different ways of planning give the same answer in all {val}`grid.worlds` worlds.",
        ),
        claim(
            "grid.claim.greedy_before_values",
            "ratio_at_least",
            "grid.gridworld4.evaluation_sweeps",
            "grid.gridworld4.greedy_sweeps",
            bound=20,
            says="On the smallest grid, acting greedily on the random policy's values is optimal after {val}`grid.gridworld4.greedy_sweeps` sweeps, although the values themselves need {val}`grid.gridworld4.evaluation_sweeps`.",
            plain="Knowing which way to turn comes long before knowing the exact numbers: {val}`grid.gridworld4.greedy_sweeps` rounds of updating suffice for the first, {val}`grid.gridworld4.evaluation_sweeps` for the second.",
        ),
        claim(
            "grid.claim.policy_settles_first",
            "ratio_at_least",
            "grid.frozenlake8.vi_sweeps",
            "grid.frozenlake8.policy_sweeps",
            bound=2,
            says="On the larger lake the greedy policy of value iteration stops changing for the better after {val}`grid.frozenlake8.policy_sweeps` sweeps, while the values take {val}`grid.frozenlake8.vi_sweeps` to settle.",
            plain="On the larger lake, good decisions are in place after {val}`grid.frozenlake8.policy_sweeps` rounds of updating; the numbers behind them keep moving until round {val}`grid.frozenlake8.vi_sweeps`.",
        ),
        claim(
            "grid.claim.pi_needs_few_rounds",
            "ratio_at_least",
            "grid.maze.vi_sweeps",
            "grid.maze.pi_rounds",
            bound=10,
            says="In the maze, policy iteration is done after {val}`grid.maze.pi_rounds` rounds where value iteration makes {val}`grid.maze.vi_sweeps` sweeps.",
            plain="In the maze, revising whole plans takes {val}`grid.maze.pi_rounds` rounds; revising numbers takes {val}`grid.maze.vi_sweeps`.",
        ),
        claim(
            "grid.claim.mpi_saves_on_maze",
            "ratio_at_least",
            "grid.maze.vi_backups",
            "grid.maze.mpi_backups",
            bound=1.5,
            says="In the slippery maze, modified policy iteration spends {val}`grid.maze.mpi_backups` look-aheads where value iteration spends {val}`grid.maze.vi_backups`.",
            plain="In the maze, the compromise between the methods gets by with {val}`grid.maze.mpi_backups` small calculations instead of {val}`grid.maze.vi_backups`.",
        ),
        claim(
            "grid.claim.mpi_wastes_on_cliff",
            "greater",
            "grid.cliff.mpi_backups",
            "grid.cliff.vi_backups",
            says="Where every move is certain the compromise does not pay: on the cliff, modified policy iteration makes {val}`grid.cliff.mpi_backups` look-aheads and value iteration {val}`grid.cliff.vi_backups`.",
            plain="No method is best everywhere: at the cliff, where steps never go astray, the compromise needs {val}`grid.cliff.mpi_backups` small calculations and the simplest method {val}`grid.cliff.vi_backups`.",
        ),
        claim(
            "grid.claim.a_is_worth_less_than_it_pays",
            "less",
            "grid.gridworld5.random_a",
            "env.gridworld5.jump_a",
            says="For a random walker, A is worth {val}`grid.gridworld5.random_a`, less than the {val}`env.gridworld5.jump_a` it pays at once, because it leads to the edge.",
            plain="For someone who moves at random, the big prize is worth only {val}`grid.gridworld5.random_a` although it pays {val}`env.gridworld5.jump_a`: it drops them where they keep bumping into the wall.",
        ),
        claim(
            "grid.claim.b_is_worth_more_than_it_pays",
            "greater",
            "grid.gridworld5.random_b",
            "env.gridworld5.jump_b",
            says="B is the opposite case: it pays {val}`env.gridworld5.jump_b` and is worth {val}`grid.gridworld5.random_b` to the same walker, more than its reward.",
            plain="The small prize pays {val}`env.gridworld5.jump_b` but is worth {val}`grid.gridworld5.random_b`, more than it pays, because of where it leads.",
        ),
        claim(
            "grid.claim.planning_beats_chance_on_grid",
            "ratio_at_least",
            "grid.gridworld5.optimal_a",
            "grid.gridworld5.random_a",
            bound=2,
            says="Under the optimal policy the same state A is worth {val}`grid.gridworld5.optimal_a`, or {val}`grid.gridworld5.planning_gain` what it is worth at random.",
            plain="With a good plan, the same prize becomes worth {val}`grid.gridworld5.optimal_a`: {val}`grid.gridworld5.planning_gain` as much as without one.",
        ),
        claim(
            "grid.claim.limit_costs",
            "greater",
            "grid.frozenlake4.success_unlimited",
            "grid.frozenlake4.success_limit",
            bound=0.05,
            says="The step limit costs the best player of the small lake {val}`grid.frozenlake4.limit_cost`: from {val}`grid.frozenlake4.success_unlimited` without it to {val}`grid.frozenlake4.success_limit` with it.",
            plain="A deadline alone lowers the best possible success rate from {val}`grid.frozenlake4.success_unlimited` to {val}`grid.frozenlake4.success_limit`.",
        ),
        claim(
            "grid.claim.clock_matters",
            "greater",
            "grid.frozenlake8.success_limit",
            "grid.frozenlake8.greedy_limit",
            bound=0.02,
            says="Watching the clock is worth {val}`grid.frozenlake8.fixed_cost` on the larger lake: the best time-dependent policy reaches {val}`grid.frozenlake8.success_limit`, the fixed policy that value iteration finds {val}`grid.frozenlake8.greedy_limit`.",
            plain="Adapting to the time left raises the success rate on the larger lake from {val}`grid.frozenlake8.greedy_limit` to {val}`grid.frozenlake8.success_limit`.",
        ),
        claim(
            "grid.claim.size_is_not_difficulty",
            "greater",
            "grid.frozenlake8.success_limit",
            "grid.frozenlake4.success_limit",
            bound=0.05,
            says="The larger lake is the easier one: within the limits its best success rate is {val}`grid.frozenlake8.success_limit`, against {val}`grid.frozenlake4.success_limit` on the small one.",
            plain="Bigger is not harder: the best player wins {val}`grid.frozenlake8.success_limit` of games on the large lake and {val}`grid.frozenlake4.success_limit` on the small one.",
        ),
        claim(
            "grid.claim.impatience_falls_in",
            "increasing",
            "grid.frozenlake8.success_90",
            "grid.frozenlake8.success_99",
            "grid.frozenlake8.success_999",
            bound=0.02,
            says="Discounting can cost safety: on the larger lake the policies planned at discounts {val}`grid.frozenlake8.discount_90`, {val}`grid.frozenlake8.discount_99` and {val}`grid.frozenlake8.discount_999` eventually succeed with probability {val}`grid.frozenlake8.success_90`, {val}`grid.frozenlake8.success_99` and {val}`grid.frozenlake8.success_999`.",
            plain="Impatience is risky: the more a planner cares about the far future, the more surely it arrives in the end, and its success rate rises from {val}`grid.frozenlake8.success_90` to {val}`grid.frozenlake8.success_999`.",
        ),
        claim(
            "grid.claim.skill_beats_luck",
            "ratio_at_least",
            "grid.frozenlake4.success_limit",
            "grid.frozenlake4.random_limit",
            bound=20,
            says="Even on ice the plan matters: the best policy succeeds {val}`grid.frozenlake4.luck_ratio` as often as random moves do.",
            plain="Even when most steps slip, a plan wins {val}`grid.frozenlake4.luck_ratio` as often as luck.",
        ),
        claim(
            "grid.claim.careful_beats_careless",
            "greater",
            "grid.cliff.soft_return",
            "grid.cliff.careless_return",
            bound=10,
            says="A walker who knows that {val}`env.cliff.epsilon` of its steps are random earns {val}`grid.cliff.soft_return`; taking the shortest path with the same unsteadiness earns {val}`grid.cliff.careless_return`.",
            plain="Planning for one's own mistakes pays: the careful walker scores {val}`grid.cliff.soft_return`, the careless one {val}`grid.cliff.careless_return`.",
        ),
        claim(
            "grid.claim.careful_walks_farther",
            "greater",
            "grid.cliff.soft_steps",
            "grid.cliff.optimal_steps",
            says="The careful path is longer, {val}`grid.cliff.soft_steps` steps instead of {val}`grid.cliff.optimal_steps`, because it keeps its distance from the edge.",
            plain="Safety costs a short detour: {val}`grid.cliff.soft_steps` steps instead of {val}`grid.cliff.optimal_steps`.",
        ),
        claim(
            "grid.claim.wandering_is_hopeless",
            "ratio_at_least",
            "grid.maze.random_steps",
            "grid.maze.optimal_steps",
            bound=20,
            says="Out of the maze, the optimal policy takes {val}`grid.maze.optimal_steps` expected steps and a random walk {val}`grid.maze.random_steps`, or {val}`grid.maze.random_ratio` as many.",
            plain="With a plan the way out of the maze takes about {val}`grid.maze.optimal_steps` steps; wandering takes about {val}`grid.maze.random_steps`.",
        ),
        claim(
            "grid.claim.slipping_costs_steps",
            "greater",
            "grid.maze.optimal_steps",
            "grid.maze.path_steps",
            bound=1,
            says="Slipping on {val}`env.maze.slip` of the steps lengthens the way from {val}`grid.maze.path_steps` to {val}`grid.maze.optimal_steps` expected steps, even for the optimal policy.",
            plain="An unreliable floor lengthens even the best route, from {val}`grid.maze.path_steps` steps to about {val}`grid.maze.optimal_steps`.",
        ),
    ]


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Values as colour, best actions as arrows, world by world; how values spread; what settles first."""
    found = {o.config.world: o.metrics for o in outcomes}
    four, five, cliff, maze = (found[name] for name in ("gridworld4", "gridworld5", "cliff", "maze"))
    return [
        _random_grid(four),
        _map(
            "grid_gridworld5",
            "gridworld5",
            five,
            caption="Optimal values of the grid with jumps at discount {val}`env.gridworld5.discount`, and every optimal action. A is worth {val}`grid.gridworld5.optimal_a`.",
            plain="What each place is worth to someone who plans well, and the best ways to go. The prize at A makes the whole neighbourhood valuable.",
            alt="A square grid coloured by value with arrows for the best moves. The arrows lead to the cell marked A in the top row, the most valuable, worth {val}`grid.gridworld5.optimal_a`.",
            height=5.4,
            numbers=".1f",
        ),
        _cliff_figure(cliff),
        _map(
            "grid_windy",
            "windy",
            found["windy"],
            caption="The windy grid: optimal values, optimal actions and the shortest path of {val}`grid.windy.optimal_steps` steps. The wind blows upwards in the middle columns, so the path must overshoot and come back.",
            plain="A crosswind pushes the walker up, so the quickest route goes past the goal and comes back: {val}`grid.windy.optimal_steps` steps.",
            alt="A wide grid coloured by value with arrows. The drawn path runs right along the top, down the far side and back left to the goal G, {val}`grid.windy.optimal_steps` steps in all.",
            height=4.7,
            path=True,
        ),
        _lakes(found),
        _map(
            "grid_maze",
            "maze",
            maze,
            caption="A slippery maze of {val}`env.maze.states` cells: optimal values, optimal actions, and the path of {val}`grid.maze.path_steps` steps that the policy takes when nothing slips. With slips it takes {val}`grid.maze.optimal_steps` on average.",
            plain="A maze with an unreliable floor. Every cell has its arrow, so the plan survives any slip; the line is the route when nothing goes wrong.",
            alt="A maze coloured by value, brighter towards the goal G in the bottom right corner, with an arrow in every cell and a line from the start S to the goal.",
            height=6.0,
            path=True,
        ),
        _spread(maze),
        _settling(found),
    ]


def _cells(world: World, m: Mapping[str, Any], values: str = "values", best: str = "best") -> dict[str, list[Any]]:
    """The table behind a map: a row for each state."""
    order = np.argsort(world.cells[world.cells >= 0])
    rows, columns = (axis[order].tolist() for axis in np.nonzero(world.cells >= 0))
    compass = {envs.UP: "up", envs.RIGHT: "right", envs.DOWN: "down", envs.LEFT: "left"}
    names = [compass[move] for move in world.moves]
    arrows = np.array(m[best])
    return {
        "row": rows,
        "column": columns,
        "value": list(m[values]),
        "best": [" ".join(n for n, on in zip(names, arrows[:, s], strict=True) if on) for s in range(world.states)],
    }


def _map(
    key: str,
    name: str,
    m: Mapping[str, Any],
    *,
    caption: str,
    plain: str,
    alt: str,
    height: float,
    numbers: str | None = None,
    path: bool = False,
) -> Figure:
    """One world: its values, its best actions, and perhaps a path through it."""
    world = world_of(name)

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            V = np.array(m["values"])
            plots.heat(
                axes, palette, world.cells, V, best=np.array(m["best"]), moves=world.moves, marks=world.marks,
                numbers=numbers, path=m["path"] if path else (),
            )  # fmt: skip
            if numbers is None:
                plots.colour_bar(canvas, axes, V.min(), V.max(), "value")

        return plots.figure(theme, height, fill)

    return Figure(key, caption, plain, alt, _cells(world, m), draw)


def _random_grid(m: Mapping[str, Any]) -> Figure:
    world = world_of("gridworld4")

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            plots.heat(
                axes, palette, world.cells, m["random"], best=np.array(m["best"]), moves=world.moves,
                marks=world.marks, numbers=".0f",
            )  # fmt: skip

        return plots.figure(theme, 5.4, fill)

    return Figure(
        "grid_gridworld4",
        "The random policy's values on the smallest grid (T: the exits), and the actions that are greedy for them. "
        "They are optimal, although the values are not: a far corner is worth {val}`grid.gridworld4.random_corner`.",
        "Expected cost of wandering, cell by cell, until an exit T is found. Simply heading for a less bad neighbour, "
        "as the arrows do, is already the best plan.",
        "A small square grid with exits in opposite corners. Values fall from {val}`grid.gridworld4.random_next` "
        "beside an exit to {val}`grid.gridworld4.random_corner` in the far corners; arrows point to the nearer exit.",
        _cells(world, m, "random"),
        draw,
    )


def _cliff_figure(m: Mapping[str, Any]) -> Figure:
    world = world_of("cliff")
    views = (("Sure-footed: the shortest path", "values", "best", "path"),
             ("Unsteady: the careful path", "soft_values", "soft_best", "soft_path"))  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            for axes, (title, values, best, path) in zip(canvas.subplots(2, 1), views, strict=True):
                plots.heat(
                    axes, palette, world.cells, m[values], best=np.array(m[best]), moves=world.moves,
                    marks=world.marks, path=m[path],
                )  # fmt: skip
                axes.text(6, 3.5, "the cliff", ha="center", va="center", color=palette.ink, fontsize=plots.FONT)
                axes.set_title(title)

        return plots.figure(theme, 4.9, fill)

    table = _cells(world, m)
    soft = _cells(world, m, "soft_values", "soft_best")
    return Figure(
        "grid_cliff",
        "The cliff, walked by the book and by someone {val}`env.cliff.epsilon` of whose steps are random. The optimal "
        "path hugs the edge in {val}`grid.cliff.optimal_steps` steps; the optimal path of the unsteady walker takes "
        "{val}`grid.cliff.soft_steps` and earns {val}`grid.cliff.soft_return` on average, where the shortest would "
        "earn {val}`grid.cliff.careless_return`. Each map has its own colour scale.",
        "The shortest route runs along the edge of the cliff. Whoever stumbles now and then does better a little "
        "farther away from it.",
        "A pair of maps of the cliff. In the upper one the path from S to G runs along the edge; in the "
        "lower one it keeps a row away from it.",
        {**table, "unsteady value": soft["value"], "unsteady best": soft["best"]},
        draw,
    )


def _lakes(found: Mapping[str, Mapping[str, Any]]) -> Figure:
    worlds = {name: world_of(name) for name in LIMIT}

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots(2, 1, height_ratios=[1, 1.35])
            for ax, (name, world) in zip(axes, worlds.items(), strict=True):
                plots.heat(
                    ax, palette, world.cells, found[name]["values"], best=np.array(found[name]["best"]),
                    moves=world.moves, marks=world.marks, limits=(0.0, 1.0), blank=world.terminal,
                )  # fmt: skip
                ax.set_title(LABEL[name])
            plots.colour_bar(canvas, axes, 0.0, 1.0, "value: discounted chance of reaching G")

        return plots.figure(theme, 8.6, fill)

    tables = {name: _cells(world, found[name]) for name, world in worlds.items()}
    series: dict[str, list[Any]] = {"lake": [name for name, t in tables.items() for _ in t["row"]]}
    for column in ("row", "column", "value", "best"):
        series[column] = [entry for t in tables.values() for entry in t[column]]
    return Figure(
        "grid_frozenlake",
        "FrozenLake at discount {val}`env.frozenlake4.discount`: values and optimal actions (H: holes). A step goes "
        "where it is aimed, or to either side, with equal probability, so many arrows point away from the goal: they "
        "choose the move that cannot end in a hole.",
        "A small and a large frozen lake with holes H. The ice is so slippery that the best plan often aims away from the goal, just "
        "to stay clear of the holes.",
        "A pair of square maps, each with a start S in the top left corner, a goal G in the bottom right corner and holes H. "
        "Arrows beside the holes point away from them; values rise towards the goal.",
        series,
        draw,
    )


def _spread(m: Mapping[str, Any]) -> Figure:
    world = world_of("maze")
    low = min(m["spread"][-1])

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots(2, 2)
            for ax, k, V in zip(axes.ravel(), SPREAD, m["spread"], strict=True):
                plots.heat(ax, palette, world.cells, V, limits=(low, 0.0))
                ax.set_title(f"{k} sweep" + "s" * (k > 1))
            plots.colour_bar(canvas, axes, low, 0.0, "value")

        return plots.figure(theme, 6.4, fill)

    table = _cells(world, m)
    return Figure(
        "grid_spread",
        "How values spread through the maze: value iteration after a growing number of sweeps. After as many sweeps "
        "as a cell is steps away from the goal, its value begins to differ from that of a cell without a way out.",
        "How knowledge of the goal spreads through the maze, from the bottom right corner backwards, a step further in every "
        "round of updating.",
        "A row of small maps of the same maze. In the first nearly all cells have the same colour; in each later one the "
        "region whose colours differ reaches farther from the goal in the bottom right corner.",
        {
            "row": table["row"],
            "column": table["column"],
            **{f"value after {k}": V for k, V in zip(SPREAD, m["spread"], strict=True)},
        },
        draw,
    )


def _settling(found: Mapping[str, Mapping[str, Any]]) -> Figure:
    names = sorted(found, key=lambda name: found[name]["vi_sweeps"])
    policy = [found[name]["policy_sweeps"] for name in names]
    values = [found[name]["vi_sweeps"] for name in names]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            ys = range(len(names))
            axes.hlines(ys, policy, values, color=palette.muted, linewidth=2.5)
            axes.plot(policy, ys, linestyle="none", marker="o", markersize=9, color=plots.colour(theme, 0))
            axes.plot(values, ys, linestyle="none", marker="s", markersize=8.5, color=plots.colour(theme, 1))
            axes.set(
                xscale="log",
                xlabel="sweeps of value iteration (log scale)",
                ylim=(-0.6, len(names) + 0.1),
                xlim=(2.3, 1500),
            )
            axes.set_xticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
            axes.xaxis.minorticks_off()
            axes.set_yticks(ys, [LABEL[name] for name in names])
            axes.grid(axis="y", visible=False)
            top = len(names) - 1
            words = ((policy, "policy settled", 0, "right"), (values, "values settled", 1, "center"))
            for xs, text, index, side in words:
                axes.annotate(
                    text, (xs[top], top), xytext=(9 if side == "right" else 0, 11), textcoords="offset points", ha=side,
                    color=plots.colour(theme, index), fontweight="bold",
                )  # fmt: skip

        return plots.figure(theme, 3.9, fill)

    return Figure(
        "grid_settling",
        "Sweeps of value iteration until the greedy policy is optimal for good, and until the values are known to "
        "within {val}`grid.tolerance`. On the larger lake the values take {val}`grid.frozenlake8.value_lag` as long.",
        "In every world the right decisions are found before the exact numbers, often long before.",
        "For each of the worlds, a pair of marks on a logarithmic scale joined by a bar: the policy settles first, the "
        "values later. The gap is widest on the frozen lakes and the grid with jumps.",
        {"world": [LABEL[name] for name in names], "policy settled": policy, "values settled": values},
        draw,
    )
