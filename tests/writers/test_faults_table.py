"""The committed fault table is what the code does, and what it promises holds in every row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.writers.faults import FAULTS, PAGE, Fault, provoke, table
from tests.writers.messages_server import Server


@pytest.mark.slow
def test_the_committed_page_is_what_happens() -> None:
    assert PAGE.read_text(encoding="utf-8") == table(), "run: python -m tests.writers.faults"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_answered_or_told_and_nothing_is_paid_twice(fault: Fault, server: Server, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    first = provoke(fault, server, tmp_path)
    assert bool(first.text) != bool(first.error)
    assert "\n  fix: " in first.error or not first.error
    assert "Traceback" not in first.error and first.sent <= 7
    if fault.limit is not None:
        assert first.paid + first.lost <= fault.limit
    if first.text:
        refused = fault.replies[:1] if fault.trims else ()  # costs nothing, and is not remembered
        again = provoke(Fault(fault.name, refused, fault.models, trims=fault.trims), server, tmp_path)
        assert (again.text, again.sent - first.sent, again.paid) == (first.text, len(refused), first.paid)
    assert first.paid % Decimal("0.0025") == 0, "an answer that arrived costs the same, however it came"
