"""Real Chromium for the browser tests: one for the whole run, since Playwright drives one loop a thread."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


def find_chromium() -> str | None:
    """A Chromium on this machine: FORGE_CHROMIUM, one on the path, or Playwright's own."""
    for name in (os.environ.get("FORGE_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    own = sorted(home.glob("chromium-*/chrome-linux*/chrome"))
    return str(own[-1]) if own else None


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Real Chromium, which can reach this machine and nothing else."""
    path = find_chromium()
    if path is None:
        if os.environ.get("FORGE_REQUIRE_BROWSER") == "1":
            pytest.fail("FORGE_REQUIRE_BROWSER=1, but no Chromium was found (set FORGE_CHROMIUM to one)")
        pytest.skip("no Chromium on this machine (apt-get install chromium, or set FORGE_CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()
