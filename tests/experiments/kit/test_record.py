"""Records: formats never change meaning, places are real, JSON round-trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.kit.record import (
    claim,
    claim_from_json,
    derive,
    fact,
    fact_from_json,
    format_value,
    parameter,
    to_json,
)


@pytest.mark.parametrize(
    ("value", "spec", "unit", "text"),
    [
        (14, "d", "sweeps", "14"),
        (99856, ",d", "states", "99,856"),
        (0.823529, ".3f", "fraction", "0.824"),
        (0.823529, ".1%", "fraction", "82.4%"),
        (-13.0, "d", "return", "−13"),
        (-0.0001, ".2f", "return", "0.00"),
        (0.93, ".2f", "s", "0.93 s"),
        (5.66, ".1f", "times", "5.7×"),
        (1.5e-9, ".1e", "value", "1.5e-09"),
        (12.5, ".1f", "percent", "12.5%"),
    ],
)
def test_formats(value: float, spec: str, unit: str, text: str) -> None:
    assert format_value(value, spec, unit) == text


@pytest.mark.parametrize(
    ("value", "spec", "unit", "why"),
    [
        (0.5, ".0%", "sweeps", "change the meaning"),
        (14.5, "d", "sweeps", "drop the fraction"),
        (1.0, "s", "sweeps", "is not one of"),
        (1.0, "+.2f}", "sweeps", "is not one of"),
        (1.0, "{0.__class__}", "sweeps", "is not one of"),
    ],
)
def test_formats_that_change_meaning_are_refused(value: float, spec: str, unit: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        format_value(value, spec, unit)


@given(st.floats(-1e12, 1e12, allow_nan=False), st.sampled_from([".1f", ".3f", ".6f"]))
def test_a_printed_value_reads_back_within_its_rounding(value: float, spec: str) -> None:
    text = format_value(value, spec, "return").replace("−", "-")
    assert abs(float(text) - value) <= 0.5 * 10 ** -int(spec[1]) + 1e-6 * abs(value) * 1e-6


def test_a_fact_remembers_the_line_that_recorded_it() -> None:
    made = fact("a.b", 3, "sweeps", "what", fmt="d")
    assert made.place is not None
    assert made.place.file == "tests/experiments/kit/test_record.py"
    assert made.place.function == "test_a_fact_remembers_the_line_that_recorded_it"
    assert parameter("a.c", 3, "seeds", "what", fmt="d").place == made.place.__class__(
        made.place.file, made.place.line + 4, made.place.function
    )


def test_bad_keys_and_machine_facts_without_tolerance_are_refused() -> None:
    for key in ("A.b", "a b", "a..b", "1a", "a.B", ""):
        with pytest.raises(ValueError, match="lower-case"):
            fact(key, 1, "s", "x", fmt="d")
    with pytest.raises(ValueError, match="tolerance"):
        fact("a.b", 1, "s", "x", fmt=".1f", machine=True)
    with pytest.raises(ValueError, match="lower-case"):
        derive("X", "ratio", "a", "b", description="", fmt=".1f")
    with pytest.raises(ValueError, match="lower-case"):
        claim("X", "less", "a", "b", says="", plain="")


def test_json_round_trip() -> None:
    made = fact(
        "a.b", 2.5, "s", "what", fmt=".2f", plain_fmt=".1f", better="lower", seeds=[0, 1, 2], values=[2, 2.5, 3],
        interval=(2.0, 3.0), statistic="mean", machine=True, tolerance=3.0,
    )  # fmt: skip
    again = fact_from_json("a.b", to_json(made))
    assert again.text("scientist") == "2.50 s" and again.text("manager") == "2.5 s"
    assert to_json(again) == to_json(made) and again.place == made.place and again.interval == (2.0, 3.0)
    stated = claim("c", "less", "a.b", "a.c", says="S.", plain="P.", bound=1.0)
    assert to_json(claim_from_json("c", to_json(stated))) == to_json(stated)
    with pytest.raises(ValueError, match="unknown field 'valeu'"):
        fact_from_json("a.b", {**to_json(made), "valeu": 3})
