"""What do the heads of a trained model look at, and how many of them does it need?

A small character model with rotary positions, trained here. Its heads are described by the entropy of their weights,
then switched off: one at a time to see what each is worth (Michel et al. 2019), and in three orders (least important
first, at random, most important first) to see how many can go. Importance is measured on other text than the loss.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from experiments.kit import plots, stats
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import entry, over_seeds, table
from experiments.week03_attention.language_model import Config, LanguageModel, bits, train
from experiments.week03_attention.text import corpus

TITLE = "Which heads matter"
QUESTION = "How spread out is each head's attention, and what does the model lose when heads are switched off?"
LIMITS = (
    "One small architecture, trained for minutes on one text; how many heads are dispensable depends on both.",
    "Heads were switched off without any training afterwards, which would win some of the loss back.",
    "Heads were ranked one at a time; two heads that stand in for each other look dispensable alone and are not together.",
    "Low entropy says that a head is selective, not that what it selects explains the prediction.",
)
TIMED = False

SHOWN = 32


@dataclass(frozen=True)
class Trial:
    """The model to train and how many windows to score with."""

    model: Config
    windows: int
    shuffles: int


SCALES: Mapping[Budget, tuple[Trial, int]] = {
    "smoke": (Trial(Config(width=32, length=32, steps=15, batch=4, layers=2, heads=4), 4, 2), 3),
    "small": (Trial(Config(steps=700, layers=3, heads=6), 48, 4), 5),
    "full": (Trial(Config(steps=4000, layers=4, heads=8, width=256, length=128, batch=32), 256, 10), 10),
}


def sweep(budget: Budget) -> Sequence[Point]:
    """One model a seed."""
    trial, seeds = SCALES[budget]
    return [Point(trial, seed) for seed in range(seeds)]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """Entropy and importance of every head, and bits a character as heads are switched off in three orders."""
    text, chosen = corpus(), config.model
    trained = Config(**{**chosen.__dict__, "vocabulary": len(text.letters)})
    model = train(trained, text.learn, seed, lambda step, loss: log({"step": step, "bits": loss}))
    length, shape = chosen.length, (chosen.layers, chosen.heads)
    ranking, scoring = (text.ends(config.windows, part, 2) for part in (0, 1))

    def loss(ends: Tensor, off: Sequence[int]) -> float:
        keep = torch.ones(shape[0] * shape[1])
        keep[list(off)] = 0
        return float(bits(model, text.test, ends, length, length // 2, keep.view(shape)).mean())

    heads = range(shape[0] * shape[1])
    base = loss(ranking, [])
    importance = [loss(ranking, [h]) - base for h in heads]
    order = sorted(heads, key=lambda h: importance[h])
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(len(order)).tolist() for _ in range(config.shuffles)]
    at_random = [[loss(scoring, s[:n]) for s in shuffles] for n in range(len(order) + 1)]
    entropies, uniform, picture, written = _entropies(model, text.test, scoring, text.letters)
    return {
        "bits": loss(scoring, []),
        "importance": importance,
        "entropy": entropies,
        "uniform": uniform,
        "least_first": [loss(scoring, order[:n]) for n in range(len(order) + 1)],
        "random": [float(np.mean(row)) for row in at_random],
        "most_first": [loss(scoring, order[::-1][:n]) for n in range(len(order) + 1)],
        "weights": picture if seed == 0 else [],
        "text": written if seed == 0 else "",
    }


@torch.no_grad()
def _entropies(
    model: LanguageModel, data: Tensor, ends: Tensor, letters: Sequence[str]
) -> tuple[list[float], float, list[Any], str]:
    """Mean entropy in bits of each head's weights, what equal weights would have, and one window's weights."""
    length = model.config.length
    window = data[ends[:, None] - length + torch.arange(length)]
    _, seen = model.look(window)
    entropies = [float(e) for p in seen for e in torch.special.entr(p).sum(-1).mean((0, 2)) / math.log(2)]
    uniform = float(torch.arange(1, length + 1).log2().mean())
    first = [p[0, :, :SHOWN, :SHOWN] for p in seen]
    picture = [[[round(float(w), 3) for w in row] for row in head] for p in first for head in p]
    return entropies, uniform, picture, "".join(letters[i] for i in window[0, :SHOWN])


def _share(name: str, pick: float) -> Any:
    """Reads what pruning in the order `name` costs once the share `pick` of heads is off."""

    def read(metrics: Mapping[str, Any]) -> float:
        curve = metrics[name]
        return float(curve[round(pick * (len(curve) - 1))] - curve[0])

    return read


def _rank_correlation(part: slice) -> Any:
    """Reads Spearman's correlation of entropy and importance over some heads of a model."""

    def read(metrics: Mapping[str, Any]) -> float:
        return float(spearmanr(metrics["entropy"][part], metrics["importance"][part]).statistic)

    return read


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings; entropies, importances and the price of pruning."""
    trial = outcomes[0].config
    model = trial.model
    total = model.layers * model.heads

    def over(key: str, read: Any, words: str, better: str = "lower", plain: str = ".1f") -> Fact:
        return over_seeds(key, outcomes, read, "bits", words, fmt=".2f", plain_fmt=plain, better=better, depth=4)

    return [
        parameter("heads.seeds", len(outcomes), "seeds", "models trained to look at heads", fmt="d"),
        parameter("heads.count", total, "heads", "attention heads of each model in all layers", fmt="d"),
        parameter("heads.layers", model.layers, "layers", "layers of each model whose heads were examined", fmt="d"),
        parameter("heads.half", round(total / 2), "heads", "half of the heads", fmt="d"),
        parameter("heads.quarter", round(total / 4), "heads", "a quarter of the heads", fmt="d"),
        parameter("heads.length", model.length, "characters", "context of the models whose heads were examined", fmt="d"),
        over("heads.bits", entry("bits"), "bits a character of the model with all heads"),
        over("heads.entropy.uniform", entry("uniform"), "average entropy of equal weights over everything before", "none"),
        over("heads.entropy.lowest", lambda m: min(m["entropy"]), "entropy of the most selective head", "none"),
        over("heads.entropy.highest", lambda m: max(m["entropy"]), "entropy of the least selective head", "none"),
        over("heads.importance.highest", lambda m: max(m["importance"]), "bits lost when the most important head alone is off", plain=".2f"),
        over_seeds("heads.importance.lowest", outcomes, lambda m: min(m["importance"]), "bits", "bits lost when the least important head alone is off", fmt=".3f", plain_fmt=".2f", better="lower"),
        over("heads.off.quarter_least", _share("least_first", 0.25), "bits lost with a quarter of the heads off, least important first", plain=".2f"),
        over("heads.off.half_least", _share("least_first", 0.5), "bits lost with half of the heads off, least important first"),
        over("heads.off.half_random", _share("random", 0.5), "bits lost with half of the heads off, at random"),
        over("heads.off.half_most", _share("most_first", 0.5), "bits lost with half of the heads off, most important first"),
        over("heads.off.all", _share("least_first", 1.0), "bits lost with every head off"),
        *(over_seeds(f"heads.rank.{name}", outcomes, _rank_correlation(part), "correlation", f"rank correlation of a head's entropy with the bits lost without it, {where}", fmt=".2f", plain_fmt=".1f") for name, part, where in (
            ("all", slice(None), "over all heads of a model"),
            ("first", slice(0, model.heads), "within the first layer"),
            ("second", slice(model.heads, 2 * model.heads), "within the second layer"),
        )),
    ]  # fmt: skip


def derived() -> Sequence[Derivation]:
    """How uneven heads are."""
    return [
        derive("heads.spread", "difference", "heads.entropy.highest", "heads.entropy.lowest", description="entropy of the least over the most selective head", fmt=".1f"),
        derive("heads.half_share", "ratio", "heads.off.half_most", "heads.off.half_least", description="loss with the most important half off over that with the least important half off", fmt=".0f"),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim("heads.claim.heads_differ", "all_seeds", "heads.entropy.lowest", "heads.entropy.highest", bound=1,
            says="Heads of one model differ: the most selective spreads its weights over {val}`heads.entropy.lowest` bits, the least selective over {val}`heads.entropy.highest`, where equal weights would have {val}`heads.entropy.uniform`.",
            plain="Some parts of the model pick out few letters, others spread their look over many."),
        claim("heads.claim.selective_heads_matter", "interval_below", "heads.rank.first", "heads.rank.second", bound=0.0,
            says="Within a layer the selective heads are the ones to keep: the rank correlation of a head's entropy with what is lost without it is {val}`heads.rank.first` in the first layer and {val}`heads.rank.second` in the second.",
            plain="Within a layer, the parts that look at little are the ones the model can least do without."),
        claim("heads.claim.order_matters", "all_seeds", "heads.off.half_least", "heads.off.half_random",
            says="Which heads go matters more than how many: without its {val}`heads.half` least important heads the model loses {val}`heads.off.half_least` bits, without as many random ones {val}`heads.off.half_random`, on every seed.",
            plain="Take away the {val}`heads.half` least useful of {val}`heads.count` parts and the error grows by {val}`heads.off.half_least`; take away as many at random and it grows by {val}`heads.off.half_random`."),
        claim("heads.claim.worst_order", "all_seeds", "heads.off.half_random", "heads.off.half_most",
            says="Without its {val}`heads.half` most important heads it loses {val}`heads.off.half_most` bits.",
            plain="Take away the {val}`heads.half` most useful parts and it grows by {val}`heads.off.half_most`."),
        claim("heads.claim.quarter_is_cheap", "all_seeds", "heads.off.quarter_least", "heads.off.half_least",
            says="The first {val}`heads.quarter` heads are cheap to lose, {val}`heads.off.quarter_least` bits; the next ones cost more.",
            plain="The first {val}`heads.quarter` parts are hardly missed: {val}`heads.off.quarter_least`."),
        claim("heads.claim.attention_is_needed", "all_seeds", "heads.off.half_most", "heads.off.all",
            says="With every head off each character is guessed from the one before it alone, and {val}`heads.off.all` bits are lost.",
            plain="Without any of them the model sees only the last letter, and the error grows by {val}`heads.off.all`."),
    ]  # fmt: skip


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Weights of a few heads, entropy against importance, and the price of pruning."""
    return [_weights(outcomes), _scatter(outcomes), _pruning(outcomes)]


def _weights(outcomes: Sequence[Outcome]) -> Figure:
    found = next(o for o in outcomes if o.seed == 0).metrics
    order = np.argsort(found["entropy"])
    picked = [int(order[i]) for i in (0, len(order) // 3, 2 * len(order) // 3, len(order) - 1)]
    per_layer = outcomes[0].config.model.heads
    letters = [c if c.strip() else "·" for c in found["text"]]
    rows = [(h // per_layer + 1, h % per_layer + 1, found["entropy"][h], i, j, found["weights"][h][i][j]) for h in picked for i in range(SHOWN) for j in range(i + 1)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            for axes, h in zip(canvas.subplots(2, 2).flat, picked, strict=True):
                grid = np.ma.masked_where(~np.tri(SHOWN, dtype=bool), np.sqrt(np.array(found["weights"][h])))
                axes.pcolormesh(grid, cmap=plots.HEAT, vmin=0, vmax=1, rasterized=True)
                axes.set(xlim=(0, SHOWN), ylim=(SHOWN, 0), aspect="equal")
                axes.set_xticks(np.arange(0, SHOWN, 2) + 0.5, letters[::2], fontsize=6.5, family="DejaVu Sans Mono")
                axes.set_yticks(np.arange(0, SHOWN, 2) + 0.5, letters[::2], fontsize=6.5, family="DejaVu Sans Mono")
                axes.tick_params(length=0, pad=1)
                axes.grid(False)
                axes.set_title(
                    f"layer {h // per_layer + 1}, head {h % per_layer + 1}: {found['entropy'][h]:.1f} bits",
                    fontsize=plots.FONT - 1,
                )

        return plots.figure(theme, 5.9, fill)

    return Figure(
        "heads_weights",
        "Attention weights of some heads of one model on one line of text, from the most to the least selective. Rows look, columns are looked at; colour is the square root of the weight; every second character is named.",
        "What some parts of one model look at while reading a line, from the one that picks most sharply to the one that spreads its look widest.",
        "Triangular heat maps: the first is bright in a few cells of each row, the last glows more evenly.",
        table(rows, "layer", "head", "entropy", "query", "key", "weight"),
        draw,
    )  # fmt: skip


def _scatter(outcomes: Sequence[Outcome]) -> Figure:
    per_layer = outcomes[0].config.model.heads
    rows = [(o.seed, h // per_layer + 1, h % per_layer + 1, e, i) for o in outcomes for h, (e, i) in enumerate(zip(o.metrics["entropy"], o.metrics["importance"], strict=True))]  # fmt: skip
    layers = sorted({r[1] for r in rows})

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            for layer in layers:
                own = [r for r in rows if r[1] == layer]
                axes.plot(
                    [r[3] for r in own], [r[4] for r in own], linestyle="none", marker=plots.MARKERS[layer - 1],
                    color=plots.colour(theme, layer - 1), markersize=5, alpha=0.85, label=f"layer {layer}",
                )  # fmt: skip
            axes.axvline(outcomes[0].metrics["uniform"], color=palette.muted, linestyle=(0, (2, 3)), linewidth=1.2)
            axes.set(xlabel="entropy of the weights, bits (dotted: equal weights)", ylabel="bits lost without the head")
            axes.legend(frameon=False, fontsize=plots.FONT - 1)

        return plots.figure(theme, 3.9, fill)

    return Figure(
        "heads_importance",
        "Every head of every model: how spread out its weights are, and what the model loses without it.",
        "Every part of every model: how widely it looks, and how much worse the model gets without it.",
        "A cloud of points by layer; most heads cost little when switched off, a few cost much.",
        table(rows, "seed", "layer", "head", "entropy", "bits lost"),
        draw,
    )  # fmt: skip


def _pruning(outcomes: Sequence[Outcome]) -> Figure:
    orders = {"most_first": "most important\nfirst", "random": "at random", "least_first": "least important\nfirst"}
    total = outcomes[0].config.model.layers * outcomes[0].config.model.heads
    rows = [(orders[name].replace("\n", " "), n, o.seed, o.metrics[name][n]) for name in orders for o in outcomes for n in range(total + 1)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xlabel="heads switched off", ylabel="bits a character")
            series = []
            for index, (name, label) in zip((1, 0, 2), orders.items(), strict=True):
                each = [[o.metrics[name][n] for o in outcomes] for n in range(total + 1)]
                centre = [stats.iqm(values) for values in each]
                low, high = [min(v) for v in each], [max(v) for v in each]
                series.append(plots.Line(label, list(range(total)), centre[:-1], index, low=low[:-1], high=high[:-1], marker=False))  # fmt: skip
            plots.lines(axes, theme, series, room=0.3)

        return plots.figure(theme, 3.9, fill)

    return Figure(
        "heads_pruning",
        "Bits a character as heads are switched off, by order; the band spans all seeds.",
        "Error as parts are switched off, the least useful first, at random, or the most useful first.",
        "Rising curves that start together: switching off important heads first rises at once, unimportant ones first stays flat for long.",
        table(rows, "order", "heads off", "seed", "bits"),
        draw,
    )  # fmt: skip
