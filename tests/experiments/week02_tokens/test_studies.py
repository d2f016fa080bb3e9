"""What week 2's studies must show beyond what every study must (`test_every_study.py`)."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.week02_tokens import corpora, fairness_study, strategies_study
from tests.experiments.studies import module, smoke

STUDIES = ("compression", "fairness", "lm_bits", "strategies", "vocabulary")


@pytest.mark.parametrize("name", STUDIES)
def test_measured_values_carry_seeds_and_intervals(name):
    repeated = [f for f in smoke(f"week02_tokens/{name}").facts.values() if f.kind == "measured"]
    assert repeated
    for fact in repeated:
        assert len(fact.values) >= 3 and len(fact.seeds) == len(fact.values), fact.key
        low, high = fact.interval
        assert low <= fact.value <= high, fact.key
        assert fact.machine == (fact.key.endswith(("_seconds", "_speed"))), fact.key


@pytest.mark.parametrize("name", STUDIES)
def test_small_has_five_seeds_a_setting(name):
    seeds = {}
    for point in module(f"week02_tokens/{name}").sweep("small"):
        seeds.setdefault(point.config, []).append(point.seed)
    for config, drawn in seeds.items():
        exact = type(config).__name__ == "Spoken"  # counts of a fixed text
        assert sorted(drawn) == list(range(1 if exact else 5)), config


def test_held_out_texts_are_held_out():
    for seed in range(3):
        train, test = corpora.split_plays(seed)
        assert len(train) == 30 and len(test) == 7 and not set(train) & set(test)
        a, b = corpora.split_parts(seed)
        assert sorted(a + b) == list(range(31)) and len(a) == 16
        code, held = corpora.split_code(seed)
        assert not set(code) & set(held)
    assert corpora.split_plays(0) == corpora.split_plays(0) != corpora.split_plays(1)


def test_first_takes_whole_lines():
    assert corpora.first(["ab\ncd\nef\n", "gh\n"], 4) == ["ab\ncd\n"]
    assert corpora.first(["ab\n", "cd\nef\n"], 4) == ["ab\n", "cd\n"]
    assert corpora.first(["ab\n"], 100) == ["ab\n"]


def test_gini_by_hand():
    assert fairness_study.gini(np.array([3.0, 3.0, 3.0])) == pytest.approx(0)
    assert fairness_study.gini(np.array([0.0, 0.0, 1.0])) == pytest.approx(2 / 3)


def test_every_method_spells_the_text():
    """Tokens of every way of cutting, joined, are the text; the vocabulary has the size asked for."""
    train, test = corpora.split_plays(0)
    train, test = corpora.first(train, 30_000), corpora.first(test, 3_000)
    for name in strategies_study.METHODS:
        cut = strategies_study.build(name, train, 900, lambda row: None)
        joined = "".join(test)
        assert b"".join(cut.tokens[i] for i in cut.encode(joined)) == joined.encode(), name
        assert len(cut.tokens) <= 900 + (name == "wordpiece"), name
