"""The site's own files: pages that a person wrote straight into `site/` (front page, about, lists), and what they need.

They print no measured value and have no draft, but nothing stands in `site/` that nobody approved.
`drafts/site.reviews.jsonl` holds one approval a line: who, when, and the SHA-256 of every file; the last line counts.
Third-party files are known by their hash in `site/assets/vendor.json` instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from experiments.kit.errors import CannotRun
from experiments.kit.files import canonical_json, sha256
from experiments.kit.record import EDITIONS
from pipeline.finding import Finding
from pipeline.project import Project
from pipeline.transaction import Transaction

COMPANIONS = tuple(f"assets/{kind}" for kind in ("figures", "series", "data", "cards"))
MADE = (*(f"{edition}/posts" for edition in EDITIONS), *COMPANIONS)
"""Folders below `site/` that `forge publish` alone writes."""
NOTHING = ".gitkeep"
"""A file that only keeps a folder in git; no builder looks at it."""


def record_path(project: Project) -> Path:
    """Where the approvals of the site's own files are kept."""
    return project.drafts / "site.reviews.jsonl"


def own_files(project: Project) -> dict[str, str]:
    """The hash of every file that is neither published nor third-party, by its path below `site/`."""
    kept = vendored(project)
    found = {}
    for path in sorted(project.site.rglob("*")):
        name = path.relative_to(project.site).as_posix()
        if path.is_file() and path.name != NOTHING and name not in kept and not is_made(name):
            found[name] = sha256(path.read_bytes())
    return found


def is_made(name: str) -> bool:
    """Whether a path below `site/` lies in a folder that only `forge publish` writes."""
    return any(PurePosixPath(name).is_relative_to(folder) for folder in MADE)


def vendored(project: Project) -> dict[str, str]:
    """The hash that each third-party file must have, by its path below `site/`. Raises CannotRun."""
    path = project.site / "assets" / "vendor.json"
    if not path.is_file():
        return {}
    try:
        packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
        listed = {name: str(entry["sha256"]) for package in packages for name, entry in package["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotRun(f"{project.relative(path)}: not a list of files: {error}\n  fix: restore it from git") from None
    return {name.removeprefix("site/"): digest for name, digest in listed.items() if name.startswith("site/")}


def approve_own(project: Project, who: str) -> list[str]:
    """Record that a person approves the site's own files as they stand. Returns their names."""
    files = own_files(project)
    path = record_path(project)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    when = datetime.now(UTC).replace(microsecond=0).isoformat()
    transaction = Transaction(project)
    transaction.write(path, f"{before}{canonical_json({'who': who, 'when': when, 'files': files})}\n")
    transaction.commit()
    return list(files)


def check_own(project: Project) -> Iterator[Finding]:
    """What of the site's own and of third-party files is not as it was approved; a warning where nobody ever did."""
    for name, digest in vendored(project).items():
        path = project.site / name
        if not path.is_file():
            yield Finding(
                "missing-file", "error", "listed in site/assets/vendor.json", f"site/{name}", fix="restore it"
            )
        elif sha256(path.read_bytes()) != digest:
            message = "not the file that site/assets/vendor.json lists"
            yield Finding("edited-file", "error", message, f"site/{name}", fix="restore it")
    fix = "look at it, then `forge approve site`"
    files, approved = own_files(project), _approved(project)
    if approved is None:
        if not files:
            return
        message = f"nobody approved the site's own files yet: {', '.join(files)}"
        yield Finding("unapproved-own", "warning", message, "site", fix="look at them, then `forge approve site`")
        return
    for name in sorted({*files, *approved}):
        kind = "page" if name.endswith(".md") else "file"
        if name not in approved:
            yield Finding(f"unapproved-{kind}", "error", f"nobody approved this {kind}", f"site/{name}", fix=fix)
        elif name not in files:
            yield Finding(f"missing-{kind}", "error", f"an approved {kind} is gone", f"site/{name}", fix=fix)
        elif files[name] != approved[name]:
            message = f"not the {kind} that was approved: it was edited since"
            yield Finding(f"edited-{kind}", "error", message, f"site/{name}", fix=fix)


def _approved(project: Project) -> dict[str, str] | None:
    """The files of the last approval, None where there is none. Raises CannotRun where it does not read."""
    path = record_path(project)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if not lines:
        return None
    try:
        return {str(name): str(digest) for name, digest in json.loads(lines[-1])["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "restore the line from git, or delete it and run `forge approve site`"
        raise CannotRun(f"{project.relative(path)}:{len(lines)}: not an approval: {error}\n  fix: {fix}") from None
