"""What a change re-opens: sentences that use a value that moved, and those a person edited. The rest stays approved.

An approval keeps a mark of every sentence (and of every other piece: property, listing, formula) with the keys it
rests on. Against these marks a draft is compared piece by piece: a piece whose mark is known and whose keys print what
they printed stays approved, whatever happened around it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from html import unescape
from typing import Any, Literal

import yaml

from experiments.kit.errors import CannotRun
from experiments.kit.files import sha256
from experiments.kit.run import within_tolerance
from pipeline.asked import with_asked
from pipeline.drafts import Draft
from pipeline.evidence import Evidence
from pipeline.listings import cut_listing
from pipeline.markdown import Sentence, parse
from pipeline.page import Snapshot, overlaid
from pipeline.project import Project
from pipeline.render import Context, key_and_rest, render
from pipeline.results import ResultSet

Why = Literal["value", "edited", "new", "removed"]
ALIKE = 0.4  # how alike two sentences are, of their words, for one to be the other edited
ENDS = (".", "!", "?", "…")
BARE_ROLE = re.compile(r"\{(\w+)\}(`+)(.+?)\2")


@dataclass(frozen=True)
class Piece:
    """A sentence of a draft as written, or a piece that is none; `keys` (`role:key`) is what it rests on."""

    line: int
    text: str
    keys: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """What it is recognised by in an approval's record: line breaks are no difference."""
        return sha256(" ".join(self.text.split()))[:20]


@dataclass(frozen=True)
class Moved:
    """One thing a page rests on that is different now."""

    role: str
    key: str
    message: str


@dataclass(frozen=True)
class Reopened:
    """A sentence to look at again: `old` as it was approved and `new` as it reads now, both as the reader sees them.

    `why` is `value` (the text is untouched, something it uses moved: `keys`), `edited`, `new` or `removed`. `sentence`
    is the draft's own text, for `removed` the approved one; `line` its line in the draft, None where it has none.
    """

    line: int | None
    sentence: str
    old: str
    new: str
    keys: tuple[str, ...]
    why: Why
    messages: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Every field by name."""
        return asdict(self)


@lru_cache(maxsize=32)
def pieces(draft_text: str, body: str, body_line: int) -> tuple[Piece, ...]:
    """All pieces of a draft in order: properties, sentences, and blocks that are no prose."""
    found = list(_properties(draft_text, body))
    document = parse(body)
    prose = {sentence.block.index for sentence in document.sentences()}
    parts = [part for sentence in document.sentences() for part in _cut(sentence)]
    parents = {parent for block in document.blocks for parent in block.parents}
    for block in document.blocks:
        if block.index not in prose and block.index not in parents:
            parts.append((block.start, block.end))
    for start, end in sorted(parts):
        text = body[start:end].strip()
        if text:
            line = body_line + document.position(start)[0] - 1
            found.append(Piece(line, text, tuple(dict.fromkeys(_keys(text)))))
    return tuple(found)


def pieces_of(draft: Draft) -> tuple[Piece, ...]:
    """`pieces` of a draft."""
    return pieces(draft.text, draft.body, draft.body_line)


def _cut(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """A sentence, and apart from it every claim before its end whose words are a sentence themselves."""
    start = sentence.start
    for span in sentence.spans:
        if span.kind == "role" and span.data["name"] == "claim" and span.data["content"].rstrip().endswith(ENDS):
            yield start, span.end
            start = span.end
    if start < sentence.end:
        yield start, sentence.end


def _properties(text: str, body: str) -> Iterator[Piece]:
    head = text[: len(text) - len(body)]
    try:
        front = yaml.safe_load(head.strip().strip("-")) if head.strip() else {}
    except yaml.YAMLError:
        front = {}
    for key, value in front.items() if isinstance(front, dict) else ():
        line = next((n for n, row in enumerate(head.split("\n"), 1) if row.startswith(f"{key}:")), 1)
        shown = yaml.safe_dump({key: value}, allow_unicode=True, default_flow_style=True, width=10_000, sort_keys=True)
        yield Piece(line, shown.strip().removeprefix("{").removesuffix("}"))


def _keys(text: str) -> Iterator[str]:
    for match in BARE_ROLE.finditer(text):
        key = key_and_rest(match[3])[0]
        yield f"{match[1]}:{key.partition(',')[0] if match[1] == 'cite' else key}"
        yield from _keys(match[3].partition("|")[2])


def marks(draft: Draft) -> dict[str, list[str]]:
    """For an approval's record: every piece's mark with the keys it rests on."""
    return {piece.mark: list(piece.keys) for piece in pieces_of(draft)}


def moved(
    project: Project, evidence: Evidence, draft: Draft, snapshot: Snapshot, listings: Mapping[str, Any]
) -> list[Moved]:
    """Everything the approved page used that is different now; `listings` are the recorded ones."""
    edition = draft.edition
    results = with_asked(evidence, draft, project.relative(draft.path))[0].results
    found = []
    for key, old in snapshot.facts.items():
        new = results.facts.get(key)
        if new is None:
            found.append(Moved("val", key, f"{key} is no longer recorded"))
        elif old.machine and not within_tolerance(old, new):
            was, now = old.text(edition), new.text(edition)
            found.append(Moved("val", key, f"{key} was {was} and is now {now}, beyond its factor of {old.tolerance:g}"))
        elif not old.machine and old.text(edition) != new.text(edition):
            found.append(Moved("val", key, f"{key} was {old.text(edition)} and is now {new.text(edition)}"))
    for key, claim in snapshot.claims.items():
        stated = results.claims.get(key)
        if stated is None:
            found.append(Moved("claim", key, f"claim {key} is no longer stated"))
        elif not stated.holds:
            found.append(Moved("claim", key, f"claim {key} no longer holds: {stated.detail}"))
        elif (stated.op, tuple(stated.of), stated.bound) != (claim.op, tuple(claim.of), claim.bound):
            found.append(Moved("claim", key, f"claim {key} now compares something else: {stated.detail}"))
    for key, figure in snapshot.figures.items():
        drawn = results.figures.get(key)
        if drawn is None:
            found.append(Moved("fig", key, f"figure {key} is no longer drawn"))
        elif not figure.machine and drawn.data != figure.data:
            found.append(Moved("fig", key, f"figure {key} shows other data than the one approved"))
    for ref, entry in listings.items():
        try:
            changed = cut_listing(project.root, ref, {}).hash != entry["hash"]
        except CannotRun:
            changed = True
        if changed:
            found.append(Moved("listing", ref, f"listing {ref} is not the code that was approved"))
    return found


def reopened(
    project: Project,
    evidence: Evidence,
    draft: Draft,
    snapshot: Snapshot,
    changed: Sequence[Moved],
    approved: Mapping[str, Sequence[str]] | None,
    approved_draft: Draft | None,
) -> list[Reopened]:
    """The pieces of a draft that its last approval no longer covers, in order.

    `changed` is what moved since (`moved`), `approved` the marks in the approval's record, `approved_draft` the text
    it was given for, where that was kept: it says what an edited sentence was. Without marks (a record of an older
    version) and without the text every piece counts as new.
    """
    name = project.relative(draft.path)
    now = with_asked(evidence, draft, name)[0].results
    before = overlaid(now, snapshot)
    old_pieces = pieces_of(approved_draft) if approved_draft is not None else ()
    known = {piece.mark for piece in old_pieces} or set(approved or ())
    mine = pieces_of(draft)
    by_key: dict[str, list[str]] = {}
    for change in changed:
        by_key.setdefault(f"{change.role}:{change.key}", []).append(change.message)

    def read(text: str, results: ResultSet) -> str:
        return as_read(text, Context(project, results, evidence.sources, draft.edition, name))

    def rests_on(piece: Piece) -> Iterator[str]:
        """The piece's keys, and for a figure those of its caption."""
        for key in piece.keys:
            yield key
            role, _, name = key.partition(":")
            if role == "fig" and name in now.figures and piece.text.strip() == f"{{fig}}`{name}`":
                figure = now.figures[name]
                yield from _keys(figure.caption if draft.edition == "scientist" else figure.plain)

    present = {piece.mark for piece in mine}
    gone = [piece for piece in old_pieces if piece.mark not in present]
    found = []
    for piece in mine:
        hit = [key for key in dict.fromkeys(rests_on(piece)) if key in by_key]
        messages = tuple(message for key in hit for message in by_key[key])
        keys = tuple(key.partition(":")[2] for key in hit)
        new = read(piece.text, now)
        if piece.mark in known:
            if hit:
                found.append(Reopened(piece.line, piece.text, read(piece.text, before), new, keys, "value", messages))
            continue
        origin = _nearest(piece, gone)
        if origin is not None:
            gone.remove(origin)
            found.append(Reopened(piece.line, piece.text, read(origin.text, before), new, keys, "edited", messages))
        else:
            found.append(Reopened(piece.line, piece.text, "", new, keys, "new", messages))
    found += [Reopened(None, piece.text, read(piece.text, before), "", (), "removed") for piece in gone]
    return found


def _nearest(piece: Piece, gone: Sequence[Piece]) -> Piece | None:
    """The piece that is no longer there and most of whose words this one has."""
    words = piece.text.split()
    scored = [(difflib.SequenceMatcher(None, other.text.split(), words, autojunk=False).ratio(), -n, other)
              for n, other in enumerate(gone)]  # fmt: skip
    best = max(scored, key=lambda entry: entry[:2], default=None)
    return best[2] if best is not None and best[0] >= ALIKE else None


def as_read(text: str, context: Context) -> str:
    """A piece as the reader sees it: roles resolved, markup taken off; a figure by its caption."""
    figures = context.results.figures

    def caption(match: re.Match[str]) -> str:
        figure = figures.get(match[1])
        if figure is None or match[0] != text.strip():
            return "the figure"
        return f"Figure: {figure.caption if context.edition == 'scientist' else figure.plain}"

    shown = render(re.sub(r"\{fig\}`+([^`]+)`+", caption, text), context).markdown
    shown = re.sub(r"(?m)^\[\^[\w-]+\]: .*$", "", shown)
    shown = unescape(re.sub(r"<[^>]+>", "", re.sub(r"\[\^[\w-]+\]", "", shown)))
    return " ".join(shown.split())
