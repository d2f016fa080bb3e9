"""What does a longer context cost, in time and in memory, for each way to compute attention?

One layer of causal self-attention, forward only, at growing lengths: the textbook form, the tiled form, a sliding
window and Performer, with torch's own kernel as the yardstick. Memory is the counted peak of live tensors; time comes
with a roofline estimate from this machine's own measured speed of multiplying and of copying.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.colors import ListedColormap
from torch import Tensor

from experiments.kit import plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.kit.summary import by_x, entry, over_seeds, table
from experiments.week03_attention.peak import peak_bytes
from experiments.week03_attention.performer import directions, performer_attention
from experiments.week03_attention.scaled_dot_product import attention, causal_mask
from experiments.week03_attention.sparse import bigbird, local, longformer, sliding_window, sparse_attention
from experiments.week03_attention.tiled import TILE_K, TILE_Q, tiled_attention

TITLE = "What attention costs"
QUESTION = "How do time and memory of one attention layer grow with the length of the context?"
LIMITS = (
    "One processor core ran everything; on a graphics processor the constants, and which method wins at short lengths, differ.",
    "Only the forward pass of one layer with one sequence was timed.",
    "The window and the random features give other results than full attention; this study says what they cost, not what they lose.",
    "Counted memory leaves out what a compiled kernel allocates inside itself.",
)
TIMED = True

B, H, D = 1, 8, 64
WINDOW = 256
FEATURES = 128
MB = 1e6
METHODS = ("naive", "tiled", "window", "performer", "torch")
NAMES = {"naive": "textbook attention", "tiled": "tiled attention", "window": "a sliding window", "performer": "Performer", "torch": "torch's kernel"}  # fmt: skip
LENGTHS: Mapping[Budget, tuple[int, ...]] = {
    "smoke": (64, 128, 256, 512),
    "small": (512, 1024, 2048, 4096),
    "full": (512, 1024, 2048, 4096, 8192),
}
REPEATS: Mapping[Budget, int] = {"smoke": 3, "small": 5, "full": 10}


@dataclass(frozen=True)
class Layer:
    """One method at one length."""

    method: str
    length: int


@dataclass(frozen=True)
class Machine:
    """The machine's own speed: multiplications and copies a second, for matrices of side `size`."""

    size: int


def sweep(budget: Budget) -> Sequence[Point]:
    """Every method at every length, repeated; the machine's speed as often."""
    layers = [Layer(method, length) for length in LENGTHS[budget] for method in METHODS]
    return [Point(config, seed) for config in [Machine(512), *layers] for seed in range(REPEATS[budget])]


def measure(config: Layer | Machine, seed: int, log: Log) -> Mapping[str, Any]:
    """Seconds (the better of two calls after a first one), counted peak bytes, and distance from torch's result."""
    if isinstance(config, Machine):
        return _machine(config.size)
    g = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(B, H, config.length, D, generator=g) for _ in range(3))
    work = methods(q, k, v, g)[config.method]
    out = work()
    seconds = min(_seconds(work) for _ in range(2))
    exact = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return {"seconds": seconds, "bytes": peak_bytes(work), "difference": float((out - exact).abs().max())}


def methods(q: Tensor, k: Tensor, v: Tensor, g: torch.Generator) -> Mapping[str, Callable[[], Tensor]]:
    """The contestants on these inputs; masks and random directions are made beforehand, as in a model."""
    mask = causal_mask(q.shape[-2])
    window = sliding_window(WINDOW)
    w = directions(FEATURES, D, g)
    return {
        "naive": lambda: attention(q, k, v, mask),
        "tiled": lambda: tiled_attention(q, k, v),
        "window": lambda: sparse_attention(q, k, v, window),
        "performer": lambda: performer_attention(q, k, v, w, causal=True),
        "torch": lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    }


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _machine(size: int) -> Mapping[str, Any]:
    a, b = torch.randn(8, size, D), torch.randn(8, D, size)
    big = torch.randn(8_000_000)
    target = torch.empty_like(big)
    torch.bmm(a, b)
    multiply = min(_seconds(lambda: torch.bmm(a, b)) for _ in range(20))
    copy = min(_seconds(lambda: target.copy_(big)) for _ in range(5))
    return {"flops": 2 * 8 * size * size * D / multiply, "bandwidth": 2 * big.nbytes / copy}


def roofline(method: str, length: int, flops: float, bandwidth: float) -> float:
    """Seconds at least: arithmetic over the speed of multiplying, or bytes moved over that of copying.

    The textbook form multiplies L x L scores twice and passes its L x L matrix through memory ten times (scores
    written; read and written to scale, to mask and, twice, to normalise; read for the values). The tiled form does half
    of the products, for it leaves out tiles ahead of the query, and moves inputs and output once a tile of queries.
    """
    products = 4 * B * H * length**2 * D
    matrix = 4 * B * H * length**2
    vectors = 4 * B * H * length * D
    if method == "naive":
        return max(products / flops, (10 * matrix + 4 * vectors) / bandwidth)
    tiles = length / TILE_Q
    return max(products / 2 / flops, (2 * vectors + vectors * tiles) / bandwidth)


def _of(outcomes: Sequence[Outcome], method: str, length: int | None = None) -> list[Outcome]:
    return [o for o in outcomes if isinstance(o.config, Layer) and o.config.method == method and length in (None, o.config.length)]  # fmt: skip


def _lengths(outcomes: Sequence[Outcome]) -> list[int]:
    return sorted({o.config.length for o in outcomes if isinstance(o.config, Layer)})


TAGS = ("short", "middle", "long", "longest", "extreme")


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings; time and memory of every method at every length; the roofline of the two exact forms."""
    lengths = _lengths(outcomes)
    machine = [o for o in outcomes if isinstance(o.config, Machine)]
    made = [
        parameter("cost.heads", H, "heads", "attention heads in the timed layer", fmt="d"),
        parameter("cost.dimension", D, "dimensions", "dimensions of each head in the timed layer", fmt="d"),
        parameter("cost.window", WINDOW, "tokens", "positions that the sliding window looks back", fmt="d"),
        parameter("cost.features", FEATURES, "features", "random features of Performer in the timed layer", fmt="d"),
        parameter("cost.tile_q", TILE_Q, "tokens", "queries in a tile", fmt="d"),
        parameter("cost.tile_k", TILE_K, "tokens", "keys in a tile", fmt="d"),
        parameter("cost.repeats", len(machine), "runs", "repetitions behind every measured time", fmt="d"),
        over_seeds("cost.flops", machine, entry("flops", times=1e-9), "billion/s", "billion floating-point operations a second when this machine multiplies matrices", fmt=".0f", better="higher", machine=True, tolerance=3.0),
        over_seeds("cost.bandwidth", machine, entry("bandwidth", times=1e-9), "GB/s", "gigabytes a second that this machine reads and writes when it copies", fmt=".1f", plain_fmt=".0f", better="higher", machine=True, tolerance=3.0),
        fact("cost.difference", max(o.metrics["difference"] for m in ("naive", "tiled") for o in _of(outcomes, m)), "value", "largest difference of the exact forms from torch's kernel", fmt=".0e", better="lower", statistic="maximum over all runs"),
    ]  # fmt: skip
    flops, bandwidth = (next(f.value for f in made if f.key == f"cost.{name}") * 1e9 for name in ("flops", "bandwidth"))
    for tag, length in zip(TAGS, lengths, strict=False):
        made.append(parameter(f"cost.{tag}.length", length, "tokens", "a context length that was timed", fmt=",d"))
        for method in METHODS:
            key, own = f"cost.{tag}.{method}", _of(outcomes, method, length)
            words = f"of {NAMES[method]} at {length:,} tokens"
            made.append(over_seeds(f"{key}_ms", own, entry("seconds", times=1e3), "ms", f"time {words}", fmt=",.0f", better="lower", machine=True, tolerance=3.0))  # fmt: skip
            if method != "torch":  # its temporaries live inside a compiled kernel
                made.append(fact(f"{key}_mb", own[0].metrics["bytes"] / MB, "MB", f"peak memory {words}", fmt=",.1f", plain_fmt=",.0f", better="lower", kind="exact", statistic="counted"))  # fmt: skip
        for method in ("naive", "tiled"):
            made.append(fact(f"cost.{tag}.{method}_roofline_ms", 1e3 * roofline(method, length, flops, bandwidth), "ms", f"roofline estimate for {NAMES[method]} at {length:,} tokens", fmt=",.0f", better="lower", machine=True, tolerance=3.0, statistic="from measured speeds"))  # fmt: skip
    return made


def derived() -> Sequence[Derivation]:
    """Ratios between methods and along the length."""
    return [
        derive("cost.naive_growth", "ratio", "cost.longest.naive_mb", "cost.short.naive_mb", description="peak memory of textbook attention at the longest context over that at the shortest", fmt=".0f"),
        derive("cost.tiled_growth", "ratio", "cost.longest.tiled_mb", "cost.short.tiled_mb", description="peak memory of tiled attention at the longest context over that at the shortest", fmt=".1f"),
        derive("cost.length_growth", "ratio", "cost.longest.length", "cost.short.length", description="the longest context over the shortest", fmt=".0f"),
        derive("cost.memory_saving", "ratio", "cost.longest.naive_mb", "cost.longest.tiled_mb", description="peak memory of textbook over tiled attention at the longest context", fmt=".0f"),
        derive("cost.tiled_speedup", "ratio", "cost.long.naive_ms", "cost.long.tiled_ms", description="time of textbook over tiled attention at a long context", fmt=".1f", plain_fmt=".0f", tolerance=2.0),
        derive("cost.tiled_over_torch", "ratio", "cost.long.tiled_ms", "cost.long.torch_ms", description="time of tiled attention over torch's kernel at a long context", fmt=".1f", tolerance=2.0),
        derive("cost.window_speedup", "ratio", "cost.longest.tiled_ms", "cost.longest.window_ms", description="time of tiled attention over a sliding window at the longest context", fmt=".1f", plain_fmt=".0f", tolerance=2.0),
        derive("cost.naive_time_growth", "ratio", "cost.longest.naive_ms", "cost.short.naive_ms", description="time of textbook attention at the longest context over that at the shortest", fmt=".0f", tolerance=2.0),
        derive("cost.performer_time_growth", "ratio", "cost.longest.performer_ms", "cost.short.performer_ms", description="time of Performer at the longest context over that at the shortest", fmt=".1f", plain_fmt=".0f", tolerance=2.0),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim("cost.claim.same_result", "below", "cost.difference", bound=1e-5,
            says="Tiled attention is not an approximation: on standard normal inputs its largest difference from torch's own kernel is {val}`cost.difference`.",
            plain="The thrifty way gives the same answer, to the last digit that matters."),
        claim("cost.claim.tiled_is_faster", "ratio_at_least", "cost.long.naive_ms", "cost.long.tiled_ms", bound=2,
            says="At {val}`cost.long.length` tokens tiled attention takes {val}`cost.long.tiled_ms` where the textbook form takes {val}`cost.long.naive_ms`, {val}`cost.tiled_speedup` as long.",
            plain="At {val}`cost.long.length` tokens of context it is about {val}`cost.tiled_speedup` as fast as the textbook way."),
        claim("cost.claim.memory_explodes", "ratio_at_least", "cost.longest.naive_mb", "cost.longest.tiled_mb", bound=20,
            says="At {val}`cost.longest.length` tokens the textbook form peaks at {val}`cost.longest.naive_mb`, the tiled one at {val}`cost.longest.tiled_mb`.",
            plain="With the longest text the textbook way fills {val}`cost.longest.naive_mb` of memory, and the thrifty way {val}`cost.longest.tiled_mb`."),
        claim("cost.claim.memory_is_linear", "ratio_at_most", "cost.longest.tiled_mb", "cost.short.tiled_mb", bound=8,
            says="From {val}`cost.short.length` to {val}`cost.longest.length` tokens the tiled form's memory grows by {val}`cost.tiled_growth`, no more than the length itself, and the textbook form's by {val}`cost.naive_growth`.",
            plain="Make the text {val}`cost.length_growth` as long, and the thrifty way needs {val}`cost.tiled_growth` the memory; the textbook way needs {val}`cost.naive_growth`."),
        claim("cost.claim.window_is_cheaper", "less", "cost.longest.window_ms", "cost.longest.tiled_ms",
            says="Looking back {val}`cost.window` positions only is cheaper still at {val}`cost.longest.length` tokens: {val}`cost.longest.window_ms` against {val}`cost.longest.tiled_ms` for all of them.",
            plain="A program that looks back only a little way finishes long texts sooner: in {val}`cost.longest.window_ms` instead of {val}`cost.longest.tiled_ms`."),
        claim("cost.claim.performer_grows_slowly", "less", "cost.performer_time_growth", "cost.naive_time_growth",
            says="Performer's time grows by {val}`cost.performer_time_growth` from the shortest to the longest context, the textbook form's by {val}`cost.naive_time_growth`.",
            plain="Some shortcuts grow in step with the text: {val}`cost.performer_time_growth` the time for {val}`cost.length_growth` the text."),
    ]  # fmt: skip


INDEX = {"naive": 1, "tiled": 0, "window": 2, "performer": 3, "torch": 4}
SHORT = {"naive": "textbook", "tiled": "tiled", "window": "window", "performer": "Performer", "torch": "torch"}


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Time and memory against length; the patterns that sparse attention keeps."""
    return [_time(outcomes), _memory(outcomes), _patterns()]


def _ticks(axes: Any, lengths: Sequence[int]) -> None:
    axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
    axes.minorticks_off()


def _time(outcomes: Sequence[Outcome]) -> Figure:
    lengths = _lengths(outcomes)
    rows = [(m, o.config.length, o.seed, 1e3 * o.metrics["seconds"]) for m in METHODS for o in _of(outcomes, m)]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(
                xscale="log", yscale="log", xlabel="tokens of context (log scale)", ylabel="milliseconds (log scale)"
            )
            series = []
            for method in METHODS:
                xs, ys, points = by_x(_of(outcomes, method), lambda c: c.length, entry("seconds", times=1e3))
                series.append(plots.Line(SHORT[method], xs, ys, INDEX[method], points=points, dashed=method == "torch"))
            plots.lines(axes, theme, series, room=0.24)
            _ticks(axes, lengths)
            plots.plain_ticks(axes, y=True)

        return plots.figure(theme, 4.0, fill)

    return Figure(
        "cost_time",
        "Time of one causal attention layer against the length of the context, by method; every run is a dot. By count of operations the exact forms and torch's kernel should grow with the square of the length, the window and Performer with the length.",
        "How long one layer takes as the text grows. Exact methods compare every pair of tokens; shortcuts do not.",
        "Rising lines on logarithmic scales. Textbook attention is the steepest and ends highest; tiled attention runs close to torch's kernel; the window and Performer rise less steeply.",
        table(rows, "method", "tokens", "run", "milliseconds"),
        draw,
        machine=True,
    )  # fmt: skip


def _memory(outcomes: Sequence[Outcome]) -> Figure:
    lengths = _lengths(outcomes)
    shown = [m for m in METHODS if m != "torch"]
    rows = [(m, length, _of(outcomes, m, length)[0].metrics["bytes"] / MB) for m in shown for length in lengths]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(
                xscale="log", yscale="log", xlabel="tokens of context (log scale)", ylabel="peak megabytes (log scale)"
            )
            plots.lines(
                axes, theme,
                [plots.Line(SHORT[m], lengths, [r[2] for r in rows if r[0] == m], INDEX[m]) for m in shown], room=0.24,
            )  # fmt: skip
            _ticks(axes, lengths)
            plots.plain_ticks(axes, y=True)

        return plots.figure(theme, 3.8, fill)

    return Figure(
        "cost_memory",
        "Peak memory of the same layer, counted over live tensors, inputs left out. Only the textbook form holds the matrix of all pairs.",
        "How much memory one layer needs at its peak. Only the textbook way keeps a table of all pairs of words.",
        "Rising lines on logarithmic scales. The textbook form rises far more steeply than the others and ends high above them.",
        table(rows, "method", "tokens", "megabytes"),
        draw,
    )  # fmt: skip


def _patterns() -> Figure:
    L = 64
    shown = {
        "full, causal": causal_mask(L),
        "sliding window": sliding_window(12, block=4).mask(L),
        "local blocks": local(12).mask(L),
        "Longformer": longformer(L, 5, 3, block=4).mask(L),
        "BigBird": bigbird(L, block=4, window=3, heads=1, chance=2, seed=1).mask(L),
    }
    rows = [(name, float(mask.float().mean())) for name, mask in shown.items()]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            for axes, (name, mask) in zip(canvas.subplots(2, 3).flat, shown.items(), strict=False):
                axes.pcolormesh(
                    mask.numpy(), cmap=ListedColormap([palette.faint, plots.colour(theme, 0)]), rasterized=True
                )
                axes.set(xlim=(0, L), ylim=(L, 0), aspect="equal", xticks=[], yticks=[])
                axes.set_title(name, fontsize=plots.FONT - 1)
                axes.grid(False)
            canvas.axes[-1].remove()
            canvas.text(0.7, 0.28, "down: who looks\nacross: at whom", va="center", fontsize=plots.FONT - 1)

        return plots.figure(theme, 4.1, fill)

    return Figure(
        "cost_patterns",
        "Which positions may look at which by pattern, drawn for a short sequence. Rows are queries, columns are keys; filled cells are computed.",
        "Rules for which words may look at which. Every row is a word that looks, every filled cell a word it sees.",
        "Square grids: a filled lower triangle, a narrow diagonal band, blocks along the diagonal, a band with a full first row and column, and blocks with a band and scattered extra blocks.",
        table(rows, "pattern", "share of pairs"),
        draw,
    )  # fmt: skip
