"""The plan's front page: what it is and where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.kit.record import EDITIONS
from pipeline.plan import Habit
from pipeline.plan.sessions import DAYS
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import count, day, joined, link, nested, plain
from pipeline.site.plan_pages.view import (
    COURSE,
    LECTURES,
    MAP,
    OVERVIEW,
    PROGRESS,
    ROADMAP,
    SPRINT,
    TOPICS,
    WEEKS,
    View,
    to,
)


def pages(view: View, others: Sequence[Generated]) -> Iterator[Generated]:
    """The page, where there is another one to lead to."""
    if others:
        text = front("The plan", "What is studied, in which order, and where it stands.")
        lines = _lines(view, {page.path for page in others})
        yield Generated(OVERVIEW, text + "\n".join(lines), "notes/plan/index.md", ("Plan", "Overview"))


def _lines(view: View, there: set[str]) -> Iterator[str]:
    plan, schedule = view.plan, view.plan.schedule
    yield "# The plan\n"
    yield (
        "What is studied, in which order, and how far it is. These pages are made from the notes of the plan whenever"
        " the site is built; nobody keeps them by hand.\n"
    )
    yield "## Where it stands {#now}\n"
    if view.day:
        yield f"As of {day(view.day)}, the day of the newest publication.\n"
    yield "| | done | of |\n| --- | ---: | ---: |"
    for edition in EDITIONS if plan.posts else ():
        out, all_ = view.progress.posts(edition)
        yield f"| Posts, {edition.capitalize()} edition | {out} | {all_} |"
    names = {"week": "Weeks", "cluster": "Clusters", "session": "Sessions", "lecture": "Lectures"}
    for kind, name in (*names.items(), ("course", "Course weeks")):
        states = view.progress.statuses(kind)
        if sum(states.values()):
            begun = f" ({states['in-progress']} in progress)" if states["in-progress"] else ""
            yield f"| {name}{begun} | {states['done']} | {sum(states.values())} |"
    yield ""
    yield "## Its parts {#parts}\n"
    for page, name, about in (
        (WEEKS, "Weeks", f"the blog plan, {count(len(plan.weeks), 'week')} with {count(len(plan.posts), 'post')}"),
        (ROADMAP, "Roadmap", f"{count(len(plan.roadmap.phases), 'phase')}, {count(len(plan.clusters), 'cluster')}"),
        (SPRINT, "Sprint", f"{count(len(plan.sessions), 'session')} on a board"),
        (LECTURES, "Lectures", f"{count(len(plan.lectures), 'lecture')} and the ways through them"),
        (COURSE, "Course", f"{count(len(plan.course_weeks), 'week')} with assignments and projects"),
        (MAP, "Integration map", "where reinforcement learning and language models meet"),
        (TOPICS, "Topics", f"{count(len(view.topic_pages), 'topic')}, each with everything about it"),
        (PROGRESS, "Progress", "what is out, against what was planned"),
    ):
        if page in there:
            yield f"- {link(f'**{name}**', to(OVERVIEW, page))}: {about}"
    yield ""
    if schedule.rhythm:
        yield "## The rhythm of a week {#rhythm}\n\n| days | what | time |\n| --- | --- | --- |"
        for habit in schedule.rhythm:
            what = f"{plain(habit.do)}{' (optional)' if habit.optional else ''}"
            yield f"| {_days(habit)} | {what} | {plain(habit.time)} |"
        yield ""
    if schedule.editions:
        told = joined((plain(title) for _, title in schedule.editions if title), " and ")
        yield f"Each post is told in two editions: {told}.\n"
    if schedule.courses:
        yield "## Courses followed on the way {#courses}\n"
        yield from view.resources(OVERVIEW, schedule.courses)
        yield ""
    if schedule.backlog:
        yield "## Further topics {#backlog}\n"
        yield from nested(schedule.backlog)
        yield ""


def _days(habit: Habit) -> str:
    return joined((DAYS[d] for d in (habit.days[0], habit.days[-1])[: len(habit.days)]), " to ") if habit.days else ""
