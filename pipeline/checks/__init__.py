"""The checks: each module looks for one kind of thing a page must not contain, and reports findings.

A check is a function `check(subject) -> Iterable[Finding]`; it reads and never writes, but for what it keeps in
scratch. `CHECKS` find what blocks or warns; `QUEUE` finds sentences a person should look at, and is asked for only
where a person looks. `VERSION` is part of every approval: raise it when a check starts to find what it used to miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipeline.checks import (
    characters,
    citations,
    claimed_numbers,
    comparisons,
    conflicts,
    editions,
    figures,
    fitting,
    freshness,
    glossary,
    listings,
    markup,
    numbers,
    observations,
    quotes,
    reading,
    roles,
    secrets,
)
from pipeline.checks.subject import Subject, make_subject
from pipeline.drafts import Draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding, in_order
from pipeline.project import Project

VERSION = "7"

CHECKS: tuple[Callable[[Subject], Iterable[Finding]], ...] = (
    roles.check,
    characters.check,
    conflicts.check,
    freshness.check,
    numbers.check,
    comparisons.check,
    claimed_numbers.check,
    citations.check,
    quotes.check,
    figures.check,
    listings.check,
    markup.check,
    secrets.check,
    editions.check,
    reading.check,
    glossary.check,
)


QUEUE: tuple[Callable[[Subject], Iterable[Finding]], ...] = (observations.check, fitting.check)


def check_draft(
    project: Project, evidence: Evidence, draft: Draft, other: Draft | None, queue: bool = False
) -> list[Finding]:
    """Findings on one edition, in order of place. `other` is the other edition, where there is one; `queue` adds the
    sentences for a person to look at."""
    subject = make_subject(project, evidence, draft, other)
    return in_order(finding for check in (*CHECKS, *(QUEUE if queue else ())) for finding in check(subject))
