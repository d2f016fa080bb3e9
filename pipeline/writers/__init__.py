"""Writers turn evidence into drafts.

Each is a module with `write(evidence, edition, request) -> Writing`: a generator that yields the calls it wants
answered and returns what it wrote (`conversation.py`). It sees no network; a driver answers.
"""

from __future__ import annotations

import os

from experiments.kit.errors import CannotRun
from experiments.kit.record import Edition
from pipeline.evidence import Evidence
from pipeline.finding import did_you_mean
from pipeline.writers.conversation import Later, Writing
from pipeline.writers.request import Request, front_matter

WRITERS = ("auto", "offline", "anthropic", "local")

__all__ = ["WRITERS", "Request", "choose", "front_matter", "later", "start"]


def choose(name: str) -> str:
    """Resolve `auto`: `anthropic` where a key is set, else `offline`. Raises CannotRun on an unknown writer."""
    if name not in WRITERS:
        raise CannotRun(f"no writer {name}; {did_you_mean(name, WRITERS) or 'writers are ' + ', '.join(WRITERS)}")
    if name != "auto":
        return name
    return "anthropic" if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN") else "offline"


def start(name: str, evidence: Evidence, edition: Edition, request: Request) -> Writing:
    """Begin one edition with a writer, which is imported only now."""
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


def later(name: str, request: Request) -> tuple[Later, ...]:
    """What a writer may ask after the first call of an edition, for a price before spending."""
    match choose(name):
        case "offline":
            return ()
        case "anthropic":
            from pipeline.writers import anthropic

            return anthropic.later(request)
        case _:
            from pipeline.writers import local

            return local.later(request)
