"""The site: `site/` built into `public/`, previews of drafts under `.forge/`, and a local server for either.

A build never touches what stands until it has succeeded: MkDocs writes into a scratch folder, the result is scanned
(nothing loaded from elsewhere, no dead link), and only then takes the old folder's place. Whatever goes wrong comes
back as findings.

What is built is a scratch docs tree (`tree`): the published files as they are, and pages made from notes and from all
posts together (`series`, `terms`, `code`). What the theme says about a post beside its text is in `about`; feeds and
the search index are written after MkDocs is done. An approved page in `site/` is never rewritten for any of it.

A preview is a second, smaller tree: the site's own pages and assets, the newest published posts, and the pages handed
in. It lives under `.forge/` and has its own output, so no draft is ever under `site/` or `public/`.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS
from pipeline.finding import Finding, in_order
from pipeline.site import search, tree
from pipeline.site.builder import run_mkdocs
from pipeline.site.feeds import write_feeds
from pipeline.site.generated import Generated
from pipeline.site.mkdocs_log import from_log
from pipeline.site.result import BuildResult, describe
from pipeline.site.scan import scan_external, scan_links
from pipeline.site.shelf import Shelf, fill_shelf

__all__ = ["EDITIONS", "BuildResult", "build", "describe", "preview"]

Sources = Callable[[str], str | None]
"""A page's path below the docs folder -> its name for the person, None for pages that are not theirs."""


def build(root: Path, *, out: Path | None = None, strict: bool = True) -> BuildResult:
    """Build `site/` into `public/` (or `out`). Under `strict` every warning of MkDocs is an error, as in CI.

    Two builds of the same files are identical: the date of the newest post stands for the time of building, unless
    SOURCE_DATE_EPOCH is set.
    """
    root = root.resolve()
    target = (out or root / "public").resolve()
    _refuse(target, root / "site")
    with _docs(root) as docs:
        started = time.monotonic()
        tree.lay_out(root / "site", docs)
        shelf = fill_shelf(root, docs, whole=True)
        epoch = os.environ.get("SOURCE_DATE_EPOCH") or str(_newest_date(shelf))
        variables = {"SOURCE_DATE_EPOCH": epoch, "FORGE_SITE_PREVIEW": "false", "FORGE_SITE_SEARCH": "true"}
        return _build_and_swap(
            shelf, docs, target, variables, strict=strict, source=lambda name: f"site/{name}", started=started
        )


def preview(
    root: Path,
    pages: Mapping[str, str],
    assets: Mapping[str, Path | bytes],
    out: Path,
    *,
    recent: int = 4,
    strict: bool = True,
) -> BuildResult:
    """Build the site's own pages, the `recent` newest published posts and the given `pages` into `out`.

    `pages` maps paths below `site/` (`scientist/posts/<slug>.md`) to Markdown, `assets` paths below `site/` to files or
    their bytes; both win over published ones of the same name. The result opens from the file system too (no search, no
    directory URLs). Findings about pages that were not handed in are left out. A preview with findings is shown all
    the same, unless MkDocs could not finish it or it would load something from another host.
    """
    root = root.resolve()
    target = out.resolve()
    _refuse(target, root / "site")
    if target == (root / "public").resolve() or (root / "public").resolve() in target.parents:
        raise CannotRun(f"a preview may not be written into public/: {out}")
    with _docs(root) as docs:
        started = time.monotonic()
        tree.lay_out_preview(root / "site", docs, pages, assets, recent)
        variables = {"SOURCE_DATE_EPOCH": "0", "FORGE_SITE_PREVIEW": "true", "FORGE_SITE_SEARCH": "false"}

        def source(name: str) -> str | None:
            return f"site/{name}" if name in pages or not tree.is_post(name) else None

        return _build_and_swap(
            fill_shelf(root, docs),
            docs,
            target,
            variables,
            strict=strict,
            source=source,
            started=started,
            lenient=True,
            site_url="",
            use_directory_urls=False,
        )


def _build_and_swap(
    shelf: Shelf,
    docs: Path,
    target: Path,
    variables: Mapping[str, str],
    *,
    strict: bool,
    source: Sources,
    started: float,
    lenient: bool = False,
    **options: Any,
) -> BuildResult:
    """Build `docs` beside `target`, scan it, and put it in `target`'s place if nothing stands against it."""
    root = shelf.root
    fresh = Path(tempfile.mkdtemp(prefix="site-", dir=_scratch(root)))
    try:
        made = tree.generate(shelf, docs)
        origins = _with_generated(source, made)
        config, log = run_mkdocs(docs, fresh, shelf, made, variables, options)
        findings = list(from_log(log, docs, origins, strict))
        pages = sum(1 for _ in fresh.rglob("*.html"))
        if config is not None:
            base = urlsplit(config.site_url or "").path or "/"
            write_feeds(
                fresh,
                shelf.posts,
                site_url=config.site_url or "",
                title=config.site_name,
                author=config.site_author or "",
                directory_urls=config.use_directory_urls,
            )
            search.shorten(fresh)
            scanned = scan_external(fresh) + scan_links(fresh, base=base)
            name = target.relative_to(root).as_posix() if target.is_relative_to(root) else target.name
            reported = {finding.file for finding in findings if finding.check == "site.link"}  # these with their line
            findings += (
                finding
                for finding in _in_sources(scanned, docs, origins, name)
                if finding.check != "site.link" or finding.file not in reported
            )
        grave = {finding.check for finding in findings if finding.severity == "error"}
        ok = config is not None and not (grave & {"site.external"} if lenient else grave)
        if ok:
            _swap(fresh, target)
        return BuildResult(ok, target, in_order(findings), time.monotonic() - started, pages)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _with_generated(source: Sources, made: Sequence[Generated]) -> Sources:
    """Findings about a generated page name the file it is made from."""
    origins = {page.path: page.origin for page in made}
    return lambda name: origins.get(name) or source(name)


def _in_sources(findings: Iterable[Finding], docs: Path, source: Sources, name: str) -> Iterator[Finding]:
    """Findings about built pages, placed in the page's source where it has one; `name` is the output folder's."""
    for finding in findings:
        built = PurePosixPath(finding.file or "")
        page = built.parent if built.name == "index.html" else built.with_suffix("")
        written = [f"{page.parent}/posts/{page.name}.md", f"{page}.md", f"{page}/index.md"]
        origin = next((path for path in written if (docs / path).is_file()), None)
        if origin is None:
            yield replace(finding, file=posixpath.join(name, built.as_posix()))
        elif shown := source(origin):
            yield replace(finding, file=shown)


def _swap(fresh: Path, target: Path) -> None:
    """Put `fresh` in `target`'s place by renaming; the old folder comes back if that fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh.chmod(0o755)
    scratch = fresh.parent
    if scratch.stat().st_dev != target.parent.stat().st_dev:  # renaming works within one file system only
        scratch = target.parent
        fresh = Path(shutil.copytree(fresh, scratch / f".{target.name}.new-{os.getpid()}"))
    old = scratch / f".{target.name}.old-{os.getpid()}"
    had = target.exists()
    if had:
        target.rename(old)
    try:
        fresh.rename(target)
    except BaseException:
        if had:
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _docs(root: Path) -> Iterator[Path]:
    """A scratch folder for the sources of one build."""
    docs = Path(tempfile.mkdtemp(prefix="docs-", dir=_scratch(root)))
    try:
        yield docs
    finally:
        shutil.rmtree(docs, ignore_errors=True)


def _scratch(root: Path) -> Path:
    """`.forge/site/`; what a killed build left there over an hour ago is removed."""
    folder = root / ".forge" / "site"
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 3600:
                shutil.rmtree(left, ignore_errors=True)
    return folder


def _refuse(target: Path, docs: Path) -> None:
    """A build replaces its output folder whole, so that may hold nothing but an earlier site. Raises CannotRun."""
    if target == docs or docs in target.parents or target in docs.parents:
        raise CannotRun(f"{target} overlaps the sources in {docs}: building there would destroy them")
    if target.exists() and not (target / "assets" / "kf.css").is_file() and (target.is_file() or any(target.iterdir())):
        raise CannotRun(
            f"{target} holds something that is no site of this project: building there would destroy it\n"
            "  fix: name a new or an empty folder"
        )


def _newest_date(shelf: Shelf) -> int:
    """Midnight UTC of the newest text's date, in seconds; 2026-01-01 where there is none."""
    newest = date(2026, 1, 1)
    for post in shelf.posts:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", post.updated):
            with contextlib.suppress(ValueError):
                newest = max(newest, date.fromisoformat(post.updated))
    return int(datetime(newest.year, newest.month, newest.day, tzinfo=UTC).timestamp())
