"""Staying within a budget while learning: who keeps it, at what price, and how far from the best possible?

The swamp of `constrained.py`, where the best policy mixes and is known from a linear programme. Learners see sampled
episodes; what is reported is the exact return and cost of every policy they held on the way.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.kit import plots, stats
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.kit.summary import entry, over_seeds, table
from experiments.week04_policy import cpo, pcpo, primal_dual
from experiments.week04_policy.constrained import Trail, optimum, swamp

TITLE = "Learning within a budget"
QUESTION = "Which constrained methods keep their budget while they learn, and what return does it cost them?"
LIMITS = (
    "The task is a table with a single constraint; large networks make the linear model of the cost much cruder.",
    "Every update has a fresh batch of whole episodes, so the cost is estimated without a critic's bias.",
    "The price of the primal-dual method moves at a rate chosen on other seeds; faster rates swing more, slower ones violate longer.",
    "Keeping a budget in expectation says nothing about a single episode, which may cost far more.",
)
TIMED = False

Method = Literal["cpo", "pcpo", "primal_dual", "blind"]
NAMES: Mapping[Method, str] = {"cpo": "CPO", "pcpo": "PCPO", "primal_dual": "primal-dual", "blind": "no constraint"}
TOLERANCE = 0.1  # of cost: about the standard error of the mean cost of a batch


@dataclass(frozen=True)
class Scale:
    """What a budget changes."""

    updates: int
    episodes: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {"smoke": Scale(30, 32, 3), "small": Scale(120, 256, 10), "full": Scale(600, 1024, 30)}


@dataclass(frozen=True)
class Trial:
    """One method."""

    method: Method
    updates: int
    episodes: int
    budget: float = 1.5


def sweep(budget: Budget) -> Sequence[Point]:
    """Every method over all seeds."""
    s = SCALES[budget]
    return [Point(Trial(m, s.updates, s.episodes), seed) for m in NAMES for seed in range(s.seeds)]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """The trail of one run, and what its later part amounts to."""
    trail = _trail(config, seed, log)
    late = slice(config.updates // 2, None)
    costs = np.array(trail.costs)
    value, cost, _ = optimum(swamp(budget=config.budget))
    free_value, free_cost, _ = optimum(swamp(), 1e9)
    return {
        "returns": trail.returns,
        "costs": trail.costs,
        "late_return": float(np.mean(trail.returns[late])),
        "late_cost": float(costs[late].mean()),
        "late_swing": float(costs[late].std()),
        "worst": float(costs[late].max()),
        "violated": float((costs > config.budget + TOLERANCE).mean()),
        "kl": max(trail.kl),
        "optimum": {"return": value, "cost": cost, "free_return": free_value, "free_cost": free_cost},
        "steps": trail.steps,
    }


def _trail(config: Trial, seed: int, log: Log) -> Trail:
    common: dict[str, Any] = {"updates": config.updates, "episodes": config.episodes, "budget": config.budget}
    match config.method:
        case "cpo":
            return cpo.train(cpo.Config(**common), seed, log)
        case "pcpo":
            return pcpo.train(cpo.Config(**common), seed, log)
        case "primal_dual":
            return primal_dual.train(primal_dual.Config(**common), seed, log)
        case "blind":
            return primal_dual.train(primal_dual.Config(**common, rate=0.0), seed, log)


def _of(outcomes: Sequence[Outcome], method: str) -> list[Outcome]:
    return [o for o in outcomes if o.config.method == method]


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings, the linear programme, and every method's later half."""
    c, known = outcomes[0].config, outcomes[0].metrics["optimum"]
    settings = cpo.Config()
    made = [
        parameter("budget.seeds", len(_of(outcomes, "cpo")), "seeds", "runs of each method", fmt="d"),
        parameter("budget.updates", c.updates, "updates", "updates of each run", fmt="d"),
        parameter("budget.episodes", c.episodes, "episodes", "episodes an update", fmt="d"),
        parameter("budget.limit", c.budget, "cost", "the budget on the expected discounted cost", fmt=".1f"),
        parameter("budget.tolerance", TOLERANCE, "cost", "what counts as within the budget, above it", fmt=".1f"),
        parameter("budget.delta", settings.delta, "nats", "trust region of every step", fmt=".2f"),
        fact("budget.best.return", known["return"], "return", "return of the best policy within the budget, by linear programming", fmt=".3f", plain_fmt=".2f", better="higher", kind="exact"),
        fact("budget.best.cost", known["cost"], "cost", "cost of the best policy within the budget", fmt=".2f", kind="exact"),
        fact("budget.free.return", known["free_return"], "return", "return of the best policy without a budget", fmt=".3f", plain_fmt=".2f", better="higher", kind="exact"),
        fact("budget.free.cost", known["free_cost"], "cost", "cost of the best policy without a budget", fmt=".2f", kind="exact"),
    ]  # fmt: skip
    for m, name in NAMES.items():
        own = _of(outcomes, m)
        made += [
            over_seeds(f"budget.return.{m}", own, entry("late_return"), "return", f"mean exact return of {name} over the later part of training", fmt=".3f", plain_fmt=".2f", better="higher"),
            over_seeds(f"budget.cost.{m}", own, entry("late_cost"), "cost", f"mean exact cost of {name} over the later part of training", fmt=".2f", plain_fmt=".1f", better="lower"),
            over_seeds(f"budget.swing.{m}", own, entry("late_swing"), "cost", f"standard deviation from update to update of the cost of {name}", fmt=".2f", better="lower"),
            over_seeds(f"budget.worst.{m}", own, entry("worst"), "cost", f"worst policy's cost of {name} over the later part of training", fmt=".2f", plain_fmt=".1f", better="lower"),
            over_seeds(f"budget.violated.{m}", own, entry("violated"), "fraction", f"share of all policies of {name} above the budget and its tolerance", fmt=".2f", plain_fmt=".0%", better="lower"),
            over_seeds(f"budget.kl.{m}", own, entry("kl"), "nats", f"largest KL of a step of {name}", fmt=".4f", better="lower"),
        ]  # fmt: skip
    return made


def derived() -> Sequence[Derivation]:
    """Excess over the budget and lack of return."""
    return [
        *(derive(f"budget.excess.{m}", "difference", f"budget.cost.{m}", "budget.limit", description=f"mean cost of {name} less the budget", fmt=".2f", better="lower") for m, name in NAMES.items()),
        *(derive(f"budget.lack.{m}", "difference", "budget.best.return", f"budget.return.{m}", description=f"return of the best policy within the budget less that of {name}", fmt=".3f") for m, name in NAMES.items()),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim("budget.claim.blind_breaks_it", "greater", "budget.cost.blind", "budget.limit", bound=1.0,
            says="Without a constraint learning goes straight through the swamp: cost {val}`budget.cost.blind` where {val}`budget.limit` is allowed.",
            plain="A learner that is told nothing of the limit ignores it: {val}`budget.cost.blind` spent where {val}`budget.limit` is allowed."),
        claim("budget.claim.cpo_keeps_it", "within", "budget.limit", "budget.cost.cpo", bound=TOLERANCE,
            says="CPO stays at the budget: mean cost {val}`budget.cost.cpo` over the later part of training, {val}`budget.excess.cpo` from the limit.",
            plain="A method built for limits keeps them: it spends {val}`budget.cost.cpo` of {val}`budget.limit`."),
        claim("budget.claim.cpo_is_near_the_optimum", "within", "budget.best.return", "budget.return.cpo", bound=0.02,
            says="And it gets what can be had: return {val}`budget.return.cpo` against {val}`budget.best.return` for the best policy the linear programme finds.",
            plain="It also gets nearly all there is to get within the limit: {val}`budget.return.cpo` of {val}`budget.best.return`."),
        claim("budget.claim.cpo_trust_region", "below", "budget.kl.cpo", bound=0.01001,
            says="Its line search keeps every step within the trust region: the largest KL is {val}`budget.kl.cpo` where {val}`budget.delta` is allowed.",
            plain="None of its steps was longer than allowed."),
        claim("budget.claim.pcpo_has_no_line_search", "greater", "budget.kl.pcpo", "budget.delta",
            says="PCPO takes its projection as it comes, and some steps are longer than the trust region: up to {val}`budget.kl.pcpo`.",
            plain="The method that only projects takes longer steps than planned."),
        claim("budget.claim.pcpo_keeps_it", "within", "budget.limit", "budget.cost.pcpo", bound=TOLERANCE,
            says="Its mean cost is at the budget all the same: {val}`budget.cost.pcpo`.",
            plain="On average it keeps the limit all the same: {val}`budget.cost.pcpo`."),
        claim("budget.claim.prices_swing", "all_seeds", "budget.swing.cpo", "budget.swing.primal_dual",
            says="Under a price that learns from violations the cost swings by {val}`budget.swing.primal_dual` from update to update, under CPO by {val}`budget.swing.cpo`.",
            plain="Fining the learner works on average and swings on the way: by {val}`budget.swing.primal_dual`, against {val}`budget.swing.cpo` for the method built for limits."),
        claim("budget.claim.prices_overshoot", "all_seeds", "budget.worst.cpo", "budget.worst.primal_dual",
            says="So its worst late policy costs {val}`budget.worst.primal_dual`, that of CPO {val}`budget.worst.cpo`, on every seed.",
            plain="At its worst it spends {val}`budget.worst.primal_dual`, the other {val}`budget.worst.cpo`."),
        claim("budget.claim.the_limit_costs_return", "greater", "budget.free.return", "budget.best.return",
            says="The budget has a price whatever the method: {val}`budget.free.return` without it, at most {val}`budget.best.return` with it.",
            plain="Limits cost something, however well one learns: {val}`budget.best.return` instead of {val}`budget.free.return`."),
    ]  # fmt: skip


INDEX: Mapping[Method, int] = {"cpo": 0, "pcpo": 2, "primal_dual": 1, "blind": 3}


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Cost and return of every policy on the way."""
    updates = outcomes[0].config.updates
    known = outcomes[0].metrics["optimum"]
    limit = outcomes[0].config.budget
    stride = max(1, updates // 100)
    at = list(range(0, updates, stride))
    rows = [(NAMES[m], o.seed, u + 1, o.metrics["costs"][u], o.metrics["returns"][u]) for m in NAMES for o in _of(outcomes, m) for u in at]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            for axes, name, rule, label in zip(canvas.subplots(2, 1), ("costs", "returns"), (limit, known["return"]), ("cost", "return"), strict=True):  # fmt: skip
                axes.set(ylabel=label)
                axes.axhline(rule, color=palette.ink, linewidth=1.2, linestyle=(0, (2, 3)))
                series = []
                for m, index in INDEX.items():
                    runs = np.array([[o.metrics[name][u] for u in at] for o in _of(outcomes, m)])
                    middle = [stats.iqm(column) for column in runs.T]
                    series.append(plots.Line(NAMES[m], [u + 1 for u in at], middle, index, low=runs.min(0).tolist(), high=runs.max(0).tolist(), marker=False))  # fmt: skip
                plots.lines(axes, theme, series, room=0.27)
                axes.set_ylim(bottom=0)
            axes.set_xlabel("update")

        return plots.figure(theme, 5.6, fill)

    return [
        Figure(
            "budget_trails",
            "Exact cost (above) and return (below) of the policy after each update; lines are interquartile means over the seeds, bands span all seeds. Dotted: the budget, and the best return within it.",
            "What each method spends (above) and gets (below) as it learns. The dotted lines are the limit and the most that can be got within it.",
            "Above, the method without a constraint rises far over the dotted line, the primal-dual one swings around it, the others lie close to it. Below, all lie near the dotted line but the unconstrained one, which is above it.",
            table(rows, "method", "seed", "update", "cost", "return"),
            draw,
        )
    ]  # fmt: skip
