"""The vault: a folder of Obsidian notes, read only. Links resolve as in Obsidian; embeds expand; problems are findings.

A note is read when it is first asked for and kept. Nothing here fails on a bad file: what cannot be read is an empty
note with a finding, and the rest of the vault works on.
"""

from __future__ import annotations

import gc
import os
import posixpath
import re
import stat
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from pipeline import yamlmap
from pipeline.embeds import circles, sizes
from pipeline.finding import Finding, did_you_mean, in_order
from pipeline.markdown import Block, Document, Section, Span, front_matter, parse, skim
from pipeline.obsidian import LINK, link_parts, link_text

LARGEST = 2_000_000
"""Bytes beyond which a note is not read."""
_MOST_EMBEDS = 1000
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|<%.*%>")
"""What a template leaves to be filled in: Obsidian's own form and Templater's."""

LinkText = Callable[[Mapping[str, str], "Note | None"], str]
"""Writes a link of an expanded note: the link's parts and the note it leads to (None where there is none)."""


@dataclass(frozen=True)
class Note:
    """One note. `path` is relative to the vault, `file` as findings name it; `trouble` is what reading it found."""

    path: str
    file: str
    text: str
    trouble: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """What a link calls the note: the file's name without `.md`."""
        return posixpath.basename(self.path).removesuffix(".md")

    @cached_property
    def document(self) -> Document:
        """The parsed text."""
        return parse(self.text)

    @cached_property
    def skimmed(self) -> Document:
        """The text, parsed as far as links, ids and headings go."""
        return self.__dict__.get("document") or skim(self.text)

    @cached_property
    def properties(self) -> yamlmap.Mapped:
        """The YAML properties with the line of each key."""
        return yamlmap.load(front_matter(self.text) or "", self.file, 2)

    @cached_property
    def aliases(self) -> tuple[str, ...]:
        """The other names the properties give the note."""
        data = self.properties.data
        given = (data.get("aliases") or data.get("alias") or []) if isinstance(data, dict) else []
        return tuple(str(alias) for alias in (given if isinstance(given, list) else [given]))

    @cached_property
    def body(self) -> int:
        """The offset at which the text after the properties begins."""
        front = [block for block in self.skimmed.blocks[:1] if block.kind == "front_matter"]
        start = front[0].end if front else 0
        return start + len(self.text[start:]) - len(self.text[start:].lstrip("\ufeff\r\n"))

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All sections in order, those within others included."""
        return tuple(section for top in self.skimmed.sections() for section in top.walk())

    def section(self, heading: str) -> Section | None:
        """The section with this heading (`H1#H2` names an H2 within H1), compared as Obsidian does, or by its id."""
        found: Section | None = None
        for wanted in heading.split("#"):
            name = plain_heading(wanted)
            among = self.sections if found is None else tuple(found.walk())[1:]
            matches = (s for s in among if plain_heading(s.title) == name or s.id == wanted.strip())
            found = next(matches, None)
            if found is None:
                return None
        return found

    def block(self, name: str) -> Block | None:
        """The block with this ``^id``."""
        wanted = name.casefold()
        return next((b for b in self.skimmed.blocks if b.block_id.casefold() == wanted), None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the file itself and its properties."""
        found = [*self.trouble, *self.properties.findings]
        if front_matter(self.text) is None and re.match(r"\ufeff?---[ \t]*\r?\n[\w-]+:", self.text):
            message = "the properties have no end"
            found.append(Finding("vault.open-properties", "error", message, self.file, 1, fix="close them with ---"))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads: a stretch of a note, or a file that is no note. `problem` has no place of its own yet."""

    note: Note | None
    start: int = 0
    end: int = 0
    margin: int = 0
    file: str = ""
    problem: Finding | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of expanded text that stands in `note` (vault path) from `line` on, line by line."""

    text: str
    note: str
    line: int


@dataclass(frozen=True)
class Expansion:
    """A note with its embeds in place."""

    text: str
    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...] = field(default=())

    def place(self, offset: int) -> tuple[str, int]:
        """(note, line) of an offset in `text`: where in the vault a quoted word stands."""
        if not self.segments:
            return "", 0
        segment = self.segments[max(0, bisect_right(self._starts, offset) - 1)]
        start = self._starts[max(0, bisect_right(self._starts, offset) - 1)]
        return segment.note, segment.line + segment.text.count("\n", 0, max(0, offset - start))

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for segment in self.segments:
            starts.append(at)
            at += len(segment.text)
        return starts


@dataclass
class Vault:
    """All notes under `root`; see `Vault.load`."""

    root: Path
    prefix: str
    notes: tuple[str, ...]
    files: tuple[str, ...]
    subset: tuple[str, ...]
    _kept: dict[str, Note] = field(default_factory=dict, repr=False)
    asked: set[str] = field(default_factory=set, repr=False)
    """The notes asked for so far: what an answer made from this vault rests on."""

    @classmethod
    def load(cls, root: Path, subset: Iterable[str] | None = None) -> Vault:
        """The vault in folder `root`. Files are listed now and read when needed.

        `subset` (note paths or folders, relative to the vault) limits what `check` looks at by default; links may
        lead anywhere in the vault. Findings name files from the folder that holds the vault: `notes/plan/week-01.md`.
        """
        notes: list[str] = []
        files: list[str] = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            inside = Path(folder).relative_to(root).as_posix()
            for name in sorted(names):
                if not name.startswith("."):
                    path = name if inside == "." else f"{inside}/{name}"
                    (notes if name.lower().endswith(".md") else files).append(path)
        chosen = tuple(path.strip("/") for path in subset) if subset is not None else ("",)
        return cls(root, root.resolve().name, tuple(notes), tuple(files), chosen)

    def file(self, path: str) -> str:
        """A vault path as findings name it; bytes in a name that are no text show as �."""
        return f"{self.prefix}/{path}".encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def note(self, path: str) -> Note:
        """The note at a vault path, read at most once. A note that cannot be read is empty and carries a finding."""
        self.asked.add(path)
        return self.glance(path)

    def glance(self, path: str) -> Note:
        """A note that is only compared with: `asked` does not count it."""
        if path not in self._kept:
            text, trouble = _read(self.root / path, self.file(path))
            self._kept[path] = Note(path, self.file(path), text, trouble)
        return self._kept[path]

    def all_notes(self) -> Iterator[Note]:
        """Every note in turn."""
        return (self.note(path) for path in self.notes)

    # Links

    def find(self, target: str, source: str = "") -> tuple[list[str], bool]:
        """Paths a link target may mean, best first, and whether the best one is the only reasonable choice.

        As in Obsidian: the path from the vault's root; else any note whose path ends so, the source's folder first,
        then the shortest path; else a note with that alias; else a file that is no note. Case does not matter.
        """
        if target.startswith(("./", "../")):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        key = _key(target).strip("/")
        folder = posixpath.dirname(source)
        for index in (self._note_index, self._file_index):
            exact = [path for path in index.get(posixpath.basename(key), ()) if _key(path) == key]
            if exact:
                return exact[:1], True
            ending = [path for path in index.get(posixpath.basename(key), ()) if f"/{_key(path)}".endswith(f"/{key}")]
            if ending:
                ranked = sorted(ending, key=lambda p: (posixpath.dirname(p) != folder, p.count("/"), p))
                near = [path for path in ranked if posixpath.dirname(path) == folder]
                return ranked, len(ranked) == 1 or len(near) == 1
            self.asked.update(self.notes)  # any of them may give itself that name
            if index is self._note_index and key in self._alias_index:
                named = self._alias_index[key]
                return named, len(named) == 1
        return [], True

    def resolve(self, link: str | Mapping[str, str], source: Note | str = "") -> Target:
        """Where a link leads: ``[[note#heading]]``, the text inside the brackets, or a span's data."""
        if isinstance(link, str):
            match = LINK.fullmatch(link.strip())
            link = link_parts(match[1] if match else link)
        here = source if isinstance(source, Note) else self.note(source) if source in self.notes else None
        if not link["target"]:
            if here is None:
                message = f"the link '{_written(link)}' names no note"
                return Target(
                    None, problem=_problem("vault.missing-note", message, "write the note's name before the #")
                )
            return self._within(here, link)
        paths, clear = self.find(link["target"], here.path if here else "")
        if not paths and _PLACEHOLDER.search(link["target"]):
            message = f"the placeholder {link['target']} was not filled in"
            fix = "write the note's name, unless this note is a template"
            problem = Finding("vault.placeholder", "review", message, fix=fix, key=link["target"])
            return Target(None, problem=problem)
        if not paths:
            names = {Path(path).stem for path in self.notes} | set(self._alias_names)
            names |= {path.removesuffix(".md") for path in self.notes} if "/" in link["target"] else set()
            names |= {posixpath.basename(path) for path in self.files} if "." in link["target"] else set()
            fix = (
                did_you_mean(link["target"], sorted(names))
                or f"write {self.file(link['target'])}.md or correct the link"
            )
            message = f"there is no note '{link['target']}'"
            return Target(None, problem=_problem("vault.missing-note", message, fix, link["target"]))
        if paths[0] in self._file_set:
            return Target(None, file=paths[0])
        found = self._within(self.note(paths[0]), link)
        if not clear and found.problem is None:
            rivals = ", ".join(path.removesuffix(".md") for path in paths)
            message = f"'{link['target']}' may mean {rivals}; {paths[0].removesuffix('.md')} is taken"
            fix = f"write [[{paths[0].removesuffix('.md')}]] or the one that is meant"
            found = replace(found, problem=_problem("vault.ambiguous-link", message, fix, link["target"]))
        return found

    def _within(self, note: Note, link: Mapping[str, str]) -> Target:
        """The stretch of a note that a link's heading or block id names."""
        if link["heading"]:
            section = note.section(link["heading"])
            if section is not None:
                return Target(note, section.start, section.end)
            near = did_you_mean(link["heading"], [s.title for s in note.sections])
            message, fix = f"{note.path} has no heading '{link['heading']}'", near or "correct the link or the heading"
            return Target(note, problem=_problem("vault.missing-heading", message, fix, link["heading"]))
        if link["block"]:
            block = note.block(link["block"])
            if block is not None:
                return Target(note, block.start, block.end, note.skimmed.position(block.start)[1] - 1)
            near = did_you_mean(link["block"], [b.block_id for b in note.skimmed.blocks if b.block_id])
            message = f"{note.path} has no block ^{link['block']}"
            fix = near or f"write ^{link['block']} at the end of the block that is meant"
            return Target(note, problem=_problem("vault.missing-block", message, fix, link["block"]))
        return Target(note, note.body, len(note.text))

    @cached_property
    def _note_index(self) -> dict[str, list[str]]:
        return _by_name(self.notes)

    @cached_property
    def _file_index(self) -> dict[str, list[str]]:
        return _by_name(self.files)

    @cached_property
    def _file_set(self) -> frozenset[str]:
        return frozenset(self.files)

    @cached_property
    def _alias_names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for note in self.all_notes():
            # Parsing every note to learn that it has no alias would cost more than everything else.
            if note.text[:4].lstrip("\ufeff").startswith("---") and "alias" in note.text[:4000].lower():
                for alias in note.aliases:
                    names.setdefault(alias, []).append(note.path)
        return names

    @cached_property
    def _alias_index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for alias, paths in self._alias_names.items():
            index.setdefault(_key(alias), []).extend(paths)
        return index

    # Expanding

    def expand(self, note: Note | str | Target, section: str = "", link: LinkText | None = None) -> Expansion:
        """The Markdown of a note, of its `section` ("Heading" or "^block") or of a resolved target, fit for a reader.

        Embedded notes stand in place of their embeds, images and other files stay as embeds; comments and block ids
        are gone; links are plain text (or what `link` makes of them); ``==marks==`` are strong; code is untouched.
        """
        if isinstance(note, Target):
            target = note
        else:
            note = note if isinstance(note, Note) else self.note(note)
            name = section.strip().removeprefix("#").strip()
            target = self._within(note, link_parts(f"#{name}") if name else link_parts(""))
        if target.note is None or (target.problem and target.end <= target.start):
            found = replace(target.problem, file=target.note.file if target.note else None) if target.problem else None
            return Expansion("", (), (found,) if found else ())
        work = _Expander(self, link)
        parts = _trimmed(work.stretch(target.note, target.start, target.end, target.margin, (), ""))
        segments = _merged(parts)
        return Expansion("".join(s.text for s in segments), segments, tuple(in_order(work.findings)))

    def glossary(self, path: str = "glossary.md") -> dict[str, str]:
        """The terms of the glossary note: each paragraph that begins with a term in bold, and what follows it."""
        terms: dict[str, str] = {}
        document = (self.note(path) if path in self.notes else Note(path, path, "")).document
        for block in document.blocks:
            spans = document.spans_of(block)
            if block.kind == "paragraph" and len(spans) > 2 and spans[0].data.get("of") == "strong":
                term, prose = spans[1].text, document.prose(block)
                terms[term.strip(": ")] = prose[len(term) :].lstrip(" :–—-")
        return terms

    # Checking

    def check(self, paths: Iterable[str] | None = None) -> list[Finding]:
        """What is wrong in the vault, or only in the notes and folders of `paths` (default: the subset of `load`)."""
        chosen = tuple(paths) if paths is not None else self.subset
        found: list[Finding] = []
        looked_at: list[str] = []
        with _no_collection():
            for path in self.notes:
                if any(not part or path == part or path.startswith(f"{part}/") for part in chosen):
                    found += self._check(self.note(path))
                    looked_at.append(path)
            found += self._embed_troubles(looked_at)
        return in_order(found)

    def _embed_troubles(self, paths: Iterable[str]) -> Iterator[Finding]:
        """Embeds that lead back to themselves, and those that would multiply, in some notes and all they embed."""
        spans: dict[tuple[str, int], tuple[Note, Span, Target]] = {}
        waiting, seen = list(paths), set(paths)
        inside: dict[str, list[tuple[str, int]]] = {}
        while waiting:
            note = self.note(waiting.pop())
            inside[note.path] = []
            for span in note.skimmed.spans:
                target = self.resolve(span.data, note) if span.kind == "embed" and span.leaf else None
                if target is not None and target.note is not None and target.end > target.start:
                    spans[note.path, span.start] = (note, span, target)
                    inside[note.path].append((note.path, span.start))
                    if target.note.path not in seen:
                        seen.add(target.note.path)
                        waiting.append(target.note.path)
        leads = {
            embed: [other for other in inside[t.note.path] if t.start <= other[1] < t.end]
            for embed, (_, _, t) in spans.items()
            if t.note is not None
        }
        for way in circles(leads):
            note, span, _ = spans[way[0]]
            chain = " → ".join(path for path, _ in way)
            fix = "remove one of the embeds"
            yield _placed(_problem("vault.embed-cycle", f"the embed leads back to itself: {chain}", fix), note, span)
        for embed, size in sizes(leads, _MOST_EMBEDS + 1).items():
            if size > _MOST_EMBEDS:
                note, span, _ = spans[embed]
                message, fix = f"it stands for more than {_MOST_EMBEDS} embeds", "embed less, link more"
                yield _placed(_problem("vault.too-many-embeds", message, fix), note, span)

    def _check(self, note: Note) -> list[Finding]:
        found = list(note.findings)
        document = note.skimmed
        labels = {block.data["label"] for block in document.blocks if block.kind == "footnote"}
        for span in document.spans:
            if span.kind in ("wikilink", "embed"):
                target = self.resolve(span.data, note)
                if target.problem:
                    found.append(_placed(target.problem, note, span))
            elif span.kind == "footnote_ref" and span.data["label"] not in labels:
                message = f"the footnote {span.text} is written nowhere"
                fix = did_you_mean(span.data["label"], labels) or f"write `{span.text}: …` on a line of its own"
                found.append(_placed(_problem("vault.missing-footnote", message, fix, span.text), note, span))
            elif span.kind == "comment" and not span.data["closed"]:
                message, fix = (
                    "a comment that never ends hides the rest of its paragraph",
                    "close it with %% or write \\%%",
                )
                found.append(_placed(_problem("vault.open-comment", message, fix), note, span))
        first: dict[str, Block] = {}
        for block in document.blocks:
            if block.block_id and first.setdefault(block.block_id.casefold(), block) is not block:
                line = first[block.block_id.casefold()].end_line
                message = f"the block id ^{block.block_id} was already used on line {line}"
                problem = _problem("vault.duplicate-block", message, "rename one of the two", block.block_id)
                found.append(replace(problem, file=note.file, line=block.end_line))
        return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Parsing makes many objects that all stay; the garbage collector walking them again and again costs 40 %."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def plain_heading(title: str) -> str:
    """A heading as links compare it: no markup or punctuation, single spaces, no case."""
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", title)).split()).casefold()


_WIDE = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""The marks with which files in wide characters begin."""


def _read(path: Path, file: str) -> tuple[str, tuple[Finding, ...]]:
    """The text of a file and what is wrong with it."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            message, fix = "is no file but a pipe, a socket or a device", "move it out of the vault"
            return "", (Finding("vault.unreadable", "error", message, file, fix=fix),)
        size = found.st_size
        if size > LARGEST:
            message, fix = (
                f"{size} bytes are too much for a note; it is taken as empty",
                "split it, or move data elsewhere",
            )
            return "", (Finding("vault.too-large", "warning", message, file, fix=fix),)
        data = path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        return "", (Finding("vault.unreadable", "error", message, file, fix="check the file and its permissions"),)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        wide = next((name for mark, name in _WIDE.items() if data.startswith(mark)), "")
        line = None if wide else data.count(b"\n", 0, error.start) + 1
        text = data.decode(wide or "utf-8", "replace")
        message = f"is {wide.upper()}, not UTF-8" if wide else f"is not UTF-8 (byte 0x{data[error.start]:02x})"
        return text, (Finding("vault.encoding", "error", message, file, line, fix="save it as UTF-8"),)


def _key(name: str) -> str:
    """A path or name as links compare it."""
    return unicodedata.normalize("NFC", name).casefold().removesuffix(".md")


def _by_name(paths: Iterable[str]) -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for path in paths:
        index.setdefault(posixpath.basename(_key(path)), []).append(path)
    return index


def _written(link: Mapping[str, str]) -> str:
    block = f"#^{link['block']}" if link["block"] else ""
    heading = f"#{link['heading']}" if link["heading"] else ""
    return f"[[{link['target']}{heading}{block}]]"


def _problem(check: str, message: str, fix: str = "", key: str = "") -> Finding:
    return Finding(check, "error", message, fix=fix, key=key)


def _placed(problem: Finding, note: Note, span: Span) -> Finding:
    """A problem at its place. A link that fails costs a reader a click, an embed its text: only that is an error."""
    weak = span.kind in ("wikilink", "footnote_ref") and problem.severity == "error"
    severity = "warning" if weak else problem.severity
    return replace(problem, severity=severity, file=note.file, line=span.line, column=span.column, sentence=span.text)


# A part of an expansion: text, note, line.
_Part = tuple[str, str, int]


class _Expander:
    """Writes one expansion; `findings` gathers what went wrong on the way."""

    def __init__(self, vault: Vault, link: LinkText | None) -> None:
        self.vault = vault
        self.link = link
        self.findings: list[Finding] = []
        self.embeds = 0

    def stretch(
        self, note: Note, start: int, end: int, margin: int, inside: tuple[tuple[str, int], ...], label: str
    ) -> list[_Part]:
        """The parts of a stretch of a note, and the footnotes that it uses and that are written elsewhere in the note.

        `margin` is the width of the list or quote marks to take off continued lines; `inside` the embeds (note,
        offset) this stretch is within; `label` goes before footnote labels, so that those of two notes stay apart.
        """
        parts = self.replaced(note, start, end, margin, inside, label)
        spans, used = note.document.spans, set[str]()
        written = {b.data["label"]: b for b in note.document.blocks if b.kind == "footnote"}
        stretches = [(start, end)]
        while written and stretches:
            low, high = stretches.pop(0)
            refs = (s.data["label"] for s in spans if s.kind == "footnote_ref" and low <= s.start < high)
            for name in dict.fromkeys(refs):
                block = written.get(name)
                if name not in used and block and not start <= block.start < end:
                    used.add(name)
                    stretches.append((block.start, block.end))
                    below = self.replaced(note, block.start, block.end, 0, inside, label)
                    parts = [*_trimmed(parts), ("\n\n", note.path, max(1, block.line - 2)), *below]
        return parts

    def replaced(
        self, note: Note, start: int, end: int, margin: int, inside: tuple[tuple[str, int], ...], label: str
    ) -> list[_Part]:
        """The parts of a stretch with its edits made."""
        parts: list[_Part] = []
        at = start
        for begin, stop, new in sorted(
            self.edits(note, start, end, margin, inside, label), key=lambda e: (e[0], -e[1])
        ):
            if begin < at:
                if stop > at and not new:
                    at = stop
                continue
            parts += self.verbatim(note, at, begin)
            parts += new
            at = stop
        return parts + self.verbatim(note, at, end)

    def verbatim(self, note: Note, start: int, end: int) -> list[_Part]:
        if end <= start:
            return []
        text = note.text[start:end].replace("\r\n", "\n").replace("\r", "\n")
        return [(text, note.path, note.document.position(start)[0])]

    def edits(
        self, note: Note, start: int, end: int, margin: int, inside: tuple[tuple[str, int], ...], label: str
    ) -> Iterator[tuple[int, int, list[_Part]]]:
        """What to replace in a stretch: (start, end, new parts)."""
        text, document = note.text, note.document
        spans = [span for span in document.spans if start <= span.start < end and span.leaf]
        weak = _marks_to_drop(spans)
        for span in spans:
            if span.kind == "comment":
                yield *_without_lines(text, span.start, span.end, start), []
            elif span.kind == "block_id":
                begin = span.start
                while begin > start and text[begin - 1] in " \t":
                    begin -= 1
                yield *_without_lines(text, begin, span.end, start), []
            elif span.kind == "wikilink":
                target = self.vault.resolve(span.data, note)
                if target.problem:
                    self.findings.append(_placed(target.problem, note, span))
                shown = self.link(span.data, target.note) if self.link else link_text(span.data)
                yield span.start, span.end, [(shown, note.path, span.line)]
            elif span.kind == "embed":
                new = self.embed(note, span, inside)
                if new is not None:
                    begin, stop = span.start, span.end
                    if new and new[0][0].startswith("\n"):  # blocks of their own: the line around ends and begins anew
                        begin -= len(text[start:begin]) - len(text[start:begin].rstrip(" \t"))
                        stop += len(text[stop:end]) - len(text[stop:end].lstrip(" \t"))
                    yield begin, stop, new
            elif span.kind == "marker" and span.data["of"] == "mark":
                yield span.start, span.end, [("" if span.start in weak else "**", note.path, span.line)]
            elif span.kind == "footnote_ref" and label:
                yield span.start, span.end, [(f"[^{label}{span.data['label']}]", note.path, span.line)]
        for block in document.blocks:
            if block.kind == "comment" and start <= block.start < end:
                yield *_without_lines(text, block.start, min(block.end, end), start), []
            elif block.kind == "footnote" and label and start <= block.start < end:
                yield block.start + 2, block.start + 2, [(label, note.path, block.line)]
        if margin:
            for match in re.finditer(rf"(?<=[\r\n])[ \t>]{{1,{margin}}}", text[start:end]):
                yield start + match.start(), start + match.end(), []

    def embed(self, note: Note, span: Span, inside: tuple[tuple[str, int], ...]) -> list[_Part] | None:
        """What stands in place of an embed; None where it stays as it is (an image or another file)."""
        target = self.vault.resolve(span.data, note)
        if target.file or (target.problem and _is_picture(span.data["target"])):
            return None
        if target.problem:
            self.findings.append(_placed(target.problem, note, span))
        if target.note is None or target.end <= target.start:
            return []
        here = (*inside, (note.path, span.start))
        self.embeds += 1
        if any(path == target.note.path and target.start <= offset < target.end for path, offset in here):
            chain = " → ".join([*(path for path, _ in here), target.note.path])
            problem = _problem(
                "vault.embed-cycle", f"the embed leads back to itself: {chain}", "remove one of the embeds"
            )
            self.findings.append(_placed(problem, note, span))
            return []
        if self.embeds > _MOST_EMBEDS:
            problem = _problem("vault.too-many-embeds", f"more than {_MOST_EMBEDS} embeds", "embed less, link more")
            self.findings.append(_placed(problem, note, span))
            return []
        label = f"{re.sub(r'[^a-z0-9]+', '-', target.note.name.lower()).strip('-')}-"
        parts = self.stretch(target.note, target.start, target.end, target.margin, here, label)
        return _fitted(_trimmed(parts), note.text, span)


def _is_picture(target: str) -> bool:
    return target.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".pdf", ".mp4", ".webm"))


def _without_lines(text: str, start: int, end: int, floor: int) -> tuple[int, int]:
    """The range to cut so that what goes takes its line along where it stands alone, and a space where it does not."""
    line = max(floor, text.rfind("\n", 0, start) + 1)
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    if not text[line:start].strip(" \t>") and not text[end:stop].strip():
        after = stop + 1
        blank_before = not text[floor:line].strip() or text[floor:line].endswith(("\n\n", "\n\r\n"))
        while blank_before and text[after : after + 1] in ("\n", "\r"):
            after += 1
        return line, min(after, len(text))
    spaced = start == floor or text[start - 1] in " \t\n"
    return start, end + (1 if spaced and text[end : end + 1] == " " else 0)


def _marks_to_drop(spans: Iterable[Span]) -> set[int]:
    """The starts of ``==`` that cannot become ``**`` because something strong is around or within."""
    drop: set[int] = set()
    strong, opened, clean = 0, -1, True
    for span in spans:
        if span.kind != "marker":
            continue
        if span.data["of"] == "strong":
            strong += 1 if span.data["open"] else -1
            clean = False
        elif span.data["of"] == "mark" and span.data["open"]:
            opened, clean = span.start, strong == 0
        elif span.data["of"] == "mark" and not clean:
            drop |= {opened, span.start}
    return drop


def _fitted(parts: list[_Part], text: str, span: Span) -> list[_Part]:
    """Embedded parts fitted to where they go: in the line, or as blocks of their own behind the marks of the line."""
    line = text.rfind("\n", 0, span.start) + 1
    stop = text.find("\n", span.end)
    before, after = text[line : span.start], text[span.end : len(text) if stop < 0 else stop]
    several = any("\n" in part for part, _, _ in parts)
    alone = not re.sub(r"^[\s>]*(?:(?:[-+*]|\d+[.)])\s+)*(?:\[.\]\s+)?", "", before).strip() and not after.strip()
    if not several or not parts:
        return parts
    marks = re.match(r"[\s>]*(?:(?:[-+*]|\d+[.)])\s+)*", before)
    prefix = re.sub(r"[^>\s]", " ", marks[0] if marks else "")
    ends = {None: f"\n{prefix}", "\n": f"\n{prefix.rstrip()}"}  # of a line; of a line before a blank one
    fitted = [(re.sub(r"\n(?=(\n)?)", lambda m: ends[m[1]], piece), name, number) for piece, name, number in parts]
    if alone:
        return fitted
    gap = f"\n{prefix.rstrip()}\n{prefix}"
    _, first_note, first_line = fitted[0]
    last_note, last_line = fitted[-1][1], fitted[-1][2] + fitted[-1][0].count("\n")
    return [(gap, first_note, first_line), *fitted, (gap, last_note, last_line)]


def _trimmed(parts: list[_Part]) -> list[_Part]:
    """Parts without blank lines at the beginning and white space at the end."""
    parts = list(parts)
    while parts:
        text, note, line = parts[0]
        kept = re.sub(r"\A(?:[ \t]*\n)+", "", text)
        if kept:
            parts[0] = (kept, note, line + text.count("\n") - kept.count("\n"))
            break
        parts.pop(0)
    while parts and not parts[-1][0].rstrip():
        parts.pop()
    if parts:
        text, note, line = parts[-1]
        parts[-1] = (text.rstrip(), note, line)
    return parts


def _merged(parts: Iterable[_Part]) -> tuple[Segment, ...]:
    """Parts as segments: neighbours are joined where one continues the lines of the other."""
    segments: list[Segment] = []
    pieces: list[str] = []
    begin: tuple[str, int] | None = None
    line = 0
    for text, note, number in parts:
        if not text:
            continue
        if begin is not None and (begin[0] != note or number != line):
            segments.append(Segment("".join(pieces), *begin))
            begin = None
        if begin is None:
            begin, pieces, line = (note, number), [], number
        pieces.append(text)
        line += text.count("\n")
    if begin is not None:
        segments.append(Segment("".join(pieces), *begin))
    return tuple(segments)
