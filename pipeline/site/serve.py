"""A local server for a built site: this machine only, and pages follow their sources."""

from __future__ import annotations

import contextlib
import http
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.site.result import BuildResult, describe


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
    for port in range(wanted, wanted + 20) if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise OSError(f"ports {wanted} to {wanted + 19} are all in use")
