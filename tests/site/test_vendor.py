"""Third-party files are the published ones, all of them are listed, and each has its licence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).parents[2]
PACKAGES: list[dict[str, Any]] = json.loads((REPO / "site/assets/vendor.json").read_text(encoding="utf-8"))["packages"]
FILES = [(path, entry) for package in PACKAGES for path, entry in package["files"].items()]


@pytest.mark.parametrize(("path", "entry"), FILES, ids=[path for path, _ in FILES])
def test_hash(path: str, entry: dict[str, str]) -> None:
    assert hashlib.sha256((REPO / path).read_bytes()).hexdigest() == entry["sha256"]


def test_every_kept_file_is_listed() -> None:
    kept = {
        path.relative_to(REPO).as_posix()
        for folder in ("site/assets/fonts", "site/assets/katex", "pipeline/katex")
        for path in (REPO / folder).rglob("*")
        if path.is_file() and path.name != "LICENSE"
    }
    assert kept == {path for path, _ in FILES}


def test_every_package_has_version_and_licence() -> None:
    for package in PACKAGES:
        assert package["version"].count(".") == 2
        text = (REPO / package["licence_file"]).read_text(encoding="utf-8")
        assert {"MIT": "MIT License", "OFL-1.1": "SIL Open Font License"}[package["licence"]].lower() in text.lower()
    assert (REPO / "pipeline/katex/LICENSE").read_bytes() == (REPO / "site/assets/licences/katex.txt").read_bytes()


def test_style_sheet_and_script_are_of_one_version() -> None:
    version = next(package["version"] for package in PACKAGES if package["package"] == "katex")
    assert f'"{version}"' in (REPO / "pipeline/katex/katex.min.js").read_text(encoding="utf-8")
    assert f'"{version}"' in (REPO / "site/assets/katex/katex.min.css").read_text(encoding="utf-8")
