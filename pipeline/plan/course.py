"""The course: its weeks (`course/week-03.md`) and `course/index.md` with its months."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.plan.reader import OBSIDIAN_KEYS, Reader
from pipeline.plan.shared import Resource, Topic, resources, status, study, topics
from pipeline.vault import Note

_KEYS = (
    "type", "week", "title", "month", "concept", "reading", "assignment", "project", "steps", "goal", "study", "topics",
    "status",
)  # fmt: skip
_INDEX_KEYS = ("type", "title", "goal", "weeks", "start", "prerequisites", "months")


@dataclass(frozen=True, slots=True)
class CourseWeek:
    """A week of the course. `study` answers its assignment or project."""

    number: int
    title: str
    note: Note
    month: int = 0
    concept: tuple[Topic, ...] = ()
    reading: tuple[Resource, ...] = ()
    assignment: str = ""
    project: str = ""
    steps: tuple[str, ...] = ()
    goal: str = ""
    study: str = ""
    topics: tuple[Topic, ...] = ()
    status: str = "planned"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the course."""

    number: int
    title: str
    weeks: tuple[int, ...] = ()
    objective: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """What holds for all its weeks."""

    title: str
    note: Note
    goal: str = ""
    weeks: int = 0
    start: datetime.date | None = None
    prerequisites: tuple[str, ...] = ()
    months: tuple[Month, ...] = ()


def read_course_week(reader: Reader, data: Mapping[str, Any], number: int) -> CourseWeek:
    """The properties of course week `number`."""
    reader.keys(data, (), (*_KEYS, *OBSIDIAN_KEYS), ("type", "week", "title", "month"))
    reader.kind(data, "course-week")
    if data.get("assignment") and data.get("project"):
        reader.report("plan.two-tasks", ("project",), "a week has an assignment or a project", "keep one of the two")
    return CourseWeek(
        number,
        reader.text(data, (), "title"),
        reader.note,
        reader.number(data, (), "month") or 0,
        topics(reader, data.get("concept"), ("concept",)),
        resources(reader, data, (), "reading"),
        reader.text(data, (), "assignment"),
        reader.text(data, (), "project"),
        reader.texts(data, (), "steps"),
        reader.text(data, (), "goal"),
        study(reader, data),
        topics(reader, data.get("topics"), ("topics",)),
        status(reader, data),
        reader.texts(data, (), "tags"),
    )


def read_course(reader: Reader, data: Mapping[str, Any]) -> Course:
    """The properties of `course/index.md`."""
    reader.keys(data, (), (*_INDEX_KEYS, *OBSIDIAN_KEYS), ("type", "title", "months"))
    reader.kind(data, "course")
    months = []
    for path, item in reader.mappings(data, (), "months"):
        reader.keys(item, path, ("month", "title", "weeks", "objective"), ("month", "title"))
        number, title = reader.number(item, path, "month") or 0, reader.text(item, path, "title")
        months.append(Month(number, title, reader.range(item, path, "weeks"), reader.text(item, path, "objective")))
    return Course(
        reader.text(data, (), "title"),
        reader.note,
        reader.text(data, (), "goal"),
        reader.number(data, (), "weeks") or 0,
        reader.day(data, (), "start"),
        reader.texts(data, (), "prerequisites"),
        tuple(months),
    )
