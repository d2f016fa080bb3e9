"""Compare the bibliography with what arXiv and Crossref have under the same ids: title and first author.

Two services are asked, by arXiv id and by DOI. What differs is a finding; without a network nothing is found and
CannotRun says so.
"""

from __future__ import annotations

import difflib
import json
import re
import time
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from experiments.kit.errors import CannotRun
from pipeline.bibliography import arxiv_id
from pipeline.finding import Finding
from pipeline.plan.topics import words
from pipeline.sources import Source

ARXIV = "https://export.arxiv.org/api/query"
CROSSREF = "https://api.crossref.org/works"
_BATCH = 50
_PAUSE = 3.0
"""Seconds between two requests to arXiv, as its terms of use ask."""
_TIMEOUT = 20.0
_ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True, slots=True)
class Known:
    """What a service has under an id."""

    title: str
    author: str


def compare(
    sources: Iterable[Source],
    file: str,
    *,
    arxiv: str = ARXIV,
    crossref: str = CROSSREF,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[list[Finding], int]:
    """Findings, and how many entries could be compared. Raises CannotRun where a service cannot be reached."""
    listed = list(sources)
    by_arxiv = [source for source in listed if arxiv_id(source)]
    by_doi = [source for source in listed if source.doi and not arxiv_id(source)]
    known: dict[str, Known | None] = {}
    for start in range(0, len(by_arxiv), _BATCH):
        if start:
            time.sleep(_PAUSE)
        batch = by_arxiv[start : start + _BATCH]
        report(f"asking arXiv for {len(batch)} of {len(by_arxiv)} papers")
        found = _from_arxiv(arxiv, [arxiv_id(source) for source in batch])
        known.update({source.key: found.get(arxiv_id(source)) for source in batch})
    for source in by_doi:
        report(f"asking Crossref for {source.doi}")
        known[source.key] = _from_crossref(crossref, source.doi)
    findings = [f for source in [*by_arxiv, *by_doi] for f in _differences(source, known[source.key], file)]
    return findings, len(known)


def _from_arxiv(service: str, ids: list[str]) -> Mapping[str, Known]:
    query = urlencode({"id_list": ",".join(ids), "max_results": len(ids)})
    body = _get(f"{service}?{query}")
    try:
        feed = ElementTree.fromstring(body or b"<feed/>")
    except ElementTree.ParseError as error:
        raise CannotRun(f"{service} answered something that is no Atom feed ({error})") from None
    found = {}
    for entry in feed.iter(f"{_ATOM}entry"):
        address = entry.findtext(f"{_ATOM}id") or ""
        name = entry.findtext(f"{_ATOM}author/{_ATOM}name") or ""
        short = re.sub(r"v\d+$", "", address.rpartition("/abs/")[2].casefold())
        found[short] = Known(entry.findtext(f"{_ATOM}title") or "", name)
    return {key: value for key, value in found.items() if key}


def _from_crossref(service: str, doi: str) -> Known | None:
    body = _get(f"{service}/{quote(doi, safe='')}")
    if body is None:
        return None
    try:
        message = json.loads(body)["message"]
        people = message.get("author") or [{}]
        return Known((message.get("title") or [""])[0], people[0].get("family") or people[0].get("name") or "")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CannotRun(f"{service} answered something that is no record of a work ({error})") from None


def _get(url: str) -> bytes | None:
    """The answer; None where the service does not know the id. Raises CannotRun where it cannot be reached."""
    request = urllib.request.Request(url, headers={"User-Agent": "knowledge-forge (bibliography check)"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise CannotRun(f"{url.partition('?')[0]} answered {error.code} {error.reason}; try again later") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise CannotRun(
            f"{url.partition('?')[0]} cannot be reached ({reason})\n"
            "  fix: `forge sources check` without --online needs no network"
        ) from None


def _differences(source: Source, known: Known | None, file: str) -> Iterator[Finding]:
    where = f"arXiv {arxiv_id(source)}" if arxiv_id(source) else f"doi:{source.doi}"
    if known is None:
        message, fix = f"{source.key}: nothing is known under {where}", "correct the id"
        yield Finding("sources.not-found", "error", message, file, source.line, fix=fix, key=source.key)
        return
    if not _alike(source.title, known.title):
        message = f"{source.key}: {where} is “{' '.join(known.title.split())}”, not “{source.title}”"
        fix = "correct the title or the id"
        yield Finding("sources.other-title", "error", message, file, source.line, fix=fix, key=source.key)
    if known.author and source.families and _folded(source.families[0]) not in _folded(known.author):
        message = f"{source.key}: the first author of {where} is {known.author}, not {source.authors[0]}"
        fix = "correct the author or the id"
        yield Finding("sources.other-author", "warning", message, file, source.line, fix=fix, key=source.key)


def _alike(one: str, other: str) -> bool:
    """Whether two titles are the same but for case, punctuation, mathematics and a missing subtitle."""
    a, b = words(one).strip(), words(other).strip()
    shorter, longer = sorted((a, b), key=len)
    begins = bool(shorter) and f"{longer} ".startswith(f"{shorter} ")
    return a == b or (begins and len(shorter.split()) > 2) or difflib.SequenceMatcher(None, a, b).ratio() > 0.85


def _folded(name: str) -> str:
    flat = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in flat if letter.isalpha())
