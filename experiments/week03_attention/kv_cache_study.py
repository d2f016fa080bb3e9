"""How much faster does a model write when its heads share keys and values?

Decoding one token at a time: every new token reads all cached keys and values of a layer. Multi-head, grouped-query
and multi-query attention differ only in how many key and value heads they cache, so bytes read and time are compared
at equal query heads.
"""

# ruff: noqa: E501 (facts and sentences stay whole, one a line)
from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from experiments.kit import plots
from experiments.kit.contract import Budget, Figure, Log, Outcome, Point, Theme
from experiments.kit.record import Claim, Derivation, Fact, claim, derive, fact, parameter
from experiments.kit.summary import by_x, entry, over_seeds, table
from experiments.week03_attention.heads import Cache, decode_step

TITLE = "Sharing keys and values"
QUESTION = "How do the number of key and value heads and the length of the text set the speed of writing?"
LIMITS = (
    "One layer's attention was timed alone; in a whole model the other layers' matrix products dilute the gain.",
    "What sharing does to the quality of a model was not measured here.",
    "One processor core and 32-bit numbers; servers decode on graphics processors with 16-bit numbers or fewer.",
)
TIMED = True

BATCH, H, D = 4, 8, 64
GROUPS = (8, 4, 2, 1)
NAMES = {8: "multi-head", 4: "grouped, four", 2: "grouped, two", 1: "multi-query"}
LENGTHS: Mapping[Budget, tuple[int, ...]] = {"smoke": (64, 256), "small": (512, 2048, 8192), "full": (512, 2048, 8192)}
TAGS: Mapping[int, str] = {0: "short", 1: "middle", 2: "long"}
REPEATS: Mapping[Budget, int] = {"smoke": 3, "small": 5, "full": 10}
TOKENS = 16


@dataclass(frozen=True)
class Decode:
    """`groups` key and value heads, and `length` positions in the cache when writing begins."""

    groups: int
    length: int


def sweep(budget: Budget) -> Sequence[Point]:
    """Every number of groups at every length, repeated."""
    return [Point(Decode(g, n), seed) for n in LENGTHS[budget] for g in GROUPS for seed in range(REPEATS[budget])]


def measure(config: Decode, seed: int, log: Log) -> Mapping[str, Any]:
    """Seconds a token over `TOKENS` decoding steps, and the bytes of the cache for one sequence."""
    g = torch.Generator().manual_seed(seed)
    end = config.length + TOKENS + 1
    cache = Cache.empty(BATCH, config.groups, end, D)
    cache.append(*(torch.randn(BATCH, config.groups, config.length, D, generator=g) for _ in range(2)))
    steps = [
        (torch.randn(BATCH, H, 1, D, generator=g), *(torch.randn(BATCH, config.groups, 1, D, generator=g) for _ in range(2)))
        for _ in range(TOKENS + 1)
    ]  # fmt: skip
    decode_step(cache, *steps[0])
    times = []
    for step in steps[1:]:
        start = time.perf_counter()
        decode_step(cache, *step)
        times.append(time.perf_counter() - start)
    return {"seconds": sorted(times)[TOKENS // 2], "bytes": Cache.empty(1, config.groups, config.length, D).bytes}


def _of(outcomes: Sequence[Outcome], groups: int, length: int | None = None) -> list[Outcome]:
    return [o for o in outcomes if o.config.groups == groups and length in (None, o.config.length)]


def _lengths(outcomes: Sequence[Outcome]) -> list[int]:
    return sorted({o.config.length for o in outcomes})


def _tags(outcomes: Sequence[Outcome]) -> list[tuple[str, int]]:
    lengths = _lengths(outcomes)
    return [("long" if length == lengths[-1] else TAGS[i], length) for i, length in enumerate(lengths)]


def facts(outcomes: Sequence[Outcome]) -> Sequence[Fact]:
    """Settings, cache sizes and times."""
    made = [
        parameter("kv.heads", H, "heads", "query heads of the decoding layer", fmt="d"),
        parameter("kv.dimension", D, "dimensions", "dimensions of each head of the decoding layer", fmt="d"),
        parameter("kv.batch", BATCH, "sequences", "sequences decoded together", fmt="d"),
        parameter("kv.tokens", TOKENS, "tokens", "tokens decoded a run, whose median time counts", fmt="d"),
        parameter("kv.repeats", len(_of(outcomes, H, _lengths(outcomes)[0])), "runs", "repetitions behind every decoding time", fmt="d"),
    ]  # fmt: skip
    for tag, length in _tags(outcomes):
        made.append(parameter(f"kv.{tag}.length", length, "tokens", "a length of cached text", fmt=",d"))
        for g in GROUPS:
            own, words = _of(outcomes, g, length), f"with {g} key and value heads and {length:,} tokens cached"
            made += [
                over_seeds(f"kv.{tag}.g{g}_ms", own, entry("seconds", times=1e3), "ms", f"time to decode one token of every sequence {words}", fmt=".2f", plain_fmt=".1f", better="lower", machine=True, tolerance=3.0),
                fact(f"kv.{tag}.g{g}_mb", own[0].metrics["bytes"] / 1e6, "MB", f"cache of one layer and one sequence {words}", fmt=",.2f", plain_fmt=",.1f", better="lower", kind="exact", statistic="counted"),
            ]  # fmt: skip
    return made


def derived() -> Sequence[Derivation]:
    """What sharing saves."""
    return [
        derive("kv.mqa_saving", "ratio", "kv.long.g8_mb", "kv.long.g1_mb", description="cache of multi-head over multi-query attention", fmt=".0f"),
        derive("kv.mqa_speedup", "ratio", "kv.long.g8_ms", "kv.long.g1_ms", description="decoding time of multi-head over multi-query attention with the longest text", fmt=".1f", tolerance=2.5),
        derive("kv.gqa_speedup", "ratio", "kv.long.g8_ms", "kv.long.g2_ms", description="decoding time of multi-head over grouped-query attention with two groups, longest text", fmt=".1f", tolerance=2.5),
        derive("kv.length_slowdown", "ratio", "kv.long.g8_ms", "kv.short.g8_ms", description="decoding time of multi-head attention with the longest over the shortest text", fmt=".0f", tolerance=2.5),
    ]  # fmt: skip


def claims() -> Sequence[Claim]:
    """What the study found, as comparisons that could have come out otherwise."""
    return [
        claim("kv.claim.mqa_is_faster", "ratio_at_least", "kv.long.g8_ms", "kv.long.g1_ms", bound=1.5,
            says="With {val}`kv.long.length` tokens cached, multi-query attention decodes a token in {val}`kv.long.g1_ms`, multi-head attention in {val}`kv.long.g8_ms`.",
            plain="When every part of the model keeps its own notes, a word takes {val}`kv.long.g8_ms`; when they share one set, {val}`kv.long.g1_ms`."),
        claim("kv.claim.sharing_orders_time", "decreasing", "kv.long.g8_ms", "kv.long.g2_ms", "kv.long.g1_ms",
            says="Time falls as more query heads share: {val}`kv.long.g8_ms` when each has its own keys, {val}`kv.long.g2_ms` when groups share them, {val}`kv.long.g1_ms` when all do.",
            plain="The more the parts share, the faster the model writes."),
        claim("kv.claim.cache_shrinks", "ratio_at_least", "kv.long.g8_mb", "kv.long.g1_mb", bound=8,
            says="The cache shrinks exactly with the number of key and value heads: {val}`kv.long.g8_mb` for one layer and sequence with multi-head, {val}`kv.long.g1_mb` with multi-query attention.",
            plain="Shared notes take {val}`kv.long.g1_mb` instead of {val}`kv.long.g8_mb` for one layer and one reader."),
        claim("kv.claim.long_text_slows", "ratio_at_least", "kv.long.g8_ms", "kv.short.g8_ms", bound=4,
            says="The same multi-head step takes {val}`kv.short.g8_ms` with {val}`kv.short.length` tokens cached: the time goes into reading the cache.",
            plain="The same step takes {val}`kv.short.g8_ms` with a short text. Reading what was said before is what costs."),
    ]  # fmt: skip


def figures(outcomes: Sequence[Outcome]) -> Sequence[Figure]:
    """Time a token against cached length."""
    rows = [(NAMES[g], o.config.length, o.seed, 1e3 * o.metrics["seconds"]) for g in GROUPS for o in _of(outcomes, g)]

    def draw(theme: Theme) -> plots.Canvas:
        def fill(canvas: plots.Canvas, palette: plots.Palette) -> None:
            axes = canvas.subplots()
            axes.set(
                xscale="log",
                yscale="log",
                xlabel="tokens in the cache (log scale)",
                ylabel="milliseconds a token (log scale)",
            )
            series = []
            for index, g in enumerate(GROUPS):
                xs, ys, points = by_x(_of(outcomes, g), lambda c: c.length, entry("seconds", times=1e3))
                series.append(plots.Line(NAMES[g], xs, ys, index, points=points))
            plots.lines(axes, theme, series, room=0.28)
            axes.set_xticks(_lengths(outcomes), [f"{n:,}" for n in _lengths(outcomes)])
            axes.minorticks_off()
            plots.plain_ticks(axes, y=True)

        return plots.figure(theme, 3.8, fill)

    return [
        Figure(
            "kv_decode",
            "Time to decode one token of every sequence against the length of the cached text, by how many key and value heads the query heads share; every run is a dot.",
            "Time for the next word as the text grows, by how many of the model's parts share their notes.",
            "Rising lines on logarithmic scales; multi-head attention is the highest at long texts and multi-query attention the lowest.",
            table(rows, "sharing", "tokens", "run", "milliseconds"),
            draw,
            machine=True,
        )
    ]  # fmt: skip
