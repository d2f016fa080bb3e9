"""Value iteration, policy iteration, or something between: which takes fewer rounds, less work, less time, and when?

Random slippery mazes of two kinds: errands, which end at the goal, and couriers' rounds, which never end. Discount, size
and slip are varied one at a time, all methods on the same mazes (paired by seed) and to the same accuracy. The second
question is why: how fast do errors really shrink, compared with the factor gamma that theory guarantees?
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.kit import envs, plots, stats
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.week01_mdp.mdp import MDP, Policy, Solution, Values, mdp_of, under
from experiments.week01_mdp.modified_policy_iteration import Config as ModifiedConfig
from experiments.week01_mdp.modified_policy_iteration import modified_policy_iteration
from experiments.week01_mdp.policy_iteration import Config as PolicyConfig
from experiments.week01_mdp.policy_iteration import policy_iteration
from experiments.week01_mdp.value_iteration import Config as ValueConfig
from experiments.week01_mdp.value_iteration import sweeps, value_iteration

TITLE = "Value iteration against policy iteration"
QUESTION = "Which method needs fewer rounds, less work and less time, and how does that depend on discount, size and slip?"
LIMITS = (
    "All mazes are random grids with four moves; processes with many actions or dense transitions were not tried.",
    "Seconds are those of one machine, one thread and this code; a rewrite in a compiled language would move them.",
    "Policy iteration solves its linear systems directly, which suits grids; where factors fill in, it would do worse.",
    "In-place and prioritised variants of value iteration, which visit states in a chosen order, were left out.",
)
TIMED = True

TOLERANCE = 1e-3
M = 20
WALLS = 0.25
DISCOUNTS = {"g500": 0.5, "g900": 0.9, "g950": 0.95, "g990": 0.99, "g999": 0.999}
TEXTBOOK = ("g500", "g900", "g950", "g990")  # beyond, its sweeps take as long as all the rest
ENDS = {"g900": 0.9, "g990": 0.99, "g999": 0.999}
SLIPS = {"p00": 0.0, "p10": 0.1, "p20": 0.2, "p40": 0.4}
DEPTHS = {"m0": 0, "m5": 5, "m20": 20, "m100": 100, "m500": 500}
EARLY, LATE = 1e-6, 1e-10  # of the first error: where late factors are measured
BASE_DISCOUNT, BASE_SLIP = 0.99, 0.2
RATE_WORLDS = {"gridworld5": "5×5 grid", "errand": "Errand", "courier": "Courier"}


@dataclass(frozen=True)
class Scale:
    """What a budget changes: sizes and numbers of seeds."""

    sizes: Mapping[str, int]
    base: int
    rate: int
    seeds: int
    large_seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale({"tiny": 30, "small": 60, "medium": 120, "large": 240}, 60, 40, 3, 3),
    "small": Scale({"tiny": 100, "small": 1_000, "medium": 10_000, "large": 100_000}, 1_000, 200, 10, 3),
    "full": Scale({"tiny": 100, "small": 1_000, "medium": 10_000, "large": 100_000}, 1_000, 200, 30, 10),
}


@dataclass(frozen=True)
class Race:
    """All methods on one maze. `textbook` adds policy iteration that evaluates by sweeps."""

    part: str
    tag: str
    states: int
    discount: float
    slip: float
    ends: bool
    textbook: bool = False


@dataclass(frozen=True)
class Depth:
    """Modified policy iteration on one courier's maze with `m` evaluation sweeps a round."""

    tag: str
    states: int
    m: int


@dataclass(frozen=True)
class Rate:
    """How fast value iteration's error shrinks in one world."""

    world: str
    tag: str
    states: int
    discount: float


def sweep(budget: Budget) -> Sequence[Point]:
    """Four sweeps of races, one over m, and the rates, each over its seeds."""
    scale = SCALES[budget]
    base = scale.base
    configs: list[tuple[Any, int]] = []
    configs += [(Race("discount", t, base, g, BASE_SLIP, False, t in TEXTBOOK), scale.seeds) for t, g in DISCOUNTS.items()]
    configs += [(Race("ends", t, base, g, BASE_SLIP, True), scale.seeds) for t, g in ENDS.items()]
    configs += [(Race("slip", t, base, BASE_DISCOUNT, p, True), scale.seeds) for t, p in SLIPS.items()]
    for tag, states in scale.sizes.items():
        seeds = scale.large_seeds if tag == "large" else scale.seeds
        configs.append((Race("size", tag, states, BASE_DISCOUNT, BASE_SLIP, True), seeds))
    configs += [(Depth(t, base, m), scale.seeds) for t, m in DEPTHS.items()]
    for world in RATE_WORLDS:
        seeds = 1 if world == "gridworld5" else scale.seeds
        configs += [(Rate(world, t, scale.rate, g), seeds) for t, g in ENDS.items()]
    return [Point(config, seed) for config, seeds in configs for seed in range(seeds)]


def measure(config: Race | Depth | Rate, seed: int, log: Log) -> Mapping[str, Any]:
    """Run one race, one depth or one rate."""
    if isinstance(config, Race):
        return _race(config, seed)
    if isinstance(config, Depth):
        mdp = mdp_of(envs.maze(config.states, BASE_SLIP, WALLS, seed, ends=False), BASE_DISCOUNT)
        solution, seconds = timed(lambda: modified_policy_iteration(mdp, ModifiedConfig(config.m, TOLERANCE)))
        return {"rounds": solution.rounds, "backups": solution.backups, "seconds": seconds}
    return _rate(config, seed, log)


def timed(solve: Callable[[], Solution], repeats: int = 3, enough: float = 0.5) -> tuple[Solution, float]:
    """The solution and the best of up to `repeats` times, stopping after `enough` seconds in all."""
    times: list[float] = []
    while len(times) < repeats and sum(times) < enough:
        start = time.perf_counter()
        solution = solve()
        times.append(time.perf_counter() - start)
    return solution, min(times)


def _race(config: Race, seed: int) -> Mapping[str, Any]:
    world = envs.maze(config.states, config.slip, WALLS, seed, ends=config.ends)
    mdp = mdp_of(world, config.discount)
    close = TOLERANCE * (1 - config.discount) / 2  # so that the textbook's answer is as good as the others'
    methods: dict[str, Callable[[], Solution]] = {
        "vi": lambda: value_iteration(mdp, ValueConfig(TOLERANCE)),
        "pi": lambda: policy_iteration(mdp),
        "mpi": lambda: modified_policy_iteration(mdp, ModifiedConfig(M, TOLERANCE)),
    }
    if config.textbook:
        methods["pisweep"] = lambda: policy_iteration(mdp, PolicyConfig("sweeps", close))
    found: dict[str, Any] = {}
    values: list[Values] = []
    for name, solve in methods.items():
        solution, seconds = timed(solve)
        values.append(solution.values)
        found[name] = {"rounds": solution.rounds, "backups": solution.backups, "seconds": seconds}
    found["agreement"] = float(max(np.abs(V - values[1]).max() for V in values))
    return found


def _rate(config: Rate, seed: int, log: Log) -> Mapping[str, Any]:
    """Error and span of the error after every sweep, and the factors by which they shrink.

    `worst` is the largest factor of any sweep. The tails are geometric means over the sweeps that take the error from a
    millionth of what it was to a ten-thousandth of that. Theory: the error shrinks by gamma at worst and, once the greedy policy is
    optimal, by gamma times the spectral radius of that policy among non-terminal states; its span, in a process that
    never ends, by gamma times the second largest eigenvalue.
    """
    if config.world == "gridworld5":
        mdp = mdp_of(envs.gridworld5(), config.discount)
    else:
        ends = config.world == "errand"
        mdp = mdp_of(envs.maze(config.states, BASE_SLIP, WALLS, seed, ends=ends), config.discount)
    exact = policy_iteration(mdp)
    errors, spans = [float(np.abs(exact.values).max())], [float(np.ptp(exact.values))]
    for k, V in enumerate(sweeps(mdp), 1):
        error = V - exact.values
        errors.append(float(np.abs(error).max()))
        spans.append(float(np.ptp(error)))
        if k & (k - 1) == 0:
            log({"sweep": k, "error": errors[-1]})
        if errors[-1] <= LATE * errors[0] and spans[-1] <= LATE * spans[0]:
            break
    moduli = eigenvalue_moduli(mdp, exact.policy)
    shown = np.unique(np.geomspace(1, len(errors), 60).astype(int)) - 1
    return {
        "worst": float(np.max(np.array(errors[1:]) / np.array(errors[:-1]))),
        "tail": tail_factor(errors),
        "predicted": config.discount * moduli[0],
        "span_tail": tail_factor(spans),
        "span_predicted": config.discount * moduli[1],
        "curve_sweeps": shown.tolist(),
        "curve_errors": [errors[i] / errors[0] for i in shown],
    }


def tail_factor(errors: Sequence[float]) -> float:
    """Geometric mean factor a sweep between EARLY and LATE times the first error."""
    e = np.array(errors) / errors[0]
    first, last = int(np.argmax(e <= EARLY)), int(np.argmax(e <= LATE))
    if last == first:
        return 0.0
    return float((e[last] / e[first]) ** (1 / (last - first)))


def eigenvalue_moduli(mdp: MDP, policy: Policy) -> list[float]:
    """The moduli of the policy's transition matrix among non-terminal states, largest first (dense: small S only)."""
    live = np.flatnonzero(~mdp.terminal)
    P, _ = under(mdp, policy)
    moduli = np.abs(np.linalg.eigvals(P[live][:, live].toarray()))
    return sorted((float(m) for m in moduli), reverse=True)
