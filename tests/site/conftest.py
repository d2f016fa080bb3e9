"""A project in a temporary folder: this repository's site without its posts, plus the fixture posts."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import site

REPO = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures"


def make_project(root: Path, *, posts: tuple[str, ...] = ("scientist", "manager")) -> Path:
    """The repository's own mkdocs.yml, theme and pages in `root`, with the fixture posts of the editions named."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPO / "mkdocs.yml", root)
    (root / "pipeline").mkdir()
    shutil.copytree(REPO / "pipeline" / "theme", root / "pipeline" / "theme")
    made = shutil.ignore_patterns("posts", "figures", "data", "series", "cards")
    shutil.copytree(REPO / "site", root / "site", ignore=made)
    shutil.copytree(FIXTURES / "notes", root / "notes")
    (root / "experiments" / "week01_mdp").mkdir(parents=True)
    shutil.copy(REPO / "experiments" / "week01_mdp" / "value_iteration.py", root / "experiments" / "week01_mdp")
    if posts:
        shutil.copytree(FIXTURES / "assets", root / "site" / "assets", dirs_exist_ok=True)
    for edition in ("scientist", "manager"):
        (root / "site" / edition / "posts").mkdir()
        if edition in posts:
            shutil.copytree(FIXTURES / edition / "posts", root / "site" / edition / "posts", dirs_exist_ok=True)
    return root


def fixture_pages(**front: object) -> tuple[dict[str, str], dict[str, Path]]:
    """The fixture posts as `preview` takes them: pages with `front` added to their front matter, and figures."""
    extra = "".join(f"{key}: {value}\n" for key, value in front.items())
    pages = {
        path.relative_to(FIXTURES).as_posix(): path.read_text(encoding="utf-8").replace("---\n", "---\n" + extra, 1)
        for path in sorted(FIXTURES.glob("*/posts/*.md"))
    }
    assets = {path.relative_to(FIXTURES).as_posix(): path for path in FIXTURES.glob("assets/figures/*/*")}
    return pages, assets


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project with both editions' fixture posts."""
    return make_project(tmp_path / "project")


@pytest.fixture
def project_with(tmp_path: Path) -> Callable[..., Path]:
    """`make_project` bound to a fresh folder."""
    return functools.partial(make_project, tmp_path / "project")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture site, built once; read only."""
    result = site.build(make_project(tmp_path_factory.mktemp("built")))
    assert result.ok, site.describe(result)
    return result.out


@pytest.fixture(scope="session")
def previewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture posts as drafts under review, built once; read only."""
    root = make_project(tmp_path_factory.mktemp("previewed"), posts=())
    result = site.preview(root, *fixture_pages(review="pending", findings=3, blocking=1), root / ".forge" / "preview")
    assert result.ok, site.describe(result)
    return result.out


@pytest.fixture(scope="session")
def address(built: Path) -> Iterator[str]:
    """The built fixture site on a local port."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(built)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
