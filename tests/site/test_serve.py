"""The local server: this machine only, and pages follow their sources."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipeline import site
from pipeline.site.serve import _free_port, make_server, serve


@pytest.fixture
def served(project: Path) -> Iterator[tuple[Any, list[str], Path]]:
    said: list[str] = []
    result = site.build(project)
    server = make_server(project, lambda: site.build(project), result.out, port=0, say=said.append)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    port = urlsplit(server.url).port
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield server, said, project
    server.shutdown()
    thread.join(10)


def get(port: int, path: str, host: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode("utf-8")


def test_it_serves_reloads_and_names_what_is_wrong(served: tuple[Any, list[str], Path]) -> None:
    server, said, project = served
    assert server.server_address[0] == "127.0.0.1"
    status, page = get(server.server_port, "/about/")
    assert status == 200 and "livereload(" in page
    status, page = get(server.server_port, "/no/such/page/")
    assert "No page at this address" in page and status == 404

    about = project / "site" / "about.md"
    text = about.read_text(encoding="utf-8")
    about.write_text(text.replace("usually typed", "usually typed by hand"), encoding="utf-8")
    wait_for(lambda: "by hand" in get(server.server_port, "/about/")[1])
    about.write_text(text + "\n[x](nowhere.md)\n", encoding="utf-8")
    wait_for(lambda: any("nowhere.md" in words for words in said))
    assert "by hand" in get(server.server_port, "/about/")[1]  # the last good one stands
    assert any(words.startswith("site not built") for words in said)


def test_it_answers_to_no_other_name(served: tuple[Any, list[str], Path]) -> None:
    server, _, _ = served
    status, page = get(server.server_port, "/about/", host="evil.example:8000")
    assert status == 421 and "usually typed" not in page
    assert get(server.server_port, "/about/", host=f"localhost:{server.server_port}")[0] == 200


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _free_port(port) != port


def test_nothing_to_show_is_said(project: Path) -> None:
    said: list[str] = []
    (project / "site" / "about.md").write_text("[x](nowhere.md)\n", encoding="utf-8")
    assert serve(project, lambda: site.build(project), port=0, say=said.append) == 1
    assert "nowhere.md" in said[0]


def wait_for(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.2)
