"""The lecture series: its lectures (`lectures/03-….md`) and `lectures/index.md` with blocks and reading paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.plan.parts import StudyPart, written_parts
from pipeline.plan.reader import OBSIDIAN_KEYS, Reader
from pipeline.plan.shared import STUDY, Resource, Topic, resources, status, topics
from pipeline.vault import Note

_KEYS = (
    "type", "lecture", "title", "promise", "block", "time", "prerequisites", "topics", "papers", "studies", "posts",
    "status",
)  # fmt: skip
_INDEX_KEYS = ("type", "title", "hours", "form", "blocks", "paths", "prerequisites", "papers")


@dataclass(frozen=True)
class Lecture:
    """A lecture. `prerequisites` are the vault paths of other lectures; `posts` are slugs."""

    number: int
    title: str
    note: Note
    promise: str = ""
    block: str = ""
    time: str = ""
    prerequisites: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    papers: tuple[Resource, ...] = ()
    studies: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    status: str = "planned"
    tags: tuple[str, ...] = ()

    @cached_property
    def written(self) -> tuple[StudyPart, ...]:
        """Those of the eight parts that say something."""
        return written_parts(self.note)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of lectures and what one can do after it."""

    name: str
    title: str
    remark: str = ""
    lectures: tuple[int, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadingPath:
    """A way through the series: lectures and how to read them."""

    title: str
    steps: tuple[tuple[tuple[int, ...], str], ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """What holds for all lectures."""

    title: str
    note: Note
    hours: str = ""
    form: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    paths: tuple[ReadingPath, ...] = ()
    prerequisites: tuple[Topic, ...] = ()
    papers: tuple[Resource, ...] = ()


def read_lecture(reader: Reader, data: Mapping[str, Any], number: int) -> Lecture:
    """The properties of lecture `number`."""
    reader.keys(data, (), (*_KEYS, *OBSIDIAN_KEYS), ("type", "lecture", "title", "block"))
    reader.kind(data, "lecture")
    return Lecture(
        number,
        reader.text(data, (), "title"),
        reader.note,
        reader.text(data, (), "promise"),
        reader.text(data, (), "block"),
        reader.span(data, (), "time"),
        reader.links(data, (), "prerequisites"),
        topics(reader, data.get("topics"), ("topics",)),
        resources(reader, data, (), "papers"),
        reader.texts(data, (), "studies", STUDY, "week01_mdp/gridworlds"),
        reader.texts(data, (), "posts"),
        status(reader, data),
        reader.texts(data, (), "tags"),
    )


def read_series(reader: Reader, data: Mapping[str, Any]) -> Series:
    """The properties of `lectures/index.md`."""
    reader.keys(data, (), (*_INDEX_KEYS, *OBSIDIAN_KEYS), ("type", "title", "blocks"))
    reader.kind(data, "lectures")
    blocks = []
    for path, item in reader.mappings(data, (), "blocks"):
        reader.keys(item, path, ("block", "title", "remark", "lectures", "after"), ("block", "title", "lectures"))
        name, title, remark = (reader.text(item, path, key) for key in ("block", "title", "remark"))
        blocks.append(
            Block(name, title, remark, reader.range(item, path, "lectures"), reader.texts(item, path, "after"))
        )
    paths = []
    for path, item in reader.mappings(data, (), "paths"):
        reader.keys(item, path, ("path", "steps"), ("path", "steps"))
        steps = []
        for at, step in reader.mappings(item, path, "steps"):
            reader.keys(step, at, ("lectures", "how"), ("lectures",))
            steps.append((reader.range(step, at, "lectures"), reader.text(step, at, "how")))
        paths.append(ReadingPath(reader.text(item, path, "path"), tuple(steps)))
    return Series(
        reader.text(data, (), "title"),
        reader.note,
        reader.text(data, (), "hours"),
        reader.texts(data, (), "form"),
        tuple(blocks),
        tuple(paths),
        topics(reader, data.get("prerequisites"), ("prerequisites",)),
        resources(reader, data, (), "papers"),
    )
