"""A large site on two cores: a second process takes its pages from the last one on, the build from the first.

First Markdown is converted, then pages are put into the theme: each page's result is a function of what both processes
know, and together they are most of a build's time. The second process is a fork of the build, made when the first page
is due, once for either step. It leaves a file for each page it is done with. The build takes what is there and does the
page itself otherwise: so nothing depends on the second process, which may be slow, fail, or not exist (one core, no
`fork`, few pages). Where the two meet it is ended.
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


class Half:
    """One step over all pages, in two processes. What `work` returns of a page is what the other process gets."""

    def __init__(self, folder: Path, log: list[logging.LogRecord]) -> None:
        folder.mkdir()
        self._folder, self._log = folder, log
        self._begun = False
        self._helper: list[int] = []

    def begin(self, pages: Callable[[], Sequence[Any]], work: Callable[[Any], Any]) -> None:
        """At the first call, have a second process do the pages, the last one first."""
        if self._begun:
            return
        self._begun = True
        row = pages()
        if len(row) >= LEAST:
            self._helper = _fork(lambda: self._do(row, work))

    def _do(self, row: Sequence[Any], work: Callable[[Any], Any]) -> None:
        with Path(os.devnull).open("w") as nowhere:
            sys.stdout = sys.stderr = nowhere
            for page in reversed(row):
                del self._log[:]
                result = work(page)
                said = [(record.name, record.levelno, record.getMessage()) for record in self._log]
                path = self._file(page)
                path.with_suffix(".part").write_bytes(pickle.dumps((result, said)))
                path.with_suffix(".part").rename(path)

    def done(self, page: Any) -> Any | None:
        """What `work` returned for the page in the second process, None if it has not done it."""
        try:
            result, said = pickle.loads(self._file(page).read_bytes())
        except (OSError, pickle.UnpicklingError, EOFError):
            return None
        self.end()  # the two have met: it came from the last page, so all that follow are there as well
        for name, level, message in said:
            logging.getLogger(name).log(level, "%s", message)
        return result

    def end(self) -> None:
        """End the second process, if there is one: it owns nothing and has nobody to tell."""
        while self._helper:
            process = self._helper.pop()
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def _file(self, page: Any) -> Path:
        return self._folder / (str(page.file.src_uri).replace("/", "%") + ".done")


@dataclass(frozen=True)
class Converted:
    """What conversion leaves on a page, in a form that another process can read: files by name."""

    markdown: str
    content: str
    toc: Any
    title: str | None
    ids: set[str]
    links: dict[str, dict[str, str]] | None

    @classmethod
    def of(cls, page: Any, markdown: str) -> Converted:
        """A page that was just converted from this Markdown."""
        links = page.links_to_anchors
        return cls(
            markdown, page.content, page.toc, page._title_from_render, page.present_anchor_ids,
            None if links is None else {file.src_uri: anchors for file, anchors in links.items()},
        )  # fmt: skip

    def put_on(self, page: Any, files: Any) -> None:
        """As if `page` had been converted here."""
        page.content, page.toc, page._title_from_render = self.content, self.toc, self.title
        page.present_anchor_ids = self.ids
        if self.links is not None:
            page.links_to_anchors = {files.get_file_from_path(name): anchors for name, anchors in self.links.items()}


@contextlib.contextmanager
def two_halves(scratch: Path, log: list[logging.LogRecord]) -> Iterator[None]:
    """MkDocs works like this meanwhile. `log` is where its messages arrive, `scratch` a folder on the output's disk."""
    from mkdocs.commands import build
    from mkdocs.structure import pages

    steps: tuple[tuple[Any, str], ...] = ((pages.Page, "render"), (build, "_build_page"))
    alone = [getattr(owner, name) for owner, name in steps]
    with tempfile.TemporaryDirectory(prefix="halves-", dir=scratch) as folder:
        halves = Half(Path(folder) / "converted", log), Half(Path(folder) / "built", log)
        together = _converting(halves[0], alone[0]), _building(halves[1], alone[1], Path(folder))
        for (owner, name), step in zip(steps, together, strict=True):
            setattr(owner, name, step)
        try:
            yield
        finally:
            for (owner, name), step in zip(steps, alone, strict=True):
                setattr(owner, name, step)
            for half in halves:
                half.end()


def _converting(half: Half, alone: Callable[..., None]) -> Callable[..., None]:
    """`Page.render` in two halves."""

    def render(page: Any, config: Any, files: Any) -> None:
        def others() -> list[Any]:
            return [file.page for file in files.documentation_pages() if file.page not in (None, page)]

        def work(page: Any) -> Converted:
            config._current_page = page
            page = config.plugins.on_pre_page(page, config=config, files=files)
            page.read_source(config)
            markdown = config.plugins.on_page_markdown(page.markdown, page=page, config=config, files=files)
            page.markdown = markdown
            alone(page, config, files)
            return Converted.of(page, markdown)

        half.begin(others, work)
        done: Converted | None = half.done(page)
        if done is not None and done.markdown == page.markdown:
            done.put_on(page, files)
        else:
            alone(page, config, files)

    return render


def _building(half: Half, alone: Callable[..., None], folder: Path) -> Callable[..., None]:
    """`_build_page` in two halves. What plugins learn of a page they learn here, whoever writes it."""
    from mkdocs import utils
    from mkdocs.commands.build import get_context

    def whole_or_not(content: bytes, output_path: str) -> None:
        """For the second process, which may be ended at any moment."""
        Path(output_path).parent.mkdir(parents=True, exist_ok=True)
        part = folder / "page.part"
        part.write_bytes(content)
        part.rename(output_path)

    def build_page(page: Any, config: Any, files: Any, nav: Any, env: Any, *rest: Any, **more: Any) -> None:
        def others() -> list[Any]:
            return [file.page for file in files if file.page is not page]

        def work(page: Any) -> bool:
            utils.write_file = whole_or_not
            alone(page, config, files, nav, env, *rest, excluded=page.file.inclusion.is_excluded())
            return True

        half.begin(others, work)
        if half.done(page) is None:
            alone(page, config, files, nav, env, *rest, **more)
            return
        page.active = True
        try:
            context = get_context(nav, files, config, page)
            config.plugins.on_page_context(context, page=page, config=config, nav=nav)
        finally:
            page.active = False

    return build_page


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
