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
QUESTION = (
    "Which method needs fewer rounds, less work and less time, and how does that depend on discount, size and slip?"
)
LIMITS = (
    "All mazes are random grids with few moves; processes with many actions or dense transitions were not tried.",
    "The largest mazes were drawn only a few times, so what holds for them is shown with less certainty.",
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
    configs += [
        (Race("discount", t, base, g, BASE_SLIP, False, t in TEXTBOOK), scale.seeds) for t, g in DISCOUNTS.items()
    ]
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


def timed(solve: Callable[[], Solution], repeats: int = 3, enough: float = 0.1) -> tuple[Solution, float]:
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

    `worst` is the largest factor of any sweep until the error is a millionth, beyond which rounding shows. The tails are geometric means over the sweeps that take the error from a
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
    early = np.array(errors[: int(np.argmax(np.array(errors) <= EARLY * errors[0])) + 1])
    moduli = eigenvalue_moduli(mdp, exact.policy)
    shown = np.unique(np.geomspace(1, len(errors), 60).astype(int)) - 1
    return {
        "worst": float(np.max(early[1:] / early[:-1])),
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


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Parameters; counts and times of every race; work against m; factors of contraction."""
    races = [o for o in outcomes if isinstance(o.config, Race)]
    depths = [o for o in outcomes if isinstance(o.config, Depth)]
    rates = [o for o in outcomes if isinstance(o.config, Rate)]
    agreement = max(o.metrics["agreement"] for o in races)
    made = [
        parameter("vipi.seeds", len({o.seed for o in races}), "seeds", "mazes drawn for each setting", fmt="d"),
        parameter("vipi.large_seeds", sum(o.config.tag == "large" for o in races), "seeds", "mazes drawn of the largest size", fmt="d"),
        parameter("vipi.tolerance", TOLERANCE, "value", "width of the band around V* at which methods stop", fmt=".3f"),
        parameter("vipi.m", M, "sweeps", "evaluation sweeps a round of modified policy iteration", fmt="d"),
        parameter("vipi.walls", WALLS, "fraction", "chance that a cell is a wall", fmt=".0%"),
        parameter("vipi.base_states", depths[0].config.states, "states", "states of a maze where size is not varied", fmt=",d"),
        parameter("vipi.base_discount", BASE_DISCOUNT, "factor", "discount where it is not varied", fmt=".2f"),
        parameter("vipi.base_slip", BASE_SLIP, "fraction", "chance of slipping where it is not varied", fmt=".0%"),
        fact("vipi.agreement", agreement, "value", "largest difference from policy iteration's values, over all methods and mazes", fmt=".1e", better="lower", statistic=f"maximum over {len(races)} races"),
    ]  # fmt: skip
    for part, tag in dict.fromkeys((o.config.part, o.config.tag) for o in races):
        made += _race_facts(part, tag, [o for o in races if (o.config.part, o.config.tag) == (part, tag)])
    for tag, m in DEPTHS.items():
        made += _depth_facts(tag, m, [o for o in depths if o.config.tag == tag])
    for tag, gamma in ENDS.items():
        made.append(
            parameter(
                f"vipi.rate.{tag}.discount", gamma, "factor", "a discount at which contraction was measured", fmt=".3g"
            )
        )
        for world in RATE_WORLDS:
            made += _rate_facts(world, tag, [o for o in rates if (o.config.world, o.config.tag) == (world, tag)])
    slack = max(o.metrics["worst"] / o.config.discount for o in rates)
    made.append(fact("vipi.rate.slack", slack, "times", "largest one-sweep factor of the error, as a multiple of the discount, anywhere", fmt=".6f", plain_fmt=".2f", better="lower", statistic=f"maximum over {len(rates)} runs"))  # fmt: skip
    return made


Read = Callable[[Mapping[str, Any]], float]


def entry(*path: str, times: float = 1.0, plus: float = 0.0) -> Read:
    """A function that reads the number at `path` of a point's metrics, scaled and shifted."""

    def read(metrics: Mapping[str, Any]) -> float:
        value: Any = metrics
        for name in path:
            value = value[name]
        return plus + times * float(value)

    return read


def _over_seeds(key: str, outcomes: Sequence[Outcome], read: Read, unit: str, words: str, fmt: str, plain: str, **more: Any) -> Fact:  # fmt: skip
    """A fact from one number a seed: interquartile mean and bootstrap interval (a single run stands for itself)."""
    seeds = [o.seed for o in outcomes]
    values = [read(o.metrics) for o in outcomes]
    if len(values) == 1:
        return fact(key, values[0], unit, words, fmt=fmt, plain_fmt=plain, depth=3, **more)
    e = stats.estimate(values)
    return fact(key, e.value, unit, words, fmt=fmt, plain_fmt=plain, seeds=seeds, values=values, interval=e.interval, statistic=e.statistic, depth=3, **more)  # fmt: skip


METHODS = {
    "vi": "value iteration",
    "pi": "policy iteration",
    "mpi": "modified policy iteration",
    "pisweep": "policy iteration by sweeps",
}
VARIED = {
    "discount": ("courier", "discount", "factor", ".3g"),
    "ends": ("errand", "discount", "factor", ".3g"),
    "slip": ("errand", "slip", "fraction", ".0%"),
    "size": ("errand", "states", "states", ",d"),
}


def _race_facts(part: str, tag: str, outcomes: Sequence[Outcome]) -> list[Fact]:
    kind, name, unit, fmt = VARIED[part]
    value = getattr(outcomes[0].config, name)
    where = f"on {kind} mazes with {name} {value:g}"
    made = [parameter(f"vipi.{part}.{tag}.value", value, unit, f"a {name} that was tried on {kind} mazes", fmt=fmt)]
    for method in [m for m in METHODS if m in outcomes[0].metrics]:
        words = METHODS[method]
        key = f"vipi.{part}.{tag}.{method}"
        count = "sweeps" if method == "vi" else "rounds"
        digits = ",.0f" if method == "vi" else ".1f"
        made += [
            _over_seeds(f"{key}_{count}", outcomes, entry(method, "rounds"), "iterations", f"{count} of {words} {where}", digits, ",.0f", better="lower"),
            _over_seeds(f"{key}_backups", outcomes, entry(method, "backups"), "backups", f"look-aheads of {words} {where}", ",.0f", ",.0f", better="lower"),
        ]  # fmt: skip
        if part == "size":
            time_unit, scale, time_fmt = "s", 1.0, ".2g"
        else:
            time_unit, scale, time_fmt = "ms", 1e3, ",.1f"
        made.append(_over_seeds(f"{key}_seconds", outcomes, entry(method, "seconds", times=scale), time_unit, f"time of {words} {where}", time_fmt, time_fmt, better="lower", machine=True, tolerance=3.0))  # fmt: skip
    return made


def _depth_facts(tag: str, m: int, outcomes: Sequence[Outcome]) -> list[Fact]:
    words = f"modified policy iteration with {m} evaluation sweeps a round"
    key = f"vipi.depth.{tag}"
    return [
        parameter(f"{key}.value", m, "sweeps", "a number of evaluation sweeps a round that was tried", fmt="d"),
        _over_seeds(f"{key}.rounds", outcomes, entry("rounds"), "iterations", f"rounds of {words}", ".1f", ",.0f", better="lower"),
        _over_seeds(f"{key}.backups", outcomes, entry("backups"), "backups", f"look-aheads of {words}", ",.0f", ",.0f", better="lower"),
        _over_seeds(f"{key}.seconds", outcomes, entry("seconds", times=1e3), "ms", f"time of {words}", ",.1f", ",.1f", better="lower", machine=True, tolerance=3.0),
    ]  # fmt: skip


def _rate_facts(world: str, tag: str, outcomes: Sequence[Outcome]) -> list[Fact]:
    label, key = RATE_WORLDS[world], f"vipi.rate.{world}.{tag}"
    digits = ".4f" if tag == "g999" else ".3f"
    words = {
        "worst": "largest factor by which one sweep shrank the error",
        "tail": "late factor by which a sweep shrinks the error",
        "predicted": "late factor predicted: discount times the optimal policy's spectral radius",
    }
    if world != "errand":
        words |= {
            "span_tail": "late factor by which a sweep shrinks the span of the error",
            "span_predicted": "late span factor predicted: discount times the second eigenvalue's modulus",
        }
    return [
        _over_seeds(f"{key}.{name}", outcomes, entry(name), "factor", f"{label}: {text}", digits, ".3f", better="lower")
        for name, text in words.items()
    ]  # fmt: skip


def derived() -> Sequence[Derivation]:
    """Ratios between methods and along each sweep."""
    d, e, z = "vipi.discount", "vipi.ends", "vipi.size"
    return [
        derive("vipi.vi_growth", "ratio", f"{d}.g999.vi_sweeps", f"{d}.g900.vi_sweeps", description="courier: sweeps of value iteration at the largest discount over those at a modest one", fmt=".0f"),
        derive("vipi.pi_growth", "ratio", f"{d}.g999.pi_rounds", f"{d}.g900.pi_rounds", description="courier: rounds of policy iteration at the largest discount over those at a modest one", fmt=".1f"),
        derive("vipi.ends_growth", "ratio", f"{e}.g999.vi_sweeps", f"{e}.g900.vi_sweeps", description="errand: sweeps of value iteration at the largest discount over those at a modest one", fmt=".1f"),
        derive("vipi.never_ending", "ratio", f"{d}.g999.vi_sweeps", f"{e}.g999.vi_sweeps", description="sweeps of value iteration on couriers' mazes over those on errands, at the largest discount", fmt=".0f"),
        derive("vipi.sweeps_per_round", "ratio", f"{d}.g999.vi_sweeps", f"{d}.g999.pi_rounds", description="courier: sweeps of value iteration for each round of policy iteration, at the largest discount", fmt=".0f"),
        derive("vipi.pi_speedup", "ratio", f"{d}.g999.vi_seconds", f"{d}.g999.pi_seconds", description="courier: time of value iteration over that of policy iteration, at the largest discount", fmt=".1f", plain_fmt=".0f", tolerance=2.0),
        derive("vipi.textbook_work", "ratio", f"{d}.g990.pisweep_backups", f"{d}.g990.vi_backups", description="courier: look-aheads of policy iteration by sweeps over those of value iteration", fmt=".1f"),
        derive("vipi.size_rounds_growth", "ratio", f"{z}.large.pi_rounds", f"{z}.tiny.pi_rounds", description="errand: rounds of policy iteration in the largest mazes over those in the smallest", fmt=".0f"),
        derive("vipi.size_sweeps_growth", "ratio", f"{z}.large.vi_sweeps", f"{z}.tiny.vi_sweeps", description="errand: sweeps of value iteration in the largest mazes over those in the smallest", fmt=".0f"),
        derive("vipi.size_growth", "ratio", f"{z}.large.value", f"{z}.tiny.value", description="states of the largest mazes over those of the smallest", fmt=",.0f"),
        derive("vipi.large_pi_penalty", "ratio", f"{z}.large.pi_seconds", f"{z}.large.vi_seconds", description="errand: time of policy iteration over that of value iteration in the largest mazes", fmt=".1f", plain_fmt=".0f", tolerance=2.0),
        derive("vipi.large_mpi_gain", "ratio", f"{z}.large.vi_backups", f"{z}.large.mpi_backups", description="errand: look-aheads of value iteration over those of modified policy iteration in the largest mazes", fmt=".1f"),
        derive("vipi.slip_growth", "ratio", "vipi.slip.p40.vi_sweeps", "vipi.slip.p00.vi_sweeps", description="errand: sweeps of value iteration on the most slippery floor over those on a dry one", fmt=".1f"),
        derive("vipi.dry_mpi_waste", "ratio", "vipi.slip.p00.mpi_backups", "vipi.slip.p00.vi_backups", description="errand: look-aheads of modified policy iteration over those of value iteration on a dry floor", fmt=".1f"),
        derive("vipi.depth_gain", "ratio", "vipi.depth.m0.backups", "vipi.depth.m5.backups", description="courier: look-aheads without evaluation sweeps over those with a few", fmt=".1f"),
        derive("vipi.depth_waste", "ratio", "vipi.depth.m500.backups", "vipi.depth.m5.backups", description="courier: look-aheads with very many evaluation sweeps over those with a few", fmt=".0f"),
        derive("vipi.errand_slack", "difference", "vipi.rate.g990.discount", "vipi.rate.errand.g990.tail", description="errand: by how much the late factor undercuts the guarantee", fmt=".2f"),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    d, e, z = "vipi.discount", "vipi.ends", "vipi.size"
    return [
        claim(
            "vipi.claim.same_answer",
            "less",
            "vipi.agreement",
            "vipi.tolerance",
            says="Everywhere the methods give the same values: they never differ by more than {val}`vipi.agreement`, within the tolerance of {val}`vipi.tolerance`.",
            plain="All methods reach the same answer; the only question is what it costs.",
        ),
        claim(
            "vipi.claim.vi_grows_with_discount",
            "increasing",
            *[f"{d}.{tag}.vi_sweeps" for tag in DISCOUNTS],
            says="On couriers' mazes, which never end, value iteration needs more sweeps at every larger discount: {val}`vipi.discount.g900.vi_sweeps` at {val}`vipi.discount.g900.value` and {val}`vipi.discount.g999.vi_sweeps` at {val}`vipi.discount.g999.value`.",
            plain="The farther ahead the planner looks, the more rounds simple updating needs: from {val}`vipi.discount.g900.vi_sweeps` to {val}`vipi.discount.g999.vi_sweeps` on the same mazes.",
        ),
        claim(
            "vipi.claim.pi_rounds_stay",
            "ratio_at_most",
            f"{d}.g999.pi_rounds",
            f"{d}.g900.pi_rounds",
            bound=2,
            says="Policy iteration barely notices the discount there: {val}`vipi.discount.g900.pi_rounds` rounds become {val}`vipi.discount.g999.pi_rounds`, while value iteration comes to make {val}`vipi.vi_growth` as many sweeps.",
            plain="Revising whole plans takes about {val}`vipi.discount.g999.pi_rounds` rounds, however far ahead the planner looks.",
        ),
        claim(
            "vipi.claim.fewer_rounds_everywhere",
            "ratio_at_least",
            f"{d}.g999.vi_sweeps",
            f"{d}.g999.pi_rounds",
            bound=50,
            says="At a discount of {val}`vipi.discount.g999.value` value iteration makes {val}`vipi.sweeps_per_round` as many sweeps as policy iteration makes rounds.",
            plain="Looking far ahead, simple updating takes {val}`vipi.sweeps_per_round` as many rounds as revising whole plans.",
        ),
        claim(
            "vipi.claim.pi_is_faster_far_ahead",
            "ratio_at_least",
            f"{d}.g999.vi_seconds",
            f"{d}.g999.pi_seconds",
            bound=2,
            says="There policy iteration is also faster: {val}`vipi.discount.g999.pi_seconds` against {val}`vipi.discount.g999.vi_seconds`, although each of its rounds solves a linear system.",
            plain="Looking far ahead, revising whole plans is also quicker: {val}`vipi.discount.g999.pi_seconds` instead of {val}`vipi.discount.g999.vi_seconds`.",
        ),
        claim(
            "vipi.claim.pi_is_faster_on_every_seed",
            "all_seeds",
            f"{d}.g999.pi_seconds",
            f"{d}.g999.vi_seconds",
            says="It is faster on all {val}`vipi.seeds` mazes.",
            plain="That held on all {val}`vipi.seeds` mazes.",
        ),
        claim(
            "vipi.claim.vi_is_faster_nearby",
            "ratio_at_least",
            f"{d}.g500.pi_seconds",
            f"{d}.g500.vi_seconds",
            bound=3,
            says="For a short-sighted planner the order is reversed: at a discount of {val}`vipi.discount.g500.value` value iteration takes {val}`vipi.discount.g500.vi_seconds` and policy iteration {val}`vipi.discount.g500.pi_seconds`.",
            plain="Looking only a few steps ahead, simple updating is the quicker way: {val}`vipi.discount.g500.vi_seconds` instead of {val}`vipi.discount.g500.pi_seconds`.",
        ),
        claim(
            "vipi.claim.textbook_pi_works_more",
            "all_seeds",
            f"{d}.g990.vi_backups",
            f"{d}.g990.pisweep_backups",
            says="Few rounds are not little work: evaluating by sweeps, as the textbook does, policy iteration spends {val}`vipi.discount.g990.pisweep_backups` look-aheads at a discount of {val}`vipi.discount.g990.value`, value iteration {val}`vipi.discount.g990.vi_backups`, fewer on every maze.",
            plain="Fewer rounds can still mean more work: the textbook version of plan revision makes {val}`vipi.textbook_work` as many small calculations as simple updating.",
        ),
        claim(
            "vipi.claim.endings_tame_the_discount",
            "ratio_at_most",
            f"{e}.g999.vi_sweeps",
            f"{e}.g900.vi_sweeps",
            bound=3,
            says="On errands, which end, the discount hardly matters: from {val}`vipi.ends.g900.vi_sweeps` sweeps at {val}`vipi.ends.g900.value` to {val}`vipi.ends.g999.vi_sweeps` at {val}`vipi.ends.g999.value`, only {val}`vipi.ends_growth` as many.",
            plain="When a task has an end, looking farther ahead costs little: {val}`vipi.ends.g999.vi_sweeps` rounds instead of {val}`vipi.ends.g900.vi_sweeps`.",
        ),
        claim(
            "vipi.claim.never_ending_is_harder",
            "ratio_at_least",
            f"{d}.g999.vi_sweeps",
            f"{e}.g999.vi_sweeps",
            bound=5,
            says="In mazes from the same seeds and at the same discount, the courier's round takes value iteration {val}`vipi.never_ending` as many sweeps as the errand.",
            plain="A task that never ends takes simple updating {val}`vipi.never_ending` as many rounds as one that does, in the same mazes.",
        ),
        claim(
            "vipi.claim.sweeps_grow_with_size",
            "increasing",
            *[f"{z}.{tag}.vi_sweeps" for tag in SCALES["small"].sizes],
            says="On errands it is size that costs sweeps: {val}`vipi.size.tiny.vi_sweeps` for {val}`vipi.size.tiny.value` states and {val}`vipi.size.large.vi_sweeps` for {val}`vipi.size.large.value`, which is {val}`vipi.size_sweeps_growth` as many for {val}`vipi.size_growth` as many states.",
            plain="Bigger mazes need more rounds, but far fewer than their size suggests: {val}`vipi.size_growth` as many places, {val}`vipi.size_sweeps_growth` as many rounds.",
        ),
        claim(
            "vipi.claim.pi_rounds_grow_with_size",
            "increasing",
            *[f"{z}.{tag}.pi_rounds" for tag in ("tiny", "small", "medium", "large")],
            says="The rounds of policy iteration are no constant either: with the same sizes they grow from {val}`vipi.size.tiny.pi_rounds` to {val}`vipi.size.large.pi_rounds`.",
            plain="Plan revision needs more rounds in bigger mazes too: {val}`vipi.size.large.pi_rounds` in the largest, {val}`vipi.size.tiny.pi_rounds` in the smallest.",
        ),
        claim(
            "vipi.claim.pi_is_slow_when_large",
            "ratio_at_least",
            f"{z}.large.pi_seconds",
            f"{z}.large.vi_seconds",
            bound=1.5,
            says="In the largest mazes policy iteration is the slow one: {val}`vipi.size.large.pi_seconds`, value iteration {val}`vipi.size.large.vi_seconds`, modified policy iteration {val}`vipi.size.large.mpi_seconds`.",
            plain="In mazes of {val}`vipi.size.large.value` places, plan revision takes {val}`vipi.large_pi_penalty` as long as simple updating.",
        ),
        claim(
            "vipi.claim.mpi_saves_when_large",
            "all_seeds",
            f"{z}.large.mpi_backups",
            f"{z}.large.vi_backups",
            says="In all of the largest mazes modified policy iteration does less work than value iteration: {val}`vipi.size.large.mpi_backups` look-aheads against {val}`vipi.size.large.vi_backups`.",
            plain="The compromise between the methods saves work in large mazes: simple updating makes {val}`vipi.large_mpi_gain` as many small calculations.",
        ),
        claim(
            "vipi.claim.slip_costs_sweeps",
            "increasing",
            *[f"vipi.slip.{tag}.vi_sweeps" for tag in SLIPS],
            says="Slipping costs sweeps as well: {val}`vipi.slip.p00.vi_sweeps` on a dry floor, {val}`vipi.slip.p40.vi_sweeps` where {val}`vipi.slip.p40.value` of the steps go astray.",
            plain="An unreliable floor makes planning slower: {val}`vipi.slip_growth` as many rounds where {val}`vipi.slip.p40.value` of the steps slip.",
        ),
        claim(
            "vipi.claim.mpi_wastes_when_dry",
            "all_seeds",
            "vipi.slip.p00.vi_backups",
            "vipi.slip.p00.mpi_backups",
            says="On a dry floor modified policy iteration makes {val}`vipi.dry_mpi_waste` as many look-aheads as value iteration, and more in every maze: there is nothing to average, and evaluating a policy that is about to be replaced is wasted.",
            plain="Without any uncertainty the compromise does not pay: it makes {val}`vipi.dry_mpi_waste` as many small calculations as simple updating.",
        ),
        claim(
            "vipi.claim.some_evaluation_helps",
            "ratio_at_least",
            "vipi.depth.m0.backups",
            "vipi.depth.m5.backups",
            bound=1.3,
            says="Evaluating a little before improving pays: with {val}`vipi.depth.m5.value` evaluation sweeps a round modified policy iteration spends {val}`vipi.depth.m5.backups` look-aheads, without any {val}`vipi.depth.m0.backups`.",
            plain="Trying out a plan briefly before revising it saves work: without the trial, {val}`vipi.depth_gain` as many small calculations are needed.",
        ),
        claim(
            "vipi.claim.much_evaluation_wastes",
            "ratio_at_least",
            "vipi.depth.m500.backups",
            "vipi.depth.m5.backups",
            bound=3,
            says="Evaluating too much does not: {val}`vipi.depth.m500.value` sweeps a round make it {val}`vipi.depth_waste` as many look-aheads as {val}`vipi.depth.m5.value` do.",
            plain="Trying out every plan at length wastes effort: it takes {val}`vipi.depth_waste` as many small calculations.",
        ),
        claim(
            "vipi.claim.guarantee_holds",
            "below",
            "vipi.rate.slack",
            bound=1 + 1e-6,
            says="No sweep of value iteration shrank the error by less than the discount promises: the largest factor seen anywhere is {val}`vipi.rate.slack` the discount.",
            plain="The guarantee of the theory held in every single round: errors shrank at least as fast as promised.",
        ),
        claim(
            "vipi.claim.guarantee_is_tight",
            "within",
            "vipi.rate.g990.discount",
            "vipi.rate.gridworld5.g990.tail",
            "vipi.rate.courier.g990.tail",
            bound=1e-3,
            says="Where the process never ends, the guarantee is exact: at a discount of {val}`vipi.rate.g990.discount` errors shrink by {val}`vipi.rate.courier.g990.tail` a sweep on couriers' mazes and by {val}`vipi.rate.gridworld5.g990.tail` on the grid with jumps.",
            plain="In tasks that never end, progress is exactly as slow as the theory fears.",
        ),
        claim(
            "vipi.claim.errands_beat_the_guarantee",
            "less",
            "vipi.rate.errand.g990.tail",
            "vipi.rate.g990.discount",
            bound=0.1,
            says="Where it ends, the guarantee is far too pessimistic: on errands the error shrinks by {val}`vipi.rate.errand.g990.tail` a sweep in the end, because every step leads some probability out of the process.",
            plain="In tasks that end, progress is much quicker than guaranteed: in the end, each round leaves only {val}`vipi.rate.errand.g990.tail` of the error.",
        ),
        claim(
            "vipi.claim.eigenvalue_predicts",
            "within",
            "vipi.rate.errand.g990.predicted",
            "vipi.rate.errand.g990.tail",
            bound=0.06,
            says="The optimal policy's own matrix comes close to that: discount times spectral radius is {val}`vipi.rate.errand.g990.predicted`.",
            plain="How quickly the best plan itself reaches the goal explains the pace: the prediction is {val}`vipi.rate.errand.g990.predicted`.",
        ),
        claim(
            "vipi.claim.span_shrinks_faster",
            "all_seeds",
            "vipi.rate.courier.g999.span_tail",
            "vipi.rate.courier.g999.tail",
            says="Stopping by the span of the change instead of its size is what keeps couriers' mazes affordable: at a discount of {val}`vipi.rate.g999.discount` the span shrinks by {val}`vipi.rate.courier.g999.span_tail` a sweep, the error itself by {val}`vipi.rate.courier.g999.tail`.",
            plain="Differences between places settle sooner than their absolute worth, and differences are all a plan needs.",
        ),
        claim(
            "vipi.claim.second_eigenvalue_predicts",
            "within",
            "vipi.rate.courier.g999.span_predicted",
            "vipi.rate.courier.g999.span_tail",
            bound=1e-3,
            says="That factor is the discount times the second eigenvalue of the optimal policy, {val}`vipi.rate.courier.g999.span_predicted`.",
            plain="Theory predicts that pace closely: {val}`vipi.rate.courier.g999.span_predicted` expected, {val}`vipi.rate.courier.g999.span_tail` measured.",
        ),
    ]


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Convergence, rounds and time against discount and size, work against m, contraction against theory."""
    races = [o for o in outcomes if isinstance(o.config, Race)]
    return [
        _convergence([o for o in outcomes if isinstance(o.config, Rate)]),
        _discounts([o for o in races if o.config.part in ("discount", "ends")]),
        _sizes([o for o in races if o.config.part == "size"]),
        _depth([o for o in outcomes if isinstance(o.config, Depth)]),
        _contraction([o for o in outcomes if isinstance(o.config, Rate)]),
    ]


SHORT = {"vi": "value\niteration", "mpi": "modified", "pi": "policy\niteration"}
COLOUR = {"vi": 0, "pi": 1, "mpi": 2, "pisweep": 3}


def _by_x(outcomes: Sequence[Outcome], x: Callable[[Any], float], read: Read) -> tuple[list[float], list[float], list[list[float]]]:  # fmt: skip
    """x, interquartile mean and per-seed values at every x."""
    xs = sorted({x(o.config) for o in outcomes})
    points = [[read(o.metrics) for o in outcomes if x(o.config) == each] for each in xs]
    return xs, [stats.iqm(values) for values in points], points


def _long(rows: Sequence[tuple[Any, ...]], *names: str) -> dict[str, list[Any]]:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _convergence(outcomes: Sequence[Outcome]) -> Figure:
    chosen = {(o.config.world, o.config.discount): o.metrics for o in outcomes if o.seed == 0}
    curves = [
        ("errand", 0.99, "errand, 0.99", 2, 3e-9, "right"),
        ("courier", 0.9, "courier, 0.9", 1, 1e-2, "right"),
        ("courier", 0.99, "0.99", 0, 1e-5, "left"),
        ("courier", 0.999, "0.999", 3, 1e-2, "left"),
    ]
    rows = [
        (world, gamma, k, error)
        for world, gamma, *_ in curves
        for k, error in zip(chosen[world, gamma]["curve_sweeps"], chosen[world, gamma]["curve_errors"], strict=True)
    ]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xscale="log", yscale="log", xlabel="sweeps (log scale)", ylabel="largest error, relative")
            for world, gamma, name, index, level, side in curves:
                ks = np.array(chosen[world, gamma]["curve_sweeps"], dtype=float)
                es = np.array(chosen[world, gamma]["curve_errors"])
                c = plots.colour(theme, index)
                axes.plot(ks[1:], es[1:], color=c)
                axes.plot(ks[1:], gamma ** ks[1:], color=c, linestyle=(0, (2, 2)), linewidth=1.2)
                at = int(np.argmax(es <= level))
                axes.annotate(
                    name, (ks[at], es[at]), xytext=(-7 if side == "right" else 7, 0), textcoords="offset points",
                    ha=side, va="center", color=c, fontweight="bold",
                )  # fmt: skip
            axes.set_ylim(1e-10, 3)

        return plots.figure(theme, 3.9, fill)

    return Figure(
        "vipi_convergence",
        "Error of value iteration after every sweep in one errand and one courier's maze, by discount. Dotted: what the "
        "contraction guarantees. Couriers' errors follow it closely; the errand's drops off once its policy is right.",
        "How quickly the error falls, round by round. The farther ahead a task without end makes the planner look, the "
        "longer it takes; a task with an end is done early.",
        "Falling curves on logarithmic scales. The errand and the courier with the smallest discount fall first, then "
        "the other couriers, the larger the discount the later.",
        _long(rows, "maze", "discount", "sweeps", "relative error"),
        draw,
    )


def _discounts(outcomes: Sequence[Outcome]) -> Figure:
    courier = [o for o in outcomes if o.config.part == "discount"]
    errand = [o for o in outcomes if o.config.part == "ends"]

    def horizon(config: Race) -> float:
        return round(1 / (1 - config.discount), 6)

    rows = [
        (o.config.part, o.config.discount, o.seed, name, o.metrics[name]["rounds"], 1e3 * o.metrics[name]["seconds"])
        for o in outcomes
        for name in SHORT
    ]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            top, bottom = canvas.subplots(2, 1)
            for axes, what, factor in ((top, "rounds", 1.0), (bottom, "seconds", 1e3)):
                axes.set(xscale="log", yscale="log")
                series = []
                for name, label in SHORT.items():
                    xs, ys, points = _by_x(courier, horizon, entry(name, what, times=factor))
                    series.append(plots.Line(label, xs, ys, COLOUR[name], points=points))
                if what == "rounds":
                    xs, ys, points = _by_x(errand, horizon, entry("vi", "rounds"))
                    series.append(plots.Line("the same,\non errands", xs, ys, COLOUR["vi"], points=points, dashed=True))
                plots.lines(axes, theme, series, room=0.27)
                axes.set_xticks([2, 10, 100, 1000], ["2", "10", "100", "1,000"])
                axes.minorticks_off()
                plots.plain_ticks(axes, y=True)
            top.set_title("Sweeps or rounds")
            bottom.set_title("Milliseconds")
            bottom.set_xlabel("steps the planner looks ahead, 1 / (1 − discount)")

        return plots.figure(theme, 6.2, fill)

    return Figure(
        "vipi_discount",
        "Couriers' mazes of {val}`vipi.base_states` states: sweeps of value iteration, rounds of policy iteration and of "
        "modified policy iteration (m = {val}`vipi.m`), and their time, against the horizon. Dots are the "
        "{val}`vipi.seeds` mazes, lines interquartile means; dashed: value iteration on errands.",
        "The farther ahead the planner looks, the more rounds and time simple updating takes. Revising whole plans "
        "stays about the same.",
        "A pair of charts on logarithmic scales. Sweeps and time of value iteration rise steadily with the horizon, those of "
        "modified policy iteration less so, those of policy iteration stay level.",
        _long(rows, "part", "discount", "seed", "method", "rounds", "milliseconds"),
        draw,
        machine=True,
    )


def _sizes(outcomes: Sequence[Outcome]) -> Figure:
    rows = [
        (o.config.states, o.seed, name, o.metrics[name]["rounds"], o.metrics[name]["seconds"])
        for o in outcomes
        for name in SHORT
    ]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            top, bottom = canvas.subplots(2, 1)
            for axes, what in ((top, "rounds"), (bottom, "seconds")):
                axes.set(xscale="log", yscale="log")
                series = []
                for name, label in SHORT.items():
                    xs, ys, points = _by_x(outcomes, lambda c: c.states, entry(name, what))
                    series.append(plots.Line(label, xs, ys, COLOUR[name], points=points))
                plots.lines(axes, theme, series, room=0.27)
                axes.minorticks_off()
                axes.set_xticks(xs, [f"{x:,.0f}" for x in xs])
                plots.plain_ticks(axes, y=True)
            top.set_title("Sweeps or rounds")
            bottom.set_title("Seconds")
            bottom.set_xlabel("states of the maze")

        return plots.figure(theme, 6.2, fill)

    return Figure(
        "vipi_size",
        "Errands of growing size at discount {val}`vipi.base_discount`: sweeps or rounds, and time. Policy iteration needs "
        "the fewest rounds at every size and the most time in the largest mazes. Dots are single mazes.",
        "In small mazes every method is done in an instant. In large ones, revising whole plans takes the fewest "
        "rounds and yet the most time, because each round is long.",
        "A pair of charts on logarithmic scales against the number of states. All curves rise. In the lower one, the time of "
        "policy iteration lies above the others throughout.",
        _long(rows, "states", "seed", "method", "rounds", "seconds"),
        draw,
        machine=True,
    )


def _depth(outcomes: Sequence[Outcome]) -> Figure:
    rows = [(o.config.m, o.seed, o.metrics["backups"], o.metrics["rounds"]) for o in outcomes]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(yscale="log", xlabel="evaluation sweeps a round, m", ylabel="look-aheads (log scale)")
            ms, ys, points = _by_x(outcomes, lambda c: c.m, entry("backups"))
            at = [float(i) for i in range(len(ms))]
            plots.lines(axes, theme, [plots.Line("", at, ys, COLOUR["mpi"], points=points)], room=0.02)
            axes.set_xticks(at, [f"{m:g}" for m in ms])
            axes.set_xlim(-0.4, len(ms) - 0.6)
            axes.margins(y=0.15)
            axes.grid(axis="x", visible=False)
            axes.annotate(
                "value iteration", (0, ys[0]), xytext=(8, 6), textcoords="offset points",
                color=plots.colour(theme, 0), fontweight="bold",
            )  # fmt: skip
            axes.annotate(
                "towards policy iteration", (at[-1], ys[-1]), xytext=(-12, 0), textcoords="offset points", ha="right",
                va="center", color=plots.colour(theme, 1), fontweight="bold",
            )  # fmt: skip

        return plots.figure(theme, 3.7, fill)

    return Figure(
        "vipi_depth",
        "Work of modified policy iteration against the evaluation sweeps a round, on couriers' mazes at discount "
        "{val}`vipi.base_discount`. A few save {val}`vipi.depth_gain` of the look-aheads, many waste them. Dots are mazes.",
        "How long to try out a plan before revising it? A little is best: too little and too much both cost more work.",
        "A curve that dips: most work at the right, where plans are evaluated at length, less at the left, where they "
        "are not evaluated at all, least in between.",
        _long(rows, "m", "seed", "look-aheads", "rounds"),
        draw,
    )


def _contraction(outcomes: Sequence[Outcome]) -> Figure:
    kinds = [
        ("errand", "tail", "predicted", "errand", 2),
        ("courier", "span_tail", "span_predicted", "courier,\nspan", 0),
        ("courier", "tail", "predicted", "courier", 3),
        ("gridworld5", "tail", "predicted", "5×5 grid", 1),
    ]
    rows = [
        (name.replace("\n", " "), o.config.discount, o.seed, o.metrics[measured], o.metrics[predicted])
        for world, measured, predicted, name, _ in kinds
        for o in outcomes
        if o.config.world == world
    ]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(
                xscale="log", yscale="log", xlabel="shrinkage guaranteed, 1 − discount",
                ylabel="shrinkage a sweep, measured",
            )  # fmt: skip
            series = []
            for world, measured, predicted, name, index in kinds:
                own = [o for o in outcomes if o.config.world == world]
                xs, ys, points = _by_x(own, lambda c: round(1 - c.discount, 9), entry(measured, times=-1, plus=1))
                _, theory, _ = _by_x(own, lambda c: round(1 - c.discount, 9), entry(predicted, times=-1, plus=1))
                axes.plot(
                    xs, theory, linestyle="none", marker="o", markersize=13, markerfacecolor="none",
                    markeredgecolor=plots.colour(theme, index), markeredgewidth=1.3,
                )  # fmt: skip
                series.append(plots.Line(name, xs, ys, index, points=points))
            plots.lines(axes, theme, series, room=0.24)
            axes.minorticks_off()
            axes.set_xticks([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"])
            axes.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])

        return plots.figure(theme, 4.3, fill)

    return Figure(
        "vipi_contraction",
        "The share of the error that a late sweep removes, against what the contraction guarantees. Small marks: "
        "measured; rings: predicted from the eigenvalues of the optimal policy. The grid with jumps and the courier "
        "meet the guarantee exactly; the courier's span and the errand exceed it.",
        "Theory guarantees a minimum of progress in every round. Tasks without end make just that minimum; tasks with "
        "an end make far more.",
        "A chart on logarithmic scales. The courier and the grid with jumps lie on the rising diagonal of the guarantee, the courier's span lies "
        "above it, and the errand's line stays level near the top. Rings sit on the marks.",
        _long(rows, "series", "discount", "seed", "measured factor", "predicted factor"),
        draw,
    )
