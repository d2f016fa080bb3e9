"""Running a study for tests: its outcomes at a budget and the records they give; a smoke run is made once a session."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib as mpl

from experiments.kit.contract import Budget, Outcome
from experiments.kit.operators import evaluate_claim, evaluate_derivation
from experiments.kit.record import Claim, Fact

mpl.use("Agg")


@dataclass(frozen=True)
class Ran:
    """A study, what it measured and what it recorded of it."""

    study: Any
    outcomes: list[Outcome]
    facts: Mapping[str, Fact]
    claims: Mapping[str, Claim]


def module(name: str) -> Any:
    """`week01_mdp/gridworlds` as its module."""
    topic, _, study = name.partition("/")
    return importlib.import_module(f"experiments.{topic}.{study}_study")


def run(study: Any, budget: Budget) -> list[Outcome]:
    """Every point of the sweep, measured here and taken through JSON; what it logs must be finite numbers."""
    outcomes = []
    for point in study.sweep(budget):
        rows: list[Mapping[str, float]] = []
        metrics = study.measure(point.config, point.seed, rows.append)
        assert all(isinstance(v, float | int) and math.isfinite(v) for row in rows for v in row.values())
        outcomes.append(Outcome(point.config, point.seed, json.loads(json.dumps(metrics, allow_nan=False))))
    return outcomes


def recorded(study: Any, outcomes: list[Outcome]) -> Ran:
    """The study's facts, derived values and claims, evaluated; no key may be recorded twice."""
    facts: dict[str, Fact] = {}
    for fact in study.facts(outcomes):
        assert fact.key not in facts
        facts[fact.key] = fact
    for asked in study.derived():
        assert asked.key not in facts
        facts[asked.key] = evaluate_derivation(asked, facts)
    return Ran(study, outcomes, facts, {c.key: evaluate_claim(c, facts) for c in study.claims()})


@cache
def smoke(name: str) -> Ran:
    """A study at the smoke budget."""
    study = module(name)
    return recorded(study, run(study, "smoke"))
