"""The records a study leaves behind: facts, derived values, claims and figures, as plain data.

A *fact* is one recorded value. A *derived value* is computed from facts by an operator of the closed list in
`operators.py`. A *claim* is a comparison by such an operator, which holds or does not. All three remember the
line of code that made them. Nothing here computes; nothing here imports numpy, so the pipeline reads it fast.

Formats are a closed grammar, so that a format can round but never change a value's meaning:
`d` (whole number), `,d`, `.Nf`, `,.Nf`, `.Ng`, `.Ne`, and `.N%` only where the unit is `fraction`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

Better = Literal["higher", "lower", "none"]
Edition = Literal["scientist", "manager"]
EDITIONS: tuple[Edition, ...] = ("scientist", "manager")

KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)*\Z")
FORMAT = re.compile(r"(,?d|,?\.\d+f|\.\d+g|\.\d+e|\.\d+%)\Z")
# Units printed with the value; any other unit is a word the sentence supplies ("14 sweeps").
SYMBOL_UNITS = {"s": "s", "ms": "ms", "us": "µs", "MB": "MB", "KB": "KB", "percent": "%", "times": "×"}

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Place:
    """A line of this repository's code: `file` relative to the root, 1-based `line`, enclosing `function`."""

    file: str
    line: int
    function: str


def caller(depth: int = 2) -> Place:
    """The place `depth` frames above this function (2: whoever called the function that asks)."""
    frame = inspect.currentframe()
    for _ in range(depth):
        assert frame is not None
        frame = frame.f_back
    assert frame is not None
    path = Path(frame.f_code.co_filename).resolve()
    name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    return Place(name, frame.f_lineno, frame.f_code.co_name)


@dataclass(frozen=True)
class Fact:
    """One recorded value.

    `value` is a finite number. `n` counts the independent repetitions behind it (1 for an exact computation);
    `values` holds them by seed where there are any, `interval` a (low, high) pair with `statistic` saying how both
    were made. `machine` marks a measured time or memory: it may move by the factor `tolerance` on another
    machine or day without re-opening a sentence.
    """

    key: str
    value: float
    unit: str
    description: str
    format: Mapping[Edition, str]
    better: Better = "none"
    kind: Literal["measured", "exact", "parameter", "derived"] = "measured"
    statistic: str = "exact"
    n: int = 1
    seeds: Sequence[int] = ()
    values: Sequence[float] = ()
    interval: tuple[float, float] | None = None
    machine: bool = False
    tolerance: float | None = None
    op: str | None = None
    of: Sequence[str] = ()
    study: str = ""
    run: str = ""
    place: Place | None = None

    def text(self, edition: Edition) -> str:
        """The value as `edition` prints it, with its unit where the unit is a symbol."""
        return format_value(self.value, self.format[edition], self.unit)


@dataclass(frozen=True)
class Claim:
    """A comparison the program evaluates.

    `op` is a claim operator (`operators.CLAIMS`), `of` the keys it compares, `bound` its margin or tolerance where
    it takes one. `says` and `plain` are the claim in words for the two editions, with roles in place of values.
    `holds` and `detail` are filled by evaluation.
    """

    key: str
    op: str
    of: Sequence[str]
    says: str
    plain: str
    bound: float | None = None
    study: str = ""
    run: str = ""
    holds: bool | None = None
    detail: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class FigureRecord:
    """A figure as the pipeline sees it. `data` hashes the series it draws; `files` maps `light.svg` … to SHA-256."""

    key: str
    caption: str
    plain: str
    alt: str
    study: str
    run: str
    series: str
    data: str
    files: Mapping[str, str]
    machine: bool = False
    width: int = 0
    height: int = 0
    place: Place | None = None


def format_value(value: float, spec: str, unit: str) -> str:
    """`value` by a format of the grammar, minus sign typographic, unit symbol attached. Raises ValueError."""
    if not FORMAT.match(spec):
        raise ValueError(f"format {spec!r} is not one of d ,d .Nf ,.Nf .Ng .Ne .N%")
    if spec.endswith("%") and unit != "fraction":
        raise ValueError(f"format {spec!r} would change the meaning of a value in {unit!r}; only fractions print as %")
    if spec.endswith("d"):
        if value != int(value):
            raise ValueError(f"format {spec!r} would drop the fraction of {value!r}; use .0f to round openly")
        text = format(int(value), spec)
    else:
        text = format(value, spec)
    if float(text.rstrip("%").replace(",", "")) == 0:
        text = text.removeprefix("-")
    text = text.replace("-", "−", 1) if text.startswith("-") else text
    symbol = SYMBOL_UNITS.get(unit, "")
    return f"{text}{symbol}" if symbol in ("×", "%") else f"{text} {symbol}" if symbol else text


def fact(
    key: str,
    value: float,
    unit: str,
    description: str,
    *,
    fmt: str,
    plain_fmt: str | None = None,
    better: Better = "none",
    kind: Literal["measured", "exact", "parameter"] = "measured",
    statistic: str = "exact",
    seeds: Sequence[int] = (),
    values: Sequence[float] = (),
    interval: tuple[float, float] | None = None,
    machine: bool = False,
    tolerance: float | None = None,
    depth: int = 2,
) -> Fact:
    """Record one value; the line that calls this is its source line. Raises ValueError on a bad key or format.

    A measured time or memory (`machine=True`) must state its tolerance as a factor greater than 1.
    """
    if not KEY.match(key):
        raise ValueError(f"fact key {key!r}: lower-case words joined by dots, such as vi.frozenlake.sweeps")
    if machine and not (tolerance and tolerance > 1):
        raise ValueError(f"fact {key}: a machine-dependent value states its tolerance as a factor > 1")
    made = Fact(
        key=key,
        value=float(value),
        unit=unit,
        description=description,
        format={"scientist": fmt, "manager": plain_fmt or fmt},
        better=better,
        kind=kind,
        statistic=statistic,
        n=len(values) or 1,
        seeds=tuple(seeds),
        values=tuple(float(v) for v in values),
        interval=interval,
        machine=machine,
        tolerance=tolerance,
        place=caller(depth),
    )
    for edition in EDITIONS:
        made.text(edition)  # refuses a format that changes meaning now, not when the post is written
    return made


def parameter(key: str, value: float, unit: str, description: str, *, fmt: str) -> Fact:
    """Record a hyperparameter, seed count, size or environment constant: a fact that nothing measured."""
    return fact(key, value, unit, description, fmt=fmt, kind="parameter", statistic="set", depth=3)


@dataclass(frozen=True)
class Derivation:
    """A derived value asked for: operator of `operators.DERIVED`, keys, and how to print the result."""

    key: str
    op: str
    of: Sequence[str]
    description: str
    fmt: str
    plain_fmt: str | None = None
    better: Better = "none"
    tolerance: float | None = None
    place: Place | None = None


def derive(
    key: str,
    op: str,
    *of: str,
    description: str,
    fmt: str,
    plain_fmt: str | None = None,
    better: Better = "none",
    tolerance: float | None = None,
) -> Derivation:
    """Ask for a derived value. `tolerance` is needed when an input is machine-dependent."""
    if not KEY.match(key):
        raise ValueError(f"derived key {key!r}: lower-case words joined by dots")
    return Derivation(key, op, of, description, fmt, plain_fmt, better, tolerance, caller(2))


def claim(key: str, op: str, *of: str, says: str, plain: str, bound: float | None = None) -> Claim:
    """State a claim; evaluation decides whether it holds. `says`/`plain` are its words for the two editions."""
    if not KEY.match(key):
        raise ValueError(f"claim key {key!r}: lower-case words joined by dots")
    return Claim(key=key, op=op, of=of, says=says, plain=plain, bound=bound, place=caller(2))


def to_json(record: Fact | Claim | FigureRecord) -> dict[str, Any]:
    """A record as JSON-ready data, empty fields left out where that is their default."""
    optional = {f.name for f in fields(record) if f.default is not MISSING}
    entries = {k: v for k, v in asdict(record).items() if k != "key"}
    return {k: v for k, v in entries.items() if k not in optional or v not in (None, "", (), [], {})}


def _build(cls: type[Any], key: str, entry: Mapping[str, Any]) -> Any:
    known = {f.name for f in fields(cls)}
    if unknown := set(entry) - known:
        raise ValueError(f"{key}: unknown field {sorted(unknown)[0]!r}")
    data = dict(entry)
    if data.get("place"):
        data["place"] = Place(**data["place"])
    if data.get("interval"):
        low, high = data["interval"]
        data["interval"] = (float(low), float(high))
    return cls(key=key, **data)


def fact_from_json(key: str, entry: Mapping[str, Any]) -> Fact:
    """Inverse of `to_json`. Raises ValueError or TypeError on a field that is unknown, missing or malformed."""
    made: Fact = _build(Fact, key, entry)
    return made


def claim_from_json(key: str, entry: Mapping[str, Any]) -> Claim:
    """Inverse of `to_json` for claims."""
    made: Claim = _build(Claim, key, entry)
    return made


def figure_from_json(key: str, entry: Mapping[str, Any]) -> FigureRecord:
    """Inverse of `to_json` for figures."""
    made: FigureRecord = _build(FigureRecord, key, entry)
    return made


@dataclass
class Records:
    """All records of one results folder, by key."""

    facts: dict[str, Fact] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    figures: dict[str, FigureRecord] = field(default_factory=dict)
