"""Every value and claim a post prints: what it is, where it came from, and what it was when it was last approved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from experiments.kit.record import Claim, Edition, Fact
from pipeline.page import Page, Snapshot
from pipeline.render import Use, key_and_rest, provenance

VALUE = re.compile(r"\{val\}(`+)(?P<content>.+?)\1")


@dataclass(frozen=True)
class Cell:
    """A value in one edition: its text now, its text when last approved ("" if not there), and where it stands."""

    now: str
    was: str
    known: bool
    uses: tuple[Use, ...]

    @property
    def moved(self) -> bool:
        """Whether an approval printed another text here."""
        return self.known and bool(self.was) and self.was != self.now


@dataclass(frozen=True)
class Row:
    """One fact with both editions' cells, its provenance in words and its commit."""

    fact: Fact
    cells: Mapping[Edition, Cell]
    provenance: str
    commit: str

    @property
    def moved(self) -> bool:
        """Whether it moved in any edition."""
        return any(cell.moved for cell in self.cells.values())


@dataclass(frozen=True)
class ClaimRow:
    """One claim: what it compares now and when last approved, and where each edition uses it."""

    claim: Claim
    was: str
    uses: Mapping[Edition, tuple[Use, ...]] = field(default_factory=dict)

    @property
    def moved(self) -> bool:
        """Whether the comparison reads differently than the approved one."""
        return bool(self.was) and self.was != self.claim.detail


def _uses(page: Page, role: str, key: str) -> tuple[Use, ...]:
    return tuple(use for use in page.rendered.uses if (use.role, use.key) == (role, key))


def _claim_uses(page: Page, key: str) -> tuple[Use, ...]:
    """The words bound to a claim, its values as the reader sees them."""

    def value(role: re.Match[str]) -> str:
        fact = page.rendered.facts.get(key_and_rest(role["content"])[0])
        return fact.text(page.edition) if fact is not None else role.group()

    return tuple(replace(use, text=VALUE.sub(value, use.text)) for use in _uses(page, "claim", key))


def value_rows(pages: Mapping[Edition, Page], approved: Mapping[Edition, Snapshot]) -> list[Row]:
    """All facts of the pages: those that moved first, then by key."""
    rows = []
    facts = {key: fact for page in pages.values() for key, fact in page.rendered.facts.items()}
    for key, fact in facts.items():
        cells: dict[Edition, Cell] = {}
        for edition, page in pages.items():
            if key in page.rendered.facts:
                known = edition in approved
                old = approved[edition].facts.get(key) if known else None
                cells[edition] = Cell(
                    fact.text(edition), old.text(edition) if old else "", known, _uses(page, "val", key)
                )
        run = next((run for page in pages.values() for run in page.snapshot.runs.values() if run.id == fact.run), None)
        rows.append(Row(fact, cells, provenance(fact), run.commit[:10] if run and run.commit else ""))
    return sorted(rows, key=lambda row: (not row.moved, row.fact.key))


def claim_rows(pages: Mapping[Edition, Page], approved: Mapping[Edition, Snapshot]) -> list[ClaimRow]:
    """All claims of the pages: those that no longer hold or read differently first, then by key."""
    claims = {key: claim for page in pages.values() for key, claim in page.rendered.claims.items()}
    rows = []
    for key, claim in claims.items():
        was = next((snapshot.claims[key].detail for snapshot in approved.values() if key in snapshot.claims), "")
        rows.append(ClaimRow(claim, was, {edition: _claim_uses(page, key) for edition, page in pages.items()}))
    return sorted(rows, key=lambda row: (bool(row.claim.holds), not row.moved, row.claim.key))
