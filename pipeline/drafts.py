"""Drafts on disk: one folder a post, `drafts/<slug>/`, holding both editions, their bases, prompts and reviews.

    scientist.md, manager.md     the person's text: YAML front matter, then Markdown with roles
    base/<edition>.md            what the writer last produced
    prompts/<edition>.md         the prompt as sent
    draft.json                   by edition: writer, model, evidence hash, when, calls
    reviews.jsonl                decisions, one a line (`review.py`)

A new draft is merged into the person's text (`merge.py`): front matter by key, body by paragraph.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from experiments.kit.errors import CannotRun
from experiments.kit.files import json_lines_object, sha256
from experiments.kit.record import EDITIONS, Edition
from pipeline.merge import Merged, merge, merge_properties
from pipeline.project import Project
from pipeline.transaction import Transaction


@dataclass(frozen=True)
class Draft:
    """One edition's source. `text` is the whole file, `body` what follows the front matter, from `body_line` on."""

    slug: str
    edition: Edition
    path: Path
    text: str
    front: Mapping[str, Any]
    body: str
    body_line: int

    @property
    def hash(self) -> str:
        """SHA-256 of the file's text."""
        return sha256(self.text)


@dataclass(frozen=True)
class Written:
    """What a writer hands over: front matter and body, the prompts it sent and their version, and what it cost."""

    front: Mapping[str, Any]
    body: str
    prompt: str
    writer: str
    model: str = ""
    calls: int = 0
    usd: float = 0.0
    notes: tuple[str, ...] = ()
    prompt_version: str = ""


@dataclass(frozen=True)
class Saved:
    """What saving did to one edition: `created`, `updated` or `unchanged`; conflicts wait for the person."""

    slug: str
    edition: Edition
    outcome: str
    conflicts: int
    kept_edits: int


def folder_of(project: Project, slug: str) -> Path:
    """`drafts/<slug>`."""
    return project.drafts / slug


def compose(front: Mapping[str, Any], body: str) -> str:
    """A file's text from its two parts."""
    head = yaml.safe_dump(dict(front), sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return f"---\n{head}---\n\n{body.strip()}\n"


def split_front(text: str, name: str) -> tuple[dict[str, Any], str, int]:
    """Front matter, body and the body's first line (1-based). Raises CannotRun on front matter that is not YAML."""
    lines = text.split("\n")
    if not lines or lines[0].rstrip() != "---":
        return {}, text, 1
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            try:
                front = yaml.safe_load("\n".join(lines[1:number])) or {}
            except yaml.YAMLError as error:
                mark = getattr(error, "problem_mark", None)
                where = f":{mark.line + 2}" if mark else ""
                raise CannotRun(
                    f"{name}{where}: front matter is not YAML: {getattr(error, 'problem', error)}"
                ) from None
            if not isinstance(front, dict):
                raise CannotRun(f"{name}:2: front matter must be `key: value` lines")
            return front, "\n".join(lines[number + 1 :]), number + 2
    raise CannotRun(f"{name}:1: front matter opens with --- and never closes\n  fix: add a line with --- after it")


def read_draft(project: Project, path: Path, slug: str, edition: Edition) -> Draft:
    """Read any Markdown file as an edition of a post. Raises CannotRun where it cannot be read."""
    name = project.relative(path)
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise CannotRun(f"{name} does not exist") from None
    except UnicodeDecodeError as error:
        raise CannotRun(f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise CannotRun(f"{name}: {error.strerror}") from None
    front, body, line = split_front(text, name)
    return Draft(slug, edition, path, text, front, body, line)


def load_draft(project: Project, slug: str, edition: Edition) -> Draft | None:
    """An edition of a post, or None where there is no draft yet."""
    path = folder_of(project, slug) / f"{edition}.md"
    return read_draft(project, path, slug, edition) if path.is_file() else None


def load_state(project: Project, slug: str) -> dict[str, dict[str, Any]]:
    """`draft.json`: by edition, what wrote it against which evidence. Empty where there is none."""
    path = folder_of(project, slug) / "draft.json"
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CannotRun(
            f"{project.relative(path)}: {error}\n  fix: restore it from git, or delete it to re-draft"
        ) from None
    return dict(loaded)


def draft_slugs(project: Project) -> list[str]:
    """Posts that have a draft, in order."""
    return sorted(path.parent.name for path in project.drafts.glob("*/draft.json"))


def save_written(project: Project, slug: str, evidence_hash: str, written: Mapping[Edition, Written]) -> list[Saved]:
    """Merge new drafts into the post's folder, all files in one transaction."""
    folder = folder_of(project, slug)
    state = load_state(project, slug)
    transaction = Transaction(project)
    saved = []
    for edition in EDITIONS:
        if edition not in written:
            continue
        new = written[edition]
        text = compose(new.front, new.body)
        current = load_draft(project, slug, edition)
        base_path = folder / "base" / f"{edition}.md"
        if current is None:
            merged, outcome = Merged(text, (), 0), "created"
        else:
            merged = _merge_draft(project, current, base_path, new)
            outcome = "unchanged" if merged.text == current.text else "updated"
        transaction.write(folder / f"{edition}.md", merged.text)
        transaction.write(base_path, text)
        transaction.write(folder / "prompts" / f"{edition}.md", new.prompt)
        state[edition] = {
            "writer": new.writer,
            "model": new.model,
            "evidence": evidence_hash,
            "written": datetime.now(UTC).replace(microsecond=0).isoformat(),
            "calls": new.calls,
            "usd": round(new.usd, 6),
            "notes": list(new.notes),
            "prompt_version": new.prompt_version,
        }
        saved.append(Saved(slug, edition, outcome, len(merged.conflicts), merged.kept_edits))
    transaction.write(folder / "draft.json", json_lines_object(state))
    transaction.commit()
    return saved


def _merge_draft(project: Project, current: Draft, base_path: Path, new: Written) -> Merged:
    """Front matter by key, body by paragraph. Without a base every difference of the person's counts as an edit."""
    if base_path.is_file():
        base_front, base_body, _ = split_front(base_path.read_text(encoding="utf-8"), project.relative(base_path))
    else:
        base_front, base_body = {}, ""
    body = merge(base_body.strip() + "\n", current.body.strip() + "\n", new.body.strip() + "\n")
    front, lost = merge_properties(base_front, current.front, new.front)
    conflicts = (*body.conflicts, *lost)
    if front == dict(current.front) and body.text.strip() == current.body.strip():
        return Merged(current.text, conflicts, body.kept_edits)
    return Merged(compose(front, body.text), conflicts, body.kept_edits)
