"""Progress over time: what is published against what the plan set out, drawn and as tables."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from experiments.kit.record import EDITIONS
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.draw import Point, figure, steps
from pipeline.site.plan_pages.prose import count, day, plain
from pipeline.site.plan_pages.view import PROGRESS, View, date_of


def pages(view: View) -> Iterator[Generated]:
    """The page, where the plan has posts."""
    if view.plan.posts:
        text = front("Progress", "What is published and done, against what the plan set out.")
        yield Generated(PROGRESS, text + "\n".join(_lines(view)), "notes/plan/", ("Plan", "Progress"))


def _lines(view: View) -> Iterator[str]:
    yield "# Progress over time\n"
    all_ = len(view.plan.posts)
    if view.day:
        yield f"As of {day(view.day)}, the day of the newest publication.\n"
    series = running_counts(view)
    drawn = {name: points for name, points in series.items() if points or name != "Planned"}
    dates = [date for points in series.values() for date, _ in points]
    if dates:
        first = min([*dates, *([view.plan.schedule.start] if view.plan.schedule.start else [])])
        so_far = ", ".join(
            f"{points[-1][1] if points else 0} in the {name} edition"
            for name, points in series.items()
            if name != "Planned"
        )
        name = f"Published posts over time: {so_far}, of {all_} planned; the tables below hold the dates"
        caption = f"Posts published in each edition, and the {all_} the plan sets out by the end of each week."
        yield figure(steps(drawn, all_, first, max(dates)), name, caption)
    yield "## Published {#published}\n"
    out = sorted({(date, slug) for slug, posts in view.posts.items() for date in {p.date for p in posts.values()}})
    yield "| date | post |\n| --- | --- |" if out else "Nothing yet."
    for text, slug in out:
        editions = {edition: post for edition, post in view.posts[slug].items() if post.date == text}
        date, title = date_of(text), next(iter(editions.values())).title
        links = view.editions(PROGRESS, slug, editions)
        yield f"| {day(date) if date else plain(text)} | {plain(title)} ({links}) |"
    yield ""
    yield from _kinds(view)
    yield from _phases(view)
    yield from _planned(view)


def running_counts(view: View) -> dict[str, list[Point]]:
    """Running counts by day: what the plan sets out, and each edition."""
    due: Counter[datetime.date] = Counter()
    for week in view.plan.weeks.values():
        dates = view.plan.schedule.dates(week.number)
        if dates and week.posts:
            due[dates[1]] += len(week.posts)
    found = {"Planned": due}
    for edition in EDITIONS:
        posts = (date_of(post.date) for post in view.shelf.of(edition) if post.slug in view.plan.posts)
        found[edition.capitalize()] = Counter(date for date in posts if date)
    return {
        name: list(zip(sorted(days), accumulate(days[date] for date in sorted(days)), strict=True))
        for name, days in found.items()
    }


def _kinds(view: View) -> Iterator[str]:
    yield "## By kind {#kinds}\n\n| | done | in progress | planned |\n| --- | ---: | ---: | ---: |"
    plural = {"week": "weeks", "cluster": "clusters", "session": "sessions", "lecture": "lectures"}
    for kind, name in (*plural.items(), ("course", "course weeks")):
        states = view.progress.statuses(kind)
        if sum(states.values()):
            yield f"| {name} | {states['done']} | {states['in-progress']} | {states['planned']} |"
    yield ""


def _phases(view: View) -> Iterator[str]:
    phases = view.progress.phases()
    if phases:
        yield "## Phases of the roadmap {#phases}\n\n| phase | clusters done | of |\n| --- | ---: | ---: |"
        yield from (f"| {phase.number}. {plain(phase.title)} | {done} | {all_} |" for phase, done, all_ in phases)
        yield ""


def _planned(view: View) -> Iterator[str]:
    if view.plan.schedule.start is None:
        return
    yield "## Weeks of the blog plan {#weeks}\n\n| week | ends | posts out |\n| --- | --- | ---: |"
    for week in view.plan.weeks.values():
        dates = view.plan.schedule.dates(week.number)
        out = sum(view.progress.published.whole(post.slug) for post in week.posts)
        name = view.entry(PROGRESS, "week", week.number, f"{week.number}. {plain(week.title)}")
        yield f"| {name} | {day(dates[1]) if dates else ''} | {out} of {len(week.posts)} |"
    missing = len(view.plan.posts) - sum(view.progress.published.whole(slug) for slug in view.plan.posts)
    yield f"\nOut are posts whose two editions are; {count(missing, 'post')} to go.\n" if missing else ""
