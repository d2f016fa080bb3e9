"""The suite side by side: REINFORCE, the natural gradient, TRPO, PPO and GRPO on three control tasks.

Every method gets the same number of steps of each task and is evaluated by its likeliest actions on other seeds at the
same points. One more part holds actors' parameters back by many updates: what do V-trace (IMPALA) and the clip
(asynchronous PPO) make of data that is old?
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.kit import plots, stats
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import entry, over_seeds, table
from experiments.week04_policy import appo, grpo, impala, natural_gradient, ppo, reinforce, trpo
from experiments.week04_policy.rollout import Curve

TITLE = "Five ways up the same gradient"
QUESTION = "How do REINFORCE, the natural gradient, TRPO, PPO and GRPO compare on control tasks for the same number of steps, and what does old data do to them?"
LIMITS = (
    "The tasks are small and the budgets short; orders may change with more steps, other networks or other tasks.",
    "Runs are shorter than the trials that settings were chosen on, and PPO's rate on CartPole falls to zero over the run: its order among methods here is not its order at the usual length.",
    "Settings were chosen by a few trials on another seed, a setting a task and method; no method was tuned hard.",
    "Return is that of the likeliest actions over whole episodes, not the return while exploring.",
    "GRPO compares episodes that start in different states, which is a handicap where the start decides, as on the pendulum; it was made for answers to the same prompt.",
    "Old data are simulated by holding parameters back in a single process; speed of asynchronous training was not measured.",
    "Few seeds stand behind each curve, so their percentile intervals are somewhat too narrow.",
)
TIMED = False

Method = Literal["reinforce", "natural", "trpo", "ppo", "grpo", "impala", "impala_off", "appo", "appo_off"]
METHODS: Mapping[Method, str] = {"reinforce": "REINFORCE", "natural": "natural gradient", "trpo": "TRPO", "ppo": "PPO", "grpo": "GRPO"}  # fmt: skip
LAGGED: Mapping[Method, str] = {"impala": "V-trace", "impala_off": "uncorrected", "appo": "clip and V-trace", "appo_off": "clip alone"}  # fmt: skip
Task = Literal["cartpole", "acrobot", "pendulum"]
TASKS: Mapping[Task, tuple[str, str]] = {"cartpole": ("CartPole-v1", "CartPole"), "acrobot": ("Acrobot-v1", "Acrobot"), "pendulum": ("Pendulum-v1", "Pendulum")}  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """What a budget changes."""

    steps: Mapping[Task, int]
    evaluations: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale({"cartpole": 1500, "acrobot": 1500, "pendulum": 1500}, 2, 3),
    "small": Scale({"cartpole": 30_000, "acrobot": 30_000, "pendulum": 40_000}, 5, 5),
    "full": Scale({"cartpole": 200_000, "acrobot": 200_000, "pendulum": 500_000}, 20, 20),
}


@dataclass(frozen=True)
class Trial:
    """One method on one task; `lag` updates lie between actors and learner in the part on old data."""

    method: Method
    task: Task
    steps: int
    evaluations: int
    lag: int = 0


LAG = 8


def sweep(budget: Budget) -> Sequence[Point]:
    """Every method on every task, then old data on CartPole, over all seeds."""
    s = SCALES[budget]
    trials = [Trial(m, t, s.steps[t], s.evaluations) for t in TASKS for m in METHODS]
    trials += [Trial(m, "cartpole", s.steps["cartpole"], s.evaluations, LAG) for m in LAGGED]
    return [Point(trial, seed) for trial in trials for seed in range(s.seeds)]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """The curve of one run, and the KL of its steps where the method reports one."""
    curve = _run(config, seed, log)
    divergences = curve.note("kl") if "kl" in curve.notes[0] else [0.0]
    return {
        "steps": curve.steps,
        "returns": curve.returns,
        "mean": float(np.mean(curve.returns)),
        "last": curve.returns[-1],
        "kl": max(divergences),
        "updates": len(curve.notes),
    }


def _run(config: Trial, seed: int, log: Log) -> Curve:
    common: dict[str, Any] = {"task": TASKS[config.task][0], "steps": config.steps, "evaluations": config.evaluations}
    swing = config.task == "pendulum"  # rewards there are large and dense: look less far ahead
    gamma = 0.9 if swing else 0.99
    region: dict[str, Any] = {"copies": 16, "window": 64, "gamma": gamma, "delta": 0.03 if swing else 0.01}
    match config.method:
        case "reinforce":
            return reinforce.train(reinforce.Config(**common, gamma=gamma), seed, log)
        case "natural":
            return natural_gradient.train(natural_gradient.Config(**common, **region), seed, log)
        case "trpo":
            return trpo.train(trpo.Config(**common, **region), seed, log)
        case "ppo" if config.task == "cartpole":
            return ppo.train(ppo.Config(**common), seed, log)
        case "ppo":
            more: dict[str, Any] = {"copies": 16, "window": 64, "gamma": gamma, "lam": 0.95, "decay": False}
            more |= {"batch": 128, "epochs": 10} if swing else {"epochs": 4}
            return ppo.train(ppo.Config(**common, **more), seed, log)
        case "grpo":
            return grpo.train(grpo.Config(**common), seed, log)
        case "impala" | "impala_off":
            return impala.train(impala.Config(**common, lag=config.lag, correct=config.method == "impala"), seed, log)
        case "appo" | "appo_off":
            return appo.train(appo.Config(**common, lag=config.lag, correct=config.method == "appo"), seed, log)


def _of(outcomes: Sequence[Outcome], task: str, method: str) -> list[Outcome]:
    return [o for o in outcomes if o.config.task == task and o.config.method == method]


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings; mean and last returns of every method on every task; old data; paired differences."""
    made = [
        parameter("control.seeds", len(_of(outcomes, "cartpole", "ppo")), "seeds", "runs of each method on each task", fmt="d"),
        parameter("control.delta", trpo.Config().delta, "nats", "trust region of TRPO on CartPole and Acrobot", fmt=".2f"),
        parameter("control.lag", LAG, "updates", "how many updates the actors' parameters are old", fmt="d"),
    ]  # fmt: skip
    for task, (_, title) in TASKS.items():
        made.append(parameter(f"control.{task}.steps", _of(outcomes, task, "ppo")[0].config.steps, "steps", f"steps of each run on {title}", fmt=",d"))  # fmt: skip
        for m, name in METHODS.items():
            own = _of(outcomes, task, m)
            made += [
                over_seeds(f"control.{task}.{m}", own, entry("mean"), "return", f"return of {name} on {title}, averaged over the evaluations on the way", fmt=".0f", better="higher"),
                over_seeds(f"control.{task}.{m}.last", own, entry("last"), "return", f"return of {name} on {title} at the end", fmt=".0f", better="higher"),
                over_seeds(f"control.{task}.{m}.updates", own, entry("updates"), "updates", f"updates of {name} on {title}", fmt=".0f"),
            ]  # fmt: skip
        for m in ("natural", "trpo", "ppo"):
            made.append(over_seeds(f"control.{task}.{m}.kl", _of(outcomes, task, m), entry("kl"), "nats", f"largest KL of a step of {METHODS[m]} on {title}", fmt=".3f", better="lower"))  # fmt: skip
        for m in ("reinforce", "grpo"):
            made.append(_difference(outcomes, task, "ppo", m))
        made.append(_difference(outcomes, task, "trpo", "ppo"))
    for m, name in LAGGED.items():
        own = _of(outcomes, "cartpole", m)
        made += [
            over_seeds(f"control.old.{m}", own, entry("mean"), "return", f"CartPole return on old data, {name}, averaged over the evaluations on the way", fmt=".0f", better="higher"),
            over_seeds(f"control.old.{m}.last", own, entry("last"), "return", f"CartPole return on old data, {name}, at the end", fmt=".0f", better="higher"),
        ]  # fmt: skip
    return made


def _difference(outcomes: Sequence[Outcome], task: str, a: Method, b: Method) -> Fact:
    """Mean return of a less that of b, paired by seed. An interval that crosses zero shows no difference."""
    other = {o.seed: float(o.metrics["mean"]) for o in _of(outcomes, task, b)}
    own = _of(outcomes, task, a)
    paired = [Outcome(o.config, o.seed, {"gap": o.metrics["mean"] - other[o.seed]}) for o in own]
    return over_seeds(f"control.{task}.{a}_over_{b}", paired, entry("gap"), "return", f"return of {METHODS[a]} less that of {METHODS[b]}, seed by seed", fmt=".0f", depth=4)  # fmt: skip


def derived() -> Sequence[Derivation]:
    """How many updates each method made of the same steps."""
    return [
        derive("control.updates_ratio", "ratio", "control.cartpole.ppo.updates", "control.cartpole.reinforce.updates", description="updates of PPO over those of REINFORCE on CartPole, for the same steps", fmt=".1f"),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    c, a, p = "control.cartpole", "control.acrobot", "control.pendulum"
    return [
        claim("control.claim.trpo_bound", "below", f"{c}.trpo.kl", f"{a}.trpo.kl", bound=0.01001,
            says="TRPO's line search kept its word on every step of every seed: the largest KL was {val}`control.cartpole.trpo.kl` on CartPole, where {val}`control.delta` is allowed.",
            plain="The careful method never took a longer step than it allowed itself."),
        claim("control.claim.ppo_goes_further", "greater", f"{c}.ppo.kl", f"{c}.trpo.kl",
            says="PPO's clip is no such bound: its largest step on CartPole went {val}`control.cartpole.ppo.kl` nats, TRPO's {val}`control.cartpole.trpo.kl`.",
            plain="The popular method only leans against long steps; its longest went far beyond the careful one's."),
        claim("control.claim.ppo_not_yet", "less", f"{c}.ppo.last", f"{c}.trpo.last",
            says="{val}`control.cartpole.steps` steps are too few for PPO with settings made for longer runs: it ends at {val}`control.cartpole.ppo.last` on CartPole, TRPO at {val}`control.cartpole.trpo.last`.",
            plain="In so short a time the popular method does not finish the balancing task, with {val}`control.cartpole.ppo.last` points; the careful one does, with {val}`control.cartpole.trpo.last`."),
        claim("control.claim.trpo_ahead_of_ppo", "interval_above", f"{c}.trpo_over_ppo", f"{p}.trpo_over_ppo", bound=0.0,
            says="Averaged over so short a training TRPO is ahead of PPO by {val}`control.cartpole.trpo_over_ppo` on CartPole and {val}`control.pendulum.trpo_over_ppo` on the pendulum, with paired intervals above zero.",
            plain="Early on the careful method is ahead of the popular one, by {val}`control.cartpole.trpo_over_ppo` points on the balancing task."),
        claim("control.claim.acrobot_undecided", "interval_holds", f"{a}.trpo_over_ppo", bound=0.0,
            says="On Acrobot no difference between them is shown: the paired interval around {val}`control.acrobot.trpo_over_ppo` holds zero.",
            plain="On the long task no difference between them was shown."),
        claim("control.claim.line_search_idle", "within", f"{c}.trpo", f"{c}.natural", bound=1e-9,
            says="On CartPole the natural gradient and TRPO are the same run to the last digit: the line search never had to shorten a step.",
            plain="On the balancing task the safety check of the careful method never had to step in."),
        claim("control.claim.natural_breaks_its_bound", "greater", f"{p}.natural.kl", f"{p}.trpo.kl",
            says="On the pendulum it does: without it the largest step is {val}`control.pendulum.natural.kl` nats, with it {val}`control.pendulum.trpo.kl`.",
            plain="On the swinging task it does step in."),
        claim("control.claim.pendulum_needs_critics", "intervals_apart", f"{p}.ppo.last", f"{p}.grpo.last",
            says="On the pendulum, where every start is different, a group of episodes is a poor baseline: GRPO ends at {val}`control.pendulum.grpo.last`, PPO at {val}`control.pendulum.ppo.last`.",
            plain="Where luck of the start decides, grading attempts against each other fails: {val}`control.pendulum.grpo.last` against {val}`control.pendulum.ppo.last`."),
        claim("control.claim.reinforce_lags_on_acrobot", "all_seeds", f"{a}.reinforce", f"{a}.ppo",
            says="Waiting for whole episodes is expensive where they are long: on Acrobot REINFORCE averages {val}`control.acrobot.reinforce`, PPO {val}`control.acrobot.ppo`, on every seed.",
            plain="The oldest method must wait for an attempt to end before it learns: {val}`control.acrobot.reinforce` against {val}`control.acrobot.ppo` on a long task."),
        claim("control.claim.reinforce_lags_on_pendulum", "all_seeds", f"{p}.reinforce", f"{p}.ppo",
            says="So on the pendulum: {val}`control.pendulum.reinforce` against {val}`control.pendulum.ppo`.",
            plain="The same on a swinging task: {val}`control.pendulum.reinforce` against {val}`control.pendulum.ppo`."),
        claim("control.claim.few_updates", "ratio_at_least", f"{c}.ppo.updates", f"{c}.reinforce.updates", bound=2.0,
            says="From the same steps PPO makes {val}`control.updates_ratio` as many updates as REINFORCE, {val}`control.cartpole.ppo.updates` against {val}`control.cartpole.reinforce.updates` on CartPole.",
            plain="From the same experience the popular method corrects itself {val}`control.updates_ratio` as often as the oldest one."),
        claim("control.claim.vtrace_costs", "less", "control.old.impala", "control.old.impala_off",
            says="With actors {val}`control.lag` updates old V-trace does not pay here: it averages {val}`control.old.impala`, learning as if the data were fresh {val}`control.old.impala_off`. Why was not tested.",
            plain="Correcting for old data does not pay in so short a time: {val}`control.old.impala` points with it, {val}`control.old.impala_off` without."),
        claim("control.claim.vtrace_costs_ppo_too", "less", "control.old.appo", "control.old.appo_off",
            says="The same for asynchronous PPO: {val}`control.old.appo` with V-trace, {val}`control.old.appo_off` with the clip alone.",
            plain="The same for the popular method on old data: {val}`control.old.appo` with the correction, {val}`control.old.appo_off` without."),
    ]  # fmt: skip


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Learning curves by task; old data."""
    return [_curves(outcomes), _old(outcomes)]


def _line(own: Sequence[Outcome], name: str, index: int) -> plots.Line:
    x = [n / 1000 for n in own[0].metrics["steps"]]
    points = [[float(o.metrics["returns"][i]) for o in own] for i in range(len(x))]
    spread = [stats.estimate(v, resamples=2000).interval if len(v) > 1 else (v[0], v[0]) for v in points]
    return plots.Line(name, x, [stats.iqm(v) for v in points], index, low=[a for a, _ in spread], high=[b for _, b in spread])  # fmt: skip


def _curves(outcomes: Sequence[Outcome]) -> Figure:
    rows = [(TASKS[t][1], METHODS[m], n, o.seed, r) for t in TASKS for m in METHODS for o in _of(outcomes, t, m) for n, r in zip(o.metrics["steps"], o.metrics["returns"], strict=True)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            panels = canvas.subplots(len(TASKS), 1)
            for axes, (t, (_, title)) in zip(panels, TASKS.items(), strict=True):
                axes.set(ylabel="return", title=title)
                series = [_line(_of(outcomes, t, m), METHODS[m].replace(" ", "\n"), i) for i, m in enumerate(METHODS)]
                plots.lines(axes, theme, series, room=0.27)
            panels[-1].set_xlabel("thousand steps")

        return plots.figure(theme, 8.4, fill)

    return Figure(
        "control_curves",
        "Evaluation return by steps; interquartile means over the seeds with bootstrap intervals. All methods are evaluated at the same steps.",
        "How well each method does the task, by how much experience it has had; higher is better.",
        "A panel a task. On CartPole TRPO and the natural gradient rise first; on Acrobot REINFORCE and GRPO stay low; on the pendulum the methods with a critic rise and the others stay low.",
        table(rows, "task", "method", "steps", "seed", "return"),
        draw,
    )  # fmt: skip


def _old(outcomes: Sequence[Outcome]) -> Figure:
    rows = [(LAGGED[m], n, o.seed, r) for m in LAGGED for o in _of(outcomes, "cartpole", m) for n, r in zip(o.metrics["steps"], o.metrics["returns"], strict=True)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xlabel="thousand steps", ylabel="return", ylim=(0, 515))
            names = {m: name.replace(" and ", "\nand ") for m, name in LAGGED.items()}
            plots.lines(axes, theme, [_line(_of(outcomes, "cartpole", m), names[m], i) for i, m in enumerate(LAGGED)], room=0.27)  # fmt: skip

        return plots.figure(theme, 3.9, fill)

    return Figure(
        "control_old_data",
        "CartPole from data that is several updates old: return by steps, interquartile means over the seeds with bootstrap intervals.",
        "Learning from yesterday's data, with and without correcting for it.",
        "Rising lines; those without V-trace rise higher.",
        table(rows, "method", "steps", "seed", "return"),
        draw,
    )  # fmt: skip
