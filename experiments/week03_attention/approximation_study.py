"""How far from full attention are the shortcuts, at the same number of products?

Performer, Linformer and a sliding window against exact attention on two kinds of input: independent normal
queries and keys, and the queries, keys and values inside a small trained model. Each method has one dial (features,
mixtures, positions); turned to the same number of query-key products a query, their errors can be compared.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from experiments.kit import plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, parameter
from experiments.kit.summary import over_seeds, table
from experiments.week03_attention.language_model import Config, train
from experiments.week03_attention.linformer import linformer_attention, mean_pooling, random_projection
from experiments.week03_attention.performer import directions, performer_attention
from experiments.week03_attention.positions import rope
from experiments.week03_attention.scaled_dot_product import attention, causal_mask
from experiments.week03_attention.sparse import sliding_window, sparse_attention
from experiments.week03_attention.text import corpus

TITLE = "What the shortcuts lose"
QUESTION = (
    "How far are linear and sparse attention from full attention, on random inputs and on those of a trained model?"
)
LIMITS = (
    "Nothing was trained with the shortcuts in place; a model that learns with them can adapt to them.",
    "Linformer's mixtures are fixed here, where the paper learns them; its error is that of the untrained method.",
    "Distance from full attention's output is not the same as loss of predictions.",
    "Linformer sees all positions, so it is compared with attention in both directions, the others with causal attention.",
)
TIMED = False

METHODS = ("window", "performer", "linformer_random", "linformer_pool")
NAMES = {"window": "sliding window", "performer": "Performer", "linformer_random": "Linformer,\nrandom", "linformer_pool": "Linformer,\npooled"}  # fmt: skip
WORLDS = ("random", "trained")


@dataclass(frozen=True)
class Trial:
    """The model whose heads are examined, at `length` positions, and the settings of every dial."""

    model: Config
    length: int
    dials: tuple[int, ...]
    windows: int


SCALES: Mapping[Budget, tuple[Trial, int]] = {
    "smoke": (Trial(Config(width=32, length=32, steps=15, batch=4), 64, (8, 32, 64), 1), 3),
    "small": (Trial(Config(steps=400, length=256, batch=4), 256, (16, 32, 64, 128, 256), 4), 5),
    "full": (Trial(Config(steps=3000, length=512, batch=8, width=192), 512, (16, 32, 64, 128, 256, 512), 16), 10),
}


def sweep(budget: Budget) -> Sequence[Point]:
    """One model a seed; every method and dial on it."""
    trial, seeds = SCALES[budget]
    return [Point(trial, seed) for seed in range(seeds)]


def measure(config: Trial, seed: int, log: Log) -> Mapping[str, Any]:
    """Relative error of every method at every dial in both worlds, averaged over heads."""
    g = torch.Generator().manual_seed(seed)
    q, k, v = inside(config, seed, log)
    noise = [torch.randn(x.shape, generator=g) for x in (q, k, v)]
    worlds = {"random": noise, "trained": [q, k, v]}
    found: dict[str, dict[str, list[float]]] = {}
    for world, inputs in worlds.items():
        both, back = (attention(inputs[0], inputs[1], inputs[2], m) for m in (None, causal_mask(config.length)))
        found[world] = {
            method: [
                relative_error(work(*inputs), both if "linformer" in method else back)
                for work in (shortcut(method, dial, config.length, q.shape[-1], g) for dial in config.dials)
            ]
            for method in METHODS
        }
    return found


@torch.no_grad()
def inside(config: Trial, seed: int, log: Log) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of all heads of a model trained here, (layers * heads * windows, length, d) each."""
    text, chosen = corpus(), config.model
    with torch.enable_grad():
        model = train(Config(**{**chosen.__dict__, "vocabulary": len(text.letters)}), text.learn, seed, lambda step, loss: log({"step": step, "bits": loss}))  # fmt: skip
    ends = text.ends(config.windows)
    x = model.embed(text.test[ends[:, None] - config.length + torch.arange(config.length)])
    mask, at = causal_mask(config.length), torch.arange(config.length)
    parts: list[list[Tensor]] = [[], [], []]
    for block in model.layers():
        B, L, _ = x.shape
        q, k, v = (
            y.view(B, L, chosen.heads, -1).transpose(1, 2).flatten(0, 1) for y in block.qkv(block.norm1(x)).chunk(3, -1)
        )
        for part, value in zip(parts, (rope(q, at), rope(k, at), v), strict=True):
            part.append(value)
        x, _ = block(x, mask, None, None)
    q, k, v = (torch.cat(part) for part in parts)
    return q, k, v


def shortcut(method: str, dial: int, L: int, D: int, g: torch.Generator) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """A method with its dial at so many products a query: positions, features or mixtures."""
    if method == "window":
        pattern = sliding_window(dial, block=min(64, dial))
        return lambda q, k, v: sparse_attention(q, k, v, pattern)
    if method == "performer":
        w = directions(dial, D, g)
        return lambda q, k, v: performer_attention(q, k, v, w, causal=True)
    E, F = (
        (random_projection(dial, L, g), random_projection(dial, L, g))
        if method == "linformer_random"
        else (mean_pooling(dial, L),) * 2
    )
    return lambda q, k, v: linformer_attention(q, k, v, E, F)


def relative_error(out: Tensor, exact: Tensor) -> float:
    """|out - exact| / |exact| by head (Frobenius), averaged: 0 is exact, 1 is as good as answering zero."""
    return float(((out - exact).norm(dim=(-2, -1)) / exact.norm(dim=(-2, -1))).mean())


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings; error of every method at a quarter of the length, and at the smallest and largest dial."""
    trial = outcomes[0].config
    dials, length = trial.dials, trial.length
    tags = {
        "few": 0,
        "quarter": dials.index(length // 4) if length // 4 in dials else len(dials) // 2,
        "all": len(dials) - 1,
    }
    made = [
        parameter("approx.seeds", len(outcomes), "seeds", "models trained to look inside", fmt="d"),
        parameter("approx.length", length, "tokens", "positions at which shortcuts were compared with full attention", fmt="d"),
        *[parameter(f"approx.{tag}.dial", dials[i], "products", f"products a query may cost: {tag}", fmt="d") for tag, i in tags.items()],
    ]  # fmt: skip
    for world in WORLDS:
        for method in METHODS:
            for tag, i in tags.items():
                words = f"relative error of {NAMES[method]} on {world} inputs with {dials[i]} products a query".replace("\n", " ")  # fmt: skip
                made.append(over_seeds(f"approx.{world}.{tag}.{method}", outcomes, _at(world, method, i), "fraction", words, fmt=".2f", plain_fmt=".0%", better="lower"))  # fmt: skip
    return made


def _at(world: str, method: str, i: int) -> Any:
    def read(metrics: Mapping[str, Any]) -> float:
        return float(metrics[world][method][i])

    return read


def derived() -> Sequence[Derivation]:
    """What training changes."""
    return [
        derive("approx.window_gain", "ratio", "approx.random.quarter.window", "approx.trained.quarter.window", description="error of a sliding window on random inputs over that inside a trained model", fmt=".1f"),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    t, r = "approx.trained", "approx.random"
    return [
        claim("approx.claim.window_suits_text", "all_seeds", f"{t}.quarter.window", f"{r}.quarter.window",
            says="Inside a trained model a window of {val}`approx.quarter.dial` positions misses {val}`approx.trained.quarter.window` of the output's size, on random inputs {val}`approx.random.quarter.window`: what a model learns to look at is near.",
            plain="A program that looks back only {val}`approx.quarter.dial` of {val}`approx.length` letters misses {val}`approx.trained.quarter.window` of the result on real text, and {val}`approx.random.quarter.window` on noise."),
        claim("approx.claim.window_beats_performer", "all_seeds", f"{t}.quarter.window", f"{t}.quarter.performer",
            says="At the same number of products a query the window is nearer than Performer, {val}`approx.trained.quarter.window` against {val}`approx.trained.quarter.performer`, on every seed.",
            plain="For the same effort, looking nearby loses less than rough estimates of everything: {val}`approx.trained.quarter.window` against {val}`approx.trained.quarter.performer`."),
        claim("approx.claim.more_features_help", "decreasing", f"{t}.few.performer", f"{t}.quarter.performer", f"{t}.all.performer",
            says="Performer does get nearer with more features, {val}`approx.trained.few.performer` with {val}`approx.few.dial` and {val}`approx.trained.all.performer` with {val}`approx.all.dial`; it is an estimate that must be paid for.",
            plain="More effort brings the estimate nearer: from {val}`approx.trained.few.performer` off to {val}`approx.trained.all.performer`."),
        claim("approx.claim.pooling_beats_chance", "all_seeds", f"{t}.quarter.linformer_pool", f"{t}.quarter.linformer_random",
            says="Among fixed mixtures averaging neighbours is nearer than mixing at random, {val}`approx.trained.quarter.linformer_pool` against {val}`approx.trained.quarter.linformer_random`.",
            plain="Averaging neighbours loses less than mixing at random: {val}`approx.trained.quarter.linformer_pool` against {val}`approx.trained.quarter.linformer_random`."),
        claim("approx.claim.full_window_is_exact", "below", f"{t}.all.window", f"{r}.all.window", bound=1e-5,
            says="A window as long as the text is full attention again, to rounding.",
            plain="A window as long as the text misses nothing."),
    ]  # fmt: skip


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Error against the number of products, in both worlds."""
    dials = outcomes[0].config.dials
    rows = [(world, NAMES[m].replace("\n", " "), d, o.seed, o.metrics[world][m][i]) for world in WORLDS for m in METHODS for o in outcomes for i, d in enumerate(dials)]  # fmt: skip

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            for axes, world, title in zip(canvas.subplots(2, 1), WORLDS, ("random inputs", "inside a trained model"), strict=True):  # fmt: skip
                axes.set(xscale="log", ylabel="relative error", title=title, ylim=(0, 1.6))
                series = []
                for index, m in enumerate(METHODS):
                    points = [[min(1.6, o.metrics[world][m][i]) for o in outcomes] for i in range(len(dials))]
                    series.append(plots.Line(NAMES[m], dials, [sorted(p)[len(p) // 2] for p in points], index, points=points))  # fmt: skip
                plots.lines(axes, theme, series, room=0.3)
                axes.set_xticks(dials, [str(d) for d in dials])
                axes.minorticks_off()
            axes.set_xlabel("products a query (log scale)")

        return plots.figure(theme, 6.2, fill)

    return [
        Figure(
            "approx_error",
            "Relative error of the shortcuts against how many products they spend on a query; a dot a seed, lines through the medians, errors beyond the scale drawn at its edge. The largest setting is the whole length.",
            "How far each shortcut is from the full result, by how much effort it may spend; lower is better.",
            "Panels of falling lines, one for each kind of input. Inside the trained model the sliding window is lowest; the others need many more products.",
            table(rows, "inputs", "method", "products", "seed", "relative error"),
            draw,
        )
    ]  # fmt: skip
