"""Preferences where the best policy is known: what does each loss recover, and where does it overshoot?

Tables over a few prompts and completions, rewards and preferences drawn by seed, every expectation added up. So the
policy that the objective calls for is exact, and the distance of a trained one from it is no estimate.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from experiments.kit import plots, stats
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import entry, over_seeds, table
from experiments.week04_policy import enumerable as world
from experiments.week04_policy.enumerable import METHODS, Config, Data, Method, Problem

TITLE = "Preferences with a known answer"
QUESTION = "Which policy does each preference loss recover when the best one is known exactly, and what do preferences without noise do to it?"
LIMITS = (
    "Policies are tables over a handful of completions: nothing generalises from one prompt to another, as a language model would.",
    "Every completion that matters was seen, since pairs were drawn from the reference itself; no other coverage was tried.",
    "Lengths of completions are drawn at random and have nothing to do with rewards, so a bias of human judges for length is not in the data.",
    "Each method's strength was chosen on other problem seeds for the same objective, one value a method; another objective would order them differently.",
    "KTO's reference point is computed exactly here, where practice estimates it from mismatched pairs of a batch.",
)
TIMED = False

NAMES: Mapping[str, str] = {"dpo": "DPO", "ipo": "IPO", "simpo": "SimPO", "orpo": "ORPO", "kto": "KTO", "rlhf": "reward model"}  # fmt: skip
# Chosen on problem seeds 100 to 104 for the objective at beta 0.5 with 1,000 noisy pairs.
TUNED: Mapping[Method, float] = {"dpo": 0.5, "ipo": 0.1, "simpo": 0.15, "orpo": 4.0, "kto": 0.5}
GRIDS: Mapping[Method, tuple[float, ...]] = {
    "dpo": (0.3, 0.5, 0.7, 1.0, 2.0, 5.0),
    "ipo": (0.05, 0.07, 0.1, 0.2, 0.5, 1.0),
    "simpo": (0.03, 0.05, 0.07, 0.1, 0.2, 0.5),
    "orpo": (0.05, 0.2, 0.5, 1.0, 2.0, 5.0),
    "kto": (0.05, 0.1, 0.5, 1.0, 2.0, 5.0),
}
Part = Literal["exact", "amount", "methods", "certain"]


@dataclass(frozen=True)
class Scale:
    """What a budget changes."""

    steps: int
    amounts: tuple[int, ...]
    looks: tuple[int, ...]
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale(60, (50, 100, 300, 1000), (10, 30, 100), 3),
    "small": Scale(600, (100, 300, 1000, 3000), (30, 100, 300, 1000, 3000), 10),
    "full": Scale(3000, (100, 300, 1000, 3000, 10_000, 30_000), (30, 100, 300, 1000, 3000, 10_000, 30_000), 30),
}


@dataclass(frozen=True)
class Trial:
    """One part of the study on one random problem; `beta` is the objective's price of a nat of KL."""

    part: Part
    beta: float = 0.5
    prompts: int = 4
    completions: int = 8
    pairs: int = 1000
    steps: int = 600
    amounts: tuple[int, ...] = ()
    looks: tuple[int, ...] = ()


def sweep(budget: Budget) -> Sequence[Point]:
    """Every part over all seeds."""
    scale = SCALES[budget]
    trials = [
        Trial("exact", steps=scale.steps),
        Trial("amount", steps=scale.steps, amounts=scale.amounts),
        Trial("methods", steps=scale.steps),
        Trial("certain", looks=scale.looks),
    ]
    return [Point(trial, seed) for trial in trials for seed in range(scale.seeds)]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """One part on the problem of this seed."""
    p = world.problem(seed, config.prompts, config.completions)
    match config.part:
        case "exact":
            return _exact(config, p)
        case "amount":
            return _amount(config, p, seed)
        case "methods":
            return _methods(config, p, seed)
        case "certain":
            return _certain(config, p, seed, log)


def _exact(config: Trial, p: Problem) -> Mapping[str, Any]:
    everything = world.population(p)
    dpo = world.train(Config("dpo", config.beta, steps=config.steps), p, everything)
    ipo = world.train(Config("ipo", config.beta, steps=config.steps), p, everything)
    return {
        "dpo": world.divergence(world.best(p, config.beta), dpo),
        "ipo": world.divergence(world.best_ipo(p, config.beta), ipo),
        "ipo_from_reward": world.divergence(world.best(p, config.beta), ipo),
    }


def _amount(config: Trial, p: Problem, seed: int) -> Mapping[str, Any]:
    found: dict[str, list[float]] = {"dpo": [], "rlhf": [], "apart": []}
    for n in config.amounts:
        data = world.sampled(p, n, seed)
        dpo = world.train(Config("dpo", config.beta, steps=config.steps), p, data)
        rlhf = world.reward_then_best(p, data, config.beta, config.steps)
        found["dpo"].append(_regret(p, dpo, config.beta))
        found["rlhf"].append(_regret(p, rlhf, config.beta))
        found["apart"].append(world.divergence(rlhf, dpo))
    return found


def _regret(p: Problem, log_pi: Tensor, beta: float) -> float:
    """How far the objective E r - beta KL falls short of its best, in units of reward; equals beta KL(pi || pi*)."""
    return beta * world.divergence(log_pi, world.best(p, beta))


def _looked_at(p: Problem, log_pi: Tensor, beta: float) -> dict[str, float]:
    return {
        "reward": world.value(p, log_pi),
        "kl": world.divergence(log_pi, p.reference),
        "regret": _regret(p, log_pi, beta),
        "agreement": world.agreement(p, log_pi),
        "tokens": float((log_pi.exp() * p.lengths).sum(-1).mean() - (p.reference.exp() * p.lengths).sum(-1).mean()),
    }


def _methods(config: Trial, p: Problem, seed: int) -> Mapping[str, Any]:
    data = world.sampled(p, config.pairs, seed)

    def at(method: Method, strength: float) -> dict[str, float]:
        return _looked_at(p, world.train(Config(method, strength, steps=config.steps), p, data), config.beta)

    return {
        "tuned": {m: at(m, TUNED[m]) for m in METHODS},
        "frontier": {m: [at(m, strength) for strength in GRIDS[m]] for m in METHODS},
        "reference": _looked_at(p, p.reference, config.beta),
        "best": _looked_at(p, world.best(p, config.beta), config.beta),
    }


def _certain(config: Trial, p: Problem, seed: int, log: Log) -> Mapping[str, Any]:
    data: Data = world.sampled(p, config.pairs, seed, certain=True)
    found: dict[str, Any] = {}
    for method in ("dpo", "ipo"):
        curve: list[dict[str, float]] = []

        def see(step: int, log_pi: Tensor, curve: list[dict[str, float]] = curve) -> None:
            margin = log_pi - p.reference
            gap = margin[data.prompt, data.chosen] - margin[data.prompt, data.rejected]
            row = _looked_at(p, log_pi, config.beta)
            curve.append({**row, "gap": float((data.share * gap).sum())})
            log({"step": step, "kl": row["kl"], "gap": curve[-1]["gap"]})

        settings = Config(method, config.beta, steps=config.looks[-1], decay=False)
        world.train(settings, p, data, config.looks, see)
        found[method] = curve
    return found


def _part(outcomes: Sequence[Outcome], part: Part) -> list[Outcome]:
    return [o for o in outcomes if o.config.part == part]


def _at(name: str, i: int) -> Any:
    return lambda metrics: float(metrics[name][i])


def _curve(method: str, i: int, name: str) -> Any:
    return lambda metrics: float(metrics[method][i][name])


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings; distances with all data; regret by amount of data; all methods; noiseless preferences."""
    exact, amount, methods, certain = (_part(outcomes, part) for part in ("exact", "amount", "methods", "certain"))
    c, looks = methods[0].config, certain[0].config.looks
    made = [
        parameter("pref.seeds", len(exact), "seeds", "random problems", fmt="d"),
        parameter("pref.prompts", c.prompts, "prompts", "prompts of each problem", fmt="d"),
        parameter("pref.completions", c.completions, "completions", "completions of each prompt", fmt="d"),
        parameter("pref.beta", c.beta, "reward a nat", "the objective's price of a nat of KL from the reference", fmt=".1f"),
        parameter("pref.pairs", c.pairs, "pairs", "labelled pairs for the comparison of methods", fmt=",d"),
        parameter("pref.steps", c.steps, "steps", "training steps of each table", fmt=",d"),
        over_seeds("pref.exact.dpo", exact, entry("dpo"), "nats", "KL from the known optimum to DPO's policy, given all preferences", fmt=".6f", plain_fmt=".4f", better="lower"),
        over_seeds("pref.exact.ipo", exact, entry("ipo"), "nats", "KL from IPO's own known optimum to IPO's policy, given all preferences", fmt=".6f", plain_fmt=".4f", better="lower"),
        over_seeds("pref.exact.ipo_from_reward", exact, entry("ipo_from_reward"), "nats", "KL from the reward objective's optimum to IPO's policy at the same setting", fmt=".2f", better="lower"),
        over_seeds("pref.reward.reference", methods, entry("reference", "reward"), "reward", "expected reward of the reference", fmt=".2f", better="higher"),
        over_seeds("pref.reward.best", methods, entry("best", "reward"), "reward", "expected reward of the objective's optimum", fmt=".2f", better="higher"),
        over_seeds("pref.kl.best", methods, entry("best", "kl"), "nats", "KL from the reference of the objective's optimum", fmt=".2f"),
        over_seeds("pref.regret.reference", methods, entry("reference", "regret"), "reward", "what the untouched reference leaves on the table", fmt=".2f", better="lower"),
    ]  # fmt: skip
    for i, n in enumerate(amount[0].config.amounts):
        tag = ("fewest", "few", "many", "most", "plenty", "plentiest")[i]
        made += [
            parameter(f"pref.amount.{tag}", n, "pairs", f"labelled pairs, {tag}", fmt=",d"),
            over_seeds(f"pref.amount.{tag}.dpo", amount, _at("dpo", i), "reward", f"regret of DPO after {n:,} labelled pairs", fmt=".2f", better="lower"),
            over_seeds(f"pref.amount.{tag}.rlhf", amount, _at("rlhf", i), "reward", f"regret of a reward model and its exact optimum after {n:,} labelled pairs", fmt=".2f", better="lower"),
            over_seeds(f"pref.amount.{tag}.apart", amount, _at("apart", i), "nats", f"KL between the reward model's optimum and DPO's policy after {n:,} labelled pairs", fmt=".1e", better="lower"),
        ]  # fmt: skip
    for m in METHODS:
        name = NAMES[m]
        made += [
            parameter(f"pref.strength.{m}", TUNED[m], "strength", f"{name}'s beta, chosen on other problems", fmt=".2g"),
            over_seeds(f"pref.regret.{m}", methods, entry("tuned", m, "regret"), "reward", f"regret of {name}: what the objective lacks to its best", fmt=".2f", better="lower"),
            over_seeds(f"pref.reward.{m}", methods, entry("tuned", m, "reward"), "reward", f"expected reward of {name}", fmt=".2f", better="higher"),
            over_seeds(f"pref.kl.{m}", methods, entry("tuned", m, "kl"), "nats", f"KL of {name} from the reference", fmt=".2f"),
            over_seeds(f"pref.agreement.{m}", methods, entry("tuned", m, "agreement"), "fraction", f"share of pairs that {name} orders as the rewards do", fmt=".2f", plain_fmt=".0%", better="higher"),
            over_seeds(f"pref.tokens.{m}", methods, entry("tuned", m, "tokens"), "tokens", f"change of the expected length under {name}", fmt=".2f"),
        ]  # fmt: skip
    pairs = [(a, b) for i, a in enumerate(METHODS) for b in METHODS[i + 1 :]]
    for a, b in pairs:
        made.append(over_seeds(f"pref.gap.{b}.{a}", methods, _gap(b, a), "reward", f"regret of {NAMES[b]} less that of {NAMES[a]}, problem by problem", fmt=".2f"))  # fmt: skip
    for tag, i in (("early", 0), ("middle", len(looks) // 2), ("late", len(looks) - 1)):
        made.append(parameter(f"pref.certain.{tag}.steps", looks[i], "steps", f"training steps on noiseless preferences, {tag}", fmt=",d"))  # fmt: skip
        for m in ("dpo", "ipo"):
            made += [
                over_seeds(f"pref.certain.{tag}.{m}.kl", certain, _curve(m, i, "kl"), "nats", f"KL of {NAMES[m]} from the reference on noiseless preferences, {tag}", fmt=".2f"),
                over_seeds(f"pref.certain.{tag}.{m}.gap", certain, _curve(m, i, "gap"), "nats", f"mean log-ratio gap between chosen and rejected under {NAMES[m]} on noiseless preferences, {tag}", fmt=".2f"),
                over_seeds(f"pref.certain.{tag}.{m}.regret", certain, _curve(m, i, "regret"), "reward", f"regret of {NAMES[m]} on noiseless preferences, {tag}", fmt=".2f", better="lower"),
            ]  # fmt: skip
    return made


def _gap(a: str, b: str) -> Any:
    return lambda metrics: float(metrics["tuned"][a]["regret"] - metrics["tuned"][b]["regret"])


def derived() -> Sequence[Derivation]:
    """How fast the margins grow without noise."""
    return [
        derive(f"pref.certain.growth.{m}", "ratio", f"pref.certain.late.{m}.gap", f"pref.certain.middle.{m}.gap", description=f"the log-ratio gap of {name}, late over middle of training", fmt=".1f")
        for m, name in (("dpo", "DPO"), ("ipo", "IPO"))
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim("pref.claim.dpo_is_exact", "below", "pref.exact.dpo", bound=1e-3,
            says="Given all preferences DPO finds the optimum of the reward objective without ever seeing a reward: {val}`pref.exact.dpo` nats away after {val}`pref.steps` steps.",
            plain="Shown enough comparisons, the short cut arrives exactly where the long way leads, though it never sees a score."),
        claim("pref.claim.ipo_is_exact", "below", "pref.exact.ipo", bound=1e-3,
            says="IPO finds its own optimum as exactly, {val}`pref.exact.ipo` nats away.",
            plain="The rival method finds the answer to its own question just as exactly."),
        claim("pref.claim.ipo_aims_elsewhere", "above", "pref.exact.ipo_from_reward", bound=0.1,
            says="That is another policy: from the optimum of the reward objective it is {val}`pref.exact.ipo_from_reward` nats away at the same setting.",
            plain="It answers a different question, though: the same setting means something else there."),
        claim("pref.claim.dpo_is_the_reward_model", "less", "pref.amount.most.apart", "pref.amount.fewest.apart",
            says="With {val}`pref.amount.most` labelled pairs, fitting a reward and solving for its optimum gives the same policy as DPO to {val}`pref.amount.most.apart` nats; with {val}`pref.amount.fewest` pairs the fits are not finished and lie {val}`pref.amount.fewest.apart` apart.",
            plain="Learning a score first and then optimising it ends at the same place as doing without the score, given enough comparisons."),
        claim("pref.claim.data_helps", "all_seeds", "pref.amount.most.dpo", "pref.amount.fewest.dpo",
            says="What DPO lacks is data: its regret falls from {val}`pref.amount.fewest.dpo` with {val}`pref.amount.fewest` pairs to {val}`pref.amount.most.dpo` with {val}`pref.amount.most`, on every seed.",
            plain="More comparisons help: the loss falls from {val}`pref.amount.fewest.dpo` to {val}`pref.amount.most.dpo`."),
        claim("pref.claim.all_help", "best_is", "pref.regret.dpo", "pref.regret.reference",
            says="DPO leaves {val}`pref.regret.dpo` of reward on the table, the untouched reference {val}`pref.regret.reference`.",
            plain="Any learning beats none: without it {val}`pref.regret.reference` points are lost, with it {val}`pref.regret.dpo`."),
        claim("pref.claim.reference_losses_order_better", "all_seeds", "pref.agreement.orpo", "pref.agreement.dpo",
            says="DPO, which knows the reference, orders completions better than ORPO, which does not: {val}`pref.agreement.dpo` of pairs against {val}`pref.agreement.orpo`, on every seed.",
            plain="The standard method, which remembers where it started, ranks answers better than one that does not: {val}`pref.agreement.dpo` right, against {val}`pref.agreement.orpo`."),
        claim("pref.claim.simpo_pays_for_averaging", "interval_above", "pref.gap.simpo.dpo", bound=0.0,
            says="SimPO falls {val}`pref.gap.simpo.dpo` short of DPO on this objective, which it was not made for: it averages over tokens and knows no reference.",
            plain="The simplest method loses {val}`pref.gap.simpo.dpo` more than the standard one here."),
        claim("pref.claim.ipo_is_level_with_dpo", "within", "pref.regret.dpo", "pref.regret.ipo", bound=0.03,
            says="With its strength tuned IPO is level with DPO: regret {val}`pref.regret.ipo` against {val}`pref.regret.dpo`.",
            plain="Well set, the rival method does about as well as the standard one: {val}`pref.regret.ipo` points lost against {val}`pref.regret.dpo`."),
        claim("pref.claim.ipo_gap_not_shown", "interval_holds", "pref.gap.ipo.dpo", bound=0.0,
            says="No difference between them is shown: the paired interval around {val}`pref.gap.ipo.dpo` holds zero.",
            plain="No difference between them was shown."),
        claim("pref.claim.kto_does_without_pairs", "all_seeds", "pref.regret.kto", "pref.regret.reference",
            says="KTO, which sees which completions were good and which bad but not which belonged together, leaves {val}`pref.regret.kto` of reward on the table, less than the reference on every seed.",
            plain="Thumbs up and thumbs down, without direct comparisons, get most of the way: {val}`pref.regret.kto` points lost."),
        claim("pref.claim.orpo_shortens", "below", "pref.tokens.orpo", bound=-0.5,
            says="ORPO's supervised part counts errors a token, so short completions weigh more: the expected length changes by {val}`pref.tokens.orpo` tokens, though length has nothing to do with reward here.",
            plain="The cautious method shortens answers, by {val}`pref.tokens.orpo` tokens in length, though nobody asked for short ones."),
        claim("pref.claim.orpo_moves_least", "less", "pref.kl.orpo", "pref.kl.dpo",
            says="ORPO moves less than DPO, {val}`pref.kl.orpo` nats from the reference against {val}`pref.kl.dpo`.",
            plain="The cautious method stays nearer to where it started than the standard one."),
        claim("pref.claim.orpo_gains_less", "less", "pref.reward.orpo", "pref.reward.dpo",
            says="It gains less, too: {val}`pref.reward.orpo` against {val}`pref.reward.dpo` of reward.",
            plain="The cautious method also gains less: {val}`pref.reward.orpo` against {val}`pref.reward.dpo` points."),
        claim("pref.claim.certainty_runs_away", "ratio_at_least", "pref.certain.late.dpo.gap", "pref.certain.middle.dpo.gap", bound=1.2,
            says="Where preferences have no noise DPO does not come to rest: between {val}`pref.certain.middle.steps` and {val}`pref.certain.late.steps` steps the gap between chosen and rejected still grows to {val}`pref.certain.growth.dpo` its size.",
            plain="When the judges never waver, the standard method never stops: its confidence keeps growing, {val}`pref.certain.growth.dpo` as large late in training as in the middle."),
        claim("pref.claim.ipo_rests", "ratio_at_most", "pref.certain.late.ipo.gap", "pref.certain.middle.ipo.gap", bound=1.02,
            says="IPO does: its gap settles at {val}`pref.certain.late.ipo.gap` nats, and the policy at {val}`pref.certain.late.ipo.kl` nats from the reference.",
            plain="The rival method comes to rest and stays near where it started."),
        claim("pref.claim.certainty_leaves_the_reference", "all_seeds", "pref.certain.late.ipo.kl", "pref.certain.late.dpo.kl",
            says="So on the same noiseless data DPO ends {val}`pref.certain.late.dpo.kl` nats from the reference and IPO {val}`pref.certain.late.ipo.kl`: with certain preferences beta no longer holds DPO back.",
            plain="The setting that should hold the standard method back has no hold on it: it ends at {val}`pref.certain.late.dpo.kl`, the rival at {val}`pref.certain.late.ipo.kl`."),
        claim("pref.claim.certainty_costs", "greater", "pref.certain.late.dpo.regret", "pref.certain.early.dpo.regret",
            says="By its own objective DPO gets worse as it trains on: regret {val}`pref.certain.early.dpo.regret` after {val}`pref.certain.early.steps` steps, {val}`pref.certain.late.dpo.regret` after {val}`pref.certain.late.steps`.",
            plain="More training makes it worse by its own measure: from {val}`pref.certain.early.dpo.regret` lost to {val}`pref.certain.late.dpo.regret`."),
    ]  # fmt: skip


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """What a nat buys; regret by data; how far certain preferences drive."""
    return [
        _frontier(_part(outcomes, "methods")),
        _amounts(_part(outcomes, "amount")),
        _running(_part(outcomes, "certain")),
    ]


def _frontier(outcomes: Sequence[Outcome]) -> Figure:
    rows = [(NAMES[m], GRIDS[m][i], o.seed, each["kl"], each["reward"]) for m in METHODS for o in outcomes for i, each in enumerate(o.metrics["frontier"][m])]  # fmt: skip
    rows += [(name, 0.0, o.seed, o.metrics[key]["kl"], o.metrics[key]["reward"]) for key, name in (("best", "optimum"), ("reference", "reference")) for o in outcomes]  # fmt: skip

    def centre(name: str, column: int, strength: float = 0.0) -> float:
        return stats.iqm([float(r[column]) for r in rows if r[0] == name and r[1] == strength])

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(
                xlabel="distance from the reference, nats",
                ylabel="expected reward",
                xlim=(-0.05, 2.0),
                ylim=(-0.3, 1.5),
            )
            series = []
            for index, m in enumerate(METHODS):
                at = sorted((centre(NAMES[m], 3, s), centre(NAMES[m], 4, s)) for s in GRIDS[m])
                series.append(plots.Line(NAMES[m], [x for x, _ in at], [y for _, y in at], index))
            plots.lines(axes, theme, series, room=0.16, aligned=True)
            for name, dx in (("optimum", -8), ("reference", 8)):
                x, y = centre(name, 3), centre(name, 4)
                axes.plot([x], [y], marker="*", markersize=13, color=palette.ink, linestyle="none", zorder=5)
                axes.annotate(name, (x, y), xytext=(dx, 6 if dx < 0 else -3), textcoords="offset points", ha="right" if dx < 0 else "left", color=palette.ink, fontsize=plots.FONT - 1)  # fmt: skip

        return plots.figure(theme, 4.3, fill)

    return Figure(
        "pref_frontier",
        "What distance buys: expected reward against KL from the reference as each method's strength varies, from noisy pairs; interquartile means over the problems. The star is the optimum of the objective.",
        "How much better each method's answers get, against how far it strays from where it started. Up and to the left is better; the star is the best there is.",
        "Rising and flattening curves, with a star above them marking the optimum. Methods that know the reference run above those that do not.",
        table(rows, "method", "strength", "seed", "kl", "reward"),
        draw,
    )  # fmt: skip


def _amounts(outcomes: Sequence[Outcome]) -> Figure:
    amounts = list(outcomes[0].config.amounts)
    names = {"dpo": "DPO", "rlhf": "reward\nmodel"}
    rows = [(names[m].replace("\n", " "), n, o.seed, o.metrics[m][i]) for m in names for o in outcomes for i, n in enumerate(amounts)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xscale="log", yscale="log", xlabel="labelled pairs (log scale)", ylabel="regret (log scale)")
            series = []
            for index, m in enumerate(names):
                points = [[o.metrics[m][i] for o in outcomes] for i in range(len(amounts))]
                series.append(plots.Line(names[m], amounts, [stats.iqm(v) for v in points], index, points=points, dashed=m == "rlhf"))  # fmt: skip
            plots.lines(axes, theme, series, room=0.2)
            axes.set_xticks(amounts, [f"{n:,}" for n in amounts])
            plots.plain_ticks(axes, y=True)
            axes.minorticks_off()

        return plots.figure(theme, 3.7, fill)

    return Figure(
        "pref_amount",
        "Regret by the number of noisy pairs, for DPO and for a fitted reward model with its exact optimum; a dot a problem, lines through interquartile means.",
        "How much is lost by the number of comparisons shown; lower is better. With many of them both ways come to the same.",
        "Falling lines that merge to the right.",
        table(rows, "method", "pairs", "seed", "regret"),
        draw,
    )  # fmt: skip


def _running(outcomes: Sequence[Outcome]) -> Figure:
    looks = list(outcomes[0].config.looks)
    rows = [(NAMES[m], n, o.seed, o.metrics[m][i]["kl"], o.metrics[m][i]["gap"]) for m in ("dpo", "ipo") for o in outcomes for i, n in enumerate(looks)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            for axes, column, label in zip(canvas.subplots(1, 2), (4, 3), ("log-ratio gap, nats", "KL from reference, nats"), strict=True):  # fmt: skip
                axes.set(xscale="log", xlabel="steps (log scale)", ylabel=label)
                series = []
                for index, m in enumerate(("dpo", "ipo")):
                    points = [[float(r[column]) for r in rows if r[0] == NAMES[m] and r[1] == n] for n in looks]
                    series.append(plots.Line(NAMES[m], looks, [stats.iqm(v) for v in points], index, points=points))
                plots.lines(axes, theme, series, room=0.24)
                axes.set_ylim(bottom=0)

        return plots.figure(theme, 3.5, fill)

    return Figure(
        "pref_certain",
        "Training on noiseless preferences: the mean log-ratio gap between chosen and rejected, and the KL from the reference; a dot a problem, lines through interquartile means.",
        "When judges never waver: how sure of itself each method becomes, and how far it strays, as training goes on.",
        "Left, the line of DPO keeps rising while that of IPO is level. Right, DPO ends far from the reference, IPO near it.",
        table(rows, "method", "steps", "seed", "kl", "gap"),
        draw,
    )  # fmt: skip
