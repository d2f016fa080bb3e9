"""Status: for each week what is done, stale and waiting, and the next step as a command to copy.

Everything here is computed from the notes, results, drafts and reviews; nothing is typed in. The answer is kept under
a hash of all it was computed from, so asking again costs only reading the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from experiments.kit.files import atomic_write, canonical_json
from experiments.kit.record import EDITIONS
from pipeline.project import Project


@dataclass
class WeekStatus:
    """One week: its studies (reasons why stale; none means fresh), its editions, the next step."""

    number: int
    title: str
    studies: dict[str, list[str]] = field(default_factory=dict)
    editions: list[dict[str, Any]] = field(default_factory=list)
    next: str = ""


def project_status(project: Project, budget: str) -> list[WeekStatus]:
    """All weeks that have posts, computed or taken from the kept answer."""
    digest = _digest(project, budget)
    kept = project.scratch / "status.json"
    try:
        answer = json.loads(kept.read_text(encoding="utf-8"))
        if answer["hash"] == digest:
            return [WeekStatus(**week) for week in answer["weeks"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    weeks = list(_weeks(project, budget))
    atomic_write(kept, canonical_json({"hash": digest, "weeks": [asdict(week) for week in weeks]}))
    return weeks


def _weeks(project: Project, budget: str) -> Iterator[WeekStatus]:
    # Only a changed project pays for these imports.
    from experiments.kit.run import stale_reasons
    from pipeline.evidence import gather, open_vault
    from pipeline.plan import week_numbers
    from pipeline.publish import page_path
    from pipeline.review import edition_state

    vault = open_vault(project)
    for number in week_numbers(vault):
        evidences, _ = gather(project, vault, number, budget)
        if not evidences:
            continue
        week = WeekStatus(number, evidences[0].week.title)
        for experiment in evidences[0].week.experiments:
            if experiment.study:
                try:
                    week.studies[experiment.study] = stale_reasons(experiment.study, budget, project.root)
                except (FileNotFoundError, SyntaxError) as error:
                    week.studies[experiment.study] = [str(error)]
        for evidence in evidences:
            for edition in EDITIONS:
                state = edition_state(project, evidence, edition)
                path = page_path(project, state.slug, edition)
                published = path.is_file()
                week.editions.append(
                    {
                        "post": state.slug,
                        "title": evidence.post.title,
                        "edition": edition,
                        "state": "published" if state.state == "approved" and published else state.state,
                        "errors": len(state.errors),
                        "notes": len(state.findings) - len(state.errors),
                        "reason": state.errors[0].message if state.errors else "",
                    }
                )
        week.next = _next(week)
        yield week


def _next(week: WeekStatus) -> str:
    states = {edition["state"] for edition in week.editions}
    if any(week.studies.values()) or "missing" in states:
        return f"forge week {week.number}"
    if "sent-back" in states:
        return f"forge draft {week.number}"
    for edition in week.editions:
        if edition["state"] == "findings":
            return f"forge check drafts/{edition['post']}/{edition['edition']}.md"
    for edition in week.editions:
        if edition["state"] in ("waiting", "stale"):
            return f"forge review {edition['post']}"
    return "forge publish" if "approved" in states else ""


def _digest(project: Project, budget: str) -> str:
    """A hash of every file an answer depends on."""
    total = hashlib.sha256(budget.encode())
    patterns = ["notes/**/*.md", "notes/*.bib", "drafts/**/*.*", f"experiments/*/results/{budget}/*.json"]
    patterns += ["experiments/**/*.py", "pipeline/**/*.py", "site/*/posts/*.md", "pyproject.toml"]
    for pattern in patterns:
        for path in sorted(project.root.glob(pattern)):
            if path.is_file():
                total.update(str(path.relative_to(project.root)).encode() + b"\0" + _stamp(path))
    return total.hexdigest()


def _stamp(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
