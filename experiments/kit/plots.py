"""One look for all figures: a light and a dark theme, colour-blind safe, readable on a phone.

Contract: every function returns or fills a Matplotlib `Figure` made without pyplot, on a transparent ground, so the
page's own colour shows. Figures are 5.6 inches wide with text of 11 points, which still reads at 360 pixels. Lines are
named where they end instead of in a legend, and differ in marker as well as in colour. Equal input gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.ticker import NullLocator

from experiments.kit.contract import Theme

Canvas = MatplotlibFigure

WIDTH = 5.6  # inches; 538 CSS pixels
FONT = 11.0  # points

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Palette:
    """A theme's colours: ink for text, faint for rules, wall for what is no state, and the series in order."""

    ink: str
    muted: str
    faint: str
    wall: str
    series: tuple[str, ...]


# Okabe & Ito's colours, darkened on white and lightened on the site's dark slate to reach a contrast of 3:1.
PALETTES: Mapping[Theme, Palette] = {
    "light": Palette(
        "#1f2430", "#5a6272", "#d9dde5", "#c3c8d2", ("#0069a8", "#c44e00", "#00805c", "#8e4a9e", "#7a6a00", "#5a6272")
    ),
    "dark": Palette(
        "#e8eaf0", "#a9b0c0", "#3a4050", "#4a5162", ("#62b8ef", "#ff9457", "#3fd0a3", "#d9a0e6", "#e3cf57", "#a9b0c0")
    ),
}
MARKERS = ("o", "s", "^", "D", "v", "P")
HEAT = mpl.colormaps["viridis"]


def colour(theme: Theme, index: int) -> str:
    """The colour of series `index`."""
    return PALETTES[theme].series[index % len(MARKERS)]


@contextmanager
def style(theme: Theme) -> Iterator[Palette]:
    """Matplotlib's settings for a theme; colours are fixed when an artist is made, so make them inside."""
    p = PALETTES[theme]
    settings: Any = {
        "font.family": "DejaVu Sans",
        "font.size": FONT,
        "axes.titlesize": FONT + 0.5,
        "axes.titlelocation": "left",
        "axes.titlepad": 8,
        "axes.labelsize": FONT,
        "xtick.labelsize": FONT - 1,
        "ytick.labelsize": FONT - 1,
        "text.color": p.ink,
        "axes.labelcolor": p.ink,
        "axes.edgecolor": p.muted,
        "xtick.color": p.muted,
        "ytick.color": p.muted,
        "xtick.labelcolor": p.ink,
        "ytick.labelcolor": p.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": p.faint,
        "grid.linewidth": 0.8,
        "axes.axisbelow": True,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "lines.linewidth": 2.0,
        "lines.markersize": 6.0,
        "axes.formatter.use_mathtext": True,
    }
    with mpl.rc_context(settings):
        yield p


def figure(theme: Theme, height: float, fill: Callable[[Canvas, Palette], None], width: float = WIDTH) -> Canvas:
    """A figure of this theme, filled by `fill(canvas, palette)`."""
    with style(theme) as palette:
        canvas = Canvas(figsize=(width, height), layout="constrained")
        fill(canvas, palette)
        canvas.draw_without_rendering()  # settles the layout while the theme's settings hold
    return canvas


@dataclass(frozen=True)
class Line:
    """One series: x and y, the name written at its end, and for each x the (low, high) of an interval or the points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    index: int
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    points: Sequence[Sequence[float]] | None = None  # one list of per-seed values for every x
    dashed: bool = False
    marker: bool = True


def lines(axes: Axes, theme: Theme, series: Sequence[Line], *, room: float = 0.34, aligned: bool = False) -> None:
    """Draw the lines with their names at the right end, spread so that none overlap; `room` is the share of width
    left for the names, `aligned` puts them in one column right of all lines. Call after setting the axes' scales."""
    for line in series:
        c = colour(theme, line.index)
        if line.points is not None:
            xs = [x for x, values in zip(line.x, line.points, strict=True) for _ in values]
            ys = [value for values in line.points for value in values]
            axes.plot(xs, ys, linestyle="none", marker=".", color=c, alpha=0.6, markersize=5, markeredgewidth=0)
        if line.low is not None and line.high is not None:
            axes.fill_between(line.x, line.low, line.high, color=c, alpha=0.22, linewidth=0)
        axes.plot(
            line.x,
            line.y,
            color=c,
            linestyle=(0, (4, 3)) if line.dashed else "-",
            marker=MARKERS[line.index % len(MARKERS)] if line.marker else None,
            linewidth=1.4 if line.dashed else 2.0,
        )
    far = max(line.x[-1] for line in series)
    ends = [(line.name, far if aligned else line.x[-1], line.y[-1], line.index) for line in series]
    names_at_end(axes, theme, ends, room)


def plain_ticks(axes: Axes, *, x: bool = False, y: bool = False) -> None:
    """Write the ticks of a logarithmic axis as 0.1, 1, 10 instead of powers of ten, without minor ticks."""
    for axis in [axes.xaxis] * x + [axes.yaxis] * y:
        axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axis.set_minor_locator(NullLocator())


def names_at_end(
    axes: Axes, theme: Theme, names: Sequence[tuple[str, float, float, int]], room: float = 0.34, gap: float = 0.085
) -> None:
    """Write (name, x, y, colour index) right of the axes' data, moved apart by at least `gap` of the height a line."""
    _stretch(axes, room)
    to_axes = axes.transData + axes.transAxes.inverted()
    spots = [(float(to_axes.transform((x, y))[1]), to_axes.transform((x, y))[0], name, i) for name, x, y, i in names]
    heights = [gap * (1 + name.count("\n")) for _, _, name, _ in sorted(spots, key=lambda s: s[0])]
    spots.sort(key=lambda s: s[0])
    placed = _apart([y for y, *_ in spots], heights)
    for (_, x, name, index), y in zip(spots, placed, strict=True):
        axes.annotate(
            name,
            (float(x), y),
            xycoords="axes fraction",
            xytext=(7, 0),
            textcoords="offset points",
            color=colour(theme, index),
            va="center",
            ha="left",
            fontweight="bold",
            fontsize=FONT - 0.5,
            linespacing=1.05,
        )


def _stretch(axes: Axes, room: float) -> None:
    """Push the right limit out so that the data leaves `room` of the width free, where no tick stands."""
    low, end = axes.get_xlim()
    scale = axes.xaxis.get_transform()
    a, b = scale.transform(np.array([low, end]))
    (high,) = scale.inverted().transform(np.array([a + (b - a) / (1 - room)]))
    axes.set_xlim(low, high)
    axes.set_xticks([tick for tick in axes.get_xticks() if low <= tick <= end])
    axes.set_xticks([tick for tick in axes.get_xticks(minor=True) if low <= tick <= end], minor=True)


def _apart(ys: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Sorted positions moved as little as possible so that neighbours keep half of both heights between them and,
    as far as there is room, all stand within the axes."""
    placed = list(ys)
    for _ in range(200):
        moved = False
        for i in range(len(placed) - 1):
            lack = (heights[i] + heights[i + 1]) / 2 - (placed[i + 1] - placed[i])
            if lack > 1e-6:
                placed[i] -= lack / 2
                placed[i + 1] += lack / 2
                moved = True
        if not moved:
            break
    ceiling = 1.0
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], ceiling - heights[i] / 2)
        ceiling = placed[i] - heights[i] / 2
    floor = 0.0
    for i in range(len(placed)):
        placed[i] = max(placed[i], floor + heights[i] / 2)
        floor = placed[i] + heights[i] / 2
    return placed


def heat(
    axes: Axes,
    palette: Palette,
    cells: npt.NDArray[np.int64],
    values: npt.ArrayLike,
    *,
    best: npt.NDArray[np.bool_] | None = None,
    moves: Sequence[tuple[int, int]] = (),
    marks: Mapping[tuple[int, int], str] | None = None,
    path: Sequence[int] = (),
    numbers: str | None = None,
    limits: tuple[float, float] | None = None,
    blank: npt.NDArray[np.bool_] | None = None,
) -> None:
    """Values (S,) as colour on the grid `cells` (H, W), -1 meaning no state.

    `best` (A, S) draws an arrow for every action it marks, in its direction of `moves`; `marks` writes letters; `path`
    traces a sequence of states; `numbers` prints each value in this format. `limits` fixes the colour scale; states in
    `blank` (S,) get no colour, for ends whose value says nothing.
    """
    V = np.asarray(values, dtype=np.float64)
    H, W = cells.shape
    hidden = cells < 0 if blank is None else (cells < 0) | blank[np.maximum(cells, 0)]
    grid = np.ma.masked_where(hidden, V[np.maximum(cells, 0)])
    low, high = limits or (float(V.min()), float(V.max()))
    norm = Normalize(low, high if high > low else low + 1)
    axes.set_facecolor(palette.wall)
    fine = H * W > 150
    mesh = axes.pcolormesh(
        grid, cmap=HEAT, norm=norm, edgecolors="none" if fine else "face", linewidth=0.3 * (not fine)
    )
    mesh.set_rasterized(fine)  # many cells are smaller as pixels
    axes.set(xlim=(0, W), ylim=(H, 0), aspect="equal", xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if not fine:
        axes.hlines(range(1, H), 0, W, color=palette.wall, linewidth=0.7)
        axes.vlines(range(1, W), 0, H, color=palette.wall, linewidth=0.7)
    if best is not None:
        _arrows(axes, cells, norm, V, best, moves, shrink=0.36 if numbers is None else 0.2, low=numbers is not None)
    where = {int(s): (r, c) for (r, c), s in np.ndenumerate(cells) if s >= 0}
    if len(path) > 1:
        ys, xs = zip(*[(where[s][0] + 0.5, where[s][1] + 0.5) for s in path], strict=True)
        axes.plot(xs, ys, color="#ffffff", linewidth=5.5, alpha=0.9, solid_capstyle="round")
        axes.plot(xs, ys, color="#d1007a", linewidth=2.6, solid_capstyle="round")
    size = min(FONT + 2, 0.62 * 72 * WIDTH / W)
    for (r, c), letter in (marks or {}).items():
        pointed = best is not None and not path and bool(best[:, cells[r, c]].any())
        corner = numbers is not None or (pointed and not fine)
        ground = palette.wall if hidden[r, c] else HEAT(norm(V[cells[r, c]]))
        axes.text(
            c + (0.12 if corner else 0.5),
            r + (0.14 if corner else 0.52),
            letter,
            ha="left" if corner else "center",
            va="top" if corner else "center",
            fontsize=FONT - 1 if corner else size,
            fontweight="bold",
            color=palette.ink if hidden[r, c] else _ink(ground),
            bbox=None if corner else {"boxstyle": "circle,pad=0.18", "fc": ground, "ec": "none"},
        )
    if numbers is not None:
        for s, (r, c) in where.items():
            text = format(V[s] + 0.0, numbers).replace("-", "−")
            text = text.removeprefix("−") if float(text.replace("−", "-")) == 0 else text
            low_ = best is not None and bool(best[:, s].any())
            axes.text(
                c + 0.5,
                r + (0.3 if low_ else 0.5),
                text,
                ha="center",
                va="center",
                color=_ink(HEAT(norm(V[s]))),
                fontsize=FONT if W <= 5 else FONT - 2,
            )


def _arrows(
    axes: Axes,
    cells: npt.NDArray[np.int64],
    norm: Normalize,
    V: Array,
    best: npt.NDArray[np.bool_],
    moves: Sequence[tuple[int, int]],
    shrink: float,
    low: bool,
) -> None:
    rows, columns = np.nonzero(cells >= 0)
    states = cells[rows, columns]
    for a, (dr, dc) in enumerate(moves):
        on = best[a, states]
        if not on.any():
            continue
        alone = best[:, states[on]].sum(axis=0) == 1  # a single arrow is centred, several start from the middle
        x = columns[on] + 0.5 - alone * dc * shrink / 2
        y = rows[on] + (0.66 if low else 0.5) - alone * dr * shrink / 2
        inks = [_ink(HEAT(norm(V[s]))) for s in states[on]]
        axes.quiver(
            x,
            y,
            np.full(x.shape, dc * shrink),
            np.full(y.shape, dr * shrink),
            color=inks,
            angles="xy",
            scale_units="xy",
            scale=1,
            units="x",
            width=0.055 if not low else 0.03,
            headwidth=4.2,
            headlength=4.2,
            headaxislength=3.8,
        )


def _ink(background: Any) -> str:
    """Black or white, whichever reads better on this colour."""
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(background[:3]))
    return "#111111" if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 else "#ffffff"


def colour_bar(canvas: Canvas, axes: Any, low: float, high: float, label: str) -> None:
    """A thin horizontal scale under the axes, for `heat` with the same limits."""
    scale = mpl.cm.ScalarMappable(Normalize(low, high), HEAT)
    bar = canvas.colorbar(scale, ax=axes, orientation="horizontal", fraction=0.045, pad=0.03, aspect=38)
    bar.set_label(label)
    bar.outline.set_visible(False)
