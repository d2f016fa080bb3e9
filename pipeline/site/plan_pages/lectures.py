"""The lecture series: blocks, lectures with what they need and what carries them, reading paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.plan import Lecture
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import count, meta, names, nested, plain, status
from pipeline.site.plan_pages.view import LECTURES, View, unique


def pages(view: View) -> Iterator[Generated]:
    """The page, where there is a lecture."""
    if view.plan.lectures:
        text = front("Lectures", "The lecture series: blocks, reading paths, and the studies and posts behind them.")
        yield Generated(LECTURES, text + "\n".join(_lines(view)), "notes/lectures/", ("Plan", "Lectures"))


def _lines(view: View) -> Iterator[str]:
    series, lectures = view.plan.series, view.plan.lectures
    yield f"# {plain(series.title) or 'Lectures'}\n"
    yield meta(count(len(lectures), "lecture"), f"{plain(series.hours)} hours" if series.hours else "")
    if series.form:
        yield f"Each lecture has {count(len(series.form), 'part')}: {', '.join(plain(part) for part in series.form)}.\n"
    if series.paths:
        yield "## Ways through {#paths}\n"
        for path in series.paths:
            yield f"{plain(path.title)}\n{{ .kf-kind }}\n"
            for numbers, how in path.steps:
                yield f"1. {_range(view, numbers)}{f': {plain(how)}' if how else ''}"
            yield ""
    if series.prerequisites:
        yield "## What it takes {#prerequisites}\n"
        yield from nested(series.prerequisites)
        yield ""
    known = {block.name for block in series.blocks}
    for block, anchor in zip(series.blocks, unique(block.name for block in series.blocks), strict=True):
        inside = [lecture for lecture in lectures.values() if lecture.block == block.name]
        yield f"## {plain(block.title)} {{#block-{anchor}}}\n"
        if block.remark:
            yield meta(plain(block.remark))
        for lecture in inside:
            yield from _lecture(view, lecture)
        if block.after:
            yield "After this block one can:\n"
            yield from (f"- {plain(text)}" for text in block.after)
            yield ""
    rest = [lecture for lecture in lectures.values() if lecture.block not in known]
    if rest:
        yield "## Further lectures {#block-none}\n"
    for lecture in rest:
        yield from _lecture(view, lecture)
    if series.papers:
        yield "## Beside every lecture {#papers}\n"
        yield from view.resources(LECTURES, series.papers)
        yield ""


def _range(view: View, numbers: Iterable[int]) -> str:
    """`lectures 1 to 5`, the ends linked."""
    there = [number for number in numbers if number in view.plan.lectures]
    if len(there) < 2:
        return "".join(view.entry(LECTURES, "lecture", n, f"Lecture {n}") for n in there) or "Further reading"
    first, last = (view.entry(LECTURES, "lecture", number, str(number)) for number in (there[0], there[-1]))
    return f"Lectures {first} to {last}"


def _lecture(view: View, lecture: Lecture) -> Iterator[str]:
    yield f"### {lecture.number}. {plain(lecture.title)} {{#lecture-{lecture.number}}}\n"
    yield meta(status(lecture.status), plain(lecture.time))
    if lecture.promise:
        yield f"*{plain(lecture.promise)}*\n"
    needs = [found for path in lecture.prerequisites if (found := view.note(LECTURES, path))]
    posts = [view.post(LECTURES, view.plan.posts[s][1].title, s) for s in lecture.posts if s in view.plan.posts]
    rows = {
        "Builds on": "; ".join(needs),
        "On": names(lecture.topics),
        "Carried by": "; ".join([*(view.study(LECTURES, study) for study in lecture.studies), *posts]),
        "Papers": "; ".join(view.resource(LECTURES, paper) for paper in lecture.papers),
    }
    yield from (f"- {name}: {text}" for name, text in rows.items() if text)
    yield ""
    yield view.topics(LECTURES, "lecture", lecture.number)
