"""The whole plan: the five documents read from the vault's notes, and what does not fit between them.

A note that cannot be read is left out with its findings; everything else stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from pipeline.finding import Finding, in_order
from pipeline.plan.agreement import disagreements
from pipeline.plan.clusters import Cluster, Roadmap, read_cluster, read_roadmap
from pipeline.plan.course import Course, CourseWeek, read_course, read_course_week
from pipeline.plan.lectures import Lecture, Series, read_lecture, read_series
from pipeline.plan.reader import Reader
from pipeline.plan.schedule import Schedule, read_schedule
from pipeline.plan.sessions import Session, Sprint, read_session, read_sprint
from pipeline.plan.shared import Resource
from pipeline.plan.topics import TopicTable, read_topics
from pipeline.plan.weeks import Post, Week, load_week, nearest_first, week_notes
from pipeline.vault import Note, Vault

Entry = Week | Cluster | Session | Lecture | CourseWeek
Read = TypeVar("Read")

KINDS = ("week", "session", "cluster", "lecture", "course")
"""What a plan entry is called on the command line; a course week is `course`."""


@dataclass(frozen=True)
class Plan:
    """The plan's entries by number, and what holds for each document."""

    schedule: Schedule
    roadmap: Roadmap
    sprint: Sprint
    series: Series
    course: Course
    topics: TopicTable
    weeks: Mapping[int, Week] = field(default_factory=dict)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    sessions: Mapping[int, Session] = field(default_factory=dict)
    lectures: Mapping[int, Lecture] = field(default_factory=dict)
    course_weeks: Mapping[int, CourseWeek] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    """The notes of entries that could not be used, by vault path, each as findings name it."""

    def of(self, kind: str) -> Mapping[Any, Entry]:
        """The entries of one of `KINDS`, by number."""
        tables: dict[str, Mapping[Any, Entry]] = {
            "week": self.weeks, "session": self.sessions, "cluster": self.clusters, "lecture": self.lectures,
            "course": self.course_weeks,
        }  # fmt: skip
        return tables[kind]

    def index(self, kind: str) -> Note:
        """The note that holds what the entries of a kind have in common."""
        return {
            "week": self.schedule.note, "session": self.sprint.note, "cluster": self.roadmap.note,
            "lecture": self.series.note, "course": self.course.note,
        }[kind]  # fmt: skip

    @cached_property
    def by_path(self) -> Mapping[str, tuple[str, Entry]]:
        """(kind, entry) by the vault path of its note: what a link leads to."""
        return {entry.note.path: (kind, entry) for kind in KINDS for entry in self.of(kind).values()}

    @cached_property
    def posts(self) -> Mapping[str, tuple[Week, Post]]:
        """Each post of the blog plan by slug, with its week."""
        return {post.slug: (week, post) for week in self.weeks.values() for post in week.posts}

    def cited(self) -> Iterator[tuple[Resource, Note, Entry | None]]:
        """Every resource the plan names, with the note that names it and its entry (None for an index)."""
        for week in self.weeks.values():
            yield from ((resource, week.note, week) for resource in week.core_papers)
        for cluster in self.clusters.values():
            yield from ((r, cluster.note, cluster) for group in cluster.resources.values() for r in group)
        for session in self.sessions.values():
            yield from ((r, session.note, session) for group in session.materials.values() for r in group)
        for lecture in self.lectures.values():
            yield from ((resource, lecture.note, lecture) for resource in lecture.papers)
        for course_week in self.course_weeks.values():
            yield from ((resource, course_week.note, course_week) for resource in course_week.reading)
        yield from ((resource, self.schedule.note, None) for resource in self.schedule.courses)
        yield from ((resource, self.series.note, None) for resource in self.series.papers)


def load_plan(vault: Vault) -> tuple[Plan, list[Finding]]:
    """The plan and everything that is wrong with its notes, alone and together."""
    findings: list[Finding] = []
    left_out: dict[str, str] = {}
    weeks: dict[int, Week] = {}
    for number, paths in week_notes(vault).items():
        week, found = load_week(vault, number)
        findings += found
        if week is not None:
            weeks[number] = week
        for path in paths[1:] if week is not None else paths:
            left_out[path] = vault.file(path)
        findings += [_twin(vault.note(path), "week", "week", number, vault.file(paths[0])) for path in paths[1:]]
    plan = Plan(
        schedule=_index(vault, "plan/index.md", "the plan", read_schedule, findings),
        roadmap=_index(vault, "roadmap/index.md", "the roadmap", read_roadmap, findings),
        sprint=_index(vault, "sprint/index.md", "the sprint", read_sprint, findings),
        series=_index(vault, "lectures/index.md", "the series", read_series, findings),
        course=_index(vault, "course/index.md", "the course", read_course, findings),
        topics=_index(vault, "topics.md", "the topics", read_topics, findings),
        weeks=weeks,
        clusters=_entries(
            vault, "roadmap", r"(\d+\.\d+)(?:-.*)?", "cluster", "cluster", _text, read_cluster, findings, left_out
        ),
        sessions=_entries(
            vault, "sprint", r"session-(\d+)", "session", "session", int, read_session, findings, left_out
        ),
        lectures=_entries(
            vault, "lectures", r"(\d+)(?:-.*)?", "lecture", "lecture", int, read_lecture, findings, left_out
        ),
        course_weeks=_entries(
            vault, "course", r"week-(\d+)", "course-week", "week", int, read_course_week, findings, left_out
        ),
        left_out=left_out,
    )
    findings += disagreements(plan)
    return plan, in_order(findings)


def is_plan(vault: Vault) -> bool:
    """Whether a vault holds such a plan: its index, or a week, says so."""
    there = (path for path in ("plan/index.md", *(f"plan/week-{n:02d}.md" for n in (1, 2))) if path in vault.notes)
    data = (vault.note(path).properties.data for path in there)
    return any(isinstance(found, Mapping) and found.get("type") in ("plan", "week") for found in data)


def _text(number: object) -> str:
    return str(number)


def _index(
    vault: Vault, path: str, whole: str, read: Callable[[Reader, Mapping[str, Any]], Read], findings: list[Finding]
) -> Read:
    """What an index note says; where there is none, what nothing says."""
    if path not in vault.notes:
        return read(Reader(Note(path, vault.file(path), ""), whole, vault), {})
    note = vault.note(path)
    reader = Reader(note, whole, vault)
    data = _data(reader, findings)
    made = read(reader, data)
    findings += reader.findings if data else ()
    return made


def _data(reader: Reader, findings: list[Finding]) -> Mapping[str, Any]:
    """A note's properties; empty with a finding where there are none."""
    note = reader.note
    data = note.properties.data
    findings += note.findings
    if isinstance(data, Mapping):
        return data
    if not note.findings:
        message, fix = f"{reader.whole} has no properties", "begin the note with ---, its keys, and --- again"
        findings.append(Finding("plan.no-properties", "error", message, note.file, 1, fix=fix))
    return {}


def _entries(
    vault: Vault,
    folder: str,
    stem: str,
    kind: str,
    key: str,
    make: Callable[[Any], Any],
    read: Callable[[Reader, Mapping[str, Any], Any], Read],
    findings: list[Finding],
    left_out: dict[str, str],
) -> dict[Any, Read]:
    """The notes of a folder as entries by number.

    The number is in the file's name (`stem` finds it), else in the property `key`; a note with neither that is not of
    type `kind` is just a note. The first of two with one number counts.
    """
    named: dict[Any, str] = {}
    made: dict[Any, Read] = {}
    pattern = re.compile(rf"(?:.*/)?{folder}/([^/]+)\.md", re.IGNORECASE)
    for path in nearest_first(vault.notes):
        match = pattern.fullmatch(path)
        if match is None or match[1].lower() == "index":
            continue
        note = vault.note(path)
        data = note.properties.data
        in_name = re.fullmatch(stem, match[1], re.IGNORECASE)
        if in_name is None and not (isinstance(data, Mapping) and data.get("type") == kind):
            continue
        reader = Reader(note, f"the {kind.replace('-', ' ')}", vault)
        data = _data(reader, findings)
        if not data:
            left_out[path] = note.file
            continue
        number = make(in_name[1]) if in_name else _number(data.get(key), make)
        if number is None:
            fix = f"write `{key}: …` or put the number in the file's name"
            reader.report("plan.missing-key", (key,), f"the {kind} has no number", fix)
            findings += reader.findings
            left_out[path] = note.file
            continue
        _check_number(reader, data, kind, key, number, make)
        if number in named:
            findings += [*reader.findings, _twin(note, kind.replace("-", " "), key, number, vault.file(named[number]))]
            left_out[path] = note.file
            continue
        named[number] = path
        made[number] = read(reader, data, number)
        findings += reader.findings
    _report_numbers_of_others(vault, named, key, kind, make, findings)
    return dict(sorted(made.items(), key=lambda item: _sortable(item[0])))


def _twin(note: Note, name: str, key: str, number: Any, other: str) -> Finding:
    """Two notes with one number: the first of them counts."""
    message = f"{name} {number} is also {other}, which is taken"
    fix = "give one of the two another number, in its name and its properties"
    line = note.properties.line(key) or 1
    return Finding("plan.duplicate-number", "error", message, note.file, line, fix=fix, key=key)


def _number(value: Any, make: Callable[[Any], Any]) -> Any:
    try:
        return make(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except ValueError:
        return None


def _sortable(number: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", str(number)))


def _check_number(
    reader: Reader, data: Mapping[str, Any], kind: str, key: str, number: Any, make: Callable[[Any], Any]
) -> None:
    given = data.get(key)
    said = _number(given, make)
    if given is not None and said != number:
        quoted = f'"{number}"' if isinstance(number, str) else number
        name = kind.replace("-", " ")
        message = f"the note of {name} {number} says it is {name} {given}"
        reader.report("plan.wrong-number", (key,), message, f"write `{key}: {quoted}` or rename the note")


def _report_numbers_of_others(
    vault: Vault, named: Mapping[Any, str], key: str, kind: str, make: Callable[[Any], Any], findings: list[Finding]
) -> None:
    """A note whose property claims the number of another note: the two share it."""
    for number, path in named.items():
        note = vault.note(path)
        said = _number(note.properties.data.get(key), make) if isinstance(note.properties.data, Mapping) else None
        if said is not None and said != number and said in named:
            name = kind.replace("-", " ")
            message = f"{name} {said} is also {vault.file(named[said])}"
            fix = f"write `{key}: {number}`" if not isinstance(number, str) else f'write `{key}: "{number}"`'
            line = note.properties.line(key)
            findings.append(Finding("plan.duplicate-number", "error", message, note.file, line, fix=fix, key=key))
