"""All studies at the smoke budget: sound records, drawable figures, sentences that bind every value."""

from __future__ import annotations

import json
import re

import matplotlib as mpl
import pytest

from experiments.kit.contract import THEMES, Outcome, Study
from experiments.kit.operators import evaluate_claim, evaluate_derivation
from experiments.kit.record import EDITIONS
from experiments.week02_tokens import (
    compression_study,
    corpora,
    fairness_study,
    lm_bits_study,
    strategies_study,
    vocabulary_study,
)

mpl.use("Agg")
ROLE = re.compile(r"\{val\}`([^`]+)`")
STUDIES = [compression_study, fairness_study, lm_bits_study, strategies_study, vocabulary_study]


def run(study):
    outcomes = []
    for point in study.sweep("smoke"):
        rows = []
        metrics = study.measure(point.config, point.seed, rows.append)
        assert all(isinstance(v, float | int) for row in rows for v in row.values())
        outcomes.append(Outcome(point.config, point.seed, json.loads(json.dumps(metrics, allow_nan=False))))
    return outcomes


@pytest.fixture(scope="module", params=STUDIES, ids=lambda study: study.__name__.rpartition(".")[2])
def ran(request):
    study = request.param
    outcomes = run(study)
    facts = {}
    for fact in study.facts(outcomes):
        assert fact.key not in facts
        facts[fact.key] = fact
    for asked in study.derived():
        assert asked.key not in facts
        facts[asked.key] = evaluate_derivation(asked, facts)
    claims = {stated.key: evaluate_claim(stated, facts) for stated in study.claims()}
    return study, outcomes, facts, claims


def test_is_a_study(ran):
    study, _, facts, claims = ran
    assert isinstance(study, Study)
    assert len(facts) > 50 and len(claims) >= 7
    assert all(limit[0].isupper() and limit.endswith(".") for limit in study.LIMITS)


def test_every_fact_prints_in_both_editions_and_knows_its_line(ran):
    study, _, facts, _ = ran
    for fact in facts.values():
        assert all(fact.text(edition) for edition in EDITIONS)
        assert fact.place.file == f"experiments/week02_tokens/{study.__name__.rpartition('.')[2]}.py", fact.key
        assert fact.place.function not in ("_exact", "over_seeds"), fact.key


def test_measured_values_carry_seeds_and_intervals(ran):
    _, _, facts, _ = ran
    repeated = [f for f in facts.values() if f.kind == "measured"]
    assert repeated
    for fact in repeated:
        assert len(fact.values) >= 3 and len(fact.seeds) == len(fact.values), fact.key
        low, high = fact.interval
        assert low <= fact.value <= high, fact.key
        assert fact.machine == (fact.key.endswith(("_seconds", "_speed"))), fact.key


def test_sentences_bind_every_value(ran):
    """Well-formed sentences, only known keys, no digit and no spelled number outside a role."""
    study, outcomes, facts, claims = ran
    texts = [(c.key, text) for c in claims.values() for text in (c.says, c.plain)]
    texts += [(f.key, text) for f in study.figures(outcomes) for text in (f.caption, f.plain, f.alt)]
    numbers = re.compile(r"\b(two|three|four|five|six|seven|ten|hundred|thousand|half|twice|double)\b", re.I)
    for key, text in texts:
        assert set(ROLE.findall(text)) <= facts.keys(), (key, text)
        prose = re.sub(r"GPT-2|bzip2|UTF-8|half English|half of the (training )?text", "N", ROLE.sub("V", text))
        assert not re.search(r"\d", prose), (key, prose)
        assert not numbers.search(prose), (key, prose)
        assert (prose[0].isupper() or text.startswith("{val}")) and prose.endswith("."), (key, prose)


def test_claims_are_distinct_and_evaluated(ran):
    _, _, _, claims = ran
    assert all(c.holds is not None and c.detail for c in claims.values())
    assert len({c.says for c in claims.values()}) == len(claims) == len({c.plain for c in claims.values()})


def test_figures_draw_in_both_themes_and_carry_their_data(ran):
    study, outcomes, _, _ = ran
    for figure in study.figures(outcomes):
        lengths = {len(column) for column in figure.series.values()}
        assert len(lengths) == 1 and lengths.pop() > 0, figure.key
        for theme in THEMES:
            canvas = figure.draw(theme)
            assert canvas.axes and all(axes.has_data() for axes in canvas.axes), figure.key


@pytest.mark.parametrize("study", STUDIES)
def test_small_has_five_seeds_a_setting(study):
    seeds = {}
    for point in study.sweep("small"):
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
    import numpy as np

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
