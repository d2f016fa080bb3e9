"""What `forge week` found to be up to date, kept so that asking again costs reading files.

An answer stands while nothing it rests on changed: notes, code, results, drafts, reviews, pages, the preview, the
installed libraries, and the writer that was asked for. It is kept only where the call left nothing to do or to tell.
"""

from __future__ import annotations

import hashlib
import json
import os
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from experiments.kit.files import canonical_json, write_if_changed
from pipeline.project import Project

GIVEN = ("notes/**/*", "site/**/*", "pipeline/**/*", "experiments/**/*.py", "mkdocs.yml", "pyproject.toml")
"""What `forge week` reads and never writes."""
MADE = ("drafts/**/*", "experiments/*/results/{budget}/**/*", ".forge/runs/*", ".forge/preview.hash")


def is_settled(project: Project, number: int, budget: str, writer: str) -> bool:
    """Whether the last call for this week left nothing to do and nothing changed since."""
    try:
        kept = json.loads(_path(project).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(kept, dict) and kept.get(_name(number, budget)) == _digest(project, budget, writer)


def given(project: Project) -> str:
    """A hash of what `forge week` reads and never writes: where it moved during a call, nothing is settled."""
    return _hash_of(project, GIVEN).hexdigest()


def settle(project: Project, number: int, budget: str, writer: str) -> None:
    """Keep that there is nothing to do for a week."""
    path = _path(project)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    kept = kept if isinstance(kept, dict) else {}
    write_if_changed(path, canonical_json({**kept, _name(number, budget): _digest(project, budget, writer)}))


def preview_index(project: Project) -> Path:
    """Where the preview opens from the file system."""
    return project.scratch / "preview" / "index.html"


def _path(project: Project) -> Path:
    return project.scratch / "settled.json"


def _name(number: int, budget: str) -> str:
    return f"week {number} at {budget}"


def _digest(project: Project, budget: str, writer: str) -> str:
    """A hash of all that decides whether a week is up to date."""
    libraries = Path(sysconfig.get_paths()["purelib"])
    keys = [name for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN") if os.environ.get(name)]
    changed = libraries.stat().st_mtime_ns if libraries.is_dir() else 0
    total = _hash_of(project, [*GIVEN, *(pattern.format(budget=budget) for pattern in MADE)])
    total.update(json.dumps([writer, keys, changed, preview_index(project).is_file()]).encode())
    return total.hexdigest()


def _hash_of(project: Project, patterns: Iterable[str]) -> hashlib._Hash:
    total = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(project.root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(str(path.relative_to(project.root)).encode() + b"\0")
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total
