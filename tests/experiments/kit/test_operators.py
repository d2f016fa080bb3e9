"""The closed operator list: known answers, units checked, nothing else runs."""

from __future__ import annotations

import pytest

from experiments.kit.operators import CLAIMS, DERIVED, OperatorError, evaluate_claim, evaluate_derivation
from experiments.kit.record import Better, Fact, claim, derive, fact


def f(key: str, value: float, unit: str = "sweeps", better: Better = "lower", **more: object) -> Fact:
    return fact(key, value, unit, key, fmt=".6g", better=better, **more)  # type: ignore[arg-type]


FACTS = {
    made.key: made
    for made in (
        f("vi", 60), f("pi", 4), f("mpi", 12), f("zero", 0), f("time", 2.0, "s", machine=True, tolerance=3.0),
        f("slow", 8.0, "s", machine=True, tolerance=2.0), f("level", 10), f("x1", 1, "states"), f("x2", 2, "states"),
        f("x3", 3, "states"), f("y1", 5), f("y2", 9), f("y3", 12),
        f("a", 2, values=[1, 2, 3], seeds=[0, 1, 2], interval=(1.0, 3.0)),
        f("b", 6, values=[5, 6, 7], seeds=[0, 1, 2], interval=(5.0, 7.0)),
        f("c", 3, values=[0.5, 3, 7], seeds=[0, 1, 2], interval=(0.5, 7.0)),
        f("up", 1, better="higher"),
    )
}  # fmt: skip


@pytest.mark.parametrize(
    ("op", "of", "value", "unit"),
    [
        ("difference", ["vi", "pi"], 56, "sweeps"),
        ("ratio", ["vi", "pi"], 15, "times"),
        ("percent_change", ["mpi", "vi"], -80, "percent"),
        ("best_of", ["vi", "pi", "mpi"], 4, "sweeps"),
        ("worst_of", ["vi", "pi", "mpi"], 60, "sweeps"),
        ("smallest", ["vi", "pi", "mpi"], 4, "sweeps"),
        ("largest", ["vi", "pi", "mpi"], 60, "sweeps"),
        ("rank", ["mpi", "vi", "pi"], 2, "rank"),
        ("count", ["vi", "pi", "mpi"], 3, "count"),
        ("crosses_at", ["level", "x1", "y1", "x2", "y2", "x3", "y3"], 3, "states"),
    ],
)
def test_derived_values(op: str, of: list[str], value: float, unit: str) -> None:
    made = evaluate_derivation(derive("d", op, *of, description="d", fmt=".6g"), FACTS)
    assert (made.value, made.unit, made.kind, made.of) == (value, unit, "derived", tuple(of))


def test_every_derived_operator_is_covered_above() -> None:
    covered = {mark.args[1][i][0] for mark in test_derived_values.pytestmark for i in range(len(mark.args[1]))}
    assert covered == set(DERIVED)


@pytest.mark.parametrize(
    ("op", "of", "bound", "holds"),
    [
        ("less", ["pi", "vi"], None, True),
        ("less", ["vi", "pi"], None, False),
        ("less", ["pi", "vi"], 56, False),
        ("greater", ["vi", "pi"], 55, True),
        ("ratio_at_least", ["vi", "pi"], 15, True),
        ("ratio_at_least", ["vi", "pi"], 15.1, False),
        ("ratio_at_most", ["vi", "pi"], 15, True),
        ("within", ["pi", "mpi"], 8, True),
        ("within", ["pi", "mpi"], 7.9, False),
        ("above", ["vi", "pi"], 3.9, True),
        ("above", ["vi", "pi"], 4, False),
        ("below", ["vi", "pi"], 60, False),
        ("increasing", ["pi", "mpi", "vi"], None, True),
        ("increasing", ["pi", "vi", "mpi"], None, False),
        ("decreasing", ["vi", "mpi", "pi"], None, True),
        ("best_is", ["pi", "vi", "mpi"], None, True),
        ("best_is", ["mpi", "pi"], None, False),
        ("all_seeds", ["a", "b"], None, True),
        ("all_seeds", ["a", "c"], None, False),
        ("intervals_apart", ["a", "b"], None, True),
        ("intervals_apart", ["a", "c"], None, False),
    ],
)
def test_claims(op: str, of: list[str], bound: float | None, holds: bool) -> None:
    assert evaluate_claim(claim("k", op, *of, says="S.", plain="P.", bound=bound), FACTS).holds is holds


def test_every_claim_operator_is_covered_above() -> None:
    covered = {case[0] for mark in test_claims.pytestmark for case in mark.args[1]}
    assert covered == set(CLAIMS)


@pytest.mark.parametrize(
    ("op", "of", "why"),
    [
        ("ratio", ["time", "vi"], "one unit, got time in s, vi in sweeps"),
        ("ratio", ["vi", "zero"], "which is zero"),
        ("difference", ["vi"], "exactly 2 keys"),
        ("rate", ["vi", "pi"], "did you mean 'ratio'"),
        ("ratio", ["vi", "p"], "no fact 'p'; did you mean"),
        ("best_of", ["vi", "up"], "which way is better"),
        ("__import__('os')", ["vi", "pi"], "unknown operator"),
    ],
)
def test_refusals_name_the_reason(op: str, of: list[str], why: str) -> None:
    with pytest.raises(OperatorError, match=why):
        evaluate_derivation(derive("d", op, *of, description="d", fmt=".6g"), FACTS)


def test_a_claim_over_too_few_seeds_is_refused() -> None:
    with pytest.raises(OperatorError, match="3 or more seeds"):
        evaluate_claim(claim("k", "all_seeds", "vi", "pi", says="S.", plain="P."), FACTS)
    with pytest.raises(OperatorError, match="vi has no interval"):
        evaluate_claim(claim("k", "intervals_apart", "vi", "pi", says="S.", plain="P."), FACTS)


def test_a_derived_time_stays_machine_dependent() -> None:
    made = evaluate_derivation(derive("d", "ratio", "slow", "time", description="d", fmt=".1f"), FACTS)
    assert made.machine and made.tolerance == 3.0 and made.value == 4.0
