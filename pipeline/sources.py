"""The sources a post may cite: `notes/references.bib`, read with bibtexparser, LaTeX accents and braces decoded."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.finding import Finding, Severity, did_you_mean, in_order

MEDIA = ("paper", "book", "course", "video", "tool", "blog", "dataset", "site")
_MEDIUM = {
    **dict.fromkeys(("article", "inproceedings", "incollection", "conference", "phdthesis", "techreport"), "paper"),
    **dict.fromkeys(("mastersthesis", "unpublished", "thesis", "report"), "paper"),
    **dict.fromkeys(("book", "inbook"), "book"),
    "software": "tool",
    "dataset": "dataset",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One entry. `authors` read "Richard S. Sutton", `families` hold the names they are sorted by, in the same order.

    `venue` is the journal, the proceedings, the publisher or the school, whichever the entry has first. `medium` is
    what it is to a reader (one of `MEDIA`); `eprint` an arXiv id; `remark` says what is wrong with the link as it was
    given, `instead` names the entry that was meant. `topics` are its keywords, `fields` the names of all fields it has.
    """

    key: str
    kind: str
    authors: tuple[str, ...]
    families: tuple[str, ...]
    title: str
    year: str
    venue: str = ""
    publisher: str = ""
    edition: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    url: str = ""
    doi: str = ""
    line: int = 0
    medium: str = ""
    eprint: str = ""
    remark: str = ""
    instead: str = ""
    topics: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The source in running text: Sutton and Barto (2018), or Silver et al. (2017) for more than two authors."""
        names = self.families
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        return f"{who} ({self.year})" if who and self.year else who or self.title

    @property
    def link(self) -> str:
        """Where the source can be found, its DOI first; empty where the entry says nothing."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


def load_sources(path: Path, file: str | None = None) -> tuple[dict[str, Source], list[Finding]]:
    """The sources of a .bib file by key, and what is wrong with it. Findings call it `file`: "notes/references.bib"."""
    file = file or f"{path.parent.name}/{path.name}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        fix = f"write the sources of the notes to {file} as BibTeX"
        return {}, [Finding("sources.missing", "error", "the file does not exist", file, fix=fix)]
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        return {}, [Finding("sources.encoding", "error", "is not UTF-8", file, line, fix="save it as UTF-8")]
    except OSError as error:
        return {}, [Finding("sources.unreadable", "error", f"cannot be read: {error.strerror}", file, fix="check it")]
    return parse_sources(text, file)


def parse_sources(text: str, file: str | None = None) -> tuple[dict[str, Source], list[Finding]]:
    """The sources in BibTeX `text` by key, and findings with the line of each entry that cannot be used as it is."""
    # bibtexparser and pylatexenc take longer to import than the file takes to read.
    from bibtexparser import parse_string
    from bibtexparser.model import Entry, ImplicitComment, ParsingFailedBlock

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # its complaints are findings here
    library = parse_string(text)
    sources: dict[str, Source] = {}
    findings: list[Finding] = []
    for block in library.blocks:
        line = int(block.start_line or 0) + 1
        if isinstance(block, Entry):
            source = _source(block, line)
            findings += _gaps(source, block, file)
            if source.key:
                sources[source.key] = source
        elif isinstance(block, ParsingFailedBlock):
            findings.append(_broken(block, line, file, sources))
        elif isinstance(block, ImplicitComment) and re.search(r"^\s*@?\w+\s*\{", str(block.comment), re.MULTILINE):
            message, fix = "text that looks like an entry but is none", "begin it with @ and its kind: @article{key,"
            findings.append(Finding("sources.malformed", "error", message, file, line, fix=fix))
    return sources, in_order(findings)


def format_reference(source: Source, where: str = "") -> str:
    """The Markdown of a reference: authors, title, venue, year, the place in it (`where`), and a link."""
    parts = [_escaped(_listed(source.authors))] if source.authors else []
    article = source.kind in ("article", "inproceedings", "incollection", "conference")
    title = _escaped(source.title)
    parts.append(f"“{title}”" if article else f"*{title}*")
    if source.edition:
        parts.append(f"{_ordinal(source.edition)} edition")
    if source.venue:
        number = f"({source.number})" if source.number and source.volume else source.number
        volume = f" {source.volume}{number}" if source.volume else f" {number}" if number else ""
        venue = _escaped(source.venue)
        parts.append(f"*{venue}*{volume}" if article else f"{venue}{volume}")
    if source.pages:
        parts.append(f"pp. {source.pages}" if re.search(r"\D", source.pages) else f"p. {source.pages}")
    if source.year:
        parts.append(source.year)
    if where.strip():
        parts.append(_escaped(where.strip()))
    text = ", ".join(part for part in parts if part) + "."
    if source.doi:
        return f"{text} [doi:{_escaped(source.doi)}](<{_address(source.link)}>)"
    return f"{text} <{_address(source.url)}>" if source.url else text


def _source(entry: Any, line: int) -> Source:
    """A bibtexparser entry as a source."""
    fields = {field.key.lower(): str(field.value).strip() for field in entry.fields}

    def plain(*names: str) -> str:
        return next((decoded(fields[name]) for name in names if fields.get(name)), "")

    people = _people(fields.get("author") or fields.get("editor") or "")
    url, venue = (
        fields.get("url", ""),
        plain("journal", "journaltitle", "booktitle", "publisher", "school", "institution"),
    )
    eprint = fields.get("eprint", "")
    if eprint and "arxiv" in (fields.get("archiveprefix", "") + fields.get("eprinttype", "")).lower():
        url, venue = url or f"https://arxiv.org/abs/{eprint}", venue or f"arXiv:{eprint}"
    doi = re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:)", "", fields.get("doi", ""), flags=re.IGNORECASE)
    return Source(
        key=str(entry.key or ""),
        kind=str(entry.entry_type).lower(),
        authors=tuple(" ".join(part for part in name if part) for name in people),
        families=tuple(f"{von} {last}".strip() for _, von, last, _ in people),
        title=plain("title") + (f": {plain('subtitle')}" if fields.get("subtitle") else ""),
        year=plain("year") or plain("date")[:4],
        venue=venue or plain("howpublished", "organization"),
        publisher=plain("publisher"),
        edition=plain("edition"),
        volume=plain("volume"),
        number=plain("number", "issue"),
        pages=plain("pages"),
        url=re.sub(r"\\([_%#&])", r"\1", url),
        doi=re.sub(r"\\([_%#&])", r"\1", doi),
        line=line,
        medium=fields.get("kind", "") or _MEDIUM.get(str(entry.entry_type).lower(), "paper" if eprint else "site"),
        eprint=eprint,
        remark=plain("remark"),
        instead=fields.get("instead", ""),
        topics=tuple(word.strip() for word in plain("keywords").split(",") if word.strip()),
        fields=tuple(fields),
    )


def _people(text: str) -> list[tuple[str, str, str, str]]:
    """(first, von, last, jr) of each author, decoded."""
    from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names

    people = []
    for name in split_multiple_persons_names(text) if text else ():
        try:
            parts = parse_single_name_into_parts(name, strict=False)
            found = (parts.first, parts.von, parts.last, parts.jr)
        except ValueError:
            found = ([], [], [name], [])
        first, von, last, jr = (decoded(" ".join(part)) for part in found)
        people.append((first, von, last, jr))
    return people


def decoded(text: str) -> str:
    r"""A BibTeX value as plain text: ``Szepesv{\'a}ri`` becomes Szepesvári, protecting braces go, dashes are real."""
    if "\\" in text or "$" in text:
        from pylatexenc.latex2text import LatexNodes2Text  # type: ignore[import-untyped]

        # Mathematics stays TeX: the site renders it.
        text = str(LatexNodes2Text(math_mode="verbatim").latex_to_text(text))
    else:
        text = text.replace("---", "—").replace("--", "–").replace("``", "“").replace("''", "”")
    return " ".join(re.sub(r"[{}]", "", text.replace("~", " ")).split())


def _gaps(source: Source, entry: Any, file: str | None) -> list[Finding]:
    """What a citation of the source would lack."""
    if not source.key:
        message, fix = f"an @{source.kind} without a key", "give it one: @article{sutton2018,"
        return [Finding("sources.no-key", "error", message, file, source.line, fix=fix)]
    found = []
    names = [field.key.lower() for field in entry.fields]
    for name, value in (("title", source.title), ("author", source.authors), ("year", source.year)):
        if not value:
            near = did_you_mean(name, [other for other in names if other != name])
            message = f"{source.key} has no {name}"
            fix = f"the entry has another field: {near}" if near else f"add {name} = {{…}}"
            # Web pages, courses and tools often have no year; a citation can do without it.
            undated = name == "year" and source.kind in ("misc", "online", "manual", "unpublished", "software")
            severity: Severity = "review" if undated and not near else "error"
            found.append(Finding("sources.incomplete", severity, message, file, source.line, fix=fix, key=source.key))
    if source.year and not re.fullmatch(r"\d{4}", source.year):
        message, fix = f"the year of {source.key} is '{source.year}'", "write four digits; put the rest into note = {…}"
        found.append(Finding("sources.year", "warning", message, file, source.line, fix=fix, key=source.key))
    return found


def _broken(block: Any, line: int, file: str | None, sources: dict[str, Source]) -> Finding:
    """What bibtexparser could not use, in plain words."""
    from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock

    if isinstance(block, DuplicateBlockKeyBlock):
        key = str(block.key)
        where = f" on line {sources[key].line}" if key in sources else ""
        message, fix = f"the key {key} was already used{where}", "rename or remove one of the two"
        return Finding("sources.duplicate-key", "error", message, file, line, fix=fix, key=key)
    if isinstance(block, DuplicateFieldKeyBlock):
        key = str(getattr(block.ignore_error_block, "key", ""))
        names = ", ".join(sorted(block.duplicate_keys))
        message, fix = f"{key} gives {names} twice", "keep one of the two"
        return Finding("sources.duplicate-field", "error", message, file, line, fix=fix, key=key)
    opening = re.match(r"\s*@\w+\s*\{\s*([^,\s}]*)", str(block.raw or ""))
    key = opening[1] if opening else ""
    message = f"the entry {key} cannot be read" if key else "an entry cannot be read"
    fix = "close its braces and end every field but the last with a comma"
    return Finding("sources.malformed", "error", message, file, line, fix=fix, key=key)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _ordinal(edition: str) -> str:
    if not edition.isdigit():
        return edition.lower()
    number = int(edition)
    tail = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{tail}"


def _escaped(text: str) -> str:
    """Text with the characters that Markdown would take as markup escaped; mathematics in dollars is left."""
    pieces = re.split(r"(\$[^$]+\$)", text)
    return "".join(p if p.startswith("$") else re.sub(r"([\\*_\[\]<`|])", r"\\\1", p) for p in pieces)


def _address(url: str) -> str:
    """An address that can stand in angle brackets."""
    return url.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
