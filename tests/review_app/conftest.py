"""The toy project with the real site around it, and the review page served for real."""

from __future__ import annotations

import html
import http.client
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from pipeline.project import Project, find_project
from pipeline.review_app.server import serve

REPO = Path(__file__).parents[2]
SLUG = "coin-post"


@pytest.fixture
def desk_project(drafted: Project) -> Project:
    """The drafted toy project with this repository's theme and pages, so that previews are the real ones."""
    shutil.copy(REPO / "mkdocs.yml", drafted.root)
    (drafted.root / "pipeline").mkdir()
    shutil.copytree(REPO / "pipeline" / "theme", drafted.root / "pipeline" / "theme")
    ignore = shutil.ignore_patterns("posts", "figures")
    shutil.copytree(REPO / "site", drafted.root / "site", ignore=ignore, dirs_exist_ok=True)
    for edition in ("scientist", "manager"):
        (drafted.root / "site" / edition / "posts").mkdir(parents=True)
    return find_project(drafted.root)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Served:
    """A running review page and a browser of bare sockets for it."""

    project: Project
    address: str
    cookie: str = ""
    csrf: str = ""
    heads: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def ask(self, method: str, path: str, body: str | None = None, **heads: str) -> Answer:
        """One request; header names with `_` for `-`. Nothing is sent that is not named here."""
        link = http.client.HTTPConnection("127.0.0.1", int(self.host.rpartition(":")[2]), timeout=60)
        named = {name.replace("_", "-"): value for name, value in heads.items()}
        named.setdefault("Host", self.host)
        if body is not None:
            named.setdefault("Content-Type", "application/x-www-form-urlencoded")
        link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {
            **named,
            **({"Content-Length": str(len(body.encode()))} if body is not None else {}),
        }.items():
            link.putheader(name, value)
        link.endheaders(body.encode() if body is not None else None)
        reply = link.getresponse()
        text = reply.read().decode("utf-8", "replace")
        link.close()
        return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, text)

    def enter(self) -> None:
        """Spend the one-time token."""
        parts = urlsplit(self.address)
        reply = self.ask("GET", f"{parts.path}?{parts.query}")
        assert reply.status == 303
        self.cookie = reply.headers["set-cookie"].partition(";")[0]
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(f"/review/{SLUG}").text)
        assert found
        self.csrf = found[1]

    def get(self, path: str) -> Answer:
        return self.ask("GET", path, Cookie=self.cookie)

    def post(self, fields: dict[str, str], **heads: str) -> Answer:
        """The page's form as a browser sends it; `heads` replaces what it would have said."""
        said = {"Cookie": self.cookie, "Origin": self.origin, **heads}
        return self.ask("POST", f"/review/{SLUG}", urlencode({"csrf": self.csrf, **fields}), **said)

    def form(self) -> dict[str, str]:
        """The fields of the post's page as it is now, nothing ticked."""
        text = self.get(f"/review/{SLUG}").text
        fields = {}
        for tag in re.findall(r'<input type="hidden"[^>]*>', text):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            assert name and value
            fields[name[1]] = html.unescape(value[1])
        for name, value in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>', text, re.S):
            fields[name] = html.unescape(value)
        return fields

    def questions(self) -> list[str]:
        """The names of the review queue's fields."""
        return sorted(set(re.findall(r'name="(queue-[0-9a-f]+)"', self.get(f"/review/{SLUG}").text)))


@pytest.fixture
def served(desk_project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The review page of the toy project, not yet entered."""
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    yield from serving(desk_project)


def serving(project: Project, who: str = "Ada") -> Iterator[Served]:
    """Serve until the test is done."""
    started = threading.Event()
    held: dict[str, object] = {}

    def ready(server: object, address: str) -> None:
        held.update(server=server, address=address)
        started.set()

    thread = threading.Thread(
        target=lambda: serve(project, "small", who, say=lambda line: None, ready=ready), daemon=True
    )
    thread.start()
    assert started.wait(30)
    address = str(held["address"])
    yield Served(project, address)
    held["server"].should_exit = True  # type: ignore[attr-defined]
    thread.join(30)
    assert not thread.is_alive()
