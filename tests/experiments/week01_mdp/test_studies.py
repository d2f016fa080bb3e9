"""Both studies at the smoke budget: sound records, drawable figures, sentences that bind every value."""

from __future__ import annotations

import json
import re

import matplotlib as mpl
import pytest

from experiments.kit.contract import THEMES, Outcome, Study
from experiments.kit.operators import evaluate_claim, evaluate_derivation
from experiments.kit.record import EDITIONS
from experiments.week01_mdp import gridworlds_study, vi_vs_pi_study

mpl.use("Agg")
ROLE = re.compile(r"\{val\}`([^`]+)`")


def run(study, budget):
    outcomes = []
    for point in study.sweep(budget):
        rows = []
        metrics = study.measure(point.config, point.seed, rows.append)
        assert all(isinstance(v, float | int) for row in rows for v in row.values())
        outcomes.append(Outcome(point.config, point.seed, json.loads(json.dumps(metrics, allow_nan=False))))
    return outcomes


@pytest.fixture(scope="module", params=[gridworlds_study, vi_vs_pi_study], ids=["gridworlds", "vi_vs_pi"])
def ran(request):
    study = request.param
    outcomes = run(study, "smoke")
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
    assert len(facts) > 100 and len(claims) >= 12
    assert all(limit[0].isupper() and limit.endswith(".") for limit in study.LIMITS)


def test_every_fact_prints_in_both_editions_and_knows_its_line(ran):
    study, _, facts, _ = ran
    for fact in facts.values():
        assert all(fact.text(edition) for edition in EDITIONS)
        assert fact.place.file == f"experiments/week01_mdp/{study.__name__.rpartition('.')[2]}.py", fact.key
        assert fact.place.function != "_exact" and fact.place.function != "_over_seeds", fact.key


def test_sentences_bind_every_value(ran):
    """Well-formed sentences, only known keys, no digit and no spelled number outside a role."""
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


def test_measuring_again_gives_the_same_counts():
    point = vi_vs_pi_study.sweep("smoke")[0]
    first, second = (vi_vs_pi_study.measure(point.config, 0, lambda row: None) for _ in range(2))
    for name in ("vi", "pi", "mpi"):
        assert first[name]["rounds"] == second[name]["rounds"] and first[name]["backups"] == second[name]["backups"]


def test_gridworld_claims_hold():
    """Exact computations: their claims hold at any budget, on any machine."""
    outcomes = run(gridworlds_study, "small")
    facts = {f.key: f for f in gridworlds_study.facts(outcomes)}
    for asked in gridworlds_study.derived():
        facts[asked.key] = evaluate_derivation(asked, facts)
    for stated in gridworlds_study.claims():
        assert evaluate_claim(stated, facts).holds, stated.key
    assert facts["grid.frozenlake4.success_limit"].value == pytest.approx(0.74419, abs=5e-6)
    assert facts["grid.cliff.soft_steps"].value == 15
    assert facts["grid.gridworld4.greedy_sweeps"].value == 3


def test_every_setting_is_paired_by_seed():
    points = vi_vs_pi_study.sweep("small")
    seeds = {}
    for point in points:
        seeds.setdefault(point.config, []).append(point.seed)
    for config, drawn in seeds.items():
        assert drawn == list(range(len(drawn)))
        if isinstance(config, vi_vs_pi_study.Race) and config.tag != "large":
            assert len(drawn) >= 10  # rankings


def test_rates_match_theory_where_it_is_exact():
    config = vi_vs_pi_study.Rate("gridworld5", "g900", 0, 0.9)
    found = vi_vs_pi_study.measure(config, 0, lambda row: None)
    assert found["worst"] <= 0.9 + 1e-9
    assert found["tail"] == pytest.approx(0.9, abs=1e-6) == pytest.approx(found["predicted"], abs=1e-6)
