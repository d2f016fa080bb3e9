"""A week of the blog plan: the properties of `plan/week-NN.md` as a `Week` with its posts.

The schema is written down in the dataclasses below; what a note gives beyond or against it is a finding with the line
of the key. A week is returned as far as it can be read, so that one wrong key does not hide the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.finding import Finding, in_order
from pipeline.plan.reader import OBSIDIAN_KEYS, Reader
from pipeline.plan.shared import STUDY, Resource, Topic, resources, study, topics
from pipeline.vault import Note, Vault
from pipeline.yamlmap import Path as KeyPath


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment of the week in words, and its study ("week01_mdp/gridworlds"; empty where there is none yet)."""

    text: str
    study: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class OutlineSection:
    """A section of a post: its headings, and what it draws on.

    `notes` are links ("[[#Heading]]", "[[#^block]]", "[[note#heading]]"), `claims` and `figures` keys, `listings`
    "topic/file.py:name", `sources` keys of `references.bib`. `line` is where the section begins in the week's note.
    """

    id: str
    heading: str
    plain_heading: str = ""
    notes: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    listings: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Post:
    """One post: its title, its notes for the agent (`brief`) and a description for each edition.

    `studies` is empty for all studies of the week. `earlier` holds the weeks the post builds on, `recalls` the slugs of
    single posts it does, of its own week among them. A post without an outline may still lack its descriptions.
    """

    slug: str
    title: str
    brief: str
    description: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    earlier: tuple[int, ...] = ()
    recalls: tuple[str, ...] = ()
    outline: tuple[OutlineSection, ...] = ()
    line: int = 0
    position: int = 0
    """Its place in the note's list, from 0."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the plan and the note that holds it. A post stands after those of its week that it builds on."""

    number: int
    title: str
    note: Note
    phase: str = ""
    topics: tuple[Topic, ...] = ()
    core_papers: tuple[Resource, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    wandb: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    posts: tuple[Post, ...] = ()

    @property
    def studies(self) -> tuple[str, ...]:
        """The studies its experiments name."""
        return tuple(experiment.study for experiment in self.experiments if experiment.study)


_WEEK_NOTE = re.compile(r"(?:.*/)?plan/week-(\d+)\.md", re.IGNORECASE)
_LISTING = re.compile(r"[\w/]+\.py:\w+(?:\.\w+)*")
_LINK = re.compile(r"\[\[[^\[\]\n]+\]\]")

_WEEK_KEYS = ("type", "week", "title", "phase", "topics", "core_papers", "experiments", "wandb", "posts")
_POST_KEYS = ("slug", "title", "brief", "description", "tags", "studies", "earlier", "outline")
_SECTION_KEYS = ("id", "heading", "plain_heading", "notes", "claims", "figures", "listings", "sources")


def week_numbers(vault: Vault) -> list[int]:
    """The weeks that have a note `plan/week-NN.md`, in order."""
    return list(week_notes(vault))


def load_week(vault: Vault, number: int) -> tuple[Week | None, list[Finding]]:
    """A week of the plan and what is wrong with its note. None where there is no note or its properties are no YAML."""
    notes = {week: paths[0] for week, paths in week_notes(vault).items()}
    if number not in notes:
        name = vault.file(f"plan/week-{number:02d}.md")
        there = f"weeks with a note: {', '.join(map(str, sorted(notes)))}; " if notes else ""
        fix = f"{there}write {name} to add one"
        return None, [Finding("plan.no-week", "error", f"week {number} has no note", name, fix=fix, key=str(number))]
    note = vault.note(notes[number])
    reader = Reader(note, "the week", vault)
    findings = [*note.findings]
    data = note.properties.data
    if not isinstance(data, Mapping):
        if not findings:
            fix = "begin the note with ---, the keys of the week, and --- again"
            findings.append(Finding("plan.no-properties", "error", "the week has no properties", note.file, 1, fix=fix))
        return None, in_order(findings)
    week = read_week(reader, data, number)
    for other in sorted(set(notes) - {number}):
        _report_shared_slugs(reader, week.posts, vault.glance(notes[other]))
    return week, in_order([*findings, *reader.findings])


def week_notes(vault: Vault) -> dict[int, list[str]]:
    """The notes of each week in the order of the weeks; of several with one number the first counts."""
    notes: dict[int, list[str]] = {}
    for path in nearest_first(vault.notes):
        if match := _WEEK_NOTE.fullmatch(path):
            notes.setdefault(int(match[1]), []).append(path)
    return dict(sorted(notes.items()))


def nearest_first(paths: Iterable[str]) -> list[str]:
    """Vault paths, those nearest to the top first: an archive's note comes after the one it was copied from."""
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _report_shared_slugs(reader: Reader, posts: Iterable[Post], other: Note) -> None:
    """Reports posts whose slug another week's note has too."""
    data = other.properties.data
    theirs = data.get("posts") if isinstance(data, dict) else None
    used = {post.get("slug") for post in theirs if isinstance(post, dict)} if isinstance(theirs, list) else set()
    for position, post in enumerate(posts):
        if post.slug in used:
            message, path = f"'{post.slug}' is also a post of {other.file}", ("posts", position, "slug")
            reader.report("plan.duplicate-slug", path, message, "give one of the two another name")


def read_week(reader: Reader, data: Mapping[str, Any], number: int) -> Week:
    """The properties of week `number`."""
    top: KeyPath = ()
    reader.keys(data, top, (*_WEEK_KEYS, *OBSIDIAN_KEYS), ("type", "week", "title", "posts"))
    reader.kind(data, "week")
    given = reader.number(data, top, "week", number)
    if given is not None and given != number:
        message = f"the note of week {number} says it is week {given}"
        reader.report("plan.wrong-week", ("week",), message, f"write `week: {number}` or rename the note")
    experiments = []
    for position, item in enumerate(reader.items(data, top, "experiments")):
        path = ("experiments", position)
        if isinstance(item, str) and item.strip():
            experiments.append(Experiment(item.strip(), "", reader.line(path)))
        elif isinstance(item, dict):
            reader.keys(item, path, ("text", "study"), ("text",))
            experiments.append(
                Experiment(reader.text(item, path, "text"), study(reader, item, path), reader.line(path))
            )
        else:
            reader.wrong(path, item, "a mapping", "write its keys one a line: `- text: …`")
    taken: set[str] = set()
    posts = [_post(reader, item, path, taken, number) for path, item in reader.mappings(data, top, "posts")]
    return Week(
        number,
        reader.text(data, top, "title"),
        reader.note,
        reader.text(data, top, "phase"),
        topics(reader, data.get("topics"), ("topics",)),
        resources(reader, data, top, "core_papers"),
        tuple(experiments),
        reader.texts(data, top, "wandb"),
        reader.texts(data, top, "tags"),
        _by_dependency([post for post in posts if post.slug]),
    )


def _by_dependency(posts: list[Post]) -> tuple[Post, ...]:
    """Posts as written, but each after those it recalls; posts that recall one another stay as they are."""
    placed: list[Post] = []
    waiting = list(posts)
    while waiting:
        ready = (post for post in waiting if not any(other.slug in post.recalls for other in waiting))
        placed.append(next(ready, waiting[0]))
        waiting.remove(placed[-1])
    return tuple(placed)


def _post(reader: Reader, data: Mapping[str, Any], path: KeyPath, taken: set[str], number: int) -> Post:
    needed = ("slug", "title", "brief", "description") if data.get("outline") else ("slug", "title", "brief")
    reader.keys(data, path, _POST_KEYS, needed)
    slug = reader.text(data, path, "slug")
    reader.slug(slug, (*path, "slug"), taken)
    description = data.get("description")
    texts: dict[str, str] = {}
    if isinstance(description, dict):
        at = (*path, "description")
        reader.keys(description, at, ("scientist", "manager"), ("scientist", "manager"))
        texts = {edition: reader.text(description, at, edition) for edition in ("scientist", "manager")}
    elif description is not None:
        fix = "write `scientist: …` and `manager: …` below it"
        reader.wrong((*path, "description"), description, "a mapping", fix)
    earlier, recalls = [], []
    for position, week in enumerate(reader.items(data, path, "earlier")):
        at = (*path, "earlier", position)
        if isinstance(week, str) and week.strip():
            recalls.append(week.strip())
        elif not isinstance(week, int) or isinstance(week, bool):
            reader.wrong(at, week, "the number of a week or the slug of a post", "write `earlier: [1]`")
        elif week >= number:
            message = f"week {week} is not earlier than week {number}"
            reader.report("plan.not-earlier", at, message, "name weeks before this one")
        else:
            earlier.append(week)
    ids: set[str] = set()
    return Post(
        slug,
        reader.text(data, path, "title"),
        reader.text(data, path, "brief"),
        texts,
        reader.texts(data, path, "tags"),
        reader.texts(data, path, "studies", STUDY, "week01_mdp/gridworlds"),
        tuple(earlier),
        tuple(recalls),
        tuple(_section(reader, item, at, ids) for at, item in reader.mappings(data, path, "outline")),
        reader.line(path),
        int(path[-1]),
    )


def _section(reader: Reader, data: Mapping[str, Any], path: KeyPath, ids: set[str]) -> OutlineSection:
    reader.keys(data, path, _SECTION_KEYS, ("id", "heading"))
    name = reader.text(data, path, "id")
    reader.slug(name, (*path, "id"), ids)
    return OutlineSection(
        name,
        reader.text(data, path, "heading"),
        reader.text(data, path, "plain_heading"),
        reader.texts(data, path, "notes", _LINK, '"[[#Heading]]", "[[#^block]]" or "[[note#Heading]]"'),
        reader.texts(data, path, "claims"),
        reader.texts(data, path, "figures"),
        reader.texts(data, path, "listings", _LISTING, "week01_mdp/value_iteration.py:sweep"),
        reader.texts(data, path, "sources"),
        reader.line(path),
    )
