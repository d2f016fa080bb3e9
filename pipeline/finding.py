"""A finding: what a check, a parser or a loader reports, with its place and the way to fix it.

Every stage reports through this one type, so the terminal, the review and `--json` show the same things.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "review"]
"""`error` blocks, `warning` blocks under --strict, `review` asks the person to look."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "review")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `file` is relative to the repository; `line` and `column` count from 1."""

    check: str
    severity: Severity
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    sentence: str = ""
    fix: str = ""
    key: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known, in the form editors jump to."""
        if self.file is None:
            return ""
        known = [self.file]
        if self.line is not None:
            known.append(str(self.line))
            if self.column is not None:
                known.append(str(self.column))
        return ":".join(known)

    @property
    def about(self) -> str:
        """The check, and the key where the message does not name it: `plan.dead-link (pair)`."""
        said = not self.key or re.search(rf"(?<!\w){re.escape(self.key)}(?!\w)", self.message)
        return self.check if said else f"{self.check} ({self.key})"

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        text = f"{where}{self.severity} {self.about}: {self.message}"
        return f"{text}\n  fix: {self.fix}" if self.fix else text

    def to_json(self) -> dict[str, str | int | None]:
        """Every field by name; unknown places are null, so the shape never changes."""
        return asdict(self)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file, line and column; at one place the gravest first. Equal findings are kept once."""
    return sorted(
        dict.fromkeys(findings),
        key=lambda f: (
            f.file or "",
            f.line or 0,
            f.column or 0,
            SEVERITIES.index(f.severity),
            f.check,
            f.message,
        ),
    )


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`did you mean 'x'?` for the option closest to `word`, or an empty string where none is close."""
    from difflib import get_close_matches

    names: dict[str, str] = {}
    for option in options:
        names.setdefault(option.casefold(), option)
    close = get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    return f"did you mean '{names[close[0]]}'?" if close else ""
