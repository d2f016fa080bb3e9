"""From outcomes to facts and series: one number a seed becomes an interquartile mean with its interval and its points.

Contract: pure functions over `contract.Outcome`s. A single run stands for itself, without an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.kit import stats
from experiments.kit.contract import Outcome
from experiments.kit.record import Fact, fact

Read = Callable[[Mapping[str, Any]], float]


def entry(*path: str | int, times: float = 1.0, plus: float = 0.0) -> Read:
    """A function that reads the number at `path` of a point's metrics, scaled and shifted."""

    def read(metrics: Mapping[str, Any]) -> float:
        value: Any = metrics
        for name in path:
            value = value[name]
        return plus + times * float(value)

    return read


def over_seeds(
    key: str,
    outcomes: Sequence[Outcome],
    read: Read,
    unit: str,
    description: str,
    fmt: str,
    plain_fmt: str | None = None,
    *,
    depth: int = 3,
    **more: Any,
) -> Fact:
    """A fact from one number a seed, recorded at the line that calls this. `more` goes to `record.fact`."""
    seeds = [o.seed for o in outcomes]
    values = [read(o.metrics) for o in outcomes]
    if len(values) == 1:
        return fact(key, values[0], unit, description, fmt=fmt, plain_fmt=plain_fmt, depth=depth, **more)
    e = stats.estimate(values)
    return fact(
        key, e.value, unit, description, fmt=fmt, plain_fmt=plain_fmt, seeds=seeds, values=values,
        interval=e.interval, statistic=e.statistic, depth=depth, **more,
    )  # fmt: skip


def by_x(
    outcomes: Sequence[Outcome], x: Callable[[Any], float], read: Read
) -> tuple[list[float], list[float], list[list[float]]]:
    """x of the configurations in order, the interquartile mean there, and the per-seed values there."""
    xs = sorted({x(o.config) for o in outcomes})
    points = [[read(o.metrics) for o in outcomes if x(o.config) == each] for each in xs]
    return xs, [stats.iqm(values) for values in points], points


def table(rows: Sequence[tuple[Any, ...]], *names: str) -> dict[str, list[Any]]:
    """Rows as the named columns of a figure's series."""
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
