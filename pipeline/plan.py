"""The plan: the properties of a week's note as a `Week` with its posts, and the eight parts of a study note.

The schema is written down in the dataclasses below; what a note gives beyond or against it is a finding with the line
of the key. A week is returned as far as it can be read, so that one wrong key does not hide the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.finding import Finding, did_you_mean, in_order
from pipeline.markdown import Section
from pipeline.vault import Note, Vault, plain_heading
from pipeline.yamlmap import Path as KeyPath


@dataclass(frozen=True, slots=True)
class Topic:
    """A study topic and what it consists of."""

    name: str
    parts: tuple[Topic, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A core paper: a key of `references.bib` and the place to read."""

    source: str
    where: str = ""
    line: int = 0


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

    `studies` is empty for all studies of the week, `earlier` holds the weeks the post builds on.
    """

    slug: str
    title: str
    brief: str
    description: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    earlier: tuple[int, ...] = ()
    outline: tuple[OutlineSection, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the plan and the note that holds it."""

    number: int
    title: str
    note: Note
    phase: str = ""
    topics: tuple[Topic, ...] = ()
    core_papers: tuple[Paper, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    wandb: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    posts: tuple[Post, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyPart:
    """One of the eight parts of a study note: its name in `PARTS`, its heading as written, and its section."""

    name: str
    title: str
    section: Section


_WEEK_NOTE = re.compile(r"(?:.*/)?plan/week-(\d+)\.md", re.IGNORECASE)
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_STUDY = re.compile(r"\w+/\w+")
_LISTING = re.compile(r"[\w/]+\.py:\w+(?:\.\w+)*")
_LINK = re.compile(r"\[\[[^\[\]\n]+\]\]")

_WEEK_KEYS = ("type", "week", "title", "phase", "topics", "core_papers", "experiments", "wandb", "tags", "posts")
_OBSIDIAN_KEYS = ("aliases", "cssclasses")
_POST_KEYS = ("slug", "title", "brief", "description", "tags", "studies", "earlier", "outline")
_SECTION_KEYS = ("id", "heading", "plain_heading", "notes", "claims", "figures", "listings", "sources")


def week_numbers(vault: Vault) -> list[int]:
    """The weeks that have a note `plan/week-NN.md`, in order."""
    return sorted(_week_notes(vault))


def load_week(vault: Vault, number: int) -> tuple[Week | None, list[Finding]]:
    """A week of the plan and what is wrong with its note. None where there is no note or its properties are no YAML."""
    notes = _week_notes(vault)
    if number not in notes:
        name = vault.file(f"plan/week-{number:02d}.md")
        there = f"weeks with a note: {', '.join(map(str, sorted(notes)))}; " if notes else ""
        fix = f"{there}write {name} to add one"
        return None, [Finding("plan.no-week", "error", f"week {number} has no note", name, fix=fix, key=str(number))]
    note = vault.note(notes[number])
    reader = _Reader(note)
    findings = [*note.findings]
    data = note.properties.data
    if not isinstance(data, Mapping):
        if not findings:
            fix = "begin the note with ---, the keys of the week, and --- again"
            findings.append(Finding("plan.no-properties", "error", "the week has no properties", note.file, 1, fix=fix))
        return None, in_order(findings)
    week = _week(reader, data, number)
    for other in sorted(set(notes) - {number}):
        reader.report_shared_slugs(week.posts, vault.note(notes[other]))
    return week, in_order([*findings, *reader.findings])


def _week_notes(vault: Vault) -> dict[int, str]:
    matches = ((path, _WEEK_NOTE.fullmatch(path)) for path in vault.notes)
    return {int(match[1]): path for path, match in matches if match}


class _Reader:
    """Reads typed values from a note's properties; each value that does not fit becomes a finding at its line."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self.findings: list[Finding] = []

    def line(self, path: KeyPath) -> int:
        return self.note.properties.line(*path) or 1

    def report(self, check: str, path: KeyPath, message: str, fix: str) -> None:
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
        self.findings.append(Finding(check, "error", message, self.note.file, self.line(path), fix=fix, key=key))

    def keys(self, data: Mapping[str, Any], path: KeyPath, known: Iterable[str], required: Iterable[str]) -> None:
        """Reports keys that mean nothing and keys that are missing."""
        known = tuple(known)
        for key in data:
            if key not in known:
                fix = did_you_mean(key, [k for k in known if k not in data]) or f"the keys are {', '.join(known)}"
                self.report("plan.unknown-key", (*path, key), f"'{key}' means nothing here", fix)
        for key in required:
            if data.get(key) in (None, "", [], {}) and (key not in data or data[key] is not False):
                self.report("plan.missing-key", path, f"{_named(path)} has no '{key}'", f"add `{key}: …`")

    def text(self, data: Mapping[str, Any], path: KeyPath, key: str) -> str:
        """A text; numbers and dates are not, since YAML rewrites them."""
        value = data.get(key)
        if value is None or isinstance(value, str):
            return (value or "").strip()
        self.wrong((*path, key), value, "text", f'quote it: {key}: "{value}"')
        return ""

    def texts(
        self,
        data: Mapping[str, Any],
        path: KeyPath,
        key: str,
        pattern: re.Pattern[str] | None = None,
        example: str = "",
    ) -> tuple[str, ...]:
        """A list of texts, each of the form of `pattern` where one is given; the others are reported."""
        found = []
        for position, item in enumerate(self.items(data, path, key)):
            at = (*path, key, position)
            if isinstance(item, str) and item.strip():
                if pattern is None or self.form(item.strip(), pattern, at, example):
                    found.append(item.strip())
            elif isinstance(item, list):
                self.wrong(at, item, "text", 'put a link in quotes: "[[…]]"')
            else:
                self.wrong(at, item, "text", f'quote it: "{item}"' if item is not None else "take the empty item out")
        return tuple(found)

    def items(self, data: Mapping[str, Any], path: KeyPath, key: str) -> list[Any]:
        """A list of anything; missing is empty."""
        value = data.get(key)
        if value is None or isinstance(value, list):
            return value or []
        self.wrong((*path, key), value, "a list", f"write `{key}: [{value}]` or one item a line")
        return []

    def mappings(self, data: Mapping[str, Any], path: KeyPath, key: str) -> list[tuple[KeyPath, dict[str, Any]]]:
        """A list of mappings, each with its path."""
        found = []
        for position, item in enumerate(self.items(data, path, key)):
            at = (*path, key, position)
            if isinstance(item, dict):
                found.append((at, item))
            else:
                self.wrong(at, item, "a mapping", "write its keys one a line: `- key: value`")
        return found

    def number(self, data: Mapping[str, Any], path: KeyPath, key: str) -> int | None:
        value = data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.wrong((*path, key), value, "a whole number", f"write `{key}: 1`")
        return None

    def wrong(self, path: KeyPath, value: Any, wanted: str, fix: str) -> None:
        name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        item = f"item {path[-1] + 1} of '{name}'" if isinstance(path[-1], int) else f"'{name}'"
        self.report("plan.wrong-type", path, f"{item} must be {wanted}, not {_type_name(value)}", fix)

    def form(self, value: str, pattern: re.Pattern[str], path: KeyPath, example: str) -> bool:
        """Whether a text has the form it must have."""
        if pattern.fullmatch(value):
            return True
        name = next(part for part in reversed(path) if isinstance(part, str))
        self.report(
            "plan.wrong-form", path, f"'{value}' does not have the form of '{name}'", f"write it like {example}"
        )
        return False

    def slug(self, value: str, path: KeyPath, taken: set[str]) -> None:
        """Slugs are lower-case words joined by hyphens, and each stands once."""
        if value and not _SLUG.fullmatch(value):
            good = "-".join(re.findall(r"[a-z0-9]+", value.lower())) or "a-few-words"
            message = f"'{value}' is no slug (lower-case words and digits, joined by hyphens)"
            self.report("plan.wrong-slug", path, message, f"write {good}")
        elif value in taken:
            self.report("plan.duplicate-slug", path, f"'{value}' is used twice", "give one of the two another name")
        taken.add(value)

    def report_shared_slugs(self, posts: Iterable[Post], other: Note) -> None:
        """Reports posts whose slug another week's note has too."""
        data = other.properties.data
        theirs = data.get("posts") if isinstance(data, dict) else None
        used = {post.get("slug") for post in theirs if isinstance(post, dict)} if isinstance(theirs, list) else set()
        for position, post in enumerate(posts):
            if post.slug in used:
                message = f"'{post.slug}' is also a post of {other.file}"
                self.report(
                    "plan.duplicate-slug", ("posts", position, "slug"), message, "give one of the two another name"
                )


def _week(reader: _Reader, data: Mapping[str, Any], number: int) -> Week:
    top: KeyPath = ()
    reader.keys(data, top, (*_WEEK_KEYS, *_OBSIDIAN_KEYS), ("type", "week", "title", "posts"))
    kind = reader.text(data, top, "type")
    if kind and kind != "week":
        reader.report("plan.wrong-type", ("type",), f"the note is of type '{kind}', not 'week'", "write `type: week`")
    given = reader.number(data, top, "week")
    if given is not None and given != number:
        message = f"the note of week {number} says it is week {given}"
        reader.report("plan.wrong-week", ("week",), message, f"write `week: {number}` or rename the note")
    papers = []
    for path, item in reader.mappings(data, top, "core_papers"):
        reader.keys(item, path, ("source", "where"), ("source",))
        papers.append(Paper(reader.text(item, path, "source"), reader.text(item, path, "where"), reader.line(path)))
    experiments = []
    for path, item in reader.mappings(data, top, "experiments"):
        reader.keys(item, path, ("text", "study"), ("text",))
        study = reader.text(item, path, "study")
        if study and not reader.form(study, _STUDY, (*path, "study"), "week01_mdp/gridworlds"):
            study = ""
        experiments.append(Experiment(reader.text(item, path, "text"), study, reader.line(path)))
    taken: set[str] = set()
    posts = [_post(reader, item, path, taken, number) for path, item in reader.mappings(data, top, "posts")]
    return Week(
        number,
        reader.text(data, top, "title"),
        reader.note,
        reader.text(data, top, "phase"),
        _topics(reader, data.get("topics"), ("topics",)),
        tuple(papers),
        tuple(experiments),
        reader.texts(data, top, "wandb"),
        reader.texts(data, top, "tags"),
        tuple(post for post in posts if post.slug),
    )


def _topics(reader: _Reader, value: Any, path: KeyPath) -> tuple[Topic, ...]:
    """Topics at any depth: a text, a list, or a mapping from a topic to its parts."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (Topic(value.strip()),)
    if isinstance(value, list):
        return tuple(topic for i, item in enumerate(value) for topic in _topics(reader, item, (*path, i)))
    if isinstance(value, dict):
        return tuple(Topic(str(name), _topics(reader, parts, (*path, name))) for name, parts in value.items())
    reader.wrong(path, value, "text", f'quote it: "{value}"')
    return ()


def _post(reader: _Reader, data: Mapping[str, Any], path: KeyPath, taken: set[str], number: int) -> Post:
    reader.keys(data, path, _POST_KEYS, ("slug", "title", "brief", "description"))
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
    earlier = []
    for position, week in enumerate(reader.items(data, path, "earlier")):
        at = (*path, "earlier", position)
        if not isinstance(week, int) or isinstance(week, bool):
            reader.wrong(at, week, "the number of a week", "write `earlier: [1]`")
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
        reader.texts(data, path, "studies", _STUDY, "week01_mdp/gridworlds"),
        tuple(earlier),
        tuple(_section(reader, item, at, ids) for at, item in reader.mappings(data, path, "outline")),
        reader.line(path),
    )


def _section(reader: _Reader, data: Mapping[str, Any], path: KeyPath, ids: set[str]) -> OutlineSection:
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


def _named(path: KeyPath) -> str:
    """A place in the properties in words: "the week", "post 2", "section 1 of post 2"."""
    words = {"posts": "post", "outline": "section", "experiments": "experiment", "core_papers": "core paper"}
    found: list[str] = []
    for part, after in zip(path, [*path[1:], None], strict=False):
        if isinstance(part, str) and isinstance(after, int):
            found.insert(0, f"{words.get(part, part)} {after + 1}")
        elif isinstance(part, str):
            found.insert(0, f"the {part}")
    return " of ".join(found) or "the week"


def _type_name(value: Any) -> str:
    names = {bool: "yes or no", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")


PARTS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "set-up": r"\bset ?up\b|\bwhat problem\b|\bthe problem\b",
        "intuition": r"\bintuiti",
        "maths": r"\bmaths?\b|\bmathematics\b|\bderivations?\b|\brunning commentary\b",
        "code": r"\bcode\b|\bimplementation\b",
        "gotchas": r"\bgotchas?\b|\bpitfalls?\b|\bget stuck\b|\bgot stuck\b|\bwhat went wrong\b",
        "paper-trail": r"\bpaper trail\b|\bpapers\b|\bfurther reading\b|\bworked this out\b",
        "when-to-use": r"\bwhen (?:to|not to|should|would|do|does)\b.*\buse\b|\bwhen to\b|\bapplications?\b",
        "exercises": r"\bexercises?\b|\bproblems to\b|\btry it\b",
    }.items()
}
"""The eight parts of a study note, by the words their headings are known from (lower case, no punctuation)."""


def study_parts(note: Note) -> tuple[StudyPart, ...]:
    """The parts a study note has, in its order. Of several headings that fit, the highest, then the first counts."""
    found: dict[int, StudyPart] = {}
    for name, pattern in PARTS.items():
        fitting = [s for s in note.sections if s.start not in found and pattern.search(plain_heading(s.title))]
        if fitting:
            section = min(fitting, key=lambda s: (s.level, s.start))
            found[section.start] = StudyPart(name, section.title, section)
    return tuple(found[start] for start in sorted(found))
