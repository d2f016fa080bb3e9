"""What several kinds of plan notes are made of: topics, resources, statuses, tick boxes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.plan.reader import Reader
from pipeline.vault import Note, plain_heading
from pipeline.yamlmap import Path as KeyPath

STATUSES = ("planned", "in-progress", "done")
STUDY = re.compile(r"\w+/\w+")
RESOURCE_KINDS = (
    "primary", "supplementary", "optional", "theory", "math", "video", "interactive", "implementation", "practical",
    "course", "blogs", "cross-domain", "deep-learning", "safety", "latest", "advanced", "analysis",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """A study topic and what it consists of."""

    name: str
    parts: tuple[Topic, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Its name and those of all its parts."""
        return (self.name, *(name for part in self.parts for name in part.names()))


@dataclass(frozen=True, slots=True)
class Resource:
    """Something to read, watch or use: a key of `references.bib` with the place in it, or words alone (`text`).

    `link` is an address of its own, such as a page anchor; `read` says that it has been read.
    """

    source: str
    where: str = ""
    link: str = ""
    note: str = ""
    text: str = ""
    read: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """A tick box of a note and the line it stands on."""

    text: str
    ticked: bool
    line: int


def topics(reader: Reader, value: Any, path: KeyPath) -> tuple[Topic, ...]:
    """Topics at any depth: a text, a list, or a mapping from a topic to its parts."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (Topic(value.strip()),)
    if isinstance(value, list):
        return tuple(topic for i, item in enumerate(value) for topic in topics(reader, item, (*path, i)))
    if isinstance(value, dict):
        return tuple(Topic(str(name), topics(reader, parts, (*path, name))) for name, parts in value.items())
    reader.wrong(path, value, "text", f'quote it: "{value}"')
    return ()


def resources(reader: Reader, data: Mapping[str, Any], path: KeyPath, key: str) -> tuple[Resource, ...]:
    """A list of resources: `sutton2018, ch. 3`, a mapping with `source`, or one with `text` for what is no source."""
    found = []
    for position, item in enumerate(reader.items(data, path, key)):
        at = (*path, key, position)
        line = reader.line(at)
        if isinstance(item, str) and item.strip():
            source, _, where = item.partition(",")
            found.append(Resource(source.strip(), where.strip(), line=line))
        elif isinstance(item, dict):
            reader.keys(item, at, ("source", "where", "link", "note", "text", "read"), ())
            source, text = reader.text(item, at, "source"), reader.text(item, at, "text")
            if not source and not text:
                reader.report("plan.missing-key", at, f"{reader.named(at)} has no 'source'", "add `source: …`")
                continue
            where, link, note = (reader.text(item, at, name) for name in ("where", "link", "note"))
            found.append(Resource(source, where, link, note, text, reader.flag(item, at, "read"), line))
        else:
            reader.wrong(at, item, "a source", "write its key in references.bib")
    return tuple(found)


def status(reader: Reader, data: Mapping[str, Any]) -> str:
    """`planned`, `in-progress` or `done`."""
    return reader.choice(data, (), "status", STATUSES, "planned")


def study(reader: Reader, data: Mapping[str, Any], path: KeyPath = ()) -> str:
    """A study `folder/name`; '' where none is named."""
    value = reader.text(data, path, "study")
    return value if value and reader.form(value, STUDY, (*path, "study"), "week01_mdp/gridworlds") else ""


def boxes(note: Note, heading: str) -> tuple[Box, ...]:
    """The tick boxes under the heading that begins with the words of `heading`, such as "Completion criteria"."""
    wanted = plain_heading(heading)
    sections = [s for s in note.sections if plain_heading(s.title).startswith(wanted)]
    if not sections:
        return ()
    start, end = sections[0].start, sections[0].end
    first = note.skimmed.position(start)[0]
    found = []
    for number, text in enumerate(re.split(r"\r\n|\r|\n", note.text[start:end])):
        match = re.fullmatch(r"\s*(?:[-*+]|\d+[.)])\s+\[([ xX])\]\s+(.*\S)\s*", text)
        if match:
            found.append(Box(match[2], match[1] != " ", first + number))
    return tuple(found)
