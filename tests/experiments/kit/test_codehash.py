"""Code hashes: what counts as a change and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.kit.codehash import code_of, code_span, definitions_of

MAIN = '''
"""Module."""
import numpy as np
from experiments.topic import helper
from experiments.topic.helper import scale as grow

LIMIT = 3
UNUSED = 4


def measure(x):
    """Doc."""
    return grow(x) + helper.offset(x) + LIMIT + np.sum(x)


def other():
    return UNUSED
'''
HELPER = """
STEP = 2


def scale(x):
    return x * STEP


def offset(x):
    return inner(x)


def inner(x):
    return x


def lonely():
    return 1
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "experiments" / "topic"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(MAIN)
    (folder / "helper.py").write_text(HELPER)
    return tmp_path


def parts(tree: Path) -> dict[str, str]:
    return code_of("experiments.topic.main", ["measure"], tree).parts


def edit(tree: Path, name: str, old: str, new: str) -> None:
    path = tree / "experiments" / "topic" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_reaches_what_is_used_and_nothing_else(tree: Path) -> None:
    names = {key.removeprefix("experiments.topic.") for key in parts(tree)}
    assert names == {"main:measure", "main:LIMIT", "helper:scale", "helper:STEP", "helper:offset", "helper:inner"}
    assert code_of("experiments.topic.main", ["measure"], tree).libraries == {"numpy"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("main.py", '"""Doc."""', '"""Another, longer\n    text."""'),
        ("main.py", "    return grow(x)", "    # a remark\n    return grow( x )"),
        ("main.py", "UNUSED = 4", "UNUSED = 5"),
        ("helper.py", "def lonely():\n    return 1", "def lonely():\n    return 2"),
    ],
)
def test_edits_that_change_nothing_executed(tree: Path, name: str, old: str, new: str) -> None:
    before = parts(tree)
    edit(tree, name, old, new)
    assert parts(tree) == before


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        ("main.py", "LIMIT = 3", "LIMIT = 4", "experiments.topic.main:LIMIT"),
        ("helper.py", "STEP = 2", "STEP = 3", "experiments.topic.helper:STEP"),
        ("helper.py", "def inner(x):\n    return x", "def inner(x):\n    return -x", "experiments.topic.helper:inner"),
    ],
)
def test_edits_that_count_name_what_changed(tree: Path, name: str, old: str, new: str, changed: str) -> None:
    before = parts(tree)
    edit(tree, name, old, new)
    after = parts(tree)
    assert {key for key in after if after[key] != before.get(key)} == {changed}


def test_spans_and_names(tree: Path) -> None:
    path = tree / "experiments" / "topic" / "helper.py"
    assert definitions_of(path) == ["STEP", "scale", "offset", "inner", "lonely"]
    first, last = code_span(path, "scale")
    assert path.read_text().splitlines()[first - 1 : last] == ["def scale(x):", "    return x * STEP"]
