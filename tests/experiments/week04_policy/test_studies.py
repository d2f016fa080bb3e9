"""The week's studies at the smoke budget: sound records, drawable figures, sentences that bind every value."""

from __future__ import annotations

import importlib
import json
import re

import matplotlib as mpl
import numpy as np
import pytest

from experiments.kit.contract import THEMES, Outcome, Study
from experiments.kit.operators import evaluate_claim, evaluate_derivation
from experiments.kit.record import EDITIONS

mpl.use("Agg")
ROLE = re.compile(r"\{val\}`([^`]+)`")
STUDIES = ("control", "variance", "constraint", "preferences")


@pytest.fixture(scope="module", params=STUDIES)
def ran(request):
    study = importlib.import_module(f"experiments.week04_policy.{request.param}_study")
    outcomes = []
    for point in study.sweep("smoke"):
        rows = []
        metrics = study.measure(point.config, point.seed, rows.append)
        assert all(np.isfinite(v) for row in rows for v in row.values())
        outcomes.append(Outcome(point.config, point.seed, json.loads(json.dumps(metrics, allow_nan=False))))
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
    assert len(facts) > 20 and len(claims) >= 5
    assert all(limit[0].isupper() and limit.endswith(".") for limit in study.LIMITS)
    assert all(c.holds is not None and c.detail for c in claims.values())
    assert len({c.says for c in claims.values()}) == len(claims) == len({c.plain for c in claims.values()})


def test_every_fact_prints_in_both_editions_and_knows_its_line(ran):
    study, _, facts, _ = ran
    for fact in facts.values():
        assert all(fact.text(edition) for edition in EDITIONS)
        assert fact.place.file == f"experiments/week04_policy/{study.__name__.rpartition('.')[2]}.py", fact.key


def test_sentences_bind_every_value(ran):
    """Only known keys; no digit and no spelled number outside a role."""
    study, outcomes, facts, claims = ran
    texts = [(c.key, text) for c in claims.values() for text in (c.says, c.plain)]
    texts += [(f.key, text) for f in study.figures(outcomes) for text in (f.caption, f.plain, f.alt)]
    numbers = re.compile(r"\b(two|three|four|five|six|seven|ten|hundred|thousand|half|twice|double)\b", re.I)
    for key, text in texts:
        assert set(ROLE.findall(text)) <= facts.keys(), (key, text)
        prose = ROLE.sub("V", text)
        assert not re.search(r"\d", prose), (key, prose)
        assert not numbers.search(prose), (key, prose)
        assert (prose[0].isupper() or text.startswith("{val}")) and prose.endswith("."), (key, prose)


def test_figures_draw_in_both_themes_and_carry_their_data(ran):
    study, outcomes, _, _ = ran
    for figure in study.figures(outcomes):
        lengths = {len(column) for column in figure.series.values()}
        assert len(lengths) == 1 and lengths.pop() > 0, figure.key
        for theme in THEMES:
            canvas = figure.draw(theme)
            assert canvas.axes and all(axes.has_data() for axes in canvas.axes), figure.key


@pytest.mark.parametrize("name", STUDIES)
def test_small_ranks_on_enough_paired_seeds(name):
    study = importlib.import_module(f"experiments.week04_policy.{name}_study")
    seeds: dict = {}
    for point in study.sweep("small"):
        seeds.setdefault(point.config, []).append(point.seed)
    assert all(drawn == list(range(len(drawn))) and len(drawn) >= 5 for drawn in seeds.values())
