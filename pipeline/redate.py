"""Move the whole plan to another start: every date of its notes by the same number of days, the gaps as they were.

The anchor is `start` in `plan/index.md`. What moves with it: the sprint's start, end and weeks, the sessions' dates,
the course's start. Dates of what happened (a gap noted, a resource added) stay.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from experiments.kit.errors import CannotRun
from pipeline.finding import Finding
from pipeline.plan import Plan
from pipeline.properties import set_value
from pipeline.vault import Note
from pipeline.yamlmap import Path as KeyPath


@dataclass(frozen=True, slots=True)
class Move:
    """One date: where it stands, what it is, what it becomes."""

    note: Note
    path: KeyPath
    old: datetime.date
    new: datetime.date

    @property
    def line(self) -> int:
        """The line of the property."""
        return self.note.properties.line(*self.path) or 1


_DATED = re.compile(r"(?:.*/)?(?:sprint/[^/]+|(?:plan|course)/index)\.md", re.IGNORECASE)
_DATES = ("start", "end", "date", "from", "to")


def unreadable_dates(findings: Iterable[Finding]) -> list[Finding]:
    """Findings for which a date of the plan would stay behind: in notes that hold dates, all of the YAML or a date."""
    whole = ("yaml.malformed", "vault.open-properties", "plan.no-properties", "vault.encoding")
    return [
        finding
        for finding in findings
        if _DATED.fullmatch(finding.file or "")
        and finding.severity != "review"
        and (finding.check in whole or finding.key.rpartition(".")[2] in _DATES)
        and finding.check not in ("plan.missing-key", "plan.wrong-order", "plan.end-before-start")
    ]


def moves(plan: Plan, start: datetime.date) -> list[Move]:
    """Every date that changes when the plan starts on `start`. Raises CannotRun where it has no start to move."""
    schedule = plan.schedule
    if schedule.start is None:
        raise CannotRun(f"{schedule.note.file} has no start\n  fix: add `start: {start.isoformat()}` to its properties")
    by = start - schedule.start
    dates: list[tuple[Note, KeyPath, datetime.date | None]] = [(schedule.note, ("start",), schedule.start)]
    dates += [(plan.sprint.note, ("start",), plan.sprint.start), (plan.sprint.note, ("end",), plan.sprint.end)]
    for position, week in enumerate(plan.sprint.weekly):
        dates += [
            (plan.sprint.note, ("weekly", position, key), day) for key, day in (("from", week.first), ("to", week.last))
        ]
    dates += [(session.note, ("date",), session.date) for session in plan.sessions.values()]
    dates += [(plan.course.note, ("start",), plan.course.start)]
    try:
        return [Move(note, path, day, day + by) for note, path, day in dates if day is not None and by]
    except OverflowError:
        raise CannotRun(f"a start on {start.isoformat()} would move dates out of the calendar") from None


def moved(made: list[Move]) -> dict[str, str]:
    """The new text of each note that changes, by vault path. Raises CannotRun where one cannot be changed cleanly."""
    texts: dict[str, str] = {}
    for move in made:
        text = texts.get(move.note.path, move.note.text)
        texts[move.note.path] = set_value(text, move.path, move.new, move.note.file)
    return texts
