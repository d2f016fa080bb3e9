"""What is wrong with the bibliography as a whole: duplicates, ids and years that cannot be, keys nobody wrote or uses.

`sources` reports what is wrong with one entry as BibTeX; this compares the entries with each other and with the notes.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.finding import Finding, Severity, did_you_mean, in_order
from pipeline.plan import Plan
from pipeline.plan.topics import words
from pipeline.sources import MEDIA, Source
from pipeline.vault import Vault

_CITE = re.compile(r"\{cite\}(`+)(.+?)\1", re.DOTALL)
_ARXIV = re.compile(
    r"(\d{2})(0[1-9]|1[0-2])\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/(\d{2})(0[1-9]|1[0-2])\d{3}(?:v\d+)?"
)
_ARXIV_LINK = re.compile(r"https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/([^?#]+?)(?:\.pdf)?/?(?:[?#].*)?$")
_DOI = re.compile(r"10\.\d{4,9}/\S+")


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names a source."""

    key: str
    file: str
    line: int


def uses(vault: Vault, plan: Plan, drafts: Path | None = None) -> list[Use]:
    """Every place that names a source: the plan's resources, outlines, and citations in notes and drafts."""
    found = [Use(r.source, note.file, r.line) for r, note, _ in plan.cited() if r.source]
    for week in plan.weeks.values():
        for post in week.posts:
            found += [Use(key, week.note.file, section.line) for section in post.outline for key in section.sources]
    for note in vault.all_notes():
        if "{cite}" in note.text:
            found += _cited(note.text, note.file)
    for path in sorted(drafts.glob("*/*.md")) if drafts is not None else ():
        found += _cited(path.read_text(encoding="utf-8", errors="replace"), f"drafts/{path.parent.name}/{path.name}")
    return found


def _cited(text: str, file: str) -> Iterator[Use]:
    for match in _CITE.finditer(text):
        yield Use(_key(match), file, text.count("\n", 0, match.start()) + 1)


def cited_keys(text: str) -> set[str]:
    """The sources a text cites, by key."""
    return {_key(match) for match in _CITE.finditer(text)}


def _key(citation: re.Match[str]) -> str:
    return re.split(r"[,|]", citation[2])[0].strip()


def check(sources: Mapping[str, Source], used: Iterable[Use], file: str) -> list[Finding]:
    """Findings on a bibliography and its uses, without the network. `file` is what the .bib file is called."""
    used = list(used)
    found = [finding for source in sources.values() for finding in _entry(source, sources, file)]
    found += _duplicates(sources, file)
    keys = set(sources)
    for use in used:
        if use.key not in keys:
            fix = did_you_mean(use.key, keys) or f"add it: forge resource add --key {use.key}"
            message = f"there is no source '{use.key}' in {file}"
            found.append(Finding("sources.unknown", "error", message, use.file, use.line, fix=fix, key=use.key))
    named = {use.key for use in used} | {source.instead for source in sources.values()}
    for source in sources.values():
        if source.key not in named:
            fix = "name it in a note, or take it out"
            found.append(_at(source, file, "unused", "review", "no note names it", fix))
    return in_order(found)


def _at(source: Source, file: str, check: str, severity: Severity, message: str, fix: str) -> Finding:
    text = f"{source.key}: {message}"
    return Finding(f"sources.{check}", severity, text, file, source.line, fix=fix, key=source.key)


def _entry(source: Source, sources: Mapping[str, Source], file: str) -> Iterator[Finding]:
    this_year = datetime.date.today().year
    if source.medium not in MEDIA:
        fix = did_you_mean(source.medium, MEDIA) or f"kinds are {', '.join(MEDIA)}"
        yield _at(source, file, "kind", "error", f"'{source.medium}' is no kind", fix)
    if re.fullmatch(r"\d{4}", source.year) and not 1400 <= int(source.year) <= this_year + 1:
        yield _at(source, file, "year", "error", f"the year {source.year} cannot be", "write the year it appeared")
    if source.doi and not _DOI.fullmatch(source.doi):
        yield _at(source, file, "doi", "error", f"'{source.doi}' is no DOI", "write it like 10.1038/nature14236")
    if source.eprint:
        yield from _arxiv(source, file)
    if source.url and not is_address(source.url):
        yield _at(source, file, "url", "error", f"'{source.url}' is no address", "write it in full: https://…")
    if not source.link and source.medium in MEDIA[2:]:  # papers and books can be found without one
        yield _at(source, file, "no-link", "warning", f"a {source.medium} without an address", "add url = {…}")
    if source.remark:
        fix = f"{source.instead} is the work that was meant" if source.instead else "find the work that was meant"
        yield _at(source, file, "mislabelled", "review", source.remark, fix)
    if source.instead and source.instead not in sources:
        fix = did_you_mean(source.instead, sources) or "add the entry, or take the field out"
        yield _at(source, file, "unknown", "error", f"instead names '{source.instead}', which is no entry", fix)


def is_address(url: str) -> bool:
    """Whether a text is an address of the web, in full."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is no IPv6 address
        return False
    return parts.scheme in ("http", "https") and "." in parts.netloc and not re.search(r"\s", url)


def _arxiv(source: Source, file: str) -> Iterator[Finding]:
    match = _ARXIV.fullmatch(source.eprint)
    if match is None:
        yield _at(source, file, "arxiv", "error", f"'{source.eprint}' is no arXiv id", "write it like 1706.03762")
        return
    short = int(match[1] or match[3])
    posted = 1900 + short if short > 90 else 2000 + short
    elsewhere = not source.venue.startswith("arXiv:")  # printed, and put there years later
    if re.fullmatch(r"\d{4}", source.year) and int(source.year) < posted and not elsewhere:
        message = f"arXiv has {source.eprint} from {posted}, the entry says {source.year}"
        yield _at(source, file, "year", "warning", message, "correct the id or the year")
    linked = _ARXIV_LINK.match(source.url)
    if linked and _bare(linked[1]) != _bare(source.eprint):
        message = f"the address leads to arXiv {linked[1]}, the id is {source.eprint}"
        yield _at(source, file, "arxiv", "error", message, "keep the one that is meant")


def _bare(eprint: str) -> str:
    return re.sub(r"v\d+$", "", eprint)


def _duplicates(sources: Mapping[str, Source], file: str) -> Iterator[Finding]:
    """Entries that are one work: the same DOI, arXiv id, address or title. Each pair is told once."""
    told: set[frozenset[str]] = set()
    marks: tuple[tuple[str, Callable[[Source], str]], ...] = (
        ("DOI", lambda s: s.doi.casefold()),
        ("arXiv id", arxiv_id),
        ("address", lambda s: address(s.url)),
        ("title", lambda s: words(s.title) if len(words(s.title).split()) > 2 else ""),
    )
    for what, mark in marks:
        first: dict[str, Source] = {}
        for source in sources.values():
            value = mark(source)
            other = first.setdefault(value, source) if value.strip() else source
            pair = frozenset((source.key, other.key))
            if other is not source and pair not in told:
                told.add(pair)
                fix = f"keep one of the two and name it in the notes; {other.key} is on line {other.line}"
                yield _at(source, file, "duplicate", "warning", f"has the {what} of {other.key}", fix)


def arxiv_id(source: Source) -> str:
    """The arXiv id of a source, from its eprint or its address; '' where it has none."""
    linked = _ARXIV_LINK.match(source.url)
    return _bare(source.eprint or (linked[1] if linked else "")).casefold()


def address(url: str) -> str:
    """An address as two entries are compared by it: no scheme, no www, no closing slash."""
    return re.sub(r"^https?://(?:www\.)?", "", url.strip(), flags=re.IGNORECASE).rstrip("/")


def same_work(source: Source, sources: Mapping[str, Source]) -> tuple[str, str] | None:
    """(key, what they share) of an entry that is the same work, if there is one."""
    for other in sources.values():
        if source.doi and source.doi.casefold() == other.doi.casefold():
            return other.key, "DOI"
        if arxiv_id(source) and arxiv_id(source) == arxiv_id(other):
            return other.key, "arXiv id"
        if source.url and address(source.url) == address(other.url):
            return other.key, "address"
        if source.title and words(source.title) == words(other.title):
            return other.key, "title"
    return None
