"""Variance reduction, one technique at a time, held against gradients that are known exactly.

Bandits: the gradient of a softmax policy is a formula, so bias and variance of every estimator can be told apart. A
corridor: the policy gradient of a small Markov chain is one linear solve, so what lambda trades can be seen as numbers.
And CartPole: does less variance in the gradient make learning faster where nothing is known exactly?
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
from experiments.week04_policy import bandits, corridor, reinforce

TITLE = "Variance, one technique at a time"
QUESTION = "How much variance does each technique take out of the policy gradient, and what bias does it put in?"
LIMITS = (
    "Bandits and the corridor are small enough to be solved exactly; sizes of effects there do not carry over to networks.",
    "The corridor's critic is wrong by a random amount drawn once, as large as the values themselves; a critic in training is wrong in ways that depend on the policy.",
    "CartPole was run with one learning rate, chosen for the value baseline on other seeds; each baseline might prefer its own.",
    "The model that serves as a control variate is given, not learnt.",
)
TIMED = False

Part = Literal["bandit", "corridor", "cartpole"]
ESTIMATORS: Mapping[bandits.Estimator, str] = {
    "none": "none", "mean": "batch mean", "leave_one_out": "leave-one-out", "value": "value", "optimal": "optimal", "model": "model", "group": "group",
}  # fmt: skip
WEIGHTINGS: Mapping[bandits.Weighting, str] = {"ignored": "ignored", "plain": "plain weights", "clipped": "clipped weights", "self_normalised": "self-normalised"}  # fmt: skip
LAMBDAS = (0.0, 0.5, 0.8, 0.9, 0.95, 1.0)
BASELINES: Mapping[reinforce.Baseline, str] = {"none": "no baseline", "mean": "mean return", "value": "learnt value"}


@dataclass(frozen=True)
class Scale:
    """What a budget changes."""

    batches: int
    steps: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {"smoke": Scale(400, 1500, 3), "small": Scale(20_000, 40_000, 10), "full": Scale(200_000, 100_000, 30)}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One part. `samples` are the draws (or episodes) behind each estimate."""

    part: Part
    batches: int = 0
    arms: int = 8
    samples: int = 8
    noise: float = 1.0
    offset: float = 3.0
    baseline: reinforce.Baseline = "none"
    steps: int = 0


def sweep(budget: Budget) -> Sequence[Point]:
    """Bandits and corridors by seed; CartPole by baseline and seed."""
    s = SCALES[budget]
    trials = [Trial("bandit", s.batches), Trial("corridor", s.batches // 4)]
    trials += [Trial("cartpole", baseline=b, steps=s.steps) for b in BASELINES]
    return [Point(trial, seed) for trial in trials for seed in range(s.seeds)]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """One part at one seed."""
    match config.part:
        case "bandit":
            return _bandit(config, seed)
        case "corridor":
            return _corridor(config, seed)
        case "cartpole":
            settings = reinforce.Config(steps=config.steps, baseline=config.baseline, evaluations=8)
            curve = reinforce.train(settings, seed, log)
            return {"steps": curve.steps, "returns": curve.returns, "mean": float(np.mean(curve.returns))}


def _quality(g: Any, exact: Any) -> dict[str, float]:
    """Relative to the exact gradient: squared bias, variance, their sum, and the cosine of the mean estimate with it."""
    size = float(exact @ exact)
    mean = g.mean(0)
    bias, spread = float(((mean - exact) ** 2).sum()) / size, float(g.var(0).sum()) / size
    cosine = float(mean @ exact / np.sqrt((mean @ mean) * size))
    return {"bias": bias, "variance": spread, "error": bias + spread, "cosine": cosine}


def _bandit(config: Trial, seed: int) -> Mapping[str, Any]:
    rng = np.random.default_rng(seed)
    theta, mu = 0.7 * rng.standard_normal(config.arms), config.offset + rng.standard_normal(config.arms)
    model = mu + 0.5 * rng.standard_normal(config.arms)
    exact, p = bandits.exact_gradient(theta, mu), bandits.softmax(theta)
    shape = (config.batches, config.samples)
    arms, x = bandits.sample(theta, mu, config.noise, shape, rng)
    on = {name: _quality(bandits.estimates(name, theta, mu, arms, x, model), exact) for name in ESTIMATORS}
    q = bandits.softmax(theta + rng.standard_normal(config.arms))
    arms = rng.choice(config.arms, size=shape, p=q)
    x = mu[arms] + config.noise * rng.standard_normal(shape)
    value = float(p @ mu)
    off = {name: _quality(bandits.off_policy(name, theta, q, arms, x, value), exact) for name in WEIGHTINGS}
    return {"on": on, "off": off, "largest_weight": float((p / q).max())}


def _corridor(config: Trial, seed: int) -> Mapping[str, Any]:
    rng = np.random.default_rng(seed)
    chain = corridor.corridor()
    theta = 0.5 * rng.standard_normal((chain.states, 2))
    critic = chain.values(theta) + 1.0 * rng.standard_normal(chain.states)
    exact = chain.gradient(theta).ravel()
    lived = corridor.episodes(chain, theta, config.batches, rng)
    found = {str(lam): _quality(corridor.estimates(chain, theta, critic, lived, lam), exact) for lam in LAMBDAS}
    return {"lambda": found, "no_critic": _quality(corridor.estimates(chain, theta, 0 * critic, lived, 1.0), exact)}


def _part(outcomes: Sequence[Outcome], part: Part, baseline: str | None = None) -> list[Outcome]:
    return [o for o in outcomes if o.config.part == part and baseline in (None, o.config.baseline)]


def _tag(lam: float) -> str:
    return f"l{round(100 * lam)}"


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Bias and variance, relative to the squared length of the exact gradient; CartPole returns."""
    b, c, carts = _part(outcomes, "bandit"), _part(outcomes, "corridor"), _part(outcomes, "cartpole")
    made = [
        parameter("var.seeds", len(b), "seeds", "random bandits, corridors and training runs", fmt="d"),
        parameter("var.arms", b[0].config.arms, "arms", "arms of each bandit", fmt="d"),
        parameter("var.samples", b[0].config.samples, "samples", "draws behind each estimate", fmt="d"),
        parameter("var.batches", b[0].config.batches, "estimates", "estimates of each kind on each bandit", fmt=",d"),
        parameter("var.offset", b[0].config.offset, "reward", "what is added to all rewards", fmt=".0f"),
        parameter("var.cartpole.steps", carts[0].config.steps, "steps", "steps of each CartPole run", fmt=",d"),
        over_seeds("var.off.largest_weight", b, entry("largest_weight"), "weight", "largest importance weight off policy", fmt=".1f"),
    ]  # fmt: skip
    kinds = {"variance": "variance", "bias": "squared bias", "error": "mean squared error"}
    for name, words in ESTIMATORS.items():
        for kind, said in kinds.items():
            made.append(over_seeds(f"var.on.{name}.{kind}", b, entry("on", name, kind), "squared lengths", f"{said} of the estimate with baseline {words}, in squared lengths of the exact gradient", fmt=".3g", plain_fmt=".2g", better="lower"))  # fmt: skip
        made.append(over_seeds(f"var.on.{name}.cosine", b, entry("on", name, "cosine"), "cosine", f"cosine of the mean estimate with baseline {words} and the exact gradient", fmt=".3f", better="higher"))  # fmt: skip
    for weighting, words in WEIGHTINGS.items():
        for kind, said in kinds.items():
            made.append(over_seeds(f"var.off.{weighting}.{kind}", b, entry("off", weighting, kind), "squared lengths", f"{said} off policy with importance weights {words}, in squared lengths of the exact gradient", fmt=".3g", plain_fmt=".2g", better="lower"))  # fmt: skip
    for lam in LAMBDAS:
        made.append(parameter(f"var.{_tag(lam)}", lam, "lambda", f"a value of lambda, {lam}", fmt=".2g"))
        for kind, said in kinds.items():
            made.append(over_seeds(f"var.{_tag(lam)}.{kind}", c, entry("lambda", str(lam), kind), "squared lengths", f"{said} of the corridor's gradient with lambda {lam} and a wrong critic, in squared lengths of the exact one", fmt=".3g", plain_fmt=".2g", better="lower"))  # fmt: skip
    made.append(over_seeds("var.no_critic.variance", c, entry("no_critic", "variance"), "squared lengths", "variance of the corridor's gradient without any critic, in squared lengths of the exact one", fmt=".3g", plain_fmt=".2g", better="lower"))  # fmt: skip
    for base, words in BASELINES.items():
        own = _part(outcomes, "cartpole", base)
        made += [
            over_seeds(f"var.cartpole.{base}", own, entry("mean"), "return", f"CartPole return with {words}, averaged over all evaluations", fmt=".0f", better="higher"),
            over_seeds(f"var.cartpole.{base}.last", own, lambda m: float(m["returns"][-1]), "return", f"CartPole return with {words} at the end", fmt=".0f", better="higher"),
        ]  # fmt: skip
    without = {o.seed: float(o.metrics["mean"]) for o in _part(outcomes, "cartpole", "none")}
    paired = [
        Outcome(o.config, o.seed, {"gain": o.metrics["mean"] - without[o.seed]})
        for o in _part(outcomes, "cartpole", "value")
    ]
    made.append(over_seeds("var.cartpole.gain", paired, entry("gain"), "return", "CartPole return with a learnt value less that without a baseline, seed by seed", fmt=".0f"))  # fmt: skip
    return made


def derived() -> Sequence[Derivation]:
    """How many times the variance of the plain estimate."""
    return [
        derive("var.saved.value", "ratio", "var.on.none.variance", "var.on.value.variance", description="variance without a baseline over that with the value", fmt=".1f"),
        derive("var.saved.leave_one_out", "ratio", "var.on.none.variance", "var.on.leave_one_out.variance", description="variance without a baseline over that with leave-one-out", fmt=".1f"),
        derive("var.saved.model", "ratio", "var.on.value.variance", "var.on.model.variance", description="variance with the value over that with a model as control variate", fmt=".1f"),
        derive("var.saved.optimal", "ratio", "var.on.value.variance", "var.on.optimal.variance", description="variance with the value over that with the optimal constant", fmt=".2f"),
        derive("var.saved.lambda", "ratio", "var.l100.variance", "var.l80.variance", description="variance of the corridor's gradient with lambda one over that with lambda four fifths", fmt=".1f"),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    on, off = "var.on", "var.off"
    return [
        claim("var.claim.baselines_pay", "all_seeds", f"{on}.value.variance", f"{on}.none.variance",
            says="Subtracting the value takes out most of the variance: {val}`var.on.none.variance` squared lengths without a baseline, {val}`var.on.value.variance` with it, on every seed; {val}`var.saved.value` as much without it.",
            plain="Judging results against what was to be expected removes most of the noise: without it there is {val}`var.saved.value` as much."),
        claim("var.claim.leave_one_out_is_nearly_as_good", "ratio_at_most", f"{on}.leave_one_out.variance", f"{on}.value.variance", bound=1.5,
            says="Leave-one-out needs no critic and comes close, {val}`var.on.leave_one_out.variance`, with {val}`var.samples` draws a batch.",
            plain="Comparing attempts with each other, without any trained judge, does nearly as well: {val}`var.on.leave_one_out.variance`."),
        claim("var.claim.optimal_is_hardly_better", "ratio_at_least", f"{on}.optimal.variance", f"{on}.value.variance", bound=0.8,
            says="The best constant baseline is hardly better than the value, whose variance is {val}`var.saved.optimal` as large.",
            plain="The best possible yardstick is hardly better than the usual one."),
        claim("var.claim.model_beats_constants", "less", f"{on}.model.variance", f"{on}.optimal.variance",
            says="A control variate that depends on the action goes a little further, {val}`var.on.model.variance`, since it also takes out the spread between arms; a model that is off does not do so on every bandit.",
            plain="A rough forecast for every choice removes a little more noise than a single yardstick, though not always: {val}`var.on.model.variance`."),
        claim("var.claim.group_is_biased", "all_seeds", f"{on}.leave_one_out.bias", f"{on}.group.bias",
            says="Dividing by the deviation of the group, as GRPO does, is biased: squared bias {val}`var.on.group.bias` against {val}`var.on.leave_one_out.bias` for leave-one-out; mostly in length, for the cosine is {val}`var.on.group.cosine`.",
            plain="Grading on a curve distorts the signal, mostly its size and hardly its direction."),
        claim("var.claim.ignoring_is_worst", "best_is", f"{off}.plain.bias", f"{off}.ignored.bias", f"{off}.clipped.bias",
            says="Off policy, ignoring that another policy acted leaves a squared bias of {val}`var.off.ignored.bias`, clipped weights {val}`var.off.clipped.bias`, plain ones {val}`var.off.plain.bias`.",
            plain="Learning from somebody else's data without correcting for it misleads: {val}`var.off.ignored.bias`, against {val}`var.off.plain.bias` when corrected."),
        claim("var.claim.clipping_trades", "all_seeds", f"{off}.clipped.variance", f"{off}.plain.variance",
            says="Clipping at one, as V-trace does, pays for its bias with less variance: {val}`var.off.clipped.variance` against {val}`var.off.plain.variance`, with weights up to {val}`var.off.largest_weight`.",
            plain="Capping the corrections makes them calmer: {val}`var.off.clipped.variance` instead of {val}`var.off.plain.variance`."),
        claim("var.claim.lambda_variance", "less", "var.l80.variance", "var.l100.variance",
            says="Below Monte Carlo lambda saves variance: {val}`var.l100.variance` with lambda {val}`var.l100`, {val}`var.l80.variance` with lambda {val}`var.l80`.",
            plain="Looking a little less far ahead makes each estimate calmer: {val}`var.l80.variance` instead of {val}`var.l100.variance`."),
        claim("var.claim.lambda_not_monotone", "less", "var.l80.variance", "var.l0.variance",
            says="With a critic as wrong as this one it does not go on: at lambda {val}`var.l0` the variance is {val}`var.l0.variance`, for the critic's own errors now make up the estimate.",
            plain="Trusting a bad forecast entirely is noisier again: {val}`var.l0.variance`."),
        claim("var.claim.lambda_bias", "decreasing", "var.l0.bias", "var.l50.bias", "var.l80.bias", "var.l100.bias",
            says="The bias of the wrong critic falls all the way, from {val}`var.l0.bias` to {val}`var.l100.bias`.",
            plain="The further one looks, the less a faulty forecast misleads: its error falls from {val}`var.l0.bias` to {val}`var.l100.bias`."),
        claim("var.claim.bad_critic_is_worse_than_none", "intervals_apart", "var.no_critic.variance", "var.l80.variance",
            says="And a critic as wrong as this is worse than none: without any critic the variance is {val}`var.no_critic.variance`, with it at best {val}`var.l80.variance`.",
            plain="A forecast that bad is worse than no forecast: noise of {val}`var.no_critic.variance` without it."),
        claim("var.claim.cartpole_level", "within", "var.cartpole.value", "var.cartpole.mean", bound=30.0,
            says="On CartPole a learnt value and the plain mean return are level, {val}`var.cartpole.value` and {val}`var.cartpole.mean` averaged over training.",
            plain="On a balancing task it hardly matters which yardstick is used: {val}`var.cartpole.value` and {val}`var.cartpole.mean` points."),
        claim("var.claim.cartpole_gain_not_shown", "interval_holds", "var.cartpole.gain", bound=0.0,
            says="Nor is a gain over no baseline shown there: the paired interval around {val}`var.cartpole.gain` holds zero.",
            plain="No gain over having none was shown there."),
    ]  # fmt: skip


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Bias and variance of all estimators; what lambda trades; CartPole's curves."""
    return [_bars(_part(outcomes, "bandit")), _lambda(_part(outcomes, "corridor")), _cartpole(outcomes)]


def _bars(outcomes: Sequence[Outcome]) -> Figure:
    groups = [
        ("on", dict(ESTIMATORS), "on policy: baselines"),
        ("off", dict(WEIGHTINGS), "off policy: importance weights"),
    ]
    rows = [(title, words, kind, o.seed, o.metrics[group][name][kind]) for group, names, title in groups for name, words in names.items() for kind in ("variance", "bias") for o in outcomes]  # type: ignore[attr-defined]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            panels = canvas.subplots(2, 1, height_ratios=(len(ESTIMATORS), len(WEIGHTINGS)), sharex=True)
            for axes, (_, names, title) in zip(panels, groups, strict=True):
                labels = list(names.values())  # type: ignore[attr-defined]
                for i, words in enumerate(labels):
                    for kind, index, shift in (("variance", 0, -0.14), ("bias", 1, 0.14)):
                        values = [
                            max(float(r[4]), 1e-6) for r in rows if r[0] == title and r[1] == words and r[2] == kind
                        ]
                        axes.plot(values, [i + shift] * len(values), linestyle="none", marker=".", alpha=0.6, color=plots.colour(theme, index), markeredgewidth=0)  # fmt: skip
                        axes.plot([stats.iqm(values)], [i + shift], marker=plots.MARKERS[index], color=plots.colour(theme, index), linestyle="none", label=("variance", "squared bias")[index] if i == 0 else None)  # fmt: skip
                axes.set_yticks(range(len(labels)), labels)
                axes.set(xscale="log", ylim=(len(labels) - 0.5, -0.5), title=title)
            panels[0].legend(frameon=False, fontsize=plots.FONT - 1, loc="center", bbox_to_anchor=(0.42, 0.42))
            panels[1].set_xlabel("squared lengths of the exact gradient (log scale)")

        return plots.figure(theme, 5.6, fill)

    return Figure(
        "var_estimators",
        "Variance and squared bias of estimates of a bandit's gradient, relative to its squared length; a dot a bandit, marks the interquartile means. What is unbiased shows only the noise of measuring.",
        "Noise (round) and systematic error (square) of ways to estimate which way to improve; further left is better.",
        "Rows of dots. Noise is largest without a baseline and smallest with a model; systematic error is largest for the group baseline and where off-policy data are not corrected.",
        table(rows, "setting", "technique", "kind", "seed", "value"),
        draw,
    )  # fmt: skip


def _lambda(outcomes: Sequence[Outcome]) -> Figure:
    kinds = {"variance": "variance", "bias": "squared\nbias", "error": "sum"}
    rows = [(kinds[k].replace("\n", " "), lam, o.seed, o.metrics["lambda"][str(lam)][k]) for k in kinds for o in outcomes for lam in LAMBDAS]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(yscale="log", xlabel="lambda", ylabel="squared lengths (log scale)")
            series = []
            for index, k in enumerate(kinds):
                points = [[max(o.metrics["lambda"][str(lam)][k], 1e-4) for o in outcomes] for lam in LAMBDAS]
                series.append(plots.Line(kinds[k], LAMBDAS, [stats.iqm(v) for v in points], index, points=points, dashed=k == "error"))  # fmt: skip
            plots.lines(axes, theme, series, room=0.2)
            plots.plain_ticks(axes, y=True)

        return plots.figure(theme, 3.9, fill)

    return Figure(
        "var_lambda",
        "The gradient of a corridor estimated from single episodes with a wrong critic: variance, squared bias and their sum by lambda, relative to the exact gradient; a dot a corridor, lines through interquartile means.",
        "How far ahead an estimate should look when its forecast is faulty: systematic error falls, noise falls and then rises, and what counts is their sum.",
        "A line for variance that dips in the middle, a falling line for squared bias, and their sum.",
        table(rows, "kind", "lambda", "seed", "value"),
        draw,
    )  # fmt: skip


def _cartpole(outcomes: Sequence[Outcome]) -> Figure:
    rows = [(BASELINES[b], n, o.seed, r) for b in BASELINES for o in _part(outcomes, "cartpole", b) for n, r in zip(o.metrics["steps"], o.metrics["returns"], strict=True)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xlabel="thousand steps", ylabel="return", ylim=(0, 515))
            series = []
            for index, b in enumerate(BASELINES):
                own = _part(outcomes, "cartpole", b)
                x = [n / 1000 for n in own[0].metrics["steps"]]
                points = [[o.metrics["returns"][i] for o in own] for i in range(len(x))]
                series.append(plots.Line(BASELINES[b], x, [stats.iqm(v) for v in points], index, points=points))
            plots.lines(axes, theme, series, room=0.28)

        return plots.figure(theme, 3.7, fill)

    return Figure(
        "var_cartpole",
        "REINFORCE on CartPole with different baselines: evaluation return by steps; a dot a seed, lines through interquartile means.",
        "Learning to balance a pole with and without something to compare against.",
        "Rising lines with wide scatter; the one without a baseline is lowest.",
        table(rows, "baseline", "steps", "seed", "return"),
        draw,
    )  # fmt: skip
