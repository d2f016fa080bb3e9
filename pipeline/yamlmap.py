"""YAML as plain data plus the line of every key, so that a message about a value can name its place.

Only plain data is read: strings, numbers, booleans, null, dates, lists and mappings (YAML 1.1 as PyYAML's safe loader
has it). No tag constructs an object, so no text runs code.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from pipeline.finding import Finding, Severity

Path = tuple[str | int, ...]
"""Keys and list positions from the top, such as ("posts", 1, "slug")."""

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 60
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Mapped:
    """Parsed YAML. `data` is None where nothing could be read; `findings` say why."""

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def line(self, *path: str | int) -> int | None:
        """The line of a key or list item; where there is none, that of the nearest one around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


def load(text: str, file: str | None = None, first_line: int = 1) -> Mapped:
    """Reads YAML whose first line is `first_line` of `file`. Bad YAML gives findings, never an exception."""
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = first_line + text.count("\n", 0, error.position)
        return Mapped(None, {}, (_unreadable(error, file, line, text, first_line),))
    reader = _Reader(loader, text, file, first_line)
    try:
        root = loader.get_single_node()
        data = reader.read(root, ()) if root is not None else None
    except yaml.YAMLError as error:
        mark, last = getattr(error, "problem_mark", None), text.rstrip().count("\n")
        if mark is None or mark.line > last:  # an open quote or bracket: name where it was opened
            mark = getattr(error, "context_mark", None) or mark
        line = first_line + (min(mark.line, last) if mark else 0)
        return Mapped(None, {}, (_unreadable(error, file, line, text, first_line),))
    except _TooMuchError as error:
        check, message = error.args
        fix = "flatten it, and write no alias (*name) of something that holds aliases"
        return Mapped(None, {}, (Finding(check, "error", message, file, first_line, fix=fix),))
    finally:
        loader.dispose()
    return Mapped(data, reader.lines, tuple(reader.findings))


class _Reader:
    """Builds plain data from YAML nodes and notes each key's line on the way."""

    def __init__(self, loader: Any, text: str, file: str | None, first_line: int) -> None:
        self.loader = loader
        self.text = text
        self.file = file
        self.first_line = first_line
        self.lines: dict[Path, int] = {(): first_line}
        self.findings: list[Finding] = []
        self.nodes = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        if len(path) > _DEEPEST:
            raise _TooMuchError("yaml.too-deep", f"nested deeper than {_DEEPEST} levels")
        if self.nodes > _MOST:  # aliases of aliases multiply
            raise _TooMuchError("yaml.too-large", f"more than {_MOST} values")
        if node.tag not in _PLAIN:
            self.report("yaml.tag", node, f"the tag '{node.tag}' is not plain data", "remove the tag", path)
        if isinstance(node, yaml.MappingNode):
            placeholder = self.placeholder(node)
            if placeholder:
                message, fix = f"the placeholder {placeholder} was not filled in", _FILL_IN
                self.report("yaml.placeholder", node, message, fix, path, "warning")
                return placeholder
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for position, item in enumerate(node.value):
                self.lines[(*path, position)] = self.line(item)
                items.append(self.read(item, (*path, position)))
            return items
        return self.scalar(node, path)

    def placeholder(self, node: yaml.MappingNode) -> str:
        """The text of a mapping that is a template's ``{{date}}``, which YAML takes for a mapping within another."""
        if not node.flow_style or not any(isinstance(key, yaml.MappingNode) for key, _ in node.value):
            return ""
        written = self.text[node.start_mark.index : node.end_mark.index]
        return written if _PLACEHOLDER.fullmatch(written) else ""

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self.report("yaml.key", key_node, "a key is a list or a mapping", "write a plain word as the key", path)
                continue
            if key in data:
                earlier = self.lines[(*path, key)]
                self.report(
                    "yaml.duplicate-key",
                    key_node,
                    f"the key '{key}' was already given on line {earlier}",
                    "keep one of the two",
                    (*path, key),
                )
                continue
            self.lines[(*path, key)] = self.line(key_node)
            data[key] = self.read(value_node, (*path, key))
        return data

    def scalar(self, node: yaml.Node, path: Path) -> Any:
        if node.tag not in _SCALAR:
            return str(node.value)
        try:
            return self.loader.construct_object(node)
        except (ValueError, OverflowError, yaml.YAMLError):
            message, fix = no_value(str(node.value))
            self.report("yaml.value", node, message, fix, path)
            return str(node.value)

    def line(self, node: yaml.Node) -> int:
        return self.first_line + int(node.start_mark.line)

    def report(
        self, check: str, node: yaml.Node, message: str, fix: str, path: Path, severity: Severity = "error"
    ) -> None:
        column = int(node.start_mark.column) + 1
        place = (self.file, self.line(node), column)
        self.findings.append(Finding(check, severity, message, *place, fix=fix, key=dotted(path)))


def dotted(path: Path) -> str:
    """A path as findings name it, positions counted from 1: `posts.2.slug`."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


_TAG = "tag:yaml.org,2002:"
_SCALAR = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp"))
_PLAIN = _SCALAR | {_TAG + name for name in ("seq", "map", "value", "merge")}


_PLACEHOLDER = re.compile(r"\{\{.*\}\}")
_FILL_IN = "write the value, or put it in quotes where the note is a template"


def no_value(text: str) -> tuple[str, str]:
    """What is wrong with a date or number that is none, and the fix: for a day after the month's end, the last day."""
    match = re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    if match and 1 <= int(match[2]) <= 12 and int(match[1]) > 0:
        last = calendar.monthrange(int(match[1]), int(match[2]))[1]
        if not 1 <= int(match[3]) <= last:
            month = f"{match[1]}-{int(match[2]):02d}"
            return (
                f"'{text}' does not exist: {month} has {last} days",
                f"write {month}-{last}, or the day that is meant",
            )
    if match:
        return f"'{text}' does not exist: there is no such month", "write it as year-month-day: 2026-11-23"
    return f"'{text}' looks like a date or number but is none", f'quote it: "{text}"'


class _TooMuchError(Exception):
    """(check, message): reading stops here."""


def _unreadable(error: Exception, file: str | None, line: int, text: str, first_line: int) -> Finding:
    """The parser's complaint in plain words, with the fix for the mistakes people make in properties."""
    lines: Sequence[str] = text.split("\n")
    shown = lines[line - first_line] if 0 <= line - first_line < len(lines) else ""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    key = shown.split(":", 1)[0].strip(" -\t") if ":" in shown else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())] or "'\\t'" in problem:
        problem, fix = "a tab in the indentation", "indent with spaces"
    elif _PLACEHOLDER.search(shown):
        problem, fix = "a placeholder that was not filled in", _FILL_IN
    elif "mapping values are not allowed" in problem and shown.count(":") < 2 and "#" not in shown:
        problem = "a key where none can be"
        fix = "give keys of one level the same indentation, and every line above it a `key: value`"
    elif "mapping values are not allowed" in problem:
        problem, fix = "a second ': ' in one value", "put the value in quotes"
    elif "expected key" in problem or "expected '-'" in problem:
        fix = "check the indentation and the quotes of this line and the one above"
    elif "control" in problem:
        problem, fix = "a control character", "remove it"
    elif "found character" in problem or "special characters" in problem:
        fix = "put the value in quotes"
    elif "undefined alias" in problem or "did not find expected alphabetic" in problem:
        fix = "put a value that begins with * or & in quotes"
    elif "quoted scalar" in problem or "unexpected end" in problem:
        fix = "close the quote"
    elif "flow" in problem or "expected ',' or" in problem:
        fix = "close the bracket, or put a value that begins with [ or { in quotes"
    else:
        fix = "write `key: value` on a line of its own, lists as `- item`, nested lines indented by spaces"
    return Finding("yaml.malformed", "error", f"the properties are no YAML: {problem}", file, line, fix=fix, key=key)
