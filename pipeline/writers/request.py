"""What a writer is asked beyond the evidence, and the front matter every draft starts with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.kit.record import Edition
from pipeline.evidence import Evidence
from pipeline.finding import Finding
from pipeline.project import Project


@dataclass(frozen=True)
class Request:
    """The project, the reason of a sent-back draft, a way to report progress, and the checks.

    `check(front, body)` gives what the checks find in a draft with that front matter and body. Checks are a later
    stage, so they are handed in. Lines of its findings count in the body, and what no wording could mend is left out.
    """

    project: Project
    instruction: str = ""
    report: Callable[[str], None] = lambda line: None
    check: Callable[[Mapping[str, Any], str], list[Finding]] = lambda front, body: []


def front_matter(evidence: Evidence, edition: Edition) -> dict[str, Any]:
    """The front matter of a draft. It comes from the plan alone: nothing that a model answers gets into it."""
    return {
        "title": evidence.post.title,
        "description": evidence.post.description.get(edition, ""),
        "edition": edition,
        "week": evidence.week.number,
        "tags": list(evidence.post.tags),
    }
