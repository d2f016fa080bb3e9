"""Roles that do not resolve: unknown keys, false claims, gaps left open, and braces that miss their code span."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.render import ROLES

BROKEN = re.compile(r"\{(" + "|".join(ROLES) + r")\}")


def check(subject: Subject) -> Iterator[Finding]:
    """What rendering could not resolve, and role names in braces with no code span behind them."""
    yield from subject.rendered.findings
    for prose in subject.prose():
        for match in BROKEN.finditer(prose.text):
            fix = f"write {match[0]}`key` with no space before the backtick"
            yield subject.find(
                "unresolved-role", "error", prose.start + match.start(), f"{match[0]} names nothing", fix, match[1]
            )
