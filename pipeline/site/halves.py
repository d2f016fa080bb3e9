"""Markdown on two cores: a second process converts a large site's pages from the last one on, the build from the first.

A page's HTML is a function of its Markdown and of the configuration, and most of a build's time. The second process is
a fork of the build, made when the first page is due. It leaves a file for each page. The build takes what is there, if
the page's Markdown is the one that was converted, and converts the page itself otherwise: so nothing depends on the
second process, which may be slow, fail, or not exist (one core, no `fork`, few pages).
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEAST = 100
"""Pages below which a second process gains nothing."""


@dataclass(frozen=True)
class Converted:
    """What conversion leaves on a page, in a form that another process can read: files by name."""

    markdown: str
    content: str
    toc: Any
    title: str | None
    ids: set[str]
    links: dict[str, dict[str, str]] | None
    said: list[tuple[str, int, str]]

    @classmethod
    def of(cls, page: Any, markdown: str, log: Sequence[logging.LogRecord]) -> Converted:
        """A page that was just converted, and what was logged meanwhile."""
        links = page.links_to_anchors
        return cls(
            markdown, page.content, page.toc, page._title_from_render, page.present_anchor_ids,
            None if links is None else {file.src_uri: anchors for file, anchors in links.items()},
            [(record.name, record.levelno, record.getMessage()) for record in log],
        )  # fmt: skip

    def put_on(self, page: Any, files: Any) -> None:
        """As if `page` had been converted here."""
        page.content, page.toc, page._title_from_render = self.content, self.toc, self.title
        page.present_anchor_ids = self.ids
        if self.links is not None:
            page.links_to_anchors = {files.get_file_from_path(name): anchors for name, anchors in self.links.items()}
        for name, level, message in self.said:
            logging.getLogger(name).log(level, "%s", message)


@contextlib.contextmanager
def two_halves(scratch: Path, log: list[logging.LogRecord]) -> Iterator[None]:
    """MkDocs converts pages like this meanwhile. `log` is where its messages arrive, `scratch` a folder to work in."""
    from mkdocs.structure import pages

    owner: Any = pages.Page
    alone = owner.render
    with tempfile.TemporaryDirectory(prefix="halves-", dir=scratch) as folder:
        helper: list[int] = []  # the second process, once the first page was due and as long as it has work
        first = True

        def render(page: Any, config: Any, files: Any) -> None:
            nonlocal first
            if first:
                first = False
                others = [file.page for file in files.documentation_pages() if file.page not in (None, page)]
                if len(others) >= LEAST:
                    helper.extend(_fork(lambda: _convert(others, config, files, Path(folder), log, alone)))
            done = _read(Path(folder), page)
            if done is None:
                alone(page, config, files)
                return
            _end(helper)  # the two have met: it came from the last page, so all that follow are there as well
            if done.markdown == page.markdown:
                done.put_on(page, files)
            else:
                alone(page, config, files)

        owner.render = render
        try:
            yield
        finally:
            owner.render = alone
            _end(helper)


def _end(helper: list[int]) -> None:
    """End the second process, if there is one: it owns nothing and has nobody to tell."""
    while helper:
        process = helper.pop()
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _fork(work: Callable[[], None]) -> list[int]:
    """The number of a second process that does the work and ends; none where it would be no help."""
    if not hasattr(os, "fork") or sys.platform == "darwin" or (os.cpu_count() or 1) < 2:
        return []
    try:
        process = os.fork()
    except OSError:  # no room for one
        return []
    if process:
        return [process]
    try:
        work()
    finally:
        os._exit(0)  # past everything that the first process will do at its end


def _convert(
    pages: Sequence[Any], config: Any, files: Any, folder: Path, log: list[logging.LogRecord], render: Any
) -> None:
    """Convert the pages, the last one first, and leave a file for each. Ends at the first that fails."""
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        for page in reversed(pages):
            config._current_page = page
            page = config.plugins.on_pre_page(page, config=config, files=files)
            page.read_source(config)
            markdown = config.plugins.on_page_markdown(page.markdown, page=page, config=config, files=files)
            page.markdown = markdown
            del log[:]
            render(page, config, files)
            path = _file(folder, page)
            path.with_suffix(".part").write_bytes(pickle.dumps(Converted.of(page, markdown, log)))
            path.with_suffix(".part").rename(path)


def _file(folder: Path, page: Any) -> Path:
    return folder / str(page.file.src_uri).replace("/", "%")


def _read(folder: Path, page: Any) -> Converted | None:
    try:
        found: Converted = pickle.loads(_file(folder, page).read_bytes())
    except (OSError, pickle.UnpicklingError, EOFError):
        return None
    return found
