"""Roles that do not resolve: unknown keys, false claims, gaps left open, and braces that miss their code span."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.checks.conflicts import conflict_lines
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.render import ROLES

BROKEN = re.compile(r"\{(" + "|".join(ROLES) + r")\}")


def check(subject: Subject) -> Iterator[Finding]:
    """What rendering could not resolve or the front matter asks for in vain, and role names in braces with no code
    span behind them."""
    yield from subject.asked.findings
    told = conflict_lines(subject)
    yield from (f for f in subject.rendered.findings if f.check != "todo" or f.line not in told)
    for prose in subject.prose():
        for match in BROKEN.finditer(prose.text):
            fix = f"write {match[0]}`key` with no space before the backtick"
            message = f"{match[0]} names nothing"
            yield subject.report("unresolved-role", "error", prose, match.start(), message, fix, match[1])
