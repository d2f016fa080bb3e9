"""The closed list of operators: how a derived value or a claim is computed from facts. Nothing is passed to eval.

Derived operators return a value and its unit; claim operators return whether they hold and why, in words. Units
are checked: a difference needs equal units, a ratio needs equal units and gives `times`. What would hold or not for
no reason is refused: a value that is not finite, a comparison of one value with nothing, a negative margin. Adding an
operator means adding a function here and a line to its table; drafts and studies can only name what the tables hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise
from typing import TypeVar

from experiments.kit.errors import CannotRun
from experiments.kit.record import Claim, Derivation, Fact

T = TypeVar("T")


class OperatorError(CannotRun, ValueError):
    """A derived value or claim that cannot be evaluated: the message names the key and the reason."""


def _same_unit(facts: Sequence[Fact], op: str) -> str:
    units = {f.unit for f in facts}
    if len(units) > 1:
        pairs = ", ".join(f"{f.key} in {f.unit}" for f in facts)
        raise OperatorError(f"{op} needs one unit, got {pairs}")
    return units.pop()


def _two(facts: Sequence[Fact], op: str) -> tuple[Fact, Fact]:
    if len(facts) != 2:
        raise OperatorError(f"{op} takes exactly 2 keys, got {len(facts)}")
    return facts[0], facts[1]


def _several(facts: Sequence[Fact], op: str) -> None:
    if len(facts) < 2:
        raise OperatorError(f"{op} takes 2 or more keys, got {len(facts)}: one value says nothing")


def _direction(facts: Sequence[Fact], op: str) -> str:
    directions = {f.better for f in facts}
    if len(directions) != 1 or "none" in directions:
        raise OperatorError(f"{op} needs facts that agree on which way is better, got {sorted(directions)}")
    return directions.pop()


def difference(facts: Sequence[Fact]) -> tuple[float, str]:
    """a - b, in their common unit."""
    a, b = _two(facts, "difference")
    return a.value - b.value, _same_unit(facts, "difference")


def ratio(facts: Sequence[Fact]) -> tuple[float, str]:
    """a / b, how many times as large; units must agree, b is above zero and a not below."""
    a, b = _two(facts, "ratio")
    _same_unit(facts, "ratio")
    if b.value == 0:
        raise OperatorError(f"ratio by {b.key}, which is zero")
    if a.value < 0 or b.value < 0:
        low = a if a.value < 0 else b
        raise OperatorError(f"ratio with {low.key}, which is below zero: how many times as large says nothing there")
    return a.value / b.value, "times"


def percent_change(facts: Sequence[Fact]) -> tuple[float, str]:
    """100 (a - b) / |b|: the change from b to a."""
    a, b = _two(facts, "percent_change")
    _same_unit(facts, "percent_change")
    if b.value == 0:
        raise OperatorError(f"percent change from {b.key}, which is zero")
    return 100 * (a.value - b.value) / abs(b.value), "percent"


def best_of(facts: Sequence[Fact]) -> tuple[float, str]:
    """The best value in the facts' own direction."""
    pick = max if _direction(facts, "best_of") == "higher" else min
    return pick(f.value for f in facts), _same_unit(facts, "best_of")


def worst_of(facts: Sequence[Fact]) -> tuple[float, str]:
    """The worst value in the facts' own direction."""
    pick = min if _direction(facts, "worst_of") == "higher" else max
    return pick(f.value for f in facts), _same_unit(facts, "worst_of")


def smallest(facts: Sequence[Fact]) -> tuple[float, str]:
    """The smallest value, whatever is better."""
    return min(f.value for f in facts), _same_unit(facts, "smallest")


def largest(facts: Sequence[Fact]) -> tuple[float, str]:
    """The largest value, whatever is better."""
    return max(f.value for f in facts), _same_unit(facts, "largest")


def rank(facts: Sequence[Fact]) -> tuple[float, str]:
    """Place of the first fact among all of them, 1 = best; ties share the better place."""
    sign = -1 if _direction(facts, "rank") == "higher" else 1
    _same_unit(facts, "rank")
    return 1 + sum(sign * f.value < sign * facts[0].value for f in facts[1:]), "rank"


def count(facts: Sequence[Fact]) -> tuple[float, str]:
    """How many facts are named: for a sentence that says how many things were compared."""
    return float(len(facts)), "count"


def crosses_at(facts: Sequence[Fact]) -> tuple[float, str]:
    """Keys: threshold, then (x, y) pairs in order of x: the first x at which y reaches the threshold from its side.

    A y equal to the threshold has reached it, from either side.
    """
    level, pairs = facts[0], facts[1:]
    if len(pairs) < 4 or len(pairs) % 2:
        raise OperatorError("crosses_at takes a threshold and at least two (x, y) pairs of keys")
    xs, ys = pairs[0::2], pairs[1::2]
    _same_unit([level, *ys], "crosses_at")
    unit = _same_unit(xs, "crosses_at")
    if any(b.value <= a.value for a, b in pairwise(xs)):
        raise OperatorError(f"crosses_at takes its pairs in order of x, and {xs[0].key} … {xs[-1].key} are not")
    side = 1 if ys[0].value < level.value else -1
    for x, y in zip(xs, ys, strict=True):
        if side * (y.value - level.value) >= 0:
            return x.value, unit
    raise OperatorError(f"crosses_at: {ys[0].key} … {ys[-1].key} never reach {level.key}")


DERIVED: Mapping[str, Callable[[Sequence[Fact]], tuple[float, str]]] = {
    "difference": difference,
    "ratio": ratio,
    "percent_change": percent_change,
    "best_of": best_of,
    "worst_of": worst_of,
    "smallest": smallest,
    "largest": largest,
    "rank": rank,
    "count": count,
    "crosses_at": crosses_at,
}


def _bound(bound: float | None, op: str) -> float:
    if bound is None:
        raise OperatorError(f"{op} needs a bound")
    return bound


def _margin(bound: float | None, op: str) -> float:
    if bound is not None and bound < 0:
        raise OperatorError(f"{op} with the margin {bound:g}: a margin is not below zero")
    return bound or 0.0


def _shown(facts: Sequence[Fact], intervals: bool = False) -> str:
    spans = {f.key: f" [{f.interval[0]:.6g}, {f.interval[1]:.6g}]" for f in facts if intervals and f.interval}
    return ", ".join(f"{f.key} = {f.value:.6g}{spans.get(f.key, '')}" for f in facts)


def less(facts: Sequence[Fact], bound: float | None) -> bool:
    """a < b by more than the margin (default 0)."""
    a, b = _two(facts, "less")
    _same_unit(facts, "less")
    return a.value < b.value - _margin(bound, "less")


def greater(facts: Sequence[Fact], bound: float | None) -> bool:
    """a > b by more than the margin (default 0)."""
    a, b = _two(facts, "greater")
    return less([b, a], bound)


def ratio_at_least(facts: Sequence[Fact], bound: float | None) -> bool:
    """a / b >= bound, for values of one unit above zero."""
    return ratio(facts)[0] >= _bound(bound, "ratio_at_least")


def ratio_at_most(facts: Sequence[Fact], bound: float | None) -> bool:
    """a / b <= bound."""
    return ratio(facts)[0] <= _bound(bound, "ratio_at_most")


def within(facts: Sequence[Fact], bound: float | None) -> bool:
    """All values lie within `bound` of the first."""
    _several(facts, "within")
    _same_unit(facts, "within")
    tolerance = _margin(_bound(bound, "within"), "within")
    return all(abs(f.value - facts[0].value) <= tolerance for f in facts[1:])


def above(facts: Sequence[Fact], bound: float | None) -> bool:
    """Every value is above the bound."""
    _same_unit(facts, "above")
    limit = _bound(bound, "above")
    return all(f.value > limit for f in facts)


def below(facts: Sequence[Fact], bound: float | None) -> bool:
    """Every value is below the bound."""
    _same_unit(facts, "below")
    limit = _bound(bound, "below")
    return all(f.value < limit for f in facts)


def increasing(facts: Sequence[Fact], bound: float | None) -> bool:
    """Each value exceeds the one before by more than the margin (default 0)."""
    _several(facts, "increasing")
    _same_unit(facts, "increasing")
    margin = _margin(bound, "increasing")
    return all(b.value > a.value + margin for a, b in pairwise(facts))


def decreasing(facts: Sequence[Fact], bound: float | None) -> bool:
    """Each value falls below the one before by more than the margin (default 0)."""
    _several(facts, "decreasing")
    return increasing(list(reversed(facts)), bound)


def best_is(facts: Sequence[Fact], bound: float | None) -> bool:
    """The first fact is strictly the best of all, by more than the margin (default 0)."""
    _several(facts, "best_is")
    sign = 1 if _direction(facts, "best_is") == "higher" else -1
    _same_unit(facts, "best_is")
    margin = _margin(bound, "best_is")
    return all(sign * (facts[0].value - f.value) > margin for f in facts[1:])


def all_seeds(facts: Sequence[Fact], bound: float | None) -> bool:
    """a < b on every seed (paired by seed), by more than the margin; at least 3 seeds."""
    a, b = _two(facts, "all_seeds")
    _same_unit(facts, "all_seeds")
    left, right = _by_seed(a), _by_seed(b)
    if len(left) < 3 or left.keys() != right.keys():
        raise OperatorError(f"all_seeds needs the same 3 or more seeds behind {a.key} and {b.key}")
    margin = _margin(bound, "all_seeds")
    return all(value < right[seed] - margin for seed, value in left.items())


def _by_seed(fact: Fact) -> dict[int, float]:
    """A fact's values by their seed. Raises OperatorError where a seed is missing or named twice."""
    if len(fact.seeds) != len(fact.values) or len(set(fact.seeds)) != len(fact.seeds):
        raise OperatorError(f"all_seeds: {fact.key} does not name one seed for each of its values")
    return dict(zip(fact.seeds, fact.values, strict=True))


def intervals_apart(facts: Sequence[Fact], bound: float | None) -> bool:
    """The two facts' intervals do not touch, by more than the margin (default 0)."""
    a, b = _intervals(_two(facts, "intervals_apart"), "intervals_apart")
    gap = _margin(bound, "intervals_apart")
    return a[1] + gap < b[0] or b[1] + gap < a[0]


def interval_above(facts: Sequence[Fact], bound: float | None) -> bool:
    """Every fact's whole interval lies above the bound: what a paired difference must do to be a finding."""
    limit = _bound(bound, "interval_above")
    return all(low > limit for low, _ in _intervals(facts, "interval_above"))


def interval_below(facts: Sequence[Fact], bound: float | None) -> bool:
    """Every fact's whole interval lies below the bound."""
    limit = _bound(bound, "interval_below")
    return all(high < limit for _, high in _intervals(facts, "interval_below"))


def interval_holds(facts: Sequence[Fact], bound: float | None) -> bool:
    """Every fact's interval holds the bound: of a paired difference and zero, "no difference shown"."""
    limit = _bound(bound, "interval_holds")
    return all(low <= limit <= high for low, high in _intervals(facts, "interval_holds"))


def _intervals(facts: Sequence[Fact], op: str) -> list[tuple[float, float]]:
    _same_unit(facts, op)
    missing = [f.key for f in facts if f.interval is None]
    if missing:
        raise OperatorError(f"{op}: {missing[0]} has no interval")
    return [f.interval for f in facts if f.interval is not None]


CLAIMS: Mapping[str, Callable[[Sequence[Fact], float | None], bool]] = {
    "less": less,
    "greater": greater,
    "ratio_at_least": ratio_at_least,
    "ratio_at_most": ratio_at_most,
    "within": within,
    "above": above,
    "below": below,
    "increasing": increasing,
    "decreasing": decreasing,
    "best_is": best_is,
    "all_seeds": all_seeds,
    "intervals_apart": intervals_apart,
    "interval_above": interval_above,
    "interval_below": interval_below,
    "interval_holds": interval_holds,
}


def _look_up(keys: Sequence[str], facts: Mapping[str, Fact], owner: str) -> list[Fact]:
    found = []
    for key in keys:
        if key not in facts:
            near = get_close_matches(key, facts, n=1)
            raise OperatorError(f"{owner}: no fact {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        found.append(_sound(facts[key], owner))
    if not found:
        raise OperatorError(f"{owner}: names no facts")
    return found


def _sound(fact: Fact, owner: str) -> Fact:
    """The fact, if all its numbers can be compared. Raises OperatorError: no comparison with NaN means anything."""
    if not all(math.isfinite(x) for x in (fact.value, *fact.values, *(fact.interval or ()))):
        raise OperatorError(f"{owner}: {fact.key} holds a number that is not finite")
    if fact.interval is not None and fact.interval[0] > fact.interval[1]:
        raise OperatorError(f"{owner}: the interval of {fact.key} ends before it begins")
    return fact


def _operator(table: Mapping[str, T], op: str, owner: str) -> T:
    if op not in table:
        near = get_close_matches(op, table, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the list is {', '.join(table)}"
        raise OperatorError(f"{owner}: unknown operator {op!r}; {hint}")
    return table[op]


def evaluate_derivation(asked: Derivation, facts: Mapping[str, Fact]) -> Fact:
    """The derived value as a fact. Raises OperatorError (unknown operator or key, unit clash, zero divisor)."""
    inputs = _look_up(asked.of, facts, asked.key)
    try:
        value, unit = _operator(DERIVED, asked.op, asked.key)(inputs)
    except OperatorError as error:
        raise OperatorError(f"{asked.key}: {error}" if not str(error).startswith(asked.key) else str(error)) from None
    if not math.isfinite(value):
        raise OperatorError(f"{asked.key}: {asked.op} is not a finite number")
    machine = any(f.machine for f in inputs)
    tolerance = asked.tolerance or (max(f.tolerance or 1.0 for f in inputs) if machine else None)
    studies = {f.study for f in inputs}
    return Fact(
        key=asked.key,
        value=value,
        unit=unit,
        description=asked.description,
        format={"scientist": asked.fmt, "manager": asked.plain_fmt or asked.fmt},
        better=asked.better,
        kind="derived",
        statistic=f"{asked.op} of {', '.join(asked.of)}",
        n=min(f.n for f in inputs),
        machine=machine,
        tolerance=tolerance,
        op=asked.op,
        of=tuple(asked.of),
        study=studies.pop() if len(studies) == 1 else "",
        run=inputs[0].run,
        place=asked.place,
    )


def evaluate_claim(stated: Claim, facts: Mapping[str, Fact]) -> Claim:
    """The claim with `holds` and `detail` filled. Raises OperatorError where it cannot be evaluated."""
    inputs = _look_up(stated.of, facts, stated.key)
    operator = _operator(CLAIMS, stated.op, stated.key)
    if stated.bound is not None and not math.isfinite(stated.bound):
        raise OperatorError(f"{stated.key}: the bound {stated.bound} is not finite")
    try:
        holds = operator(inputs, stated.bound)
    except OperatorError as error:
        raise OperatorError(f"{stated.key}: {error}") from None
    margin = "" if stated.bound is None else f" (bound {stated.bound:g})"
    return replace(
        stated, holds=holds, detail=f"{stated.op}{margin}: {_shown(inputs, stated.op.startswith('interval_'))}"
    )
