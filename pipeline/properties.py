"""Change one property of a note and nothing else: comments, quotes, order, line ends and a byte order mark stay.

Every change is read back before it is returned: the properties must be what they were but for the one value, or nothing
is changed and CannotRun says so.
"""

from __future__ import annotations

import copy
import datetime
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from experiments.kit.errors import CannotRun
from pipeline import yamlmap
from pipeline.yamlmap import Path as KeyPath
from pipeline.yamlmap import dotted

_OPENING = re.compile(r"\ufeff?---[ \t]*(\r\n|\n|\r)")
_CLOSING = re.compile(r"(?:\A|(?<=[\r\n]))(?:---|\.\.\.)[ \t]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class _Front:
    """Where a note's YAML stands: text[start:end], and the note's line end."""

    start: int
    end: int
    newline: str


def set_value(text: str, path: KeyPath, value: str | datetime.date, file: str) -> str:
    """The note with the plain value at `path` replaced; a top-level key that is not there is added at the end.

    Raises CannotRun where the note has no properties that can be read, or the value is a list or mapping.
    """
    front = _front(text, file)
    raw = text[front.start : front.end]
    written = _written(value)
    node = _node(raw, path, file)
    if node is None:
        if len(path) != 1:
            raise CannotRun(f"{file} has no {dotted(path)}")
        new = _with_line(raw, f"{path[0]}: {written}", front.newline)
    elif isinstance(node, yaml.ScalarNode):
        at, stop = node.start_mark.index, node.end_mark.index
        gap = " " if at == stop and not raw[:at].endswith(" ") else ""
        if gap:  # an empty value is marked where the next token is: go back to its colon
            at = stop = _after_colon(raw, path, file)
        end = front.newline if node.style in ("|", ">") else ""  # a text below its key ends with the line's end
        new = f"{raw[:at]}{gap}{_in_style(written, node) if isinstance(value, str) else written}{end}{raw[stop:]}"
    else:
        raise CannotRun(f"{file}: {dotted(path)} is a list or a mapping; change it by hand")
    return _verified(text, front, new, path, value, file)


def append_item(text: str, path: KeyPath, item: str, file: str) -> str:
    """The note with a line of YAML added to the list at `path` ("resources", "primary"), which is made where missing.

    `item` is one line: a plain word or text, or a mapping in braces. Raises CannotRun as `set_value` does.
    """
    front = _front(text, file)
    raw = text[front.start : front.end]
    node = _node(raw, path, file)
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        last = node.value[-1]
        indent = " " * (node.start_mark.column)
        at = _line_end(raw, last.end_mark.index, node.start_mark.index)
        new = f"{_ended(raw[:at], front.newline)}{indent}- {item}{front.newline}{raw[at:]}"
    elif isinstance(node, yaml.SequenceNode):
        at = node.end_mark.index - 1
        before = raw[:at].rstrip()
        comma = "" if before.endswith(("[", ",")) else ","
        new = f"{before}{comma}{'' if before.endswith('[') else ' '}{item}{raw[at:]}"
    elif node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        new = _with_list(raw, path, item, node, front.newline, file)
    else:
        raise CannotRun(f"{file}: {dotted(path)} is no list; change it by hand")
    return _verified(text, front, new, path, yaml.safe_load(item), file, append=True)


def _front(text: str, file: str) -> _Front:
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if opening is None or closing is None:
        raise CannotRun(f"{file} has no properties\n  fix: begin it with ---, its keys, and --- again")
    return _Front(opening.end(), closing.start(), opening[1])


def _node(raw: str, path: KeyPath, file: str) -> yaml.Node | None:
    """The YAML node at a path; None where a key is missing."""
    try:
        node = yaml.compose(raw, yaml.SafeLoader)
    except yaml.YAMLError:
        mapped = yamlmap.load(raw, file, 2)
        found = mapped.findings[0] if mapped.findings else f"{file}: the properties cannot be read"
        raise CannotRun(f"nothing was changed: {found}") from None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            return None
    return node


def _written(value: str | datetime.date) -> str:
    """A value as YAML: dates and plain words as they are, anything else in quotes."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    plain = re.fullmatch(r"[^\W\d_][\w .,()/+-]*", value) and value == value.strip()
    return value if plain and yaml.safe_load(value) == value else json.dumps(value, ensure_ascii=False)


def _in_style(written: str, node: yaml.ScalarNode) -> str:
    """A plain word in the quotes the old value had."""
    return (
        f"{node.style}{written}{node.style}"
        if node.style in ("'", '"') and re.fullmatch(r"[\w-]+", written)
        else written
    )


def _after_colon(raw: str, path: KeyPath, file: str) -> int:
    parent = _node(raw, path[:-1], file)
    assert isinstance(parent, yaml.MappingNode)
    key = next(key for key, _ in parent.value if key.value == path[-1])
    return raw.index(":", key.end_mark.index) + 1


def _line_end(raw: str, at: int, least: int) -> int:
    """The end of the line the last character before `at` stands on, past a comment, with its line break."""
    while at > least and raw[at - 1 : at] in ("\n", "\r", " "):
        at -= 1
    match = re.compile(r"[^\r\n]*(\r\n|\n|\r)?").match(raw, at)
    return match.end() if match else at


def _with_line(raw: str, line: str, newline: str) -> str:
    """YAML with a line added at its end."""
    return f"{raw}{'' if not raw or raw.endswith((chr(10), chr(13))) else newline}{line}{newline}"


def _with_list(raw: str, path: KeyPath, item: str, node: yaml.Node | None, newline: str, file: str) -> str:
    """YAML with a new list of one item at `path`, whose mapping is made where missing."""
    key = str(path[-1])
    if node is not None:
        at = _after_colon(raw, path, file)
        end = _line_end(raw, at, at)
        column = next(k.start_mark.column for k, _ in _mapping(raw, path[:-1], file).value if k.value == key)
        return f"{_ended(raw[:end], newline)}{' ' * (column + 2)}- {item}{newline}{raw[end:]}"
    parent = _node(raw, path[:-1], file)
    if len(path) == 1 or parent is None or isinstance(parent, yaml.ScalarNode):
        if len(path) > 2:
            raise CannotRun(f"{file} has no {dotted(path[:-1])}")
        if isinstance(parent, yaml.ScalarNode):  # `resources:` with nothing below it
            at = _line_end(raw, _after_colon(raw, path[:-1], file), 0)
            return f"{_ended(raw[:at], newline)}  {key}:{newline}    - {item}{newline}{raw[at:]}"
        lines = [f"{key}:", f"  - {item}"] if len(path) == 1 else [f"{path[0]}:", f"  {key}:", f"    - {item}"]
        return _with_line(raw, newline.join(lines), newline)
    mapping = _mapping(raw, path[:-1], file)
    if mapping.flow_style:
        at = mapping.end_mark.index - 1
        before = raw[:at].rstrip()
        comma = "" if before.endswith(("{", ",")) else ", "
        return f"{before}{comma}{key}: [{item}]{raw[at:]}"
    indent = " " * mapping.value[0][0].start_mark.column
    last = mapping.value[-1][1]
    at = _line_end(raw, last.end_mark.index, mapping.start_mark.index)
    return f"{_ended(raw[:at], newline)}{indent}{key}:{newline}{indent}  - {item}{newline}{raw[at:]}"


def _mapping(raw: str, path: KeyPath, file: str) -> yaml.MappingNode:
    node = _node(raw, path, file)
    if not isinstance(node, yaml.MappingNode):
        raise CannotRun(f"{file}: {dotted(path) or 'the properties'} is no mapping; change it by hand")
    return node


def _ended(text: str, newline: str) -> str:
    return text if text.endswith(("\n", "\r")) else text + newline


def _verified(text: str, front: _Front, new: str, path: KeyPath, value: Any, file: str, *, append: bool = False) -> str:
    """The note with new YAML, where reading it gives what was meant."""
    before = yamlmap.load(text[front.start : front.end], file)
    wanted = copy.deepcopy(before.data) or {}
    place: Any = wanted
    for part, after in pairwise(path):
        if isinstance(place, dict) and place.get(part) is None:
            place[part] = [] if isinstance(after, int) else {}
        place = place[part]
    if append:
        place[path[-1]] = [*(place.get(path[-1]) or []), value]
    else:
        place[path[-1]] = value
    found = yamlmap.load(new, file)
    known = [finding for finding in before.findings if finding.key != dotted(path)]  # another key's trouble stays
    if len(found.findings) > len(known) or found.data != wanted:
        raise CannotRun(f"{file}: {dotted(path)} could not be changed without touching more\n  fix: change it by hand")
    return text[: front.start] + new + text[front.end :]
