"""Writers turn evidence into drafts. Each is a module with `write(evidence, edition, request) -> Written`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.kit.errors import CannotRun
from experiments.kit.record import Edition
from pipeline.drafts import Written
from pipeline.evidence import Evidence
from pipeline.finding import did_you_mean
from pipeline.project import Project

WRITERS = ("auto", "offline", "anthropic", "local")


@dataclass(frozen=True)
class Request:
    """What a writer is asked beyond the evidence: the reason of a sent-back draft, a way to report progress."""

    project: Project
    instruction: str = ""
    report: Callable[[str], None] = lambda line: None


def choose(name: str) -> str:
    """Resolve `auto`: `anthropic` where a key is set, else `offline`. Raises CannotRun on an unknown writer."""
    if name not in WRITERS:
        raise CannotRun(f"no writer {name}; {did_you_mean(name, WRITERS) or 'writers are ' + ', '.join(WRITERS)}")
    if name != "auto":
        return name
    return "anthropic" if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN") else "offline"


def front_matter(evidence: Evidence, edition: Edition) -> dict[str, Any]:
    """The front matter every writer starts a draft with."""
    return {
        "title": evidence.post.title,
        "description": evidence.post.description.get(edition, ""),
        "edition": edition,
        "week": evidence.week.number,
        "tags": list(evidence.post.tags),
    }


def write(name: str, evidence: Evidence, edition: Edition, request: Request) -> Written:
    """Write one edition with a writer, which is imported only now."""
    match choose(name):
        case "offline":
            from pipeline.writers import offline

            return offline.write(evidence, edition, request)
        case "anthropic":
            from pipeline.writers import anthropic

            return anthropic.write(evidence, edition, request)
        case _:
            from pipeline.writers import local

            return local.write(evidence, edition, request)
