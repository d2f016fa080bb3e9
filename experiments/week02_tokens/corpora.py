"""Texts to train on and texts held out, drawn by seed so that every comparison can be repeated on other halves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from experiments.kit import data

HELD_OUT_PLAYS = 7


def shuffled(texts: Mapping[str, str], seed: int) -> list[str]:
    """The texts in an order drawn by `seed`."""
    ordered = [texts[name] for name in sorted(texts)]
    return [ordered[i] for i in np.random.default_rng(seed).permutation(len(ordered))]


def split_plays(seed: int) -> tuple[list[str], list[str]]:
    """Thirty plays to train on and seven held out."""
    order = shuffled(data.plays(), seed)
    return order[HELD_OUT_PLAYS:], order[:HELD_OUT_PLAYS]


def split_code(seed: int) -> tuple[list[str], list[str]]:
    """Four fifths of NetworkX's modules to train on, the rest held out."""
    order = shuffled(data.python_code(), seed)
    return order[len(order) // 5 :], order[: len(order) // 5]


def first(texts: Iterable[str], characters: int) -> list[str]:
    """The texts up to this many characters in all, the last one cut after a line."""
    taken: list[str] = []
    left = characters
    for text in texts:
        if left <= 0:
            break
        if len(text) > left:
            text = text[: text.find("\n", left) + 1] or text
        taken.append(text)
        left -= len(text)
    return taken


def declarations(codes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The parts of the Universal Declaration by language code: part i says the same in all of them."""
    return {code: data.declaration(code).parts for code in codes}


def split_parts(seed: int, parts: int = 31) -> tuple[list[int], list[int]]:
    """Numbers of the parts to train on and of those held out, in halves."""
    order = np.random.default_rng(seed).permutation(parts).tolist()
    return sorted(order[: (parts + 1) // 2]), sorted(order[(parts + 1) // 2 :])
