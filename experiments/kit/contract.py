"""The contract of a study: a module `experiments/<topic>/<name>_study.py` with the names of `Study` below.

A study asks one question, sweeps configurations and seeds, measures each point, and turns the outcomes into facts,
derived values, claims and figures. The runner (`run.py`) does everything else: processes, caching, records, W&B.

    QUESTION, TITLE, LIMITS       what is asked; a short name; what the study does not show, in sentences
    TIMED                         True where points measure wall-clock time: they then run one at a time
    sweep(budget)                 the points, one frozen dataclass of JSON-ready fields and a seed each
    measure(config, seed, log)    runs one point; returns JSON-ready metrics (numbers, strings, lists, dicts)
    facts(outcomes)               record.fact / record.parameter calls
    derived()                     record.derive calls
    claims()                      record.claim calls
    figures(outcomes)             `Figure`s

`measure` must depend on nothing but its arguments and the code it calls: its result is kept under a hash of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from experiments.kit.record import Claim, Derivation, Fact, Place, caller

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Budget = Literal["smoke", "small", "full"]
BUDGETS: tuple[Budget, ...] = ("smoke", "small", "full")
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

Log = Callable[[Mapping[str, float]], None]
"""Called inside `measure` with a row of named numbers for the JSONL log and its W&B mirror."""


@dataclass(frozen=True)
class Point:
    """One configuration at one seed."""

    config: Any
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """A finished point: its metrics as `measure` returned them (after a round trip through JSON)."""

    config: Any
    seed: int
    metrics: Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure to draw: `draw(theme)` returns a Matplotlib figure; `series` is the table it shows, column by column.

    `caption` is for the Scientist edition, `plain` for the Manager edition, `alt` for who cannot see it; all may hold
    ``{val}`key` `` roles. `machine` marks a figure of measured times.
    """

    key: str
    caption: str
    plain: str
    alt: str
    series: Mapping[str, Sequence[Any]]
    draw: Callable[[Theme], Canvas]
    machine: bool = False
    place: Place = field(default_factory=lambda: caller(3))


@runtime_checkable
class Study(Protocol):
    """What a study module provides; see the module docstring."""

    QUESTION: str
    TITLE: str
    LIMITS: tuple[str, ...]
    TIMED: bool

    def sweep(self, budget: Budget) -> Sequence[Point]: ...
    def measure(self, config: Any, seed: int, log: Log) -> Mapping[str, Any]: ...
    def facts(self, outcomes: Sequence[Outcome]) -> Sequence[Fact]: ...
    def derived(self) -> Sequence[Derivation]: ...
    def claims(self) -> Sequence[Claim]: ...
    def figures(self, outcomes: Sequence[Outcome]) -> Sequence[Figure]: ...
