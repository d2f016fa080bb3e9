"""The course: months and weeks with concept, reading, assignment and the study that answers it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from pipeline.plan import CourseWeek
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import count, day, meta, nested, plain, sentence, status
from pipeline.site.plan_pages.view import COURSE, View


def pages(view: View) -> Iterator[Generated]:
    """The page, where there is a course week."""
    if view.plan.course_weeks:
        text = front("Course", "The course, week by week: concepts, reading, assignments and the studies behind them.")
        yield Generated(COURSE, text + "\n".join(_lines(view)), "notes/course/", ("Plan", "Course"))


def _lines(view: View) -> Iterator[str]:
    course, weeks = view.plan.course, view.plan.course_weeks
    yield f"# {plain(course.title) or 'Course'}\n"
    yield meta(count(len(weeks), "week"), count(len(course.months), "month"))
    if course.goal:
        yield f"{sentence(course.goal)}\n"
    if course.prerequisites:
        yield f"It takes {'; '.join(plain(text) for text in course.prerequisites)}.\n"
    known = {month.number for month in course.months}
    for month in course.months:
        yield f"## Month {month.number}: {plain(month.title)} {{#month-{month.number}}}\n"
        if month.objective:
            yield f"{sentence(month.objective)}\n"
        for week in weeks.values():
            if week.month == month.number:
                yield from _week(view, week)
    rest = [week for week in weeks.values() if week.month not in known]
    if rest:
        yield "## Further weeks {#month-none}\n"
    for week in rest:
        yield from _week(view, week)


def _week(view: View, week: CourseWeek) -> Iterator[str]:
    yield f"### Week {week.number}: {plain(week.title)} {{#week-{week.number}}}\n"
    start = view.plan.course.start
    first = start + datetime.timedelta(days=7 * (week.number - 1)) if start else None
    yield meta(status(week.status), f"from {day(first)}" if first else "")
    if week.concept:
        yield from nested(week.concept)
        yield ""
    if week.reading:
        yield "To read\n{ .kf-kind }\n"
        yield from view.resources(COURSE, week.reading)
        yield ""
    task, text = ("Assignment", week.assignment) if week.assignment else ("Project", week.project)
    if text:
        yield f"{task}\n{{ .kf-kind }}\n\n{sentence(text)}\n"
    if week.steps:
        yield from (f"1. {plain(step)}" for step in week.steps)
        yield ""
    if week.goal:
        yield f"Goal: {plain(week.goal)}\n"
    if week.study:
        yield f"Answered by the study {view.study(COURSE, week.study)}.\n"
    yield view.topics(COURSE, "course", week.number)
