"""The agenda of a day: what the rhythm keeps it for, what that means this week, what is overdue and what comes next."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipeline.plan import Resource, Week
from pipeline.progress import Due, Progress
from pipeline.sources import Source


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do, and the command that shows or does it ('' where there is none)."""

    what: str
    command: str = ""


@dataclass(frozen=True)
class Agenda:
    """What a day holds. `where` says where in the plan it falls; `habit` what the rhythm keeps it for."""

    on: datetime.date
    where: str
    habit: str
    tasks: tuple[Task, ...]
    overdue: tuple[Due, ...]
    coming: tuple[Due, ...]


def agenda(progress: Progress, sources: Mapping[str, Source], written: Collection[str]) -> Agenda:
    """The agenda of the day `progress` is seen on. `written` are the studies that exist."""
    plan, on = progress.plan, progress.on
    number = progress.week_number
    week = plan.weeks.get(number) if number is not None else None
    habit = plan.schedule.habit(on) if number is not None else None
    words = ""
    if habit is not None:
        words = habit.do + (f" ({habit.time})" if habit.time else "") + (" · optional" if habit.optional else "")
    tasks = []
    session = progress.session_today
    if session is not None and session.status != "done":
        hours = f", {session.hours:g} hours" if session.hours else ""
        tasks.append(
            Task(f"session {session.number}: {session.title}{hours}", f"forge materials session {session.number}")
        )
    if week is not None and habit is not None:
        if on.weekday() in progress.review_days:
            tasks += _review(progress, week)
        elif habit.optional:
            tasks += _optional(progress, week, written)
        else:
            tasks += _study(week, sources, written)
    tasks += [Task(due.what, due.command) for due in progress.due() if due.date == on and due.key.startswith("month-")]
    for cluster in progress.unwritten():
        days = plan.roadmap.post_within_days
        what = f"cluster {cluster.number} is finished; its post is due within {days} days: {cluster.blog}"
        tasks.append(Task(what, f"forge plan cluster {cluster.number}"))
    if not tasks:
        tasks += _outside(progress)
    overdue = progress.overdue()
    coming = [due for due in progress.due() if due.date > on or (due.date == on and due.kind == "post")]
    return Agenda(on, place(progress), words, tuple(tasks), tuple(overdue), tuple(coming[:3]))


def place(progress: Progress) -> str:
    """Where in the plan the day falls, in words."""
    schedule, on = progress.plan.schedule, progress.on
    if schedule.start is None:
        return "the plan has no start yet"
    if on < schedule.start:
        days = (schedule.start - on).days
        return f"the plan begins in {days} day{'' if days == 1 else 's'}, on {schedule.start.isoformat()}"
    number = progress.week_number
    if number is None:
        ends = schedule.dates(progress.last_week)
        return f"the plan's {progress.last_week} weeks ended on {ends[1].isoformat()}" if ends else "the plan is over"
    title = progress.plan.weeks[number].title if number in progress.plan.weeks else "no note yet"
    return f"week {number} of {progress.last_week}: {title}"


def _study(week: Week, sources: Mapping[str, Source], written: Collection[str]) -> list[Task]:
    topics = ", ".join(topic.name for topic in week.topics)
    tasks = [Task(f"study {topics}", f"forge plan week {week.number}")] if topics else []
    unread = [resource for resource in week.core_papers if not resource.read]
    tasks += [Task(f"read {named(resource, sources)}") for resource in unread]
    for experiment in week.experiments:
        made = experiment.study in written
        tasks.append(Task(f"experiment: {experiment.text}", f"forge run {experiment.study}" if made else ""))
    return tasks


def _review(progress: Progress, week: Week) -> list[Task]:
    waiting = [post for post in week.posts if not progress.published.whole(post.slug)]
    if not waiting:
        return [Task(f"week {week.number} is published: nothing to review")]
    first = Task("bring the drafts up to date", f"forge week {week.number}")
    return [first, *(Task(f"review {post.title}", f"forge review {post.slug}") for post in waiting)]


def _optional(progress: Progress, week: Week, written: Collection[str]) -> list[Task]:
    deeper = [study for study in week.studies if study in written]
    tasks = [Task("measure at the full budget", f"forge run {' '.join(deeper)} --budget full")] if deeper else []
    for cluster in progress.plan.clusters.values():
        unread = sum(not resource.read for group in cluster.resources.values() for resource in group)
        if cluster.status == "in-progress" and unread:
            what = f"go on with cluster {cluster.number}, {cluster.title}: {unread} resources not ticked as read"
            tasks.append(Task(what, f"forge plan cluster {cluster.number}"))
    follows = progress.plan.weeks.get(week.number + 1)
    if follows is not None:
        tasks.append(Task(f"look ahead to week {follows.number}: {follows.title}", f"forge plan week {follows.number}"))
    return tasks


def _outside(progress: Progress) -> list[Task]:
    """What there is to do on a day the plan says nothing about."""
    plan, on = progress.plan, progress.on
    start = plan.schedule.start
    if start is None:
        return [Task(f"say when the plan begins: `start: {on.isoformat()}` in {plan.schedule.note.file}")]
    if progress.week_number is None and start <= on:
        monday = on + datetime.timedelta(days=(7 - on.weekday()) % 7 or 7)
        what = "give the plan a new start, so that it has dates again"
        return [Task(what, f"forge plan --start {monday.isoformat()} --dry-run")]
    gaps = [Task(f"close a knowledge gap: {box.text}") for box in plan.roadmap.gaps if not box.ticked]
    first = next(iter(plan.weeks.values()), None)
    if on < start and first is not None:
        gaps.append(Task(f"look ahead to week {first.number}: {first.title}", f"forge plan week {first.number}"))
    return gaps[:1]


def named(resource: Resource, sources: Mapping[str, Source]) -> str:
    """A resource in words: its title, who wrote it and where in it to read."""
    if not resource.source:
        return resource.text
    source = sources.get(resource.source)
    where = f", {resource.where}" if resource.where else ""
    return f"{source.title}{where} · {source.short}" if source else f"{resource.source}{where}"
