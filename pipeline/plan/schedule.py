"""The blog plan as a whole, `plan/index.md`: its start, phases, rhythm, editions and further topics."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.finding import did_you_mean
from pipeline.plan.clusters import Phase, read_phases
from pipeline.plan.reader import OBSIDIAN_KEYS, Reader
from pipeline.plan.shared import Resource, Topic, resources, topics
from pipeline.vault import Note

_KEYS = (
    "type", "title", "start", "weeks", "posts_per_week", "hours_per_week", "phases", "rhythm", "editions", "courses",
    "backlog",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Habit:
    """What some weekdays (0 is Monday) are for; `time` in words."""

    days: tuple[int, ...]
    do: str
    time: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """The plan's frame. Week n begins `7 (n - 1)` days after `start`."""

    title: str
    note: Note
    start: datetime.date | None = None
    weeks: int = 0
    posts_per_week: int = 0
    hours_per_week: str = ""
    phases: tuple[Phase, ...] = ()
    rhythm: tuple[Habit, ...] = ()
    editions: tuple[tuple[str, str], ...] = ()
    courses: tuple[Resource, ...] = ()
    backlog: tuple[Topic, ...] = ()

    def week_of(self, day: datetime.date) -> int | None:
        """The week a day falls in, from 1; None before the start or without one. It may be past the last week."""
        if self.start is None or day < self.start:
            return None
        return (day - self.start).days // 7 + 1

    def dates(self, week: int) -> tuple[datetime.date, datetime.date] | None:
        """The first and last day of a week."""
        if self.start is None:
            return None
        first = self.start + datetime.timedelta(days=7 * (week - 1))
        return first, first + datetime.timedelta(days=6)

    def habit(self, day: datetime.date) -> Habit | None:
        """What the rhythm keeps a day for."""
        return next((habit for habit in self.rhythm if day.weekday() in habit.days), None)


def read_schedule(reader: Reader, data: Mapping[str, Any]) -> Schedule:
    """The properties of `plan/index.md`."""
    reader.keys(data, (), (*_KEYS, *OBSIDIAN_KEYS), ("type", "title", "start"))
    reader.kind(data, "plan")
    rhythm = []
    for path, item in reader.mappings(data, (), "rhythm"):
        reader.keys(item, path, ("days", "do", "time", "optional"), ("days", "do"))
        days = _days(reader, item, path)
        do, time = reader.text(item, path, "do"), reader.span(item, path, "time")
        rhythm.append(Habit(days, do, time, reader.flag(item, path, "optional")))
    editions = []
    for path, item in reader.mappings(data, (), "editions"):
        reader.keys(item, path, ("edition", "title"), ("edition",))
        name = reader.choice(item, path, "edition", ("scientist", "manager"))
        editions.append((name, reader.text(item, path, "title")))
    return Schedule(
        reader.text(data, (), "title"),
        reader.note,
        reader.day(data, (), "start"),
        reader.number(data, (), "weeks") or 0,
        reader.number(data, (), "posts_per_week") or 0,
        reader.text(data, (), "hours_per_week"),
        read_phases(reader, data),
        tuple(rhythm),
        tuple(editions),
        resources(reader, data, (), "courses"),
        topics(reader, data.get("backlog"), ("backlog",)),
    )


def _days(reader: Reader, item: Mapping[str, Any], path: tuple[str | int, ...]) -> tuple[int, ...]:
    """Weekdays from "Thu" or "Mon-Wed"."""
    names = [part.strip().lower() for part in reader.text(item, path, "days").replace("–", "-").split("-")]
    found = [next((n for n, day in enumerate(_DAYS) if len(name) > 2 and day.startswith(name)), None) for name in names]
    first, last = found[0], found[-1]
    if first is None or last is None or len(names) > 2:
        wrong = next((name for name, number in zip(names, found, strict=True) if number is None), "")
        near = did_you_mean(wrong, [day[:3].capitalize() for day in _DAYS])
        fix = near or "write Mon, Tue, Wed, Thu, Fri, Sat or Sun, or a span: Mon-Wed"
        reader.report("plan.wrong-form", (*path, "days"), f"'{item.get('days')}' names no weekdays", fix)
        return ()
    return tuple((first + step) % 7 for step in range((last - first) % 7 + 1))
