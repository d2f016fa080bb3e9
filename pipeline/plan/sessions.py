"""The sprint: its sessions (`sprint/session-03.md`) and `sprint/index.md` with tracks, weeks and metrics."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.plan.clusters import Track, read_tracks
from pipeline.plan.reader import OBSIDIAN_KEYS, Reader
from pipeline.plan.shared import Box, Resource, Topic, boxes, resources, status, topics
from pipeline.vault import Note

CRITERIA = "Success criteria"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_KEYS = (
    "type", "session", "title", "track", "date", "day", "hours", "clusters", "topics", "materials", "time", "focus",
    "post", "status",
)  # fmt: skip
_INDEX_KEYS = ("type", "title", "sprint", "start", "end", "goal", "tracks", "weekly", "metrics", "progression")


@dataclass(frozen=True)
class Session:
    """A session of the sprint. `clusters` are vault paths, `materials` by heading, `time` pairs of minutes and text."""

    number: int
    title: str
    note: Note
    track: str = ""
    date: datetime.date | None = None
    day: str = ""
    hours: float = 0.0
    clusters: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    materials: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    time: tuple[tuple[int, str], ...] = ()
    focus: tuple[str, ...] = ()
    post: str = ""
    status: str = "planned"
    tags: tuple[str, ...] = ()

    @cached_property
    def criteria(self) -> tuple[Box, ...]:
        """The tick boxes that say when it is done."""
        return boxes(self.note, CRITERIA)


@dataclass(frozen=True, slots=True)
class SprintWeek:
    """A week of the sprint and what it is about."""

    number: int
    first: datetime.date | None
    last: datetime.date | None
    focus: str


@dataclass(frozen=True, slots=True)
class Sprint:
    """What holds for all sessions."""

    title: str
    note: Note
    number: int | None = None
    start: datetime.date | None = None
    end: datetime.date | None = None
    goal: str = ""
    tracks: tuple[Track, ...] = ()
    weekly: tuple[SprintWeek, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    progression: tuple[tuple[str, str], ...] = ()


def read_session(reader: Reader, data: Mapping[str, Any], number: int) -> Session:
    """The properties of session `number`."""
    reader.keys(data, (), (*_KEYS, *OBSIDIAN_KEYS), ("type", "session", "title", "date"))
    reader.kind(data, "session")
    date, day = reader.day(data, (), "date"), reader.choice(data, (), "day", DAYS)
    if date is not None and day and DAYS[date.weekday()] != day:
        message = f"{date.isoformat()} is a {DAYS[date.weekday()]}, not a {day}"
        fix = "correct the one that is wrong, or move the plan: forge plan --start DATE"
        reader.report("plan.weekday", ("day",), message, fix, "review")
    materials: dict[str, tuple[Resource, ...]] = {}
    raw = data.get("materials")
    if isinstance(raw, dict):
        materials = {group: resources(reader, raw, ("materials",), group) for group in raw}
    elif raw is not None:
        reader.wrong(("materials",), raw, "a mapping", "write headings below it, each with a list of sources")
    return Session(
        number,
        reader.text(data, (), "title"),
        reader.note,
        reader.text(data, (), "track"),
        date,
        day,
        reader.amount(data, (), "hours"),
        reader.links(data, (), "clusters"),
        topics(reader, data.get("topics"), ("topics",)),
        materials,
        reader.minutes(data, (), "time"),
        reader.texts(data, (), "focus"),
        reader.text(data, (), "post"),
        status(reader, data),
        reader.texts(data, (), "tags"),
    )


def read_sprint(reader: Reader, data: Mapping[str, Any]) -> Sprint:
    """The properties of `sprint/index.md`."""
    reader.keys(data, (), (*_INDEX_KEYS, *OBSIDIAN_KEYS), ("type", "title"))
    reader.kind(data, "sprint")
    start, end = reader.day(data, (), "start"), reader.day(data, (), "end")
    _in_order(reader, ("end",), start, end)
    weekly = []
    for path, item in reader.mappings(data, (), "weekly"):
        reader.keys(item, path, ("week", "from", "to", "focus"), ("week", "focus"))
        first, last = reader.day(item, path, "from"), reader.day(item, path, "to")
        _in_order(reader, (*path, "to"), first, last)
        weekly.append(SprintWeek(reader.number(item, path, "week") or 0, first, last, reader.text(item, path, "focus")))
    return Sprint(
        reader.text(data, (), "title"),
        reader.note,
        reader.number(data, (), "sprint"),
        start,
        end,
        reader.text(data, (), "goal"),
        read_tracks(reader, data, "sessions"),
        tuple(weekly),
        reader.pairs(data, (), "metrics"),
        reader.pairs(data, (), "progression"),
    )


def _in_order(
    reader: Reader, path: tuple[str | int, ...], first: datetime.date | None, last: datetime.date | None
) -> None:
    if first and last and last < first:
        message = f"the end, {last.isoformat()}, is before the start, {first.isoformat()}"
        reader.report("plan.end-before-start", path, message, "swap the two, or correct the wrong one")
