"""Figures: themes differ, bytes repeat, names at line ends do not overlap, everything stays inside."""

from __future__ import annotations

import hashlib
import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from experiments.kit import envs, plots
from experiments.kit.contract import THEMES

mpl.use("Agg")


def line_figure(theme, names=("value iteration", "policy iteration", "modified", "textbook")):
    def fill(canvas, palette):
        axes = canvas.subplots()
        axes.set(xscale="log", yscale="log")
        x = [1.0, 10.0, 100.0]
        series = [plots.Line(name, x, [1.0, 2.0, 3.0 + 0.01 * i], i) for i, name in enumerate(names)]
        plots.lines(axes, theme, series)

    return plots.figure(theme, 3.6, fill)


def svg(canvas) -> str:
    out = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "test", "svg.fonttype": "path"}):
        canvas.savefig(out, format="svg", metadata={"Date": None})
    return hashlib.sha256(out.getvalue()).hexdigest()


def luminance(colour) -> float:
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("theme", THEMES)
def test_same_input_same_bytes(theme):
    assert svg(line_figure(theme)) == svg(line_figure(theme))


def test_themes_differ():
    assert svg(line_figure("light")) != svg(line_figure("dark"))


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#1e2029")])
def test_every_colour_has_contrast_on_its_ground(theme, ground):
    palette = plots.PALETTES[theme]
    for colour, least in [(palette.ink, 7), (palette.muted, 4.5), *((c, 3) for c in palette.series)]:
        light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= least, colour


@pytest.mark.parametrize("theme", THEMES)
def test_names_at_line_ends_neither_overlap_nor_leave_the_figure(theme):
    canvas = line_figure(theme)
    FigureCanvasAgg(canvas).draw()
    boxes = [text.get_window_extent() for text in canvas.axes[0].texts]
    assert len(boxes) == 4
    width, height = canvas.get_size_inches() * canvas.dpi
    for i, a in enumerate(boxes):
        assert a.x0 >= 0 and a.x1 <= width and a.y0 >= 0 and a.y1 <= height
        assert not any(a.overlaps(b) for b in boxes[i + 1 :])


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_names_stand_within_the_axes_and_no_tick_beyond_the_data(scale, level):
    """Lines that end on the lower or upper edge keep their names off the axis and off the panel above."""

    def fill(canvas, palette):
        axes = canvas.subplots()
        axes.set(xscale=scale, ylim=(0, 1))
        x = [2.0, 40.0, 300.0]
        names = ("two\nlines", "next to it", "far")
        series = [plots.Line(name, x, [0.5, 0.5, level], i) for i, name in enumerate(names)]
        plots.lines(axes, "light", series)

    canvas = plots.figure("light", 3, fill)
    FigureCanvasAgg(canvas).draw()
    axes = canvas.axes[0]
    inside = axes.get_window_extent()
    for text in axes.texts:
        box = text.get_window_extent()
        assert box.y0 >= inside.y0 - 1 and box.y1 <= inside.y1 + 1, text.get_text()
    ticks = [*axes.get_xticks(), *axes.get_xticks(minor=True)]
    assert ticks and max(ticks) <= 400 and axes.get_xlim()[1] > 400


def test_ground_is_transparent():
    canvas = line_figure("dark")
    assert canvas.get_facecolor()[3] == 0 and canvas.axes[0].get_facecolor()[3] == 0


def test_heat_draws_every_arrow_letter_and_number():
    world = envs.gridworld4()
    best = np.zeros((4, 16), dtype=bool)
    best[:, 5] = True
    best[0, 6] = True

    def fill(canvas, palette):
        axes = canvas.subplots()
        plots.heat(
            axes, palette, world.cells, np.arange(16.0), best=best, moves=world.moves, marks=world.marks, numbers=".0f"
        )

    canvas = plots.figure("light", 5, fill)
    axes = canvas.axes[0]
    quivers = [c for c in axes.collections if type(c).__name__ == "Quiver"]
    assert sum(len(q.U) for q in quivers) == 5
    words = [text.get_text() for text in axes.texts]
    assert words.count("T") == 2 and {str(i) for i in range(16)} <= set(words)


def test_heat_leaves_walls_and_blank_states_uncoloured():
    world = envs.cliff()
    drawn = {}

    def fill(canvas, palette):
        axes = canvas.subplots()
        plots.heat(axes, palette, world.cells, np.arange(38.0), blank=world.terminal)
        drawn["mask"] = np.ma.getmaskarray(axes.collections[0].get_array()).reshape(world.cells.shape)

    plots.figure("light", 3, fill)
    assert drawn["mask"].sum() == 11 and drawn["mask"][3, 1:].all()


def test_plain_ticks_are_numbers():
    def fill(canvas, palette):
        axes = canvas.subplots()
        axes.set(xscale="log", yscale="log")
        axes.plot([1, 1000], [0.01, 100])
        plots.plain_ticks(axes, x=True, y=True)

    canvas = plots.figure("light", 3, fill)
    FigureCanvasAgg(canvas).draw()
    labels = {label.get_text() for label in canvas.axes[0].get_yticklabels()}
    assert {"0.01", "1", "100"} <= labels and not any("$" in label for label in labels)
