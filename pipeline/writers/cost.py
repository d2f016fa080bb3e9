"""What was spent: the cost records added up by week, post and model.

"Cached" is the share of a prompt's tokens that were read from the cache. Calls without a price are named, never
counted as free; tokens of answers that broke off are apart, as "possibly billed".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from pipeline.writers.calls import Line
from pipeline.writers.prices import KINDS, PROMPT_KINDS


@dataclass
class Spent:
    """Calls answered, those of them in batches, tokens by kind, USD, and what may be billed beside."""

    calls: int = 0
    batched: int = 0
    usage: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    usd: Decimal = Decimal(0)
    batched_usd: Decimal = Decimal(0)
    lost_calls: int = 0
    lost_usd: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def cached(self) -> float:
        """Share of prompt tokens read from the cache, 0 to 1."""
        prompt = sum(self.usage[kind] for kind in PROMPT_KINDS)
        return self.usage["read"] / prompt if prompt else 0.0

    def add(self, line: Line) -> None:
        """Count a line of the record."""
        usd = Decimal(line.usd) if line.usd is not None else Decimal(0)
        if line.outcome == "lost":
            self.lost_calls += 1
            self.lost_usd += usd
            return
        self.calls += 1
        self.usd += usd
        self.unpriced += line.usd is None
        if line.how == "batch":
            self.batched += 1
            self.batched_usd += usd
        for kind in KINDS:
            self.usage[kind] += line.usage.get(kind, 0)

    def to_json(self) -> dict[str, object]:
        """Every field by name; USD as numbers."""
        return {
            "calls": self.calls,
            "live": self.calls - self.batched,
            "batched": self.batched,
            "tokens": dict(self.usage),
            "cached_share": round(self.cached, 4),
            "usd": float(self.usd),
            "usd_live": float(self.usd - self.batched_usd),
            "usd_batched": float(self.batched_usd),
            "possibly_billed_calls": self.lost_calls,
            "possibly_billed_usd": float(self.lost_usd),
            "calls_without_a_price": self.unpriced,
        }


def total(lines: Iterable[Line]) -> Spent:
    """All of it."""
    spent = Spent()
    for line in lines:
        spent.add(line)
    return spent


def by_week_post_model(lines: Iterable[Line]) -> dict[tuple[int, str, str], Spent]:
    """Added up by (week, post, model), in that order."""
    sums: dict[tuple[int, str, str], Spent] = {}
    for line in lines:
        sums.setdefault((line.week, line.post, line.model), Spent()).add(line)
    return dict(sorted(sums.items()))
