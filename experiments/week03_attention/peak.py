"""Peak memory of tensor operations, counted: the largest number of bytes that live tensors held at one time.

Every operation's outputs are followed from their making until their storage is freed, so the count is the same on
every machine. What a compiled kernel allocates inside itself and frees before it returns is not seen; nor is memory
held before the measurement began. Resident memory of the process would see both, and the allocator's slack.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class PeakMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, follows every tensor made; `peak` is the largest total of bytes alive together."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive = 0
        self.peak = 0
        self._sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        known = {id(x.untyped_storage()) for x in tree_iter((args, kwargs)) if isinstance(x, Tensor)}
        out = func(*args, **(kwargs or {}))
        for x in tree_iter(out):
            if isinstance(x, Tensor):
                storage = x.untyped_storage()
                if (
                    id(storage) not in known and id(storage) not in self._sizes
                ):  # a view or an in-place result adds nothing
                    self._made(storage)
        return out

    def _made(self, storage: Any) -> None:
        key, size = id(storage), storage.nbytes()
        self._sizes[key] = size
        self.alive += size
        self.peak = max(self.peak, self.alive)
        weakref.finalize(storage, self._freed, key)

    def _freed(self, key: int) -> None:
        self.alive -= self._sizes.pop(key)


def peak_bytes(work: Callable[[], Any]) -> int:
    """The peak of what `work` allocates, in bytes."""
    memory = PeakMemory()
    with memory:
        work()
    return memory.peak
