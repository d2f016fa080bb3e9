"""Tiled attention against the textbook form and torch's kernel: `python -m bench.attention`.

One causal layer, forward: one sequence, 8 heads of 64, float32, one process, one thread. The three take turns,
`--repeats` times after a warm-up; each one's best is compared. Seconds are this process's own processor time, which on
one thread and an idle machine is the clock's and on a busy one leaves other work out. Results must agree with torch's
to 1e-5 (gradients to 1e-10 in float64 are a test). Memory is the counted peak of live tensors (`peak.py`).

Bars: at length 2,048 tiled at least 3 times as fast as the textbook form; at every length at most twice the time of
torch's kernel; memory at most 2.2 times as large where the length is twice as large, and below one L x L matrix of a
single head at the longest. Exit code 0: all bars met, 1: a bar missed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import click

B, H, D = 1, 8, 64
DIFFERENCE, NAIVE_BAR, NAIVE_AT, SDPA_BAR, GROWTH_BAR = 1e-5, 3.0, 2048, 2.0, 2.2


@dataclass(frozen=True)
class Row:
    """One length: best seconds of each, the largest differences from torch's results, and counted peak bytes."""

    length: int
    seconds: Mapping[str, float]
    difference: Mapping[str, float]
    peak: Mapping[str, int]


@dataclass(frozen=True)
class Bar:
    """A number beside what it may be at most, or must be at least."""

    what: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def contestants(length: int) -> dict[str, Callable[[], Any]]:
    """The three on the same inputs; the textbook form's mask is made beforehand, as a model would."""
    import torch
    import torch.nn.functional as F

    from experiments.week03_attention.scaled_dot_product import attention, causal_mask
    from experiments.week03_attention.tiled import tiled_attention

    g = torch.Generator().manual_seed(length)
    q, k, v = (torch.randn(B, H, length, D, generator=g) for _ in range(3))
    mask = causal_mask(length)
    return {
        "tiled": lambda: tiled_attention(q, k, v),
        "naive": lambda: attention(q, k, v, mask),
        "sdpa": lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    }


def measure(length: int, repeats: int) -> Row:
    """All three in turn, after a warm-up."""
    from experiments.week03_attention.peak import peak_bytes

    works = contestants(length)
    out = {name: work() for name, work in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            start = time.process_time()
            work()
            seconds[name].append(time.process_time() - start)
    return Row(
        length,
        {name: min(times) for name, times in seconds.items()},
        {name: float((o - out["sdpa"]).abs().max()) for name, o in out.items()},
        {name: peak_bytes(work) for name, work in works.items()},
    )


def bars(rows: Sequence[Row]) -> list[Bar]:
    """What must hold."""
    found = []
    for row in rows:
        at = f"at {row.length:,}"
        found.append(Bar(f"largest difference {at}", row.difference["tiled"], DIFFERENCE))
        if row.length == NAIVE_AT:
            found.append(
                Bar(f"times as fast as naive {at}", row.seconds["naive"] / row.seconds["tiled"], NAIVE_BAR, True)
            )
        found.append(Bar(f"times SDPA's time {at}", row.seconds["tiled"] / row.seconds["sdpa"], SDPA_BAR))
    for short, long in pairwise(rows):
        doublings = long.length / short.length / 2
        grown = long.peak["tiled"] / short.peak["tiled"] / doublings
        found.append(Bar(f"growth of memory a doubling to {long.length:,}", grown, GROWTH_BAR))
    last = rows[-1]
    found.append(Bar("memory over one L x L matrix", last.peak["tiled"] / (4 * last.length**2), 1.0))
    return found


@click.command(help=__doc__)
@click.option("--lengths", default="512,2048,4096", show_default=True, help="Lengths, shortest first.")
@click.option("--repeats", default=7, show_default=True, help="Turns.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(lengths: str, repeats: int, as_json: bool) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    rows = [measure(int(length), repeats) for length in lengths.split(",")]
    checks = bars(rows)
    passed = all(bar.met for bar in checks)
    if as_json:
        report = {"rows": [asdict(r) for r in rows], "bars": [{**asdict(b), "met": b.met} for b in checks]}
        click.echo(json.dumps({**report, "passed": passed, "repeats": repeats}, indent=1))
    else:
        click.echo(f"{'length':>8}{'':4}{'method':<8}{'ms':>10}{'MB':>10}{'max difference':>17}")
        for row in rows:
            for name in row.seconds:
                ms, mb = 1e3 * row.seconds[name], row.peak[name] / 1e6
                click.echo(f"{row.length:>8}{'':4}{name:<8}{ms:>10.1f}{mb:>10.1f}{row.difference[name]:>17.1e}")
        click.echo()
        for bar in checks:
            verdict = "ok" if bar.met else "MISSED"
            sign = "at least" if bar.at_least else "at most"
            click.echo(f"{bar.what:<36}{bar.value:>10.3g}  (bar {sign} {bar.bound:g}, {verdict})")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
