"""What a build left, and how to say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.finding import Finding


@dataclass(frozen=True)
class BuildResult:
    """What a build left. `out` holds a whole site either way: the new one if `ok`, else the one before (if any).

    A published site with a finding of severity error is never `ok`; a preview is, so that its reviewer sees the page.
    """

    ok: bool
    out: Path
    findings: list[Finding]
    seconds: float
    pages: int


def describe(result: BuildResult) -> str:
    """A build in words: one line, then its findings."""
    head = (
        f"{result.pages} pages in {result.seconds:.1f} s" if result.ok else "site not built; the last good one stands"
    )
    return "\n".join([head, *(str(finding) for finding in result.findings)])
