"""Typed values from a note's properties; each value that does not fit becomes a finding at its line, with the fix.

Reading goes on past what is wrong, so that one bad key hides nothing else: a value that cannot be used reads as empty.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.finding import Finding, Severity, did_you_mean
from pipeline.vault import Note, Vault
from pipeline.yamlmap import Path as KeyPath
from pipeline.yamlmap import dotted, no_value

OBSIDIAN_KEYS = ("tags", "aliases", "cssclasses")
"""Keys any note may have."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LINK = re.compile(r"!?\[\[[^\[\]\n]+\]\]")
_RANGE = re.compile(r"(\d+)(?:\s*[-–]\s*(\d+))?")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(?:\s*[-–]\s*(\d+(?:\.\d+)?))?\s*(min|minutes?|h|hours?)")
_WORDS = {
    "posts": "post", "outline": "section", "experiments": "experiment", "core_papers": "core paper",
    "phases": "phase", "tracks": "track", "integration": "session", "concept_map": "row", "resources": "resource",
    "materials": "material", "blocks": "block", "paths": "path", "steps": "step", "months": "month",
}  # fmt: skip


class Reader:
    """Reads one note. `whole` is what the note is in a message: "the week"."""

    def __init__(self, note: Note, whole: str, vault: Vault | None = None) -> None:
        self.note = note
        self.whole = whole
        self.vault = vault
        self.findings: list[Finding] = []

    def line(self, path: KeyPath) -> int:
        """The line of a key or item, or of the nearest one around it."""
        return self.note.properties.line(*path) or 1

    def report(self, check: str, path: KeyPath, message: str, fix: str, severity: Severity = "error") -> None:
        """A finding at a key."""
        place = (self.note.file, self.line(path))
        self.findings.append(Finding(check, severity, message, *place, fix=fix, key=dotted(path)))

    def keys(self, data: Mapping[str, Any], path: KeyPath, known: Iterable[str], required: Iterable[str]) -> None:
        """Reports keys that mean nothing and keys that are missing."""
        known = tuple(known)
        for key in data:
            if key not in known:
                fix = did_you_mean(key, [k for k in known if k not in data]) or f"the keys are {', '.join(known)}"
                self.report("plan.unknown-key", (*path, key), f"'{key}' means nothing here", fix)
        for key in required:
            if data.get(key) in (None, "", [], {}) and (key not in data or data[key] is not False):
                self.report("plan.missing-key", (*path, key), f"{self.named(path)} has no '{key}'", f"add `{key}: …`")

    def text(self, data: Mapping[str, Any], path: KeyPath, key: str) -> str:
        """A text; numbers and dates are not, since YAML rewrites them."""
        value = data.get(key)
        if value is None or isinstance(value, str):
            return (value or "").strip()
        quoted = f'quote it: {key}: "{value}"'
        self.wrong((*path, key), value, "text", quoted if not isinstance(value, list | dict) else f'write `{key}: "…"`')
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

    def pairs(self, data: Mapping[str, Any], path: KeyPath, key: str) -> tuple[tuple[str, str], ...]:
        """A list of `- name: text`, as (name, text)."""
        found = []
        for at, item in self.mappings(data, path, key):
            for name in item:
                found.append((name, self.text(item, at, name)))
        return tuple(found)

    def number(self, data: Mapping[str, Any], path: KeyPath, key: str, example: int = 1) -> int | None:
        """A whole number; `example` is what the fix shows."""
        value = data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.wrong((*path, key), value, "a whole number", f"write `{key}: {example}`")
        return None

    def amount(self, data: Mapping[str, Any], path: KeyPath, key: str) -> float:
        """A number above zero; 0.0 where none is given."""
        value = data.get(key)
        if value is None:
            return 0.0
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
        self.wrong((*path, key), value, "a number above zero", f"write `{key}: 2.5`")
        return 0.0

    def flag(self, data: Mapping[str, Any], path: KeyPath, key: str) -> bool:
        """true or false; missing is false."""
        value = data.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.wrong((*path, key), value, "true or false", f"write `{key}: true`")
        return False

    def choice(self, data: Mapping[str, Any], path: KeyPath, key: str, known: Sequence[str], default: str = "") -> str:
        """One of the known words."""
        words = f"{', '.join(known[:-1])} or {known[-1]}"
        if data.get(key) is not None and not isinstance(data[key], str):
            self.wrong((*path, key), data[key], words, f"write `{key}: {known[0]}` or another of them")
            return default
        value = self.text(data, path, key)
        if not value or value in known:
            return value or default
        fix = did_you_mean(value, known) or f"{key} is {words}"
        self.report(f"plan.unknown-{key}", (*path, key), f"'{value}' is no {key}", fix)
        return default

    def day(self, data: Mapping[str, Any], path: KeyPath, key: str) -> datetime.date | None:
        """An ISO date. One that does not exist has been reported where the YAML was read, unless it is in quotes."""
        value = data.get(key)
        if value is None:
            return None
        if isinstance(value, datetime.datetime):
            return value.date()
        if isinstance(value, datetime.date):
            return value
        at = (*path, key)
        if isinstance(value, str):
            try:
                return datetime.date.fromisoformat(value.strip())
            except ValueError:
                known = any(f.check == "yaml.value" and f.line == self.line(at) for f in self.note.properties.findings)
                if not known:
                    self.report("plan.wrong-date", at, *_no_date(value.strip()))
                return None
        meant = _meant(str(value))
        fix = f"did you mean {meant.isoformat()}?" if meant else f"write `{key}: 2026-11-23`"
        self.wrong(at, value, "a date", fix)
        return None

    def range(self, data: Mapping[str, Any], path: KeyPath, key: str) -> tuple[int, ...]:
        """Whole numbers from a text: "1-4" is (1, 2, 3, 4), "6" or 6 is (6,)."""
        value = data.get(key)
        if value is None:
            return ()
        if isinstance(value, int) and not isinstance(value, bool):
            return (value,)
        if isinstance(value, str) and (match := _RANGE.fullmatch(value.strip())):
            first, last = int(match[1]), int(match[2] or match[1])
            if first <= last <= first + 999:
                return tuple(range(first, last + 1))
            self.report("plan.wrong-form", (*path, key), f"'{value}' runs backwards", f"write {key}: {last}-{first}")
            return ()
        self.wrong((*path, key), value, "a number or a span", f"write `{key}: 1-4`")
        return ()

    def span(self, data: Mapping[str, Any], path: KeyPath, key: str) -> str:
        """A length of time in words, such as "12-15 min" or "2.5 hours"; anything else is reported and kept out."""
        value = self.text(data, path, key)
        if not value or minutes_of(value):
            return value
        self.report("plan.wrong-form", (*path, key), f"'{value}' is no length of time", f"write {key}: 2-3 hours")
        return ""

    def minutes(self, data: Mapping[str, Any], path: KeyPath, key: str) -> tuple[tuple[int, str], ...]:
        """A list of `- 30 min: what to do`, as (minutes, text)."""
        found = []
        for at, item in self.mappings(data, path, key):
            for name in item:
                long = minutes_of(name)
                if long and long[0] == long[1]:
                    found.append((long[0], self.text(item, at, name)))
                else:
                    self.report("plan.wrong-form", (*at, name), f"'{name}' is no length of time", "write `30 min: …`")
        return tuple(found)

    def link(self, data: Mapping[str, Any], path: KeyPath, key: str) -> str:
        """A wikilink, as the vault path of the note it leads to; '' where there is none or it leads nowhere."""
        value = data.get(key)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            self.wrong(
                (*path, key), value, "a link in quotes", f'write {key}: "[[{value[0][0] if value[0] else "…"}]]"'
            )
            return ""
        text = self.text(data, path, key)
        return self._leads_to(text, (*path, key)) if text else ""

    def links(self, data: Mapping[str, Any], path: KeyPath, key: str) -> tuple[str, ...]:
        """A list of wikilinks, as vault paths; those that lead nowhere are reported."""
        found = []
        for position, item in enumerate(self.items(data, path, key)):
            at = (*path, key, position)
            if isinstance(item, str) and item.strip():
                target = self._leads_to(item.strip(), at)
                found += [target] if target else []
            else:
                self.wrong(at, item, "a link in quotes", 'put a link in quotes: "[[…]]"')
        return tuple(found)

    def _leads_to(self, text: str, at: KeyPath) -> str:
        if not _LINK.fullmatch(text):
            self.report("plan.wrong-form", at, f"'{text}' is no link", f'write it like "[[{text.strip("[]")}]]"')
            return ""
        assert self.vault is not None, "only notes of a vault hold links"
        target = self.vault.resolve(text, self.note)
        if target.problem is not None:
            dead = target.note is None
            check = "plan.dead-link" if dead else target.problem.check
            self.report(check, at, target.problem.message, target.problem.fix, "error" if dead else "warning")
        return target.note.path if target.note is not None else ""

    def wrong(self, path: KeyPath, value: Any, wanted: str, fix: str) -> None:
        """Reports a value of the wrong type."""
        name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        item = f"item {path[-1] + 1} of '{name}'" if path and isinstance(path[-1], int) else f"'{name}'"
        self.report("plan.wrong-type", path, f"{item} must be {wanted}, not {_type_name(value)}", fix)

    def form(self, value: str, pattern: re.Pattern[str], path: KeyPath, example: str) -> bool:
        """Whether a text has the form it must have."""
        if pattern.fullmatch(value):
            return True
        name = next(part for part in reversed(path) if isinstance(part, str))
        message = f"'{value}' does not have the form of '{name}'"
        self.report("plan.wrong-form", path, message, f"write it like {example}")
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

    def kind(self, data: Mapping[str, Any], wanted: str) -> None:
        """Reports a note of another type."""
        kind = self.text(data, (), "type")
        if kind and kind != wanted:
            message = f"the note is of type '{kind}', not '{wanted}'"
            self.report("plan.wrong-type", ("type",), message, f"write `type: {wanted}`")

    def named(self, path: KeyPath) -> str:
        """A place in the properties in words: "the week", "post 2", "section 1 of post 2"."""
        found: list[str] = []
        for part, after in zip(path, [*path[1:], None], strict=False):
            if isinstance(part, str) and isinstance(after, int):
                found.insert(0, f"{_WORDS.get(part, part)} {after + 1}")
            elif isinstance(part, str):
                found.insert(0, f"the {part}")
        return " of ".join(found) or self.whole


_OTHER_DATES = (
    "%Y%m%d",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d %B %Y",
    "%d %b %Y",
    "%B %d, %Y",
    "%b %d, %Y",
)


def _meant(text: str) -> datetime.date | None:
    """The date a text in another form seems to be."""
    for form in _OTHER_DATES:
        with contextlib.suppress(ValueError):
            return datetime.datetime.strptime(text, form).date()
    return None


def _no_date(text: str) -> tuple[str, str]:
    """What is wrong with a text that is no ISO date, and the fix: the date it seems to be, where there is one."""
    if (meant := _meant(text)) is not None:
        return f"'{text}' is no date as YAML has it", f"did you mean {meant.isoformat()}?"
    if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text):
        return no_value(text)
    return f"'{text}' is no date", "write it as year-month-day: 2026-11-23"


def minutes_of(text: str) -> tuple[int, int] | None:
    """The shortest and longest time a text such as "2-3 hours" names, in minutes; None where it names none."""
    match = _SPAN.fullmatch(text.strip().lower())
    if not match:
        return None
    unit = 60 if match[3].startswith("h") else 1
    return round(float(match[1]) * unit), round(float(match[2] or match[1]) * unit)


def _type_name(value: Any) -> str:
    names = {bool: "yes or no", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")
