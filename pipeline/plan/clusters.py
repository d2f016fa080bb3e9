"""The roadmap: its clusters (`roadmap/1.2-….md`) and `roadmap/index.md` with phases, integration and concept map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.plan.reader import OBSIDIAN_KEYS, Reader
from pipeline.plan.shared import RESOURCE_KINDS, Box, Resource, Topic, boxes, resources, status, topics
from pipeline.vault import Note

CRITERIA = "Completion criteria"
GAPS = "Knowledge gaps"

_KEYS = (
    "type", "cluster", "title", "phase", "track", "blog", "reading_time", "learning_time", "status", "published",
    "pair", "role", "session", "theme", "topics", "resources",
)  # fmt: skip
_INDEX_KEYS = (
    "type", "title", "phases", "tracks", "session_format", "integration", "concept_map", "post_within_days", "review",
)  # fmt: skip


@dataclass(frozen=True)
class Cluster:
    """A cluster of the roadmap. `pair` is the vault path of the cluster studied alongside; times are in words."""

    number: str
    title: str
    note: Note
    phase: int = 0
    track: str = ""
    blog: str = ""
    reading_time: str = ""
    learning_time: str = ""
    status: str = "planned"
    published: bool = False
    pair: str = ""
    role: str = ""
    session: int | None = None
    theme: str = ""
    topics: tuple[Topic, ...] = ()
    resources: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @cached_property
    def criteria(self) -> tuple[Box, ...]:
        """The tick boxes that say when it is done."""
        return boxes(self.note, CRITERIA)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of the roadmap or of the blog plan (there with its `weeks`)."""

    number: int
    title: str
    weeks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """A track: of the roadmap with its clusters in words, of the sprint with its `sessions`."""

    name: str
    title: str
    clusters: str = ""
    sessions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Integration:
    """One session of the integration plan. `primary` and `secondary` are vault paths, or words where no cluster is."""

    session: int
    title: str
    primary: str = ""
    secondary: str = ""
    idea: str = ""
    blog: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Parallel:
    """A row of the concept map: what one field calls so, the other calls so."""

    rl: str
    genai: str
    insight: str = ""


@dataclass(frozen=True)
class Roadmap:
    """What holds for all clusters."""

    title: str
    note: Note
    phases: tuple[Phase, ...] = ()
    tracks: tuple[Track, ...] = ()
    session_format: tuple[tuple[int, str], ...] = ()
    integration: tuple[Integration, ...] = ()
    concept_map: tuple[Parallel, ...] = ()
    post_within_days: int = 7
    review: str = ""

    @cached_property
    def gaps(self) -> tuple[Box, ...]:
        """What has to be looked at again; a ticked one is closed."""
        return boxes(self.note, GAPS)


def read_cluster(reader: Reader, data: Mapping[str, Any], number: str) -> Cluster:
    """The properties of cluster `number` ("1.2")."""
    reader.keys(data, (), (*_KEYS, *OBSIDIAN_KEYS), ("type", "cluster", "title", "phase", "blog"))
    reader.kind(data, "cluster")
    given: dict[str, tuple[Resource, ...]] = {}
    raw = data.get("resources")
    if isinstance(raw, dict):
        reader.keys(raw, ("resources",), RESOURCE_KINDS, ())
        given = {kind: resources(reader, raw, ("resources",), kind) for kind in raw}
    elif raw is not None:
        reader.wrong(("resources",), raw, "a mapping", "write the kinds below it, one a line: `primary: [key]`")
    return Cluster(
        number,
        reader.text(data, (), "title"),
        reader.note,
        reader.number(data, (), "phase") or 0,
        reader.text(data, (), "track"),
        reader.text(data, (), "blog"),
        reader.span(data, (), "reading_time"),
        reader.span(data, (), "learning_time"),
        status(reader, data),
        reader.flag(data, (), "published"),
        reader.link(data, (), "pair"),
        reader.choice(data, (), "role", ("primary", "secondary")),
        reader.number(data, (), "session"),
        reader.text(data, (), "theme"),
        topics(reader, data.get("topics"), ("topics",)),
        given,
        reader.texts(data, (), "tags"),
    )


def read_roadmap(reader: Reader, data: Mapping[str, Any]) -> Roadmap:
    """The properties of `roadmap/index.md`."""
    reader.keys(data, (), (*_INDEX_KEYS, *OBSIDIAN_KEYS), ("type", "title", "phases"))
    reader.kind(data, "roadmap")
    integration = []
    for path, item in reader.mappings(data, (), "integration"):
        reader.keys(item, path, ("session", "title", "primary", "secondary", "idea", "blog"), ("session", "title"))
        primary, secondary = (
            reader.link(item, path, end) if said.startswith("[[") else said
            for end in ("primary", "secondary")
            for said in (reader.text(item, path, end),)
        )
        number = reader.number(item, path, "session") or 0
        title, idea, blog = (reader.text(item, path, key) for key in ("title", "idea", "blog"))
        integration.append(Integration(number, title, primary, secondary, idea, blog, reader.line(path)))
    rows = []
    for path, item in reader.mappings(data, (), "concept_map"):
        reader.keys(item, path, ("rl", "genai", "insight"), ("rl", "genai"))
        rows.append(Parallel(*(reader.text(item, path, key) for key in ("rl", "genai", "insight"))))
    within = reader.number(data, (), "post_within_days")
    return Roadmap(
        reader.text(data, (), "title"),
        reader.note,
        read_phases(reader, data),
        read_tracks(reader, data, "clusters"),
        reader.minutes(data, (), "session_format"),
        tuple(integration),
        tuple(rows),
        7 if within is None else within,
        reader.choice(data, (), "review", ("weekly", "monthly", "never")),
    )


def read_phases(reader: Reader, data: Mapping[str, Any]) -> tuple[Phase, ...]:
    """`phases`, each with a number and a title."""
    found = []
    for path, item in reader.mappings(data, (), "phases"):
        reader.keys(item, path, ("phase", "title", "weeks"), ("phase", "title"))
        number = reader.number(item, path, "phase") or 0
        found.append(Phase(number, reader.text(item, path, "title"), reader.range(item, path, "weeks")))
    return tuple(found)


def read_tracks(reader: Reader, data: Mapping[str, Any], holds: str) -> tuple[Track, ...]:
    """`tracks`, each with a name, a title and what it `holds` ("clusters", in words, or "sessions", a span)."""
    found = []
    for path, item in reader.mappings(data, (), "tracks"):
        reader.keys(item, path, ("track", "title", holds), ("track", "title"))
        name, title = reader.text(item, path, "track"), reader.text(item, path, "title")
        clusters = reader.text(item, path, "clusters") if holds == "clusters" else ""
        found.append(Track(name, title, clusters, reader.range(item, path, "sessions") if holds == "sessions" else ()))
    return tuple(found)
