"""What MkDocs says while it builds, as findings: each with the page, and the line where it can be known."""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipeline.finding import Finding


class _Collector(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextlib.contextmanager
def captured_log() -> Iterator[list[logging.LogRecord]]:
    """MkDocs' warnings and errors, which otherwise go to the terminal."""
    records: list[logging.LogRecord] = []
    logger = logging.getLogger("mkdocs")
    handler = _Collector(records)
    propagate, level = logger.propagate, logger.level
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield records
    finally:
        logger.removeHandler(handler)
        logger.propagate, logger.level = propagate, level


def record_of(message: str) -> logging.LogRecord:
    """An error of this program's in the form of MkDocs' own."""
    return logging.LogRecord("mkdocs.forge", logging.ERROR, "", 0, "%s", (message,), None)


_LINK = re.compile(r"Doc file '(?P<file>[^']+)' contains .*?(?:link|anchor) '(?P<target>[^']+)'", re.S)
_FORMULA = re.compile(r"(?P<file>[^:\s]+\.md)(?::(?P<line>\d+))?: formula (?P<rest>.*)", re.S)
_FRONT = re.compile(
    r"Error reading metadata(?: '(?P<key>\w+)')? of post '(?P<file>[^']+)' in '[^']+':\s*(?P<rest>.*)", re.S
)
_BUILDING = re.compile(r"Error (?:reading|building) page '(?P<file>[^']+)':")
_PAGE = re.compile(r"'(?P<file>[\w./-]+\.md)'")


def from_log(
    records: Iterable[logging.LogRecord], docs: Path, source: Callable[[str], str | None], strict: bool
) -> Iterator[Finding]:
    """Findings from MkDocs' log. `source` gives a page's name to the person, None for pages that are not theirs."""
    page = None  # MkDocs names the page in one record and what is wrong with it in the next
    for record in records:
        message = record.getMessage().strip().replace(f"{docs}/", "")
        if match := _BUILDING.fullmatch(message):
            page = match
            continue
        grave = strict or record.levelno >= logging.ERROR
        line: int | None = None
        check = "site.build"
        if match := _FORMULA.match(message):
            check, message = "site.formula", f"formula {match['rest']}"
            line = int(match["line"]) if match["line"] else None
        elif match := _FRONT.match(message):
            check, message = "site.front", f"front matter {match['key'] or ''}".rstrip() + f": {match['rest']}"
            line = _line_of(docs / match["file"], f"{match['key']}:") if match["key"] else None
        elif match := _LINK.search(message):
            check = "site.link"
            line = _line_of(docs / match["file"], match["target"])
        else:
            match = _PAGE.search(message) or page
            message = re.sub(r" in post '[^']+' in '[^']+'", "", message)
        page = file = None
        if match:
            file = source(match["file"])
            if file is None and record.levelno < logging.ERROR:
                continue
        yield Finding(check, "error" if grave else "warning", " ".join(message.split()), file=file, line=line)


def _line_of(path: Path, text: str) -> int | None:
    """The first line of a file that holds `text`."""
    with contextlib.suppress(OSError):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if text in line:
                return number
    return None
