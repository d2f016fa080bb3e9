"""Numbers in the words of a claim: "a third of the sweeps" must be what the claim's own values give.

Digits are refused everywhere (`numbers.py`); number words and multipliers are free inside a claim, since the claim has
values to hold them against. Words that its study wrote pass as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from experiments.kit.record import Claim, Fact
from pipeline.checks.numbers import MULTIPLIER, NUMBER_WORD, SPELLED
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.render import key_and_rest

SMALL = dict(zip("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
                 "seventeen eighteen nineteen".split(), range(1, 20), strict=True))  # fmt: skip
TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
LARGE = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10}
VERBS = {"twice": 2, "thrice": 3, "doubl": 2, "tripl": 3, "quadrupl": 4, "halv": 1 / 2}
CLOSE = 0.15  # how far a number in words may be from the value: "a third" says .33, and means about that
COUNTING = re.compile(rf"(?:\b(?:{'|'.join([*SMALL, *TENS, *LARGE])})[ -])*$", re.IGNORECASE)  # matches always
MORE = re.compile(
    r"\b(?:more\s+than|over|at\s+least|above|well\s+over|upwards\s+of)\s+(?:an?\s+|the\s+)?$", re.IGNORECASE
)
LESS = re.compile(r"\b(?:less\s+than|fewer\s+than|under|at\s+most|up\s+to|below|within)\s+(?:an?\s+|the\s+)?$", re.I)


def check(subject: Subject) -> Iterator[Finding]:
    """Number words and multipliers of claims that their values do not give."""
    results = subject.evidence.results
    for span in subject.document.spans:
        if span.kind != "role" or span.data["name"] != "claim":
            continue
        key, said = key_and_rest(span.data["content"])
        claim = results.claims.get(key)
        if claim is None:
            continue
        for phrase in wrong_numbers(said, claim, results.facts):
            message = f'"{phrase}" is not what the values of {key} give: {claim.detail}'
            fix = "say what they give, or name the value with {val}`key`"
            yield subject.find("claimed-number", "error", span.start, message, fix, key)


def wrong_numbers(said: str, claim: Claim, facts: Mapping[str, Fact]) -> Iterator[str]:
    """The number words in a claim's words that are neither its study's nor given by its values."""
    hidden = re.sub(r"\{\w+\}(`+)[^`]*\1", lambda m: " " * len(m[0]), said)
    own = " ".join(f"{claim.says} {claim.plain}".lower().split())
    values = [facts[key] for key in claim.of if key in facts]
    seen: set[int] = set()
    for pattern in (MULTIPLIER, SPELLED, NUMBER_WORD):
        for match in pattern.finditer(hidden):
            place = set(range(*match.span()))
            if place & seen:
                continue
            seen |= place
            start = match.start() - len(COUNTING.search(hidden[: match.start()])[0])  # type: ignore[index]
            phrase = " ".join(hidden[start : match.end()].lower().split())
            number = _number(phrase)
            if phrase in own or number is None:
                continue
            factor = pattern is MULTIPLIER or "factor" in phrase or phrase.endswith("times")
            if not _given(number, factor, hidden[:start], claim, values):
                yield match[0]


def _given(number: float, factor: bool, before: str, claim: Claim, values: list[Fact]) -> bool:
    if factor:
        pairs = [(a.value, b.value) for a in values for b in values if a is not b and a.unit == b.unit]
        known = [a / b for a, b in pairs if a > 0 and b > 0] + [f.value for f in values if f.unit == "times"]
        known += [claim.bound] if claim.bound and claim.op.startswith("ratio") else []
    else:
        known = [float(fact.value) for fact in values] + [float(fact.n) for fact in values]
        known += [100 * fact.value for fact in values if fact.unit == "fraction"] + [float(len(values))]
    if MORE.search(before):
        return any(number <= value * (1 + CLOSE) and value <= number * 3 for value in known)
    if LESS.search(before):
        return any(number >= value * (1 - CLOSE) and value >= number / 3 for value in known)
    return (
        any(abs(value - number) <= CLOSE * number for value in known)
        if factor
        else number in {round(value) for value in known}
    )


def _number(phrase: str) -> float | None:
    """What a number word or multiplier says; None for one that says no number ("hundreds of", "manifold")."""
    if "order" in phrase and "magnitude" in phrase:
        return 100.0 if phrase.startswith("two") else 10.0
    for stem, value in VERBS.items():
        if re.search(rf"\b{stem}", phrase):
            return value
    total = 0.0
    for word in re.findall(r"[a-z]+", phrase.replace("fold", " fold")):
        if word in SMALL or word in TENS:
            total += SMALL.get(word, 0) + TENS.get(word, 0)
        elif word in LARGE:
            total = max(total, 1) * LARGE[word]
        elif word.rstrip("s") in PARTS:
            total = max(total, 1) * PARTS[word.rstrip("s")]
    return total or None
