"""Train short, test long: what happens to each positional encoding beyond the length it was trained on?

One small character model an encoding and seed, all trained on windows of the same length and on the same windows by
seed. Then the same characters are predicted with more and more context in front of them: what a model gains or loses
is due to the context's length alone.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.kit import plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import entry, over_seeds, table
from experiments.week03_attention.language_model import POSITIONS, Config, Position, bits, train
from experiments.week03_attention.positions import alibi_slopes, sinusoidal
from experiments.week03_attention.text import corpus

TITLE = "Train short, test long"
QUESTION = "Which positional encodings still predict well when the context is longer than any they were trained on?"
LIMITS = (
    "The models are tiny, read single characters and were trained for minutes; large models may differ in degree.",
    "Every model was trained at one length only; fine-tuning at a longer length, or rescaling rotations, was not tried.",
    "Characters near the end of a window rarely need distant context, so not getting worse is all that was tested, not use of what is far away.",
    "One setting of rates and sizes, chosen on other seeds for the rotary model, served all encodings.",
)
TIMED = False

NAMES: Mapping[Position, str] = {"none": "no positions", "sinusoidal": "sinusoidal", "learned": "learned", "shaw": "Shaw", "rope": "RoPE", "alibi": "ALiBi"}  # fmt: skip
SCORED = 32


@dataclass(frozen=True)
class Scale:
    """What a budget changes."""

    model: Config
    lengths: tuple[int, ...]
    windows: int
    seeds: int


SCALES: Mapping[Budget, Scale] = {
    "smoke": Scale(Config(width=32, length=32, steps=15, batch=4, reach=8, rows=128), (32, 64, 128), 4, 3),
    "small": Scale(Config(steps=450), (32, 64, 128, 256, 512), 64, 5),
    "full": Scale(Config(steps=3000, layers=4, width=192, length=128, batch=32), (64, 128, 256, 512, 1024), 256, 10),
}


@dataclass(frozen=True)
class Trial:
    """One encoding: the model to train, the lengths to test, how many windows to score."""

    model: Config
    lengths: tuple[int, ...]
    windows: int


def sweep(budget: Budget) -> Sequence[Point]:
    """Every encoding over all seeds."""
    scale = SCALES[budget]
    fields = {k: v for k, v in scale.model.__dict__.items() if k != "position"}
    return [
        Point(Trial(Config(position=p, **fields), scale.lengths, scale.windows), seed)
        for p in POSITIONS
        for seed in range(scale.seeds)
    ]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """Bits a character for the same targets at every length of context."""
    text = corpus()
    chosen = config.model
    model = train(
        Config(**{**chosen.__dict__, "vocabulary": len(text.letters)}), text.learn, seed,
        lambda step, loss: log({"step": step, "bits": loss}),
    )  # fmt: skip
    ends = text.ends(config.windows)
    found = {n: float(bits(model, text.test, ends, n, SCORED).mean()) for n in config.lengths}
    return {"bits": {str(n): value for n, value in found.items()}}


def _trained(outcomes: Sequence[Outcome]) -> int:
    return int(outcomes[0].config.model.length)


def _lengths(outcomes: Sequence[Outcome]) -> list[int]:
    return sorted(int(n) for n in outcomes[0].metrics["bits"])


def _tags(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """`trained`, `double` and `longest`, and where it lies between them `fourfold`: tags of tested lengths."""
    n = _trained(outcomes)
    tags = {"trained": n, "double": 2 * n, "fourfold": 4 * n, "longest": _lengths(outcomes)[-1]}
    return {tag: length for tag, length in tags.items() if length in _lengths(outcomes)}


def _of(outcomes: Sequence[Outcome], position: str) -> list[Outcome]:
    return [o for o in outcomes if o.config.model.position == position]


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings; bits a character of every encoding at every tagged length."""
    model = outcomes[0].config.model
    made = [
        parameter("position.seeds", len(_of(outcomes, "rope")), "seeds", "models trained for each positional encoding", fmt="d"),
        parameter("position.layers", model.layers, "layers", "layers of each model", fmt="d"),
        parameter("position.heads", model.heads, "heads", "attention heads a layer of each model", fmt="d"),
        parameter("position.width", model.width, "dimensions", "width of each model", fmt="d"),
        parameter("position.steps", model.steps, "steps", "training steps of each model", fmt=",d"),
        parameter("position.batch", model.batch, "sequences", "windows in a training step", fmt="d"),
        parameter("position.reach", model.reach, "tokens", "largest distance that Shaw's table tells apart", fmt="d"),
        parameter("position.windows", outcomes[0].config.windows, "windows", "windows scored at each length", fmt="d"),
        parameter("position.scored", SCORED, "characters", "characters scored at the end of each window", fmt="d"),
    ]  # fmt: skip
    for tag, length in _tags(outcomes).items():
        made.append(parameter(f"position.{tag}.length", length, "characters", f"length of context, {tag}", fmt=",d"))
        for p, name in NAMES.items():
            made.append(over_seeds(f"position.{tag}.{p}", _of(outcomes, p), entry("bits", str(length)), "bits", f"bits a character of {name} with {length:,} characters of context", fmt=".2f", plain_fmt=".1f", better="lower"))  # fmt: skip
    return made


def derived() -> Sequence[Derivation]:
    """What the longest context adds to the error of each encoding."""
    penalties = [
        derive(f"position.penalty.{p}", "difference", f"position.longest.{p}", f"position.trained.{p}", description=f"bits a character that {name} loses from the trained to the longest context", fmt=".2f", plain_fmt=".1f", better="lower")
        for p, name in NAMES.items()
    ]  # fmt: skip
    return [
        *penalties,
        derive(
            "position.length_growth",
            "ratio",
            "position.longest.length",
            "position.trained.length",
            description="the longest tested context over the trained one",
            fmt=".0f",
        ),
    ]


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    t, d, x = "position.trained", "position.double", "position.longest"
    return [
        claim("position.claim.alibi_holds", "within", f"{t}.alibi", f"{x}.alibi", bound=0.1,
            says="ALiBi notices nothing: {val}`position.trained.alibi` bits a character with {val}`position.trained.length` characters of context, {val}`position.longest.alibi` with {val}`position.longest.length`.",
            plain="One method notices nothing: its error stays at {val}`position.longest.alibi` bits a letter even with {val}`position.length_growth` the text."),
        claim("position.claim.rope_breaks_at_once", "all_seeds", f"{t}.rope", f"{d}.rope", bound=0.5,
            says="RoPE fails as soon as it is asked for more than it saw, on every seed: {val}`position.trained.rope` bits become {val}`position.double.rope` at {val}`position.double.length` characters.",
            plain="The most popular method breaks at once: with {val}`position.double.length` letters its error goes from {val}`position.trained.rope` to {val}`position.double.rope` bits a letter."),
        claim("position.claim.rope_gets_worse", "all_seeds", f"{t}.rope", f"{d}.rope", bound=0.2,
            says="RoPE gets worse as soon as it is asked for more than it saw, on every seed: {val}`position.trained.rope` bits become {val}`position.double.rope` at {val}`position.double.length` characters and {val}`position.longest.rope` at {val}`position.longest.length`.",
            plain="The most popular method slips at once: with {val}`position.double.length` letters its error goes from {val}`position.trained.rope` to {val}`position.double.rope` bits a letter."),
        claim("position.claim.learned_breaks", "all_seeds", f"{t}.learned", f"{d}.learned", bound=0.5,
            says="Learned positions break, for their rows beyond the trained length were never touched: {val}`position.double.learned` bits at {val}`position.double.length` characters, after {val}`position.trained.learned`.",
            plain="A table of positions has no entries beyond its end: the error jumps to {val}`position.double.learned`."),
        claim("position.claim.sinusoidal_breaks", "all_seeds", f"{t}.sinusoidal", f"{x}.sinusoidal", bound=0.5,
            says="Sinusoidal positions exist for every length and still do not help: {val}`position.longest.sinusoidal` bits with the longest context.",
            plain="A formula that works for any length does not help if the model never saw its later values."),
        claim("position.claim.shaw_holds", "within", f"{t}.shaw", f"{x}.shaw", bound=0.4,
            says="Shaw's clipped distances degrade slowly, by {val}`position.penalty.shaw` bits with the longest context: all that is far away looks equally far.",
            plain="Treating all that is far away alike also works: the error grows by only {val}`position.penalty.shaw`."),
        claim("position.claim.rope_beats_alibi_at_home", "all_seeds", f"{t}.rope", f"{t}.alibi",
            says="At the trained length the order is another one: RoPE predicts better than ALiBi on every seed, {val}`position.trained.rope` against {val}`position.trained.alibi` bits.",
            plain="On texts of the usual length the popular method is the better one: {val}`position.trained.rope` against {val}`position.trained.alibi`."),
        claim("position.claim.rope_and_alibi_are_level_at_home", "within", f"{t}.rope", f"{t}.alibi", bound=0.1,
            says="At the trained length RoPE and ALiBi are level: {val}`position.trained.rope` and {val}`position.trained.alibi` bits.",
            plain="On texts of the usual length they are level: {val}`position.trained.rope` and {val}`position.trained.alibi` bits a letter."),
        claim("position.claim.positions_matter", "all_seeds", f"{t}.rope", f"{t}.none", bound=0.1,
            says="Positions are worth having: without any, the same model needs {val}`position.trained.none` bits at the trained length.",
            plain="A model that is told nothing about order does worse: {val}`position.trained.none` bits a letter."),
        claim("position.claim.relative_beats_absolute", "all_seeds", f"{t}.shaw", f"{t}.sinusoidal", bound=0.1,
            says="Told by distance, the model learns faster than told by place: {val}`position.trained.shaw` bits with Shaw's distances, {val}`position.trained.sinusoidal` with sinusoidal places, on every seed.",
            plain="Models learn faster from distances than from page numbers: {val}`position.trained.shaw` against {val}`position.trained.sinusoidal`."),
        claim("position.claim.best_far", "best_is", f"{x}.alibi", f"{x}.shaw", f"{x}.none", f"{x}.rope", f"{x}.learned", f"{x}.sinusoidal",
            says="With {val}`position.longest.length` characters of context ALiBi is best, at {val}`position.longest.alibi` bits; RoPE stands at {val}`position.longest.rope`.",
            plain="With the longest text the plainest method wins: {val}`position.longest.alibi` bits a letter."),
    ]  # fmt: skip


INDEX: Mapping[Position, int] = {"alibi": 0, "rope": 1, "shaw": 2, "sinusoidal": 3, "learned": 4, "none": 5}


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Error against length of context; what the encodings look like."""
    return [_curves(outcomes), _looks()]


def _curves(outcomes: Sequence[Outcome]) -> Figure:
    lengths = _lengths(outcomes)
    rows = [(NAMES[p], n, o.seed, o.metrics["bits"][str(n)]) for p in NAMES for o in _of(outcomes, p) for n in lengths]
    trained = _trained(outcomes)

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(xscale="log", xlabel="characters of context (log scale)", ylabel="bits a character")
            axes.axvline(trained, color=palette.muted, linewidth=1.2, linestyle=(0, (2, 3)))
            series = []
            for p, index in INDEX.items():
                points = [[r[3] for r in rows if r[0] == NAMES[p] and r[1] == n] for n in lengths]
                middle = [sorted(values)[len(values) // 2] for values in points]
                series.append(plots.Line(NAMES[p], lengths, middle, index, points=points, dashed=p == "none"))
            plots.lines(axes, theme, series, room=0.27)
            axes.set_xticks(lengths, [str(n) for n in lengths])
            axes.minorticks_off()
            axes.annotate(
                "trained here", (trained, 1), xycoords=("data", "axes fraction"), xytext=(-5, -3),
                textcoords="offset points", ha="right", va="top", color=palette.muted, fontsize=plots.FONT - 1,
            )  # fmt: skip

        return plots.figure(theme, 4.4, fill)

    return Figure(
        "position_extrapolation",
        "Bits a character of the same targets, against how much context precedes them; a dot a seed, lines through the medians. Left of the dotted line lie lengths that training covered.",
        "Error of each method as the text grows; lower is better. Left of the dotted line are lengths the model was trained on.",
        "Lines of error against length. Up to the trained length they change little; then ALiBi stays level and Shaw rises a little, while RoPE, learned and sinusoidal positions jump up.",
        table(rows, "encoding", "characters", "seed", "bits"),
        draw,
    )  # fmt: skip


def _looks() -> Figure:
    L, D = 64, 32
    waves = sinusoidal(L, D).T.numpy()
    slopes = alibi_slopes(4).tolist()
    distances = list(range(L))
    rotation = [sum(math.cos(d * 10_000 ** (-2 * i / D)) for i in range(D // 2)) / (D // 2) for d in distances]
    rows = [(d, rotation[d], *[-s * d for s in slopes]) for d in distances]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            top, left, right = (canvas.add_subplot(spec) for spec in _layout(canvas))
            top.pcolormesh(waves, cmap=plots.HEAT, rasterized=True)
            top.set(xlabel="position", ylabel="dimension", title="sinusoidal: a pattern for each position")
            top.grid(False)
            left.plot(distances, rotation, color=plots.colour(theme, 1))
            left.set(xlabel="distance", title="RoPE: match by distance", ylim=(-0.4, 1.05))
            for s, width in zip(slopes, (2.4, 2.0, 1.6, 1.2), strict=True):
                right.plot(distances, [-s * d for d in distances], color=plots.colour(theme, 0), linewidth=width)
            right.set(xlabel="distance", title="ALiBi: penalty by head", ylim=(-17, 0.7))

        return plots.figure(theme, 4.8, fill)

    return Figure(
        "position_encodings",
        "What the model is given. Sinusoidal: the vector added to each position. RoPE: the average cosine by which turning a pair of equal vectors lowers their product, by distance. ALiBi: what each head subtracts from a score, by distance.",
        "Ways to tell a machine where a word stands: a pattern for every place, a rotation that depends on distance, and a penalty that grows with distance.",
        "A heat map of waves that get slower from bottom to top; a curve that falls from one and wiggles around a lower level; straight lines falling from zero with different slopes.",
        table(rows, "distance", "rope", *[f"alibi head {i}" for i in range(1, 5)]),
        draw,
    )  # fmt: skip


def _layout(canvas: plots.Canvas) -> Any:
    grid = canvas.add_gridspec(2, 2)
    return grid[0, :], grid[1, 0], grid[1, 1]
