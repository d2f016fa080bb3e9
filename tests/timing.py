"""Time for tests: tests run side by side, so what is held to a limit is the processor's time, not the clock's."""

from __future__ import annotations

import os
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor seconds of `work`, the child processes it waited for included."""
    before = os.times()
    work()
    return sum(os.times()[:4]) - sum(before[:4])
