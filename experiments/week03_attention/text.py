"""The text week 3's models learn from: Shakespeare's plays, character by character, cut into learning and testing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.kit.data import plays
from experiments.week03_attention.language_model import encode

HELD_OUT = 0.05  # of the text, at its end
FURTHEST = 1024  # no window reaches farther back


@dataclass(frozen=True)
class Corpus:
    """Characters as indices, apart for learning and testing, and the letters they stand for."""

    learn: Tensor
    test: Tensor
    letters: tuple[str, ...]

    def ends(self, n: int, part: int = 0, parts: int = 1) -> Tensor:
        """n places spread over the test text where predictions are scored; different `part`s of `parts` share none."""
        grid = torch.linspace(FURTHEST, len(self.test) - 1, n * parts).long()
        return grid[part::parts]


def corpus() -> Corpus:
    """All 37 plays in alphabetical order; the last share is for testing, so tests are other plays than lessons."""
    data, letters = encode("".join(plays().values()))
    cut = int(len(data) * (1 - HELD_OUT))
    return Corpus(data[:cut], data[cut:], tuple(letters))
