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
        ("interval_above", ["a", "b"], 0.9, True),
        ("interval_above", ["a", "b"], 1.0, False),
        ("interval_below", ["a", "b"], 7.1, True),
        ("interval_below", ["a", "c"], 7.0, False),
        ("interval_holds", ["a", "c"], 2.0, True),
        ("interval_holds", ["a", "b"], 2.0, False),
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


@pytest.mark.parametrize("op", ["interval_above", "interval_below", "interval_holds"])
def test_an_interval_is_asked_of_facts_that_have_one_and_against_a_bound(op: str) -> None:
    with pytest.raises(OperatorError, match=f"{op}: vi has no interval"):
        evaluate_claim(claim("k", op, "a", "vi", says="S.", plain="P.", bound=0.0), FACTS)
    with pytest.raises(OperatorError, match=f"{op} needs a bound"):
        evaluate_claim(claim("k", op, "a", says="S.", plain="P."), FACTS)
    made = evaluate_claim(claim("k", op, "a", says="S.", plain="P.", bound=0.0), FACTS)
    assert made.detail == f"{op} (bound 0): a = 2 [1, 3]"


def test_a_derived_time_stays_machine_dependent() -> None:
    made = evaluate_derivation(derive("d", "ratio", "slow", "time", description="d", fmt=".1f"), FACTS)
    assert made.machine and made.tolerance == 3.0 and made.value == 4.0


def derived(op: str, *of: str, facts: dict[str, Fact]) -> float:
    return evaluate_derivation(derive("d", op, *of, description="d", fmt=".6g"), facts).value


def holds(op: str, *of: str, facts: dict[str, Fact], bound: float | None = None) -> bool | None:
    return evaluate_claim(claim("k", op, *of, says="S.", plain="P.", bound=bound), facts).holds


def table(better: Better, **values: float) -> dict[str, Fact]:
    return {key: f(key, value, better=better) for key, value in values.items()}


def test_better_says_which_end_is_best() -> None:
    low, high = table("lower", a=1, b=2, c=3), table("higher", a=1, b=2, c=3)
    assert [derived(op, "a", "b", "c", facts=low) for op in ("best_of", "worst_of", "rank")] == [1, 3, 1]
    assert [derived(op, "a", "b", "c", facts=high) for op in ("best_of", "worst_of", "rank")] == [3, 1, 3]
    assert holds("best_is", "a", "b", facts=low) and not holds("best_is", "a", "b", facts=high)


def test_ties_share_the_better_rank_and_are_never_strictly_best() -> None:
    tied = table("lower", a=2, b=2, c=1, d=5)
    assert [derived("rank", x, *(set("abcd") - {x}), facts=tied) for x in "abcd"] == [2, 2, 1, 4]
    assert not holds("best_is", "a", "b", facts=tied) and not holds("increasing", "a", "b", facts=tied)
    assert not holds("less", "a", "b", facts=tied) and holds("within", "a", "b", facts=tied, bound=0)


def test_a_threshold_is_crossed_from_either_side_or_reached_at_once() -> None:
    def at(level: float, *ys: float) -> float:
        facts = {f"y{n}": f(f"y{n}", y) for n, y in enumerate(ys)} | {"level": f("level", level)}
        facts |= {f"x{n}": f(f"x{n}", 10 * n, "states") for n in range(len(ys))}
        return derived("crosses_at", "level", *(k for n in range(len(ys)) for k in (f"x{n}", f"y{n}")), facts=facts)

    assert (at(3, 1, 2, 4), at(3, 1, 3, 4), at(3, 5, 4, 2), at(3, 5, 3, 1), at(3, 3, 9, 1)) == (20, 10, 20, 10, 0)
    with pytest.raises(OperatorError, match="never reach"):
        at(9, 1, 2, 3)


@pytest.mark.parametrize(
    ("op", "of", "why"),
    [
        ("crosses_at", ["level", "x2", "y1", "x1", "y2"], "in order of x"),
        ("crosses_at", ["level", "x1", "y1"], "at least two"),
        ("crosses_at", ["time", "x1", "y1", "x2", "y2"], "one unit"),
        ("ratio", ["minus", "vi"], "minus, which is below zero"),
        ("difference", ["nan", "vi"], "nan holds a number that is not finite"),
        ("largest", ["vi", "inf"], "inf holds a number that is not finite"),
        ("count", [], "names no facts"),
        ("rank", [], "names no facts"),
        ("percent_change", ["vi", "zero"], "which is zero"),
        ("best_of", ["plain", "plain"], "which way is better"),
    ],
)
def test_what_means_nothing_is_refused(op: str, of: list[str], why: str) -> None:
    nan, inf = f("nan", float("nan")), f("inf", float("inf"))
    facts = FACTS | {"nan": nan, "inf": inf, "minus": f("minus", -3), "plain": f("plain", 1, better="none")}
    with pytest.raises(OperatorError, match=why):
        evaluate_derivation(derive("d", op, *of, description="d", fmt=".6g"), facts)


@pytest.mark.parametrize(
    ("op", "of", "bound", "why"),
    [
        ("less", ["vi"], None, "exactly 2 keys"),
        ("less", ["time", "vi"], None, "one unit"),
        ("less", ["pi", "vi"], -100.0, "margin is not below zero"),
        ("less", ["pi", "vi"], float("nan"), "bound nan is not finite"),
        ("greater", ["vi", "pi"], -1.0, "margin is not below zero"),
        ("within", ["vi"], 1.0, "within takes 2 or more keys"),
        ("within", ["vi", "pi"], None, "needs a bound"),
        ("within", ["vi", "pi"], -1.0, "margin is not below zero"),
        ("above", ["vi"], None, "above needs a bound"),
        ("below", ["vi", "time"], 1.0, "one unit"),
        ("increasing", ["vi"], None, "increasing takes 2 or more keys"),
        ("decreasing", ["vi"], None, "decreasing takes 2 or more keys"),
        ("best_is", ["vi"], None, "best_is takes 2 or more keys"),
        ("ratio_at_least", ["vi", "zero"], 2.0, "which is zero"),
        ("ratio_at_least", ["a_neg", "b_neg"], 2.0, "below zero"),
        ("all_seeds", ["a", "other"], None, "same 3 or more seeds"),
        ("all_seeds", ["a", "twice"], None, "one seed for each of its values"),
        ("all_seeds", ["a", "hole"], None, "not finite"),
        ("intervals_apart", ["a", "turned"], None, "ends before it begins"),
        ("lesser", ["pi", "vi"], None, "did you mean 'less'"),
        ("less", [], None, "names no facts"),
    ],
)
def test_claims_that_say_nothing_are_refused(op: str, of: list[str], bound: float | None, why: str) -> None:
    facts = FACTS | {
        made.key: made
        for made in (
            f("a_neg", -6), f("b_neg", -2), f("other", 2, values=[1, 2, 3], seeds=[0, 1, 7]),
            f("twice", 2, values=[1, 2, 3], seeds=[0, 1, 1]),
            f("hole", 2, values=[1, float("nan"), 3], seeds=[0, 1, 2]), f("turned", 2, interval=(3.0, 1.0)),
        )
    }  # fmt: skip
    with pytest.raises(OperatorError, match=why):
        evaluate_claim(claim("k", op, *of, says="S.", plain="P.", bound=bound), facts)


def test_seeds_are_paired_by_their_number_not_their_place() -> None:
    facts = {
        "a": f("a", 2, values=[1, 20, 3], seeds=[0, 1, 2]),
        "b": f("b", 6, values=[4, 2, 21], seeds=[2, 0, 1]),
    }
    assert holds("all_seeds", "a", "b", facts=facts)
    assert not holds("all_seeds", "a", "b", facts=facts, bound=1.0)
