"""Markdown with exact places: every inline piece knows its offsets in the source.

The grammar is CommonMark with tables, strikethrough, mathematics and footnotes (markdown-it-py), what Obsidian writes
and roles (`obsidian.py`). Nothing is rendered; readers cut, replace or check the source by `Span.start` and
`Span.end`. The invariants, held by property tests for any text: parsing never raises; `text[span.start:span.end] ==
span.text`; the leaf spans of a block follow one another without a gap over all its inline content.

Offsets count characters from 0, lines and columns from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import (
    StateInline,
    autolink,
    backtick,
    entity,
    escape,
    html_inline,
    image,
    link,
    link_pairs,
    newline,
)
from markdown_it.rules_inline import emphasis as emphasis_rule
from markdown_it.rules_inline import strikethrough as strike_rule
from markdown_it.token import Token
from mdit_py_plugins.footnote.index import footnote_def

from pipeline import obsidian, sentences
from pipeline.obsidian import Record, State


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of inline content; `text` is exactly the source from `start` to `end`.

    Leaf kinds, with what `data` holds:

        text · break (end of line) · escape, entity {char} · code {content} · math {content, display}
        role {name, content, at}       `at` is the offset of the content's first character
        wikilink, embed {target, heading, block, alias}
        link_url {url, shown}          a bare address is `shown`, a link's destination is not
        link_title · image {alt, url} · html · footnote_ref {label} · tag {name}
        comment {closed} · block_id {name} · heading_id {name}
        marker {of, open}              of: strong, em, strike, mark (with `open`), link, footnote, task, callout

    Containers (`leaf` false) hold the leaves within their range: link {url}, footnote (written in place).
    `inside` names the containers around a span.
    """

    kind: str
    start: int
    end: int
    line: int
    column: int
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    leaf: bool = True
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A block; `parents` are the indices of the blocks around it, outermost first.

    Kinds, with what `data` holds:

        heading {level, id, explicit}  content: its text without markup; `explicit` where the id was written
        paragraph · thematic_break · html · comment · list {ordered} · list_item · quote · table · table_row {cells}
        task {checked, status} · table_cell {header, column} · footnote {label} · reference {label, url}
        fence {info, lang} · code · math            content: what is inside, container prefixes removed
        callout {type, title, folded} · callout_title        folded: None, "+" (open) or "-" (closed)

    `start` is where the block's first character stands (a list item's marker, a quote's ">"), `end` the end of its
    last line. `block_id` is the id that ``^id`` gave it. `spans` are the bounds of its spans in `Document.spans`.
    """

    kind: str
    start: int
    end: int
    line: int
    end_line: int
    content: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[int, ...] = ()
    index: int = 0
    block_id: str = ""
    spans: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of prose: `text` reads as prose, with roles, code and mathematics as written.

    `spans` are the leaves it consists of, text cut to the sentence; `start` and `end` their bounds in the source.
    """

    text: str
    start: int
    end: int
    line: int
    column: int
    spans: tuple[Span, ...]
    block: Block


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and everything up to the next heading of its level or above."""

    title: str
    id: str
    level: int
    start: int
    body: int
    end: int
    line: int
    block: Block
    children: tuple[Section, ...] = ()

    def walk(self) -> Iterator[Section]:
        """This section and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


INLINE = frozenset({"paragraph", "heading", "callout_title", "table_cell"})
"""The kinds of block that hold spans themselves."""


@dataclass(frozen=True)
class Document:
    """A parsed text: its blocks and spans in source order (comments over several paragraphs come last)."""

    text: str
    blocks: tuple[Block, ...]
    spans: tuple[Span, ...]
    front_text: str
    front_lines: tuple[int, int] | None
    source: Source = field(repr=False, compare=False)

    @cached_property
    def front(self) -> dict[str, Any]:
        """The YAML properties; empty where there are none or they do not parse (`yamlmap.load` says why)."""
        from pipeline import yamlmap

        data = yamlmap.load(self.front_text).data
        return data if isinstance(data, dict) else {}

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        return self.source.position(offset)

    def spans_of(self, block: Block) -> tuple[Span, ...]:
        """The spans in a block and the blocks within it."""
        return self.spans[block.spans[0] : block.spans[1]]

    def nested(self, start: int, end: int) -> tuple[Span, ...]:
        """The spans of a stretch of source read as inline content, such as the words of a claim role."""
        begin = self.source.normal(start)
        content = self.source.text[begin : self.source.normal(end)]
        return tuple(_spans(_records(_markdown, content, {}), [(0, begin, len(content))], self.source))

    def prose(self, block: Block) -> str:
        """The text of a block as prose: no markup, comments, ids or footnote marks."""
        return "".join(piece for piece, _, _ in _pieces(self.spans_of(block))).strip()

    def sentences(self) -> list[Sentence]:
        """The sentences of all prose blocks, then those of the footnotes written in them, block by block."""
        found: list[Sentence] = []
        for block in self.blocks:
            if block.kind in INLINE:
                spans = self.spans_of(block)
                found += _sentences([s for s in spans if "footnote" not in s.inside], block, self)
                for note in (s for s in spans if s.kind == "footnote" and not s.leaf):
                    depth = note.inside.count("footnote") + 1
                    within = [s for s in spans if note.start <= s.start and s.end <= note.end]
                    found += _sentences([s for s in within if s.inside.count("footnote") == depth], block, self)
        return found

    def sections(self) -> tuple[Section, ...]:
        """The headings outside quotes and lists as a tree."""
        return self._sections

    @cached_property
    def _sections(self) -> tuple[Section, ...]:
        headings = [b for b in self.blocks if b.kind == "heading" and not b.parents]
        return _tree(headings, 0, len(headings), len(self.text))


@lru_cache(maxsize=512)
def parse(text: str) -> Document:
    """Parses any text. A comment opened in one paragraph and closed in a later one is found by parsing again."""
    return _whole(text, _markdown)


@lru_cache(maxsize=512)
def skim(text: str) -> Document:
    """Parses a text only as far as what ties notes together: `TIES`, blocks, headings and ids, as `parse` finds them.

    Other spans are missing or text, so prose and sentences are not to be had from it. It takes half the time.
    """
    return _whole(text, _skimming)


def _whole(text: str, markdown: MarkdownIt) -> Document:
    hidden: list[tuple[int, int]] = []
    document = _parse(text, hidden, markdown)
    for _ in range(8):
        new = _hidden(document)
        if not new:
            break
        hidden = sorted(hidden + new)
        document = _parse(text, hidden, markdown)
    return document


def front_matter(text: str) -> str | None:
    """The YAML at the top of a text between ``---`` lines; it begins on line 2. None where there is none."""
    match = _FRONT.match(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    return match[1] if match else None


def slug(title: str) -> str:
    """The anchor MkDocs gives a heading: lower case, letters and digits, joined by hyphens."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


# Source: offsets survive Windows line ends and a byte order mark


class Source:
    """The text as parsed (line ends are "\\n", no byte order mark) and the way back to the text as given."""

    __slots__ = ("_given", "_returns", "_shift", "_starts", "text")

    def __init__(self, given: str) -> None:
        self._given = given
        self._shift = 1 if given.startswith("\ufeff") else 0
        text = given[self._shift :]
        self._returns: list[int] = []
        if "\r" in text:
            self._returns = [m.start() - i for i, m in enumerate(re.finditer("\r\n", text))]
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.text = text
        starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._starts = [self.given(start) for start in starts] if self._returns or self._shift else starts

    def given(self, offset: int) -> int:
        """The offset in the given text of an offset in the parsed text."""
        return offset + self._shift + bisect_left(self._returns, offset) if self._returns else offset + self._shift

    def normal(self, offset: int) -> int:
        """The reverse of `given`."""
        offset -= self._shift
        low, high = 0, len(self._returns)
        while low < high:
            middle = (low + high) // 2
            if self._returns[middle] + middle < offset:
                low = middle + 1
            else:
                high = middle
        return max(0, offset - low)

    def span(
        self, kind: str, start: int, end: int, data: Mapping[str, Any], leaf: bool, inside: tuple[str, ...]
    ) -> Span:
        """The span between two offsets in the parsed text."""
        if self._shift or self._returns:
            start, end = self.given(start), self.given(end)
        line = bisect_right(self._starts, start)
        column = start - self._starts[line - 1] + 1
        return Span(kind, start, end, line, column, self._given[start:end], data, leaf, inside)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset in the given text."""
        line = max(1, bisect_right(self._starts, offset))
        return line, max(1, offset - self._starts[line - 1] + 1)


# Inline content: markdown-it's rules, each match recorded

_NOTHING: dict[str, Any] = {}  # shared by the many records and spans that have no data
_RULES: dict[str, tuple[tuple[str, Any], ...]] = {
    "\n": (("break", newline),),
    "\\": (("escape", escape),),
    "`": (("code", backtick),),
    "{": (("role", obsidian.role), ("heading_id", obsidian.heading_id)),
    "~": (("strike", strike_rule.tokenize),),
    "=": (("mark", obsidian.mark),),
    "*": (("emphasis", emphasis_rule.tokenize),),
    "_": (("emphasis", emphasis_rule.tokenize),),
    "%": (("comment", obsidian.comment),),
    "[": (("wikilink", obsidian.wikilink), ("footnote_ref", obsidian.footnote_ref), ("link", link)),
    "!": (("embed", obsidian.wikilink), ("image", image)),
    "^": (("footnote", obsidian.footnote), ("block_id", obsidian.block_id)),
    "<": (("autolink", autolink), ("html", html_inline)),
    "&": (("entity", entity),),
    "#": (("tag", obsidian.tag),),
    "$": (("math", obsidian.math),),
    "h": (("link_url", obsidian.url),),
}
_MASKED = (("comment", obsidian.masked),)
TIES = frozenset({"wikilink", "embed", "footnote_ref", "comment", "block_id"})
"""The kinds of span by which one place of a vault names another, or hides."""
_BESIDE_TIES = frozenset("\n~=*_&")
"""What begins a span that neither is a tie nor can hold or hide one."""
_MAY_TIE = re.compile(r"\[\[|\[\^|\^\[|%%|\^[A-Za-z0-9-]+\Z")
_DELIMITED = {"strike": "strike", "mark": "mark", "emphasis": "emphasis"}
_MARKERS = {"strong": "strong", "em": "em", "s": "strike", "mark": "mark"}


class _Inline(ParserInline):
    """markdown-it's inline parser, looking `rules` up by their first character and recording every match."""

    def __init__(self, rules: Mapping[str, tuple[tuple[str, Any], ...]]) -> None:
        super().__init__()
        self.rules = rules
        stops = "".join(char for char in rules if char != "h") + "]"
        self.stop = re.compile(f"[{re.escape(stops)}]|https?://")

    def skipToken(self, state: StateInline) -> None:  # noqa: N802
        pos = state.pos
        if pos in state.cache:
            state.pos = state.cache[pos]
            return
        char, matched = state.src[pos], False
        if state.level >= state.md.options["maxNesting"]:
            state.pos, matched = state.posMax, True
        else:
            stop = self.stop.search(state.src, pos, state.posMax)
            if stop and stop.start() == pos:
                for _, rule in self.rules.get(char, ()):
                    state.level += 1
                    matched = rule(state, True)
                    state.level -= 1
                    if matched:
                        break
            else:
                state.pos, matched = stop.start() if stop else state.posMax, True
        if not matched:
            state.pos += 1
        state.cache[pos] = state.pos

    def tokenize(self, state: StateInline) -> None:
        assert isinstance(state, State)
        begin, end, src, records = state.pos, state.posMax, state.src, state.records
        stop_at = re.compile(f"{self.stop.pattern}|{state.mask}") if state.mask else self.stop
        limit = state.md.options["maxNesting"]
        while state.pos < end:
            pos = state.pos
            stop = stop_at.search(src, pos, end)
            to = stop.start() if stop else end
            if to > pos:
                state.append_pending(src[pos:to])
                state.pos = to
                records.append(("text", pos, to, _NOTHING, ()))
                continue
            rules = _MASKED if src[pos] == state.mask else self.rules.get(src[pos], ())
            for name, rule in rules if state.level < limit else ():
                mark, tokens, state.found = len(records), len(state.tokens), {}
                if rule(state, False):
                    new = state.tokens[tokens:]
                    if not new:
                        # Emphasis next to this must see that something stands here.
                        state.append_pending(src[pos : state.pos])
                    _record(state, name, pos, mark, new)
                    break
            else:
                state.append_pending(src[pos])
                state.pos += 1
                records.append(("text", pos, pos + 1, _NOTHING, ()))
        if state.pending:
            state.pushPending()
        state.inner = (begin, end)

    def parse(self, src: str, md: Any, env: Any, tokens: list[Token]) -> list[Token]:
        return tokens  # markdown-it asks for this only for an image's alternative text, which stays as written


def _record(state: State, name: str, start: int, mark: int, new: Sequence[Token]) -> None:
    """Appends what rule `name` matched from `start` to `state.pos`; `new` are the tokens it pushed."""
    records, end = state.records, state.pos
    if name in _DELIMITED:
        at = end
        delimiters: list[Record] = []
        for token in reversed(new):
            if at <= start:
                break
            at -= len(token.content)
            delimiters.append(("delimiter", at, at + len(token.content), {"token": token}, ()))
        records.extend(reversed(delimiters))
    elif name in ("link", "footnote"):
        children = records[mark:]
        del records[mark:]
        href = next((str(t.attrs["href"]) for t in new if t.type == "link_open"), "")
        if name == "link":
            children = [*_between("link", start, state.inner[0]), *children]
            children += _link_tail(state, state.inner[1], end, href)
        else:
            children = [*_between("footnote", start, start + 2), *children, *_between("footnote", end - 1, end)]
        records.append((name, start, end, {"url": href} if name == "link" else {}, children))
    elif name == "autolink":
        url = str(next(t.attrs["href"] for t in new if t.type == "link_open"))
        records.append(("link_url", start, end, {"url": url, "shown": True}, ()))
    elif name == "image":
        data = {"alt": new[-1].content, "url": str(new[-1].attrs["src"])}
        records.append((name, start, end, data, ()))
    elif name == "code":
        code = next((t for t in new if t.type == "code_inline"), None)
        records.append(
            ("code", start, end, {"content": code.content}, ()) if code else ("text", start, end, _NOTHING, ())
        )
    elif name in ("escape", "entity"):
        last = new[-1] if new else None
        if last is not None and last.type == "hardbreak":
            records.append(("break", start, end, _NOTHING, ()))
        elif last is not None and last.content != state.src[start:end]:
            records.append((name, start, end, {"char": last.content}, ()))
        else:
            records.append(("text", start, end, _NOTHING, ()))
    else:
        records.append((name, start, end, state.found, ()))


def _between(of: str, start: int, end: int) -> list[Record]:
    return [("marker", start, end, {"of": of}, ())] if end > start else []


def _link_tail(state: State, label_end: int, end: int, href: str) -> list[Record]:
    """The leaves of a link after its label: ``](``, destination, title, ``)``, or ``][reference]``."""
    src = state.src
    if not src.startswith("](", label_end):
        return _between("link", label_end, end)
    to = label_end + 2
    while to < end and src[to] in " \t\n":
        to += 1
    destination = state.md.helpers.parseLinkDestination(src, to, end)
    leaves = _between("link", label_end, to)
    if destination.ok and to < destination.pos < end:
        leaves.append(("link_url", to, destination.pos, {"url": href, "shown": False}, ()))
        to = destination.pos
    title = end - 1
    if title > to:
        leaves.append(("link_title", to, title, _NOTHING, ()))
        to = title
    return leaves + _between("link", to, end)


# Block structure: markdown-it's rules, each block's place recorded while its container's line marks are in force


_ANYWHERE = ("table", "code", "lheading", "paragraph")
_FIRST = {
    "%": ("comment_block",), "[": ("callout_title", "footnote_def", "reference"), "$": ("math_block",),
    "`": ("fence",), "~": ("fence",), ">": ("blockquote",), "*": ("hr", "list"), "-": ("hr", "list"), "_": ("hr",),
    "+": ("list",), "<": ("html_block",), "#": ("heading",), **dict.fromkeys("0123456789", ("list",)),
}  # fmt: skip
"""The block rules that can match a line by its first character, beside those that can match any line."""


class _Blocks(ParserBlock):
    def __init__(self) -> None:
        super().__init__()
        everywhere: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
        self.ruler.before("table", "comment_block", obsidian.comment_block, everywhere)
        self.ruler.before("table", "callout_title", obsidian.callout_title)
        self.ruler.before("table", "math_block", obsidian.math_block, everywhere)
        self.ruler.before("reference", "footnote_def", footnote_def, {"alt": ["paragraph", "reference"]})
        rules = [(rule.name, rule.fn) for rule in self.ruler.__rules__ if rule.name in self.ruler.get_active_rules()]
        self.anywhere = [rule for name, rule in rules if name in _ANYWHERE]
        self.first = {
            char: [rule for name, rule in rules if name in _ANYWHERE or name in names] for char, names in _FIRST.items()
        }

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:
        """As in markdown-it, asking only the rules that the line's first character lets match; then `_place`."""
        line, empty = startLine, False
        while line < endLine:
            state.line = line = state.skipEmptyLines(line)
            if line >= endLine or state.sCount[line] < state.blkIndent:
                break
            if state.level >= state.md.options.maxNesting:
                state.line = endLine
                break
            before, begin = len(state.tokens), state.bMarks[line] + state.tShift[line]
            for rule in self.first.get(state.src[begin : begin + 1], self.anywhere):
                if rule(state, line, endLine, False):
                    if rule is reference:
                        state.push("reference", "", 0).map = [line, state.line]
                    break
            _place(state, before)
            state.tight = not empty
            line = state.line
            if line - 1 < endLine and state.isEmpty(line - 1):
                empty = True
            if line < endLine and state.isEmpty(line):
                empty = True
                line += 1
                state.line = line


# (offset in the content, offset in the source, length in the source): a run that is the same in both.
Run = tuple[int, int, int]


def _place(state: StateBlock, before: int) -> None:
    """Notes on each new token where it stands in the source; blocks within it were placed in their own turn."""
    opener: Token | None = None
    row, cells = -1, iter(())  # type: tuple[int, Iterator[list[Run]]]
    placed: list[Token] = []
    for token in state.tokens[before:]:
        if token.type == "tr_close":
            placed += _excess(state, row, cells)
        placed.append(token)
        if token.type == "inline":
            if "runs" in token.meta or token.map is None:
                continue
            line = token.map[0]
            if opener is not None and opener.type in ("th_open", "td_open"):
                if line != row:
                    row, cells = line, iter(_cells(state, line))
                token.meta["runs"] = next(cells, [])
            elif opener is not None and opener.markup.startswith("#"):
                token.meta["runs"] = _atx_runs(state, line, len(opener.markup), len(token.content))
            else:
                token.meta["runs"] = _runs(state, line, token.map[1])
            continue
        opener = token if token.nesting > 0 else None
        if token.map is not None and "at" not in token.meta:
            first, last = token.map[0], max(token.map[0], token.map[1] - 1)
            while last > first and state.isEmpty(last):
                last -= 1
            token.meta["at"] = state.bMarks[first] + state.tShift[first]
            token.meta["to"] = max(token.meta["at"], state.eMarks[last])
            token.meta["lines"] = (first + 1, last + 1)
    if len(placed) > len(state.tokens) - before:
        state.tokens[before:] = placed


def _excess(state: StateBlock, line: int, cells: Iterator[list[Run]]) -> Iterator[Token]:
    """Cells beyond the table's columns. No builder shows them, but they stay in the text, so they must be known."""
    for runs in cells:
        inline = Token("inline", "", 0, map=[line, line + 1])
        inline.content = "".join(state.src[begin : begin + size] for _, begin, size in runs)
        inline.meta["runs"] = runs
        yield from (Token("td_open", "td", 1), inline, Token("td_close", "td", -1))


def _atx_runs(state: StateBlock, line: int, level: int, length: int) -> list[Run]:
    begin = state.bMarks[line] + state.tShift[line] + level
    return [(0, begin + _margin(state.src[begin : state.eMarks[line]]), length)]


def _margin(text: str) -> int:
    """How many characters markdown-it trims from the left of `text`."""
    return len(text) - len(text.lstrip(MD_TRIM_CHARS))


def _runs(state: StateBlock, begin: int, end: int) -> list[Run]:
    """Where the content of a paragraph's lines comes from; follows `StateBlock.getLines`, then its trimming."""
    runs: list[Run] = []
    content: list[str] = []
    length = 0
    for line in range(begin, end):
        indent, first = 0, state.bMarks[line]
        last = state.eMarks[line] + (1 if line + 1 < end else 0)
        while first < last and indent < state.blkIndent:
            char = state.src[first]
            if char == "\t":
                indent += 4 - (indent + state.bsCount[line]) % 4
            elif char == " " or first - state.bMarks[line] < state.tShift[line]:
                indent += 1
            else:
                break
            first += 1
        if indent > state.blkIndent:  # the rest of a tab: spaces in the content, the tab in the source
            spaces = indent - state.blkIndent
            runs += [(length + i, first - 1, 1) for i in range(spaces)]
            content.append(" " * spaces)
            length += spaces
        runs.append((length, first, last - first))
        content.append(state.src[first:last])
        length += last - first
    cut = _margin("".join(content))
    return [
        (max(0, at - cut), place + max(0, cut - at), size - max(0, cut - at))
        for at, place, size in runs
        if at + size > cut
    ]


def _cells(state: StateBlock, line: int) -> list[list[Run]]:
    """Where the cells of a table row come from; follows `escapedSplit` of markdown-it's table rule."""
    begin = state.bMarks[line] + state.tShift[line]
    text = state.src[begin : state.eMarks[line]]
    begin += _margin(text)
    text = text.strip(MD_TRIM_CHARS)
    bounds, start, escaped = [], 0, False
    for i, char in enumerate(text):
        if char == "|" and not escaped:
            bounds.append((start, i))
            start = i + 1
        escaped = char == "\\"
    bounds.append((start, len(text)))
    if bounds and bounds[0][0] == bounds[0][1]:
        bounds.pop(0)
    if bounds and bounds[-1][0] == bounds[-1][1]:
        bounds.pop()
    cells = []
    for start, end in bounds:
        cell = text[start:end]
        start += _margin(cell)
        end = max(start, start + len(cell.strip(MD_TRIM_CHARS)))
        runs: list[Run] = []
        length, at = 0, start
        for pipe in re.finditer(r"\\\|", text[start:end]):
            to = start + pipe.start()
            if to > at:
                runs.append((length, begin + at, to - at))
                length += to - at
            at = to + 1  # the backslash goes, the pipe stays
        if end > at:
            runs.append((length, begin + at, end - at))
        cells.append(runs)
    return cells


def _parser(rules: Mapping[str, tuple[tuple[str, Any], ...]]) -> MarkdownIt:
    made = MarkdownIt("commonmark", {"maxNesting": 100})
    made.block, made.inline = _Blocks(), _Inline(rules)
    return made


_markdown = _parser(_RULES)
_skimming = _parser({char: rules for char, rules in _RULES.items() if char not in _BESIDE_TIES})


def _records(
    markdown: MarkdownIt, content: str, env: Any, heading: bool = False, mask: str = "", skip: int = 0, marker: str = ""
) -> Sequence[Record]:
    """The inline records of `content`; its first `skip` characters are a marker (of a task, of a callout)."""
    state = State(content, markdown, env, heading, mask)
    if skip:
        state.records.append(("marker", 0, skip, {"of": marker}, ()))
        state.pos = skip
    markdown.inline.tokenize(state)
    link_pairs(state)
    strike_rule.postProcess(state)
    obsidian.pair_marks(state)
    emphasis_rule.postProcess(state)
    return _resolved(state.records)


def _resolved(records: Sequence[Record]) -> Sequence[Record]:
    """Delimiters decided: markers (a strong one joined from its two characters) or text."""
    decided: list[Record] = []
    half = False  # the last record is the first character of a strong marker
    for kind, start, end, data, children in records:
        if kind != "delimiter":
            decided.append((kind, start, end, data, _resolved(children) if children else children))
            half = False
            continue
        token = data["token"]
        name, _, side = token.type.partition("_")
        of = _MARKERS.get(name) or ("" if token.content else "strong")
        if of == "strong" and half:
            opens = side == "open" or decided[-1][3]["open"]
            decided[-1] = ("marker", start - 1, end, {"of": of, "open": opens}, ())
            half = False
        else:
            decided.append(
                ("marker" if of else "text", start, end, {"of": of, "open": side == "open"} if of else _NOTHING, ())
            )
            half = of == "strong"
    return decided


def _spans(
    records: Sequence[Record], runs: Sequence[Run], source: Source, inside: tuple[str, ...] = ()
) -> Iterator[Span]:
    """Spans from records; neighbouring text is joined, and cut where the content skips a character of the source."""
    starts = [run[0] for run in runs]
    make, only = source.span, runs[0][1] if len(runs) == 1 else None

    def place(offset: int) -> int:
        if only is not None:
            return only + offset
        at, begin, size = runs[max(0, bisect_right(starts, offset) - 1)]
        return begin + min(offset - at, size)

    def text(start: int, end: int) -> Iterator[Span]:
        if only is not None:
            yield make("text", only + start, only + end, _NOTHING, True, inside)
            return
        for number in range(max(0, bisect_right(starts, start) - 1), len(runs)):
            at, begin, size = runs[number]
            low, high = max(at, start), min(at + size, end)
            if low >= high:
                break
            first = begin + low - at
            if low == at and number and source.text[first - 1 : first + 1] == "\\|":
                yield make("escape", first - 1, first + 1, {"char": "|"}, True, inside)  # a pipe in a table cell
                first += 1
            if first < begin + high - at:
                yield make("text", first, begin + high - at, _NOTHING, True, inside)

    pending, last = -1, len(records) - 1
    for number, (kind, start, end, data, children) in enumerate(records):
        if end <= start:
            continue
        if kind == "text":
            pending = start if pending < 0 else pending
            if number == last or records[number + 1][0] != "text":
                yield from text(pending, end)
                pending = -1
            continue
        if kind == "role":
            data = {**data, "at": source.given(place(data["at"]))}
        container = kind == "link" or kind == "footnote"
        yield make(kind, place(start), place(end - 1) + 1, data, not container, inside)
        if children:
            yield from _spans(children, runs, source, (*inside, kind))


# From markdown-it's tokens to blocks

_KINDS = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "blockquote_open": "quote",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "list_item",
    "table_open": "table",
    "tr_open": "table_row",
    "th_open": "table_cell",
    "td_open": "table_cell",
    "footnote_reference_open": "footnote",
    "callout_title_open": "callout_title",
    "fence": "fence",
    "code_block": "code",
    "math_block": "math",
    "html_block": "html",
    "hr": "thematic_break",
    "reference": "reference",
    "comment_block": "comment",
}
_FRONT = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_REFERENCE = re.compile(r"\[((?:\\.|[^\[\]\\])+)\]:\s*(\S+)")


@dataclass(slots=True)
class _Draft:
    """A block while its content is still being read."""

    kind: str
    start: int
    end: int
    lines: tuple[int, int]
    parents: tuple[int, ...]
    first: int
    last: int = 0
    content: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    block_id: str = ""


def _parse(text: str, hidden: Sequence[tuple[int, int]], markdown: MarkdownIt) -> Document:
    source = Source(text)
    front = _FRONT.match(source.text)
    masked, mask = _mask(source, hidden)
    env: dict[str, Any] = {}
    state = StateBlock(masked, markdown, env, [])
    first = front[0].count("\n") + (not front[0].endswith("\n")) if front else 0
    markdown.block.tokenize(state, min(first, state.lineMax), state.lineMax)

    drafts: list[_Draft] = []
    spans: list[Span] = []
    if front:
        drafts.append(_Draft("front_matter", 0, len(front[0].rstrip("\n")), (1, first), (), 0, 0, front[1]))
    stack: list[int] = []
    for number, token in enumerate(state.tokens):
        kind = _KINDS.get(token.type, "")
        if token.type == "inline":
            before = state.tokens[max(0, number - 2) : number]
            _read_inline(token, before, drafts, stack, spans, source, env, mask, markdown)
        elif kind:
            meta = token.meta
            at, to, lines = meta.get("at", -1), meta.get("to", -1), meta.get("lines", (0, 0))
            draft = _Draft(kind, at, to, lines, tuple(stack), len(spans), len(spans))
            _describe(draft, token, source)
            drafts.append(draft)
            if token.nesting > 0:
                stack.append(len(drafts) - 1)
        elif token.nesting < 0 and token.type not in ("thead_close", "tbody_close"):
            drafts[stack.pop()].last = len(spans)
    for start, end in hidden:
        lines = source.position(start)[0], source.position(end)[0]
        begin, stop = source.normal(start), source.normal(end)
        drafts.append(_Draft("comment", begin, stop, lines, (), len(spans), len(spans)))
    _name_headings(drafts, spans)
    _name_blocks(drafts, spans)
    blocks = tuple(
        Block(
            draft.kind,
            source.given(draft.start),
            source.given(draft.end),
            draft.lines[0],
            draft.lines[1],
            draft.content,
            draft.data,
            draft.parents,
            index,
            draft.block_id,
            (draft.first, draft.last),
        )
        for index, draft in enumerate(drafts)
    )
    return Document(text, blocks, tuple(spans), front[1] if front else "", (1, first) if front else None, source)


def _describe(draft: _Draft, token: Token, source: Source) -> None:
    """Fills in what a block's own token says."""
    kind = draft.kind
    if kind == "heading":
        draft.data["level"] = int(token.tag[1])
    elif kind == "list":
        draft.data["ordered"] = token.type == "ordered_list_open"
    elif kind == "footnote":
        draft.data["label"] = token.meta["label"]
    elif kind == "table_cell":
        draft.data["header"] = token.type == "th_open"
    elif kind == "fence":
        info = token.info.strip()
        draft.content, draft.data = token.content, {"info": info, "lang": info.split(maxsplit=1)[0] if info else ""}
    elif kind == "reference":
        match = _REFERENCE.match(source.text, draft.start, draft.end)
        draft.data = {"label": match[1], "url": match[2].strip("<>")} if match else {"label": "", "url": ""}
    elif kind == "math":
        draft.content = token.content.strip()
    elif kind in ("code", "html"):
        draft.content = token.content


def _read_inline(
    token: Token,
    before: Sequence[Token],
    drafts: list[_Draft],
    stack: Sequence[int],
    spans: list[Span],
    source: Source,
    env: Any,
    mask: str,
    markdown: MarkdownIt,
) -> None:
    """Appends the spans of an inline token and completes the blocks it belongs to."""
    draft, runs = drafts[stack[-1]], token.meta["runs"]
    marker, skip = "", 0
    if draft.kind == "callout_title" and (match := obsidian.CALLOUT.match(token.content)):
        marker, skip = "callout", match.end()
        callout = drafts[stack[-2]]
        title = token.content[skip:].strip() or match[1].strip().capitalize()
        callout.kind = "callout"
        callout.data = {"type": match[1].strip().lower(), "title": title, "folded": match[2] or None}
    elif before and before[0].type == "list_item_open" and (match := obsidian.TASK.match(token.content)):
        marker, skip = "task", match.end()
        item = drafts[stack[-2]]
        item.kind, item.data = "task", {"checked": match[1] in "xX", "status": match[1]}
    if draft.kind == "table_cell":
        row = drafts[stack[-2]]
        draft.data["column"] = row.data.get("cells", 0)
        row.data["cells"] = draft.data["column"] + 1
        draft.lines = row.lines
        draft.start, draft.end = (runs[0][1], runs[-1][1] + runs[-1][2]) if runs else (row.end, row.end)
    content = token.content
    if draft.kind == "heading":
        markdown = _markdown  # headings are named by all of their text
    elif markdown is _skimming and not _MAY_TIE.search(content) and not (mask and mask in content):
        return
    if runs and content:
        records = _records(markdown, content, env, draft.kind == "heading", mask, skip, marker)
        spans.extend(_spans(records, runs, source))


def _name_headings(drafts: Sequence[_Draft], spans: Sequence[Span]) -> None:
    """Gives headings their text and id; a repeated slug gets `_1`, `_2`, as in MkDocs."""
    taken: set[str] = set()
    repeats: dict[str, int] = {}
    for draft in drafts:
        if draft.kind != "heading":
            continue
        inside = spans[draft.first : draft.last]
        draft.content = "".join(piece for piece, _, _ in _pieces(inside)).strip()
        explicit = next((span.data["name"] for span in inside if span.kind == "heading_id"), None)
        base = name = explicit or slug(draft.content) or "section"
        while name in taken and explicit is None:
            repeats[base] = repeats.get(base, 0) + 1
            name = f"{base}_{repeats[base]}"
        taken.add(name)
        draft.data |= {"id": name, "explicit": explicit is not None}


def _name_blocks(drafts: Sequence[_Draft], spans: Sequence[Span]) -> None:
    """Gives each ``^id`` to the block it names: its own, the list item it ends, or the one before it."""
    previous: dict[tuple[int, ...], int] = {}
    for index, draft in enumerate(drafts):
        if draft.kind in INLINE and draft.last > draft.first and spans[draft.last - 1].kind == "block_id":
            name, owner = spans[draft.last - 1].data["name"], draft
            around = [drafts[parent] for parent in draft.parents]
            quotes = [block for block in around if block.kind in ("quote", "callout")]
            tables = [block for block in around if block.kind == "table"]
            if draft.last - draft.first == 1 and draft.kind == "paragraph":
                draft.kind = "block_id"
                owner = drafts[previous[draft.parents]] if draft.parents in previous else draft
            elif draft.last - draft.first == 1 and tables:
                owner = tables[0]
            elif quotes and draft.lines[1] == quotes[0].lines[1] and _is_lazy(draft, spans):
                owner = quotes[0]
            elif around and around[-1].kind in ("list_item", "task"):
                owner = around[-1]
            owner.block_id = owner.block_id or name
        if draft.kind != "block_id":
            previous[draft.parents] = index


def _is_lazy(draft: _Draft, spans: Sequence[Span]) -> bool:
    """Whether a quote's id stands on a line of its own without the quote's mark."""
    return draft.last - draft.first > 1 and spans[draft.last - 1].column == 1


# Comments over several paragraphs


def _hidden(document: Document) -> list[tuple[int, int]]:
    """The stretches that unpaired ``%%`` hide: from each to the next, or to the end from one that begins its line."""
    opened = [span.start for span in document.spans if span.kind == "comment" and not span.data["closed"]]
    pairs = [(start, end + 2) for start, end in zip(opened[::2], opened[1::2], strict=False)]
    if len(opened) % 2:
        line_start = document.text.rfind("\n", 0, opened[-1]) + 1
        if not document.text[line_start : opened[-1]].strip(" \t>"):
            pairs.append((opened[-1], len(document.text)))
    return pairs


def _mask(source: Source, hidden: Sequence[tuple[int, int]]) -> tuple[str, str]:
    """The text with hidden stretches blanked, line by line; what shares a line with prose becomes mask characters."""
    text = source.text
    if not hidden:
        return text, ""
    mask = next(chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
    blank = list(text)
    for given_start, given_end in hidden:
        start, end = source.normal(given_start), source.normal(given_end)
        while start < end:
            line = text.rfind("\n", 0, start) + 1
            stop = text.find("\n", start)
            stop = len(text) if stop < 0 else stop
            cut = min(stop, end)
            alone = not text[line:start].strip(" \t>") and not text[cut:stop].strip()
            blank[start:cut] = (" " if alone else mask) * (cut - start)
            start = cut + 1
    return "".join(blank), mask


# Prose


def _pieces(spans: Sequence[Span]) -> list[tuple[str, str, Span]]:
    """Each leaf as it reads in prose, and the same with everything that is not prose as `HOLE`s."""
    pieces = []
    for span in spans:
        if not span.leaf:
            continue
        shown = shadow = ""
        match span.kind:
            case "text":
                shown = shadow = span.text
            case "escape" | "entity":
                shown = shadow = span.data["char"]
            case "break":
                shown = shadow = " "
            case "code" | "math" | "role":
                shown = " ".join(span.text.split("\n"))
                shadow = sentences.HOLE * len(shown)
            case "link_url" if span.data["shown"]:
                shown, shadow = span.text, sentences.HOLE * len(span.text)
            case "wikilink":
                shown = obsidian.link_text(span.data)
                shadow = re.sub(r"[.!?…]", "_", shown)
        pieces.append((shown, shadow, span))
    return pieces


def _sentences(spans: Sequence[Span], block: Block, document: Document) -> list[Sentence]:
    pieces = _pieces(spans)
    text = "".join(shown for shown, _, _ in pieces)
    found = []
    for start, end in sentences.split("".join(shadow for _, shadow, _ in pieces)):
        parts, at = [], 0
        for shown, _, span in pieces:
            low, high = max(start, at), min(end, at + len(shown))
            if low < high or (not shown and start <= at <= end):
                parts.append(_clip(span, low - at, high - at, document) if span.kind == "text" else span)
            at += len(shown)
            if at > end:
                break
        first, last = parts[0], parts[-1]
        found.append(Sentence(text[start:end], first.start, last.end, first.line, first.column, tuple(parts), block))
    return found


def _clip(span: Span, low: int, high: int, document: Document) -> Span:
    if low == 0 and high == len(span.text):
        return span
    start = span.start + low
    line, column = document.position(start)
    return Span("text", start, span.start + high, line, column, span.text[low:high], {}, True, span.inside)


def _tree(headings: Sequence[Block], begin: int, stop: int, end: int) -> tuple[Section, ...]:
    found, at = [], begin
    while at < stop:
        heading, after = headings[at], at + 1
        level = heading.data["level"]
        while after < stop and headings[after].data["level"] > level:
            after += 1
        limit = headings[after].start if after < stop else end
        children = _tree(headings, at + 1, after, limit)
        found.append(
            Section(
                heading.content,
                heading.data["id"],
                level,
                heading.start,
                min(heading.end + 1, limit),
                limit,
                heading.line,
                heading,
                children,
            )
        )
        at = after
    return tuple(found)
