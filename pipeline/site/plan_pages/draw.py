"""Pictures as inline SVG: two columns with lines between them, and steps over time.

One drawing serves light, dark and paper: colours are classes of the style sheet. Lengths are CSS pixels at the width of
a small phone; a wider page shows the same drawing larger.
"""

from __future__ import annotations

import datetime
import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.site.plan_pages.prose import MONTHS

WIDTH = 360
_BOX, _LINE, _GAP = 138, 14, 10
Point = tuple[datetime.date, int]


@dataclass(frozen=True, slots=True)
class Tie:
    """A line from a box on the left to one on the right, by their positions; `label` stands on it in a circle."""

    left: int
    right: int
    label: str = ""


def two_columns(heads: tuple[str, str], left: Sequence[str], right: Sequence[str], ties: Iterable[Tie]) -> str:
    """Boxes in two columns and the lines between them, without a name: `figure` gives it one."""
    folded = [[textwrap.wrap(text, 18) or [""] for text in column] for column in (left, right)]
    tall = max((len(lines) for column in folded for lines in column), default=1) * _LINE + 14
    rows = max(len(left), len(right))
    height = 28 + rows * (tall + _GAP)

    def middle(column: int, row: int) -> float:
        """Where a box is centred: the shorter column is spread over the height of the longer."""
        step = rows * (tall + _GAP) / max(1, len(folded[column]))
        return 28 + step * (row + 0.5) - _GAP / 2

    out = [f'<text class="kf-draw__head" x="{x}" y="16" text-anchor="middle">{html.escape(head)}</text>'
           for x, head in zip((_BOX / 2, WIDTH - _BOX / 2), heads, strict=True)]  # fmt: skip
    labels = []
    for tie in ties:
        y1, y2 = middle(0, tie.left), middle(1, tie.right)
        out.append(f'<path class="kf-draw__tie" d="M{_BOX} {y1:g}L{WIDTH - _BOX} {y2:g}"/>')
        if tie.label:
            x, y = _BOX + 0.3 * (WIDTH - 2 * _BOX), y1 + 0.3 * (y2 - y1)
            labels.append(f'<circle class="kf-draw__box" cx="{x:g}" cy="{y:g}" r="9"/>')
            labels.append(f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle">{html.escape(tie.label)}</text>')
    out += labels
    for column, x in ((0, 0.0), (1, float(WIDTH - _BOX))):
        kind = "kf-draw__box kf-draw__box--" + ("left" if column == 0 else "right")
        for row, lines in enumerate(folded[column]):
            centre = middle(column, row)
            size = f'width="{_BOX - 2}" height="{tall}" rx="5"'
            out.append(f'<rect class="{kind}" x="{x + 1:g}" y="{centre - tall / 2:g}" {size}/>')
            first = centre - (len(lines) - 1) * _LINE / 2 + 4
            out += [
                f'<text x="{x + _BOX / 2:g}" y="{first + n * _LINE:g}" text-anchor="middle">{html.escape(text)}</text>'
                for n, text in enumerate(lines)
            ]
    return _svg(height, out)


def steps(series: Mapping[str, Sequence[Point]], goal: int, first: datetime.date, last: datetime.date) -> str:
    """Counts that grow over time, one stepped line a name; `goal` is the top of the scale."""
    top, bottom, start, end, height = 14, 190, 26, WIDTH - 92, 222
    days = max(1, (last - first).days)
    every = next((n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500) if goal / n <= 6), 1000)

    def x(date: datetime.date) -> float:
        return round(start + (end - start) * (date - first).days / days, 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - top) * value / max(1, goal), 1)

    out = []
    for value in range(0, goal + 1, every):
        out.append(f'<path class="kf-draw__grid" d="M{start} {y(value)}H{end}"/>')
        out.append(f'<text class="kf-draw__small" x="{start - 6}" y="{y(value) + 4}" text-anchor="end">{value}</text>')
    for date in _ticks(first, last):
        name = f"{MONTHS[date.month - 1]} {date.year}"
        out.append(f'<path class="kf-draw__grid" d="M{x(date)} {bottom}v5"/>')
        out.append(f'<text class="kf-draw__small" x="{x(date)}" y="{bottom + 18}" text-anchor="middle">{name}</text>')
    taken: list[float] = []
    for name, points in series.items():
        path, value = f"M{x(first)} {y(0)}", 0
        for date, value in points:
            path += f"H{x(date)}V{y(value)}"
        out.append(f'<path class="kf-draw__line kf-draw__line--{name.lower()}" d="{path}H{end}"/>')
        at = y(value) + 4
        while any(abs(at - other) < 13 for other in taken):
            at -= 13
        taken.append(at)
        out.append(
            f'<text class="kf-draw__name kf-draw__name--{name.lower()}" x="{end + 6}" y="{at:g}">{name} {value}</text>'
        )
    return _svg(height, out)


def _ticks(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    """The first day, and first days of months after it: at most five in all."""
    months = (last.year - first.year) * 12 + last.month - first.month
    every = next((n for n in (1, 2, 3, 6, 12, 24, 60) if months / n <= 4), 120)
    found = []
    for n in range(0, months + 1, every):
        month = first.year * 12 + first.month - 1 + n
        date = max(first, datetime.date(month // 12, month % 12 + 1, 1))
        if date <= last:
            found.append(date)
    return found


def _svg(height: float, parts: Iterable[str]) -> str:
    return f'<svg class="kf-draw" viewBox="0 0 {WIDTH} {height:g}" aria-hidden="true">{"".join(parts)}</svg>'


def figure(drawing: str, name: str, caption: str) -> str:
    """A drawing with what it shows in words, for those who see it and those who do not. One block of raw HTML."""
    label, below = html.escape(name), html.escape(caption, quote=False)
    return (
        f'<figure class="kf-drawing"><div role="img" aria-label="{label}">{drawing}</div>'
        f"<figcaption>{below}</figcaption></figure>\n"
    )
