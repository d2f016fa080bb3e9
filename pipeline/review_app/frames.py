"""The two editions as the site will show them: built apart under `.forge/`, named by the hash of their sources.

A build is shown inside a sandboxed frame of no origin, so whatever a draft contains can neither read nor press
anything on the review page. Building starts when a page is asked for and is waited for only by the frame itself.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from experiments.kit.errors import CannotRun
from experiments.kit.record import Edition
from pipeline import site
from pipeline.preview import draft_pages, pages_digest
from pipeline.project import Project
from pipeline.review_app.packet import Packet
from pipeline.review_app.places import passage_at, with_anchors

KEPT = 6
"""Builds kept on disk: two tabs on two posts, and what each showed before."""
LEFT = 24 * 3600
"""Seconds after which another server's builds count as left behind."""


@dataclass(frozen=True)
class Frame:
    """One build: what it shows, where, and the passages to anchor by edition."""

    out: Path
    slug: str
    built: Future[str]
    anchors: Mapping[Edition, Mapping[str, str]]


class Frames:
    """The builds of one server. `open` names the build for a packet, `read` gives a file of it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._frames: OrderedDict[str, Frame] = OrderedDict()
        self._guard = threading.Lock()
        self._builder = ThreadPoolExecutor(1, "preview")  # MkDocs keeps global state: one build at a time
        project.scratch.mkdir(exist_ok=True)
        for left in project.scratch.glob("review-*"):  # by a server that was killed
            if time.time() - left.stat().st_mtime > LEFT:
                shutil.rmtree(left, ignore_errors=True)
        self._folder = Path(tempfile.mkdtemp(prefix="review-", dir=project.scratch))

    def open(self, packet: Packet) -> str:
        """The digest of the packet's build, which is started unless it is there."""
        states = [sheet.state for sheet in packet.sheets.values() if sheet.state is not None and sheet.page is not None]
        pages, assets = draft_pages(self._project, [packet.evidence], states)
        digest = pages_digest(self._project, pages, assets)[:24]
        out = self._folder / digest
        anchors: dict[Edition, Mapping[str, str]] = {
            edition: {
                anchor: passage_at(sheet.text, line, sentence)
                for anchor, line, sentence in (
                    *((n.anchor, n.finding.line, n.finding.sentence) for n in (*sheet.findings, *sheet.queue)),
                    *((again.anchor, again.sentence.line, again.sentence.sentence) for again in sheet.reopened),
                )
                if line is not None
            }
            for edition, sheet in packet.sheets.items()
        }

        def build() -> str:
            """What went wrong, "" if nothing."""
            if (out / "index.html").is_file():
                return ""
            try:
                result = site.preview(self._project.root, pages, assets, out, recent=0)
            except (CannotRun, OSError) as error:
                return str(error)
            return "" if result.ok else site.describe(result)

        with self._guard:
            held = self._frames.pop(digest, None)
            if held is None or (held.built.done() and (held.built.result() or not out.is_dir())):
                held = Frame(out, packet.evidence.post.slug, self._builder.submit(build), anchors)
            self._frames[digest] = Frame(out, held.slug, held.built, anchors)
            while len(self._frames) > KEPT:
                _, old = self._frames.popitem(last=False)
                shutil.rmtree(old.out, ignore_errors=True)
        return digest

    def read(self, digest: str, name: str) -> bytes | str | None:
        """A file of a build as bytes, None if there is none, or as text why there is no build."""
        with self._guard:
            frame = self._frames.get(digest)
        if frame is None:
            return None
        problem = frame.built.result()
        if problem:
            return problem
        path = (frame.out / name).resolve()
        if not path.is_relative_to(frame.out.resolve()) or not path.is_file():
            return None
        data = path.read_bytes()
        for edition, passages in frame.anchors.items():
            if name == f"{edition}/{frame.slug}.html":
                html = with_anchors(data.decode("utf-8"), passages)
                extra = '<link rel="stylesheet" href="/static/frame.css"><script src="/static/frame.js"></script>'
                data = html.replace("<head>", f"<head>{extra}", 1).encode()
        return data

    def close(self) -> None:
        """Let a running build end and remove what was built."""
        self._builder.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)
