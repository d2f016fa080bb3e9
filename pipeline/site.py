"""The site: `site/` built into `public/`, previews of drafts under `.forge/`, and a local server for either.

A build never touches what stands until it has succeeded: MkDocs writes into a scratch folder, the result is scanned
(nothing loaded from elsewhere, no dead link), and only then takes the old folder's place. Whatever goes wrong comes
back as findings. MkDocs runs inside this process, silently, one build at a time.

A preview is a second, smaller tree: the site's own pages and assets, the newest published posts, and the pages handed
in. It lives under `.forge/` and has its own output, so no draft is ever under `site/` or `public/`.
"""

from __future__ import annotations

import contextlib
import html
import http
import json
import logging
import os
import posixpath
import re
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from experiments.kit.environment import environment
from experiments.kit.errors import CannotRun
from pipeline.finding import Finding, in_order
from pipeline.project import Settings, read_settings

EDITIONS = ("scientist", "manager")
SEARCH_CHARACTERS = 400
"""How much text of a section the search index keeps: every page fetches the whole index."""

_building = threading.RLock()  # MkDocs' settings and log are the process's


@dataclass(frozen=True)
class BuildResult:
    """What a build left. `out` holds a whole site either way: the new one if `ok`, else the one before (if any).

    A published site with a finding of severity error is never `ok`; a preview is, so that its reviewer sees the page.
    """

    ok: bool
    out: Path
    findings: list[Finding]
    seconds: float
    pages: int


def build(root: Path, *, out: Path | None = None, strict: bool = True) -> BuildResult:
    """Build `site/` into `public/` (or `out`). Under `strict` every warning of MkDocs is an error, as in CI.

    Two builds of the same files are identical: the date of the newest post stands for the time of building, unless
    SOURCE_DATE_EPOCH is set.
    """
    root = root.resolve()
    target = (out or root / "public").resolve()
    docs = root / "site"
    _refuse(target, docs)
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or str(_newest_date(docs))
    settings = {"SOURCE_DATE_EPOCH": epoch, "FORGE_SITE_PREVIEW": "false", "FORGE_SITE_SEARCH": "true"}
    return _build_and_swap(root, docs, target, settings, strict=strict, source=lambda name: f"site/{name}")


def preview(
    root: Path,
    pages: Mapping[str, str],
    assets: Mapping[str, Path],
    out: Path,
    *,
    recent: int = 4,
    strict: bool = True,
) -> BuildResult:
    """Build the site's own pages, the `recent` newest published posts and the given `pages` into `out`.

    `pages` maps paths below `site/` (`scientist/posts/<slug>.md`) to Markdown, `assets` paths below `site/` to files;
    both win over published ones of the same name. The result opens from the file system too (no search, no
    directory URLs). Findings about pages that were not handed in are left out. A preview with findings is shown all
    the same, unless MkDocs could not finish it or it would load something from another host.
    """
    root = root.resolve()
    target = out.resolve()
    _refuse(target, root / "site")
    if target == (root / "public").resolve() or (root / "public").resolve() in target.parents:
        raise CannotRun(f"a preview may not be written into public/: {out}")
    scratch = _scratch(root)
    docs = Path(tempfile.mkdtemp(prefix="preview-src-", dir=scratch))
    try:
        _lay_out(root / "site", docs, pages, assets, recent)
        settings = {"SOURCE_DATE_EPOCH": "0", "FORGE_SITE_PREVIEW": "true", "FORGE_SITE_SEARCH": "false"}

        def source(name: str) -> str | None:
            return f"site/{name}" if name in pages or not _is_post(name) else None

        return _build_and_swap(
            root,
            docs,
            target,
            settings,
            strict=strict,
            source=source,
            lenient=True,
            site_url="",
            use_directory_urls=False,
        )
    finally:
        shutil.rmtree(docs, ignore_errors=True)


# ---- building -------------------------------------------------------------------------------------------------------


def _build_and_swap(
    root: Path,
    docs: Path,
    target: Path,
    settings: Mapping[str, str],
    *,
    strict: bool,
    source: Callable[[str], str | None],
    lenient: bool = False,
    **options: Any,
) -> BuildResult:
    """Build `docs` beside `target`, scan it, and put it in `target`'s place if nothing stands against it."""
    started = time.monotonic()
    fresh = Path(tempfile.mkdtemp(prefix="site-", dir=_scratch(root)))
    try:
        with _building, environment({"NO_MKDOCS_2_WARNING": "1", **settings}), _captured_log() as log:
            config = _run_mkdocs(root, docs, fresh, log, options)
        findings = list(_from_log(log, docs, source, strict))
        pages = sum(1 for _ in fresh.rglob("*.html"))
        if config is not None:
            base = urlsplit(config.site_url or "").path or "/"
            name = root.joinpath(target).relative_to(root).as_posix() if target.is_relative_to(root) else target.name
            scanned = scan_external(fresh) + scan_links(fresh, base=base)
            reported = {finding.file for finding in findings if finding.check == "site.link"}  # these with their line
            findings += (
                finding
                for finding in _in_sources(scanned, docs, source, name)
                if finding.check != "site.link" or finding.file not in reported
            )
            _shorten_search_index(fresh)
        grave = {finding.check for finding in findings if finding.severity == "error"}
        ok = config is not None and not (grave & {"site.external"} if lenient else grave)
        if ok:
            _swap(fresh, target)
        return BuildResult(ok, target, in_order(findings), time.monotonic() - started, pages)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _in_sources(
    findings: Iterable[Finding], docs: Path, source: Callable[[str], str | None], name: str
) -> Iterator[Finding]:
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


def _run_mkdocs(root: Path, docs: Path, out: Path, log: list[logging.LogRecord], options: Mapping[str, Any]) -> Any:
    """MkDocs' own `build`, without its exits. Returns the configuration, or None if the build did not finish."""
    from mkdocs.commands.build import build as mkdocs_build
    from mkdocs.config import load_config
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.exceptions import MkDocsException

    # MkDocs keeps plugins that have a start or an end for the next build of the process; nothing of a preview may
    # reach the build of what is published, so every build gets new ones.
    options_by_name: dict[str, Any] = dict(MkDocsConfig._schema)
    options_by_name["plugins"].plugin_cache.clear()
    try:
        config = load_config(str(root / "mkdocs.yml"), docs_dir=str(docs), site_dir=str(out), strict=False, **options)
        author = _author(root)
        if author and not config.site_author:
            config.site_author = author
        config.plugins.on_startup(command="build", dirty=False)
        try:
            mkdocs_build(config)
        finally:
            config.plugins.on_shutdown()
    except (MkDocsException, SystemExit) as error:
        if not any(record.levelno >= logging.ERROR for record in log):
            log.append(_record(f"{error}"))
        return None
    except Exception as error:  # a template or plugin that fails: the person gets a finding, not a traceback
        log.append(_record(f"{type(error).__name__}: {error}"))
        return None
    return config


def _author(root: Path) -> str:
    """The name set in `[tool.forge]`, empty where none is."""
    author = read_settings(root).author
    return "" if author == Settings.author else author


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


def _newest_date(docs: Path) -> int:
    """Midnight UTC of the newest post's `date`, in seconds; 2026-01-01 where there is none."""
    newest = date(2026, 1, 1)
    for path in docs.glob("*/posts/*.md"):
        if found := re.search(r"^date:\s*['\"]?(\d{4}-\d{2}-\d{2})", path.read_text(encoding="utf-8"), re.M):
            with contextlib.suppress(ValueError):
                newest = max(newest, date.fromisoformat(found[1]))
    return int(datetime(newest.year, newest.month, newest.day, tzinfo=UTC).timestamp())


def _is_post(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) == 3 and parts[0] in EDITIONS and parts[1] == "posts" and name.endswith(".md")


def _lay_out(site: Path, docs: Path, pages: Mapping[str, str], assets: Mapping[str, Path], recent: int) -> None:
    """Fill `docs` with a preview's sources."""
    for name in (*pages, *assets):
        if posixpath.normpath(name) != name or name.startswith(("/", "..")):
            raise CannotRun(f"not a path below site/: {name}")
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    texts = {name: (site / name).read_text(encoding="utf-8") for name in names if _is_post(name)}
    pinned = " ".join(pages.values())
    dated = sorted(texts, key=lambda name: (_date_in(texts[name]), name), reverse=True)
    kept = {name for name in dated if PurePosixPath(name).name in pinned} | set(dated[:recent])
    kept |= {_other_edition(name) for name in kept} & set(texts)
    figures = " ".join([pinned, *(texts[name] for name in kept)])
    for name in names:
        if name in texts and name not in kept:
            continue
        if name.startswith("assets/figures/") and name not in figures:
            continue
        if name in pages or name in assets:
            continue
        _copy(site / name, docs / name)
    for name, path in assets.items():
        _copy(path, docs / name)
    for name, text in pages.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")


def _other_edition(name: str) -> str:
    edition, _, rest = name.partition("/")
    return f"{'manager' if edition == 'scientist' else 'scientist'}/{rest}"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _date_in(text: str) -> str:
    found = re.search(r"^date:\s*['\"]?([\dT: -]+)", text, re.M)
    return found[1] if found else ""


def _shorten_search_index(out: Path) -> None:
    """Make the search index fit to be fetched on every page, and name the edition of each post.

    Each section keeps its first words; topics stand with the post only, not with each of its sections.
    """
    path = out / "search" / "search_index.json"
    if not path.is_file():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    for entry in index["docs"]:
        text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", entry["text"]))).strip()
        if len(text) > SEARCH_CHARACTERS:
            text = text[:SEARCH_CHARACTERS].rsplit(" ", 1)[0]
        entry["text"] = html.escape(text, quote=False)
        page, _, section = entry["location"].partition("#")
        if section:
            entry.pop("tags", None)
        elif page.count("/") == 2 and page.split("/")[0] in EDITIONS:
            entry["title"] += f" ({page.split('/')[0].capitalize()} edition)"
    path.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":"), sort_keys=True), encoding="utf-8")


# ---- what MkDocs said -----------------------------------------------------------------------------------------------


class _Collector(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextlib.contextmanager
def _captured_log() -> Iterator[list[logging.LogRecord]]:
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


def _record(message: str) -> logging.LogRecord:
    return logging.LogRecord("mkdocs.forge", logging.ERROR, "", 0, "%s", (message,), None)


_LINK = re.compile(r"Doc file '(?P<file>[^']+)' contains .*?(?:link|anchor) '(?P<target>[^']+)'", re.S)
_FORMULA = re.compile(r"(?P<file>[^:\s]+\.md)(?::(?P<line>\d+))?: formula (?P<rest>.*)", re.S)
_FRONT = re.compile(
    r"Error reading metadata(?: '(?P<key>\w+)')? of post '(?P<file>[^']+)' in '[^']+':\s*(?P<rest>.*)", re.S
)
_BUILDING = re.compile(r"Error (?:reading|building) page '(?P<file>[^']+)':")
_PAGE = re.compile(r"'(?:[^']*/site/)?(?P<file>[\w./-]+\.md)'")


def _from_log(
    records: Iterable[logging.LogRecord], docs: Path, source: Callable[[str], str | None], strict: bool
) -> Iterator[Finding]:
    """Findings from MkDocs' log. `source` gives a page's name to the person, None for pages that are not theirs."""
    page = None  # MkDocs names the page in one record and what is wrong with it in the next
    for record in records:
        message = record.getMessage().strip()
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


# ---- scanning what was built ----------------------------------------------------------------------------------------

_LOADING_TAG = re.compile(
    r"<(?:link|script|img|source|iframe|video|audio|embed|object|track|input|image|use|feImage)\b[^>]*>", re.I
)
_ATTRIBUTE = re.compile(r"""\b(src|href|xlink:href|srcset|data|poster)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.I)
_REL = re.compile(r"""\brel\s*=\s*["']?([\w -]+)""", re.I)
_CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""", re.I)
_STYLE = re.compile(r"""<style[^>]*>(.*?)</style>|\bstyle\s*=\s*"([^"]*)\"""", re.I | re.S)
_ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.I)
_ANCHOR = re.compile(r"""<(?:a|link|img|script|source)\s(?:[^>]*?\s)?(?:href|src)=("[^"]*"|'[^']*')""")
_ID = re.compile(r"""[ \n](?:id|name)="([^"]*)\"""")  # no \s: this scan is most of the time a large site takes


def scan_external(out: Path, *, name: str = "") -> list[Finding]:
    """Every resource that a built page would load from another host. Links a reader may follow are not such."""
    findings = []
    for path in sorted(out.rglob("*")):
        if path.suffix not in (".html", ".css", ".svg"):
            continue
        text = path.read_text(encoding="utf-8")
        for url in _loaded(text, path.suffix):
            if _ELSEWHERE.match(url):
                findings.append(
                    Finding(
                        "site.external",
                        "error",
                        f"loads {url.strip()} from another host",
                        file=posixpath.join(name, path.relative_to(out).as_posix()),
                        fix="keep a copy under site/assets/ and link that",
                    )
                )
    return findings


def _loaded(text: str, suffix: str) -> Iterator[str]:
    """The addresses that a file of this kind makes a browser fetch."""
    if suffix == ".css":
        styles = [text]
    else:
        styles = [first or second for first, second in _STYLE.findall(text)]
        for tag in _LOADING_TAG.findall(text):
            rel = _REL.search(tag)
            if tag[:5].lower() == "<link" and rel and rel[1].strip() in ("canonical", "prev", "next", "author"):
                continue
            for attribute, value in _ATTRIBUTE.findall(tag):
                value = html.unescape(value.strip("\"'"))
                if attribute.lower() == "srcset":
                    yield from (part.split()[0] for part in value.split(",") if part.strip())
                else:
                    yield value
    for style in styles:
        for first, second in _CSS_URL.findall(style):
            yield first or second


def scan_links(out: Path, *, base: str = "/", name: str = "") -> list[Finding]:
    """Every link inside the built site that leads nowhere: a missing file, or a heading that a page does not have."""
    findings: list[Finding] = []
    texts = {path.relative_to(out).as_posix(): path.read_text(encoding="utf-8") for path in out.rglob("*.html")}
    ids: dict[str, set[str]] = {}
    existing = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    for page, text in sorted(texts.items()):
        for quoted in sorted(set(_ANCHOR.findall(text))):
            url = html.unescape(quoted[1:-1])
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = _resolve(page, unquote(parts.path), base, existing)
            problem = ""
            if target is None:
                url, problem = url.partition("#")[0], "leads to nothing"
            elif parts.fragment and target.endswith(".html"):
                known = ids.setdefault(target, set(map(html.unescape, _ID.findall(texts.get(target, "")))))
                if unquote(parts.fragment) not in known:
                    problem = f"leads to a place that {target} does not have"
            if problem:
                file = posixpath.join(name, page)
                findings.append(Finding("site.link", "error", f"link {url} {problem}", file=file))
    return findings


def _resolve(page: str, path: str, base: str, existing: set[str]) -> str | None:
    """The file of a link's path as seen from `page`, or None."""
    if not path:
        return page
    if path.startswith("/"):
        if not (path + "/").startswith(base):
            return None
        full = path[len(base) :]
    else:
        full = posixpath.join(posixpath.dirname(page), path)
    full = posixpath.normpath(full or ".").removeprefix("./")
    if full.startswith(".."):
        return None
    for candidate in (full, "index.html" if full == "." else f"{full}/index.html"):
        if candidate in existing:
            return candidate
    return None


# ---- serving --------------------------------------------------------------------------------------------------------


def serve(
    root: Path,
    rebuild: Callable[[], BuildResult],
    *,
    watch: Sequence[Path] | None = None,
    port: int = 8000,
    open_browser: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Build with `rebuild`, show its `out` on 127.0.0.1, and build again when a watched folder changes.

    Watches `drafts/`, `site/` and `notes/` unless told otherwise. Ends on Ctrl-C; returns 0, or 1 if there was nothing
    to show. A build that fails leaves the last good one standing and says what is wrong. Takes the next free port if
    `port` is in use.
    """
    first = rebuild()
    say(describe(first))
    if not (first.out / "index.html").is_file():
        return 1
    server = make_server(root, rebuild, first.out, watch=watch, port=port, say=say)
    say(f"{server.url}  (Ctrl-C ends it; pages reload by themselves)")
    try:
        server.serve(open_in_browser=open_browser)
    except KeyboardInterrupt:
        say("")
    finally:
        server.shutdown()
    return 0


def make_server(
    root: Path,
    rebuild: Callable[[], BuildResult],
    out: Path,
    *,
    watch: Sequence[Path] | None = None,
    port: int = 8000,
    say: Callable[[str], None] = print,
) -> Any:
    """MkDocs' live-reload server, bound to this machine and answering only to its own name. Not yet running."""
    from mkdocs.livereload import LiveReloadServer

    class LocalServer(LiveReloadServer):
        def serve_request(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            host = str(environ.get("HTTP_HOST", "")).rsplit(":", 1)[0]
            if host not in ("127.0.0.1", "localhost"):  # a page elsewhere that points its name here reads no drafts
                status = http.HTTPStatus.MISDIRECTED_REQUEST
                start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain")])
                return [b"This server answers to 127.0.0.1 and localhost only.\n"]
            return super().serve_request(environ, start_response)

    def again() -> None:
        say(describe(rebuild()))

    logging.getLogger("mkdocs.livereload").setLevel(logging.ERROR)
    server = LocalServer(again, "127.0.0.1", _free_port(port), str(out))
    missing = out / "404.html"
    server.error_handler = lambda code: missing.read_bytes() if code == 404 and missing.is_file() else None
    for folder in watch if watch is not None else [root / name for name in ("drafts", "site", "notes")]:
        if folder.exists():
            server.watch(str(folder))
    return server


def _free_port(wanted: int) -> int:
    """`wanted`, or the next of twenty that nothing listens on; 0 asks the system for any."""
    import socket

    for port in range(wanted, wanted + 20) if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise OSError(f"ports {wanted} to {wanted + 19} are all in use")


def describe(result: BuildResult) -> str:
    """A build in words: one line, then its findings."""
    head = (
        f"{result.pages} pages in {result.seconds:.1f} s" if result.ok else "site not built; the last good one stands"
    )
    return "\n".join([head, *(str(finding) for finding in result.findings)])


if __name__ == "__main__":  # `python -m pipeline.site`: the build alone, for CI and debugging
    _result = build(Path.cwd())
    print(describe(_result))
    sys.exit(0 if _result.ok else 1)
