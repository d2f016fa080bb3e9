"""What one command may spend: every call is weighed by the most it can cost before it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from experiments.kit.errors import CannotRun
from pipeline.writers.calls import Reply


class BudgetReached(CannotRun):
    """The next call could cost more than is left."""


@dataclass
class Purse:
    """A bound in USD (None: none), what was paid for answers, and what broken calls may be billed."""

    limit: Decimal | None = None
    paid: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    calls: int = 0

    def add(self, replies: Iterable[Reply]) -> None:
        """Count answers a batch brought."""
        for reply in replies:
            self.calls += 1
            self.paid += reply.usd or Decimal(0)

    def allow(self, worst: Decimal, what: str) -> None:
        """Raises BudgetReached where `worst` does not fit into what is left."""
        if self.limit is None:
            return
        left = self.limit - self.paid - self.lost
        if worst > left:
            lost = f", and up to {usd(self.lost)} for answers that broke off" if self.lost else ""
            raise BudgetReached(
                f"{what}: it could cost up to {usd(worst)}, and of the budget of {usd(self.limit)} {usd(left)} is "
                f"left: it was not sent\n  paid so far: {usd(self.paid)} for {self.calls} "
                f"call{'' if self.calls == 1 else 's'}{lost}; every answer is kept in .forge/calls/\n"
                f"  fix: run it again with --budget-usd {_up(worst)} or more (it goes on from here and pays for "
                "nothing twice), or take a cheaper model"
            )


def usd(amount: Decimal) -> str:
    """`$0.0123`: cents where there are dollars, four places below."""
    return f"${amount:.2f}" if abs(amount) >= 1 else f"${amount:.4f}"


def _up(amount: Decimal) -> str:
    """Rounded up to the next cent, so that it suffices."""
    return str(amount.quantize(Decimal("0.01"), "ROUND_CEILING"))
