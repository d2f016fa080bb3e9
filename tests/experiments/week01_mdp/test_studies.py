"""What week 1's studies must show beyond what every study must (`test_every_study.py`)."""

from __future__ import annotations

import pytest

from experiments.week01_mdp import gridworlds_study, vi_vs_pi_study
from tests.experiments.studies import recorded, run


def test_measuring_again_gives_the_same_counts():
    point = vi_vs_pi_study.sweep("smoke")[0]
    first, second = (vi_vs_pi_study.measure(point.config, 0, lambda row: None) for _ in range(2))
    for name in ("vi", "pi", "mpi"):
        assert first[name]["rounds"] == second[name]["rounds"] and first[name]["backups"] == second[name]["backups"]


def test_gridworld_claims_hold():
    """Exact computations: their claims hold at any budget, on any machine."""
    ran = recorded(gridworlds_study, run(gridworlds_study, "small"))
    facts = ran.facts
    for key, stated in ran.claims.items():
        assert stated.holds, key
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
