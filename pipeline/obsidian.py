"""What Obsidian and roles add to Markdown, as rules for markdown-it-py.

Obsidian (help.obsidian.md): ``[[links]]``, ``![[embeds]]``, ``^block-ids``, ``%%comments%%``, ``==marks==``, ``#tags``,
callouts. Roles are MyST's: a name in braces followed by a code span. A rule takes markdown-it's state and a
`silent` flag and moves `state.pos` (inline) or `state.line` (block) when it matches. An inline rule leaves what it
learned in `state.found`; where it matched is recorded by the parser in `markdown.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from mdit_py_plugins.dollarmath.index import math_block_dollar

# A record of one matched inline rule: kind, start, end (offsets in the inline content), data, children.
Record = tuple[str, int, int, Mapping[str, Any], "Sequence[Record]"]


class State(StateInline):
    """markdown-it's inline state, plus what the rules found and where."""

    def __init__(self, src: str, md: Any, env: Any, heading: bool = False, mask: str = "") -> None:
        super().__init__(src, md, env, [])
        self.heading = heading
        self.mask = mask
        self.records: list[Record] = []
        self.found: dict[str, Any] = {}
        self.inner = (0, 0)  # the range the last nested tokenize covered: a link's label, a footnote's text


LINK = re.compile(r"!?\[\[([^\[\]\n]+)\]\]")


def link_parts(inside: str) -> dict[str, str]:
    """`target#heading|alias` or `target#^block|alias`, split; a missing part is an empty string."""
    place, _, alias = inside.replace("\\|", "|").partition("|")
    target, _, rest = place.partition("#")
    block = rest.strip()[1:] if rest.strip().startswith("^") else ""
    return {
        "target": target.strip(),
        "heading": "" if block else rest.strip(),
        "block": block,
        "alias": alias.strip(),
    }


def link_text(parts: Mapping[str, str]) -> str:
    """A link as it reads in prose: its alias, else its heading, else the name of its note."""
    return parts["alias"] or parts["heading"].rpartition("#")[2] or parts["target"].rpartition("/")[2] or parts["block"]


def wikilink(state: State, silent: bool) -> bool:
    """``[[target]]``, and with a leading ``!`` an embed."""
    match = LINK.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        state.found = link_parts(match[1])
    state.pos = match.end()
    return True


ROLE = re.compile(r"\{([A-Za-z0-9_\-+:]+)\}(`+)")
TICKS = re.compile("`+")


def role(state: State, silent: bool) -> bool:
    """A name in braces and a code span; longer runs of backticks let the content hold roles.

    As in a code span, a run of exactly as many backticks closes. One case is added: where a role inside ends right
    at the end, its backtick and the closing run touch (three backticks), and both close.
    """
    opening = ROLE.match(state.src, state.pos, state.posMax)
    if not opening:
        return False
    ticks, begin = len(opening[2]), opening.end()
    inner, close = 0, -1
    for run in TICKS.finditer(state.src, begin, state.posMax):
        length = run.end() - run.start()
        if length == ticks:
            close = run.start()
        elif inner and length == inner + ticks:
            close = run.start() + inner
        elif length == inner:
            inner = 0
        elif not inner:
            inner = length
        if close >= 0:
            break
    if close < 0:
        return False
    if not silent:
        content = state.src[begin:close]
        padded = len(content) > 2 and content[0] == content[-1] == " " and content.strip()
        if padded:  # one space on each side belongs to the span, as in CommonMark
            begin, content = begin + 1, content[1:-1]
        state.found = {"name": opening[1], "content": content.replace("\n", " "), "at": begin}
    state.pos = close + ticks
    return True


MATH = re.compile(r"\$(?![\s$])((?:\\.|[^\\$])+)(?<!\s)\$(?!\d)", re.DOTALL)
DISPLAY_MATH = re.compile(r"\$\$((?:\\.|[^\\$]|\$(?!\$))+)\$\$", re.DOTALL)


def math(state: State, silent: bool) -> bool:
    """``$x$`` (no space inside the dollars, no digit after, so prices stay text) and ``$$x$$`` within a paragraph."""
    display = state.src.startswith("$$", state.pos)
    match = (DISPLAY_MATH if display else MATH).match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        state.found = {"content": match[1], "display": display}
    state.pos = match.end()
    return True


def comment(state: State, silent: bool) -> bool:
    """``%%hidden%%``. Without an end it hides the rest of its paragraph: better to lose a text than to leak one."""
    if not state.src.startswith("%%", state.pos):
        return False
    end = state.src.find("%%", state.pos + 2, state.posMax)
    if not silent:
        state.found = {"closed": end >= 0}
    state.pos = end + 2 if end >= 0 else state.posMax
    return True


def masked(state: State, silent: bool) -> bool:
    """A stretch of the mask character: the part of a comment over several paragraphs that lies in this one."""
    pos = state.pos
    while state.mask and pos < state.posMax and state.src[pos] == state.mask:
        pos += 1
    if pos == state.pos:
        return False
    if not silent:
        state.found = {"closed": True}
    state.pos = pos
    return True


def mark(state: State, silent: bool) -> bool:
    """``==marked==``: a delimiter, paired later as emphasis is."""
    if silent:
        return False
    scanned = state.scanDelims(state.pos, True)
    run = state.src[state.pos : state.pos + scanned.length]
    state.push("text", "", 0).content = run
    if scanned.length == 2:
        place = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord("="), 0, place, -1, scanned.can_open, scanned.can_close))
    state.pos += scanned.length
    return True


def pair_marks(state: StateInline) -> None:
    """Turns matched ``==`` delimiters into markers, after markdown-it balanced the pairs."""
    if "==" not in state.src:
        return
    nested = [meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta]
    for delimiters in [state.delimiters, *nested]:
        for opener in delimiters:
            if opener.marker == ord("=") and opener.end != -1:
                for name, place in (("mark_open", opener.token), ("mark_close", delimiters[opener.end].token)):
                    state.tokens[place].type, state.tokens[place].content = name, ""


TAG = re.compile(r"#([\w/-]*[^\W\d][\w/-]*)")


def tag(state: State, silent: bool) -> bool:
    """``#tag`` after a space, with at least one character that is no digit."""
    if state.pos and not state.src[state.pos - 1].isspace():
        return False
    match = TAG.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        state.found = {"name": match[1]}
    state.pos = match.end()
    return True


BLOCK_ID = re.compile(r"\^([A-Za-z0-9-]+)\Z")


def block_id(state: State, silent: bool) -> bool:
    """``^id`` at the end of a block."""
    if state.posMax != len(state.src) or (state.pos and not state.src[state.pos - 1].isspace()):
        return False
    match = BLOCK_ID.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        state.found = {"name": match[1]}
    state.pos = match.end()
    return True


HEADING_ID = re.compile(r"\{#([^\s{}]+)\}\Z")


def heading_id(state: State, silent: bool) -> bool:
    """``{#id}`` at the end of a heading."""
    match = state.heading and HEADING_ID.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        state.found = {"name": match[1]}
    state.pos = match.end()
    return True


FOOTNOTE = re.compile(r"\[\^([^\s\[\]]+)\]")


def footnote_ref(state: State, silent: bool) -> bool:
    """``[^label]``, defined or not."""
    match = FOOTNOTE.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        state.found = {"label": match[1]}
    state.pos = match.end()
    return True


def footnote(state: State, silent: bool) -> bool:
    """``^[a footnote written in place]``; its text is parsed like any other."""
    if not state.src.startswith("^[", state.pos):
        return False
    end = state.md.helpers.parseLinkLabel(state, state.pos + 1)
    if end < 0:
        return False
    if not silent:
        maximum, state.pos, state.posMax = state.posMax, state.pos + 2, end
        state.push("footnote_open", "", 1)  # its own delimiters: emphasis does not cross the bracket
        state.md.inline.tokenize(state)
        state.push("footnote_close", "", -1)
        state.posMax = maximum
    state.pos = end + 1
    return True


URL = re.compile(r"https?://[^\s<>\[\]`]+")


def url(state: State, silent: bool) -> bool:
    """A bare address, without the punctuation that ends its sentence."""
    match = URL.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    end, floor = match.end(), state.src.index("//", state.pos) + 2
    unopened = match[0].count(")") - match[0].count("(")
    while end > floor:
        last = state.src[end - 1]
        if last == ")" and unopened > 0:
            unopened -= 1
        elif last not in ".,;:!?'\"*_~":
            break
        end -= 1
    if end == floor:
        return False
    if not silent:
        state.found = {"url": state.src[state.pos : end], "shown": True}
    state.pos = end
    return True


# Block rules

CALLOUT = re.compile(r"\[!([^\[\]\n|]+)(?:\|[^\[\]\n]*)?\]([+-]?)[ \t]*")
TASK = re.compile(r"\[([ xX/><?!*-])\][ \t]+")


def callout_title(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The line ``[!type]± title`` that makes a quote a callout. It is one line, whatever follows."""
    if silent or state.parentType != "blockquote" or state.tokens[-1].type != "blockquote_open":
        return False
    begin = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not CALLOUT.match(state.src, begin, state.eMarks[start]):
        return False
    state.push("callout_title_open", "", 1).map = [start, start + 1]
    inline = state.push("inline", "", 0)
    inline.content = state.src[begin : state.eMarks[start]].rstrip()
    inline.map = [start, start + 1]
    state.push("callout_title_close", "", -1)
    state.line = start + 1
    return True


def comment_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lines from ``%%`` to ``%%``, blank lines and all. Text after the end leaves it to the inline rule."""
    begin = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("%%", begin) or state.is_code_block(start):
        return False
    for line in range(start, end):
        close = state.src.find("%%", begin + 2 if line == start else state.bMarks[line], state.eMarks[line])
        if close >= 0:
            if state.src[close + 2 : state.eMarks[line]].strip():
                return False
            if not silent:
                state.line = line + 1
                state.push("comment_block", "", 0).map = [start, line + 1]
            return True
    return False


_math_block = math_block_dollar(allow_labels=False, allow_blank_lines=True)


def math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """``$$`` to ``$$``. Unlike the plugin's own rule it can be asked silently, so it may end a paragraph."""
    if not silent:
        return _math_block(state, start, end, False)
    line, tokens = state.line, len(state.tokens)
    matched = _math_block(state, start, end, True)
    state.line = line
    del state.tokens[tokens:]
    return matched
