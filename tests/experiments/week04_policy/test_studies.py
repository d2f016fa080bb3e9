"""What week 4's studies must show beyond what every study must (`test_every_study.py`)."""

from __future__ import annotations

import pytest

from tests.experiments.studies import module

STUDIES = ("control", "variance", "constraint", "preferences", "sentiment")


@pytest.mark.parametrize("name", STUDIES)
def test_small_ranks_on_enough_paired_seeds(name):
    study = module(f"week04_policy/{name}")
    seeds: dict = {}
    for point in study.sweep("small"):
        seeds.setdefault(point.config, []).append(point.seed)
    assert all(drawn == list(range(len(drawn))) and len(drawn) >= 5 for drawn in seeds.values())
