"""Corrupted drafts are noticed: every time where a rule decides, and at a stated rate elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.evidence import gather_all
from pipeline.project import Project, find_project
from tests.checks.mutations import CORRUPTIONS, Rate, errors, invert, measure, subjects, table
from tests.toy_project import the_post

ROOT = Path(__file__).resolve().parents[2]
CERTAIN = [corruption.name for corruption in CORRUPTIONS if corruption.certain]
# What the rest must reach at least, over many mutants; `docs/detection.md` has the rates measured last.
AT_LEAST = {
    "invent a value in words": 0.9,
    "bind words to another true claim": 0.9,
    "take a claim's words out of it": 0.9,
    "state a comparison outside a claim": 0.9,
    "swap two keys outside claims": 0.5,
    "put any other key outside claims": 0.7,
}


@pytest.fixture(scope="module")
def real() -> dict[str, Rate]:
    """Two mutants of every class from each of the repository's own drafts."""
    project = find_project(ROOT)
    made = subjects(project, gather_all(project, "small")[0])
    if not made:
        pytest.skip("no drafts here")
    return measure(made, each=2, seed=1)


def test_good_drafts_have_no_errors(drafted: Project) -> None:
    made = subjects(drafted, [the_post(drafted)])
    assert [made[0].draft.edition, made[1].draft.edition] == ["scientist", "manager"]
    assert [errors(subject) for subject in made] == [{}, {}]


@pytest.mark.parametrize("seed", range(3))
def test_the_toy_drafts(drafted: Project, seed: int) -> None:
    rates = measure(subjects(drafted, [the_post(drafted)]), each=3, seed=seed)
    assert sum(rate.made for rate in rates.values()) > 60
    assert {name: rates[name].missed for name in CERTAIN if rates[name].missed} == {}


@pytest.mark.parametrize("name", CERTAIN)
def test_classes_a_rule_decides_are_always_detected(real: dict[str, Rate], name: str) -> None:
    assert real[name].made > 0 and real[name].missed == []


@pytest.mark.parametrize("name", AT_LEAST)
def test_the_others_reach_their_rate(real: dict[str, Rate], name: str) -> None:
    rate = real[name]
    assert rate.made > 0 and rate.detected >= AT_LEAST[name] * rate.made - 1, rate.missed


def test_the_committed_table_names_every_class() -> None:
    text = (ROOT / "docs" / "detection.md").read_text(encoding="utf-8")
    rows = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")][2:]
    assert [row.split("|")[1].strip().removesuffix(" *") for row in rows] == [c.name for c in CORRUPTIONS]
    for row, corruption in zip(rows, CORRUPTIONS, strict=True):
        assert not corruption.certain or row.split("|")[3].strip() == "100%"


def test_invert_turns_one_word_at_a_time_and_leaves_roles_alone() -> None:
    words = "It is faster with fewer steps: {val}`a.fewer` against {val}`b`."
    assert list(invert(words)) == [words.replace("faster", "slower"), words.replace("with fewer", "with more")]


def test_the_table_marks_what_no_rule_decides() -> None:
    rates = {corruption.name: Rate(4, 4) for corruption in CORRUPTIONS}
    text = table(rates, 2)
    assert "| misspell a key | 4 | 100% | unknown-key |" in text
    assert "| swap two keys outside claims * |" in text
