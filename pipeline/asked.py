"""What a draft asks for in its front matter: derived values and claims that no study of its post made.

    derived:
      gap: {op: difference, of: [pi.sweeps, vi.sweeps], description: "sweeps saved"}
    claims:
      fewer: {op: less, of: [pi.sweeps, vi.sweeps]}

The program evaluates them by the closed operator list of `experiments/kit/operators.py`; the draft names them as it
names a study's own: ``{val}`gap` ``, ``{claim}`fewer|needs fewer sweeps` ``. A name belongs to its edition and may not
be that of a recorded fact or claim. A derived value may build on another. Beside `op` and `of`, a derived value takes
`format` (text, or one by edition; else the rounding of what it is made of), `unit` (must be what the operator gives),
`description`, `better` and, made of measured times, `tolerance`; a claim takes `bound`.

What cannot be evaluated is a finding with its line, and the name then resolves to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from experiments.kit.operators import CLAIMS, DERIVED, OperatorError, evaluate_claim, evaluate_derivation
from experiments.kit.record import EDITIONS, KEY, Claim, Derivation, Edition, Fact, Place
from pipeline import yamlmap
from pipeline.drafts import Draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding, did_you_mean
from pipeline.markdown import front_matter
from pipeline.results import ResultSet

FIELDS: Mapping[str, tuple[str, ...]] = {
    "derived": ("op", "of", "format", "unit", "description", "better", "tolerance"),
    "claims": ("op", "of", "bound"),
}
OPERATORS: Mapping[str, tuple[str, ...]] = {"derived": tuple(DERIVED), "claims": tuple(CLAIMS)}
SAYS: Mapping[str, str] = {
    "difference": "{0}, less {1}", "ratio": "{0}, in multiples of {1}", "percent_change": "change from {1} to {0}",
    "best_of": "the best of {all}", "worst_of": "the worst of {all}", "smallest": "the smallest of {all}",
    "largest": "the largest of {all}", "rank": "the rank of {0} among {all}", "count": "the number of values compared",
    "crosses_at": "where the series reaches {0}",
}  # fmt: skip
FIGURES = 2  # significant figures of a ratio or change whose draft states no format


@dataclass(frozen=True)
class Asked:
    """What the front matter asks for, evaluated; `lines` says where each name stands in the draft's file."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def with_asked(evidence: Evidence, draft: Draft, file: str) -> tuple[Evidence, Asked]:
    """The evidence with what the draft asks for among its results; `file` names the draft in findings."""
    asked = evaluate(evidence.results, draft, file)
    if not (asked.facts or asked.claims):
        return evidence, asked
    results = evidence.results
    results = replace(results, facts={**results.facts, **asked.facts}, claims={**results.claims, **asked.claims})
    return replace(evidence, results=results), asked


def evaluate(results: ResultSet, draft: Draft, file: str) -> Asked:
    """Evaluate the draft's `derived` and `claims` against the results."""
    if not draft.front.get("derived") and not draft.front.get("claims"):
        return Asked()
    reader = _Reader(results, draft.edition, file, _front(draft.text, file))
    entries = {kind: reader.entries(kind) for kind in FIELDS}
    for name in entries["derived"]:
        reader.derive(name, entries["derived"], ())
    for name, entry in entries["claims"].items():
        reader.claim(name, entry)
    return Asked(reader.facts, reader.claims, tuple(reader.findings))


def studies_behind(record: Fact | Claim, facts: Mapping[str, Fact]) -> set[str]:
    """The studies whose runs a record rests on: its own, and those of what it is made of."""
    found = {record.study} if record.study else set()
    for key in record.of:
        if key in facts and facts[key] is not record:
            found |= studies_behind(facts[key], facts)
    return found


@lru_cache(maxsize=64)
def _front(text: str, file: str) -> yamlmap.Mapped:
    return yamlmap.load(front_matter(text) or "", file, first_line=2)


class _Refused(Exception):
    """(check, message, fix, path): why something asked for is not evaluated."""


class _Reader:
    """Reads one front matter; what is wrong goes to `findings`."""

    def __init__(self, results: ResultSet, edition: Edition, file: str, front: yamlmap.Mapped) -> None:
        self.results, self.edition, self.file, self.front = results, edition, file, front
        self.facts: dict[str, Fact] = {}
        self.claims: dict[str, Claim] = {}
        self.findings: list[Finding] = list(front.findings)
        self.done: set[str] = set()

    def find(self, check: str, message: str, fix: str, path: yamlmap.Path, key: str = "") -> None:
        line = self.front.line(*path)
        self.findings.append(Finding(check, "error", message, self.file, line, 1, fix=fix, key=key))

    def entries(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The usable entries of `derived` or `claims`, by name."""
        data = self.front.data if isinstance(self.front.data, dict) else {}
        asked = data.get(kind)
        if asked is None:
            return {}
        if not isinstance(asked, dict):
            self.find(
                "asked", f"`{kind}` is no list of names", f"write `{kind}:` and below it {_example(kind)}", (kind,)
            )
            return {}
        found = {}
        for name, entry in asked.items():
            try:
                found[name] = self.entry(kind, name, entry, data)
            except _Refused as refused:
                check, message, fix, path = refused.args
                self.find(check, message, fix, path, name)
        return found

    def entry(self, kind: str, name: str, entry: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
        path: yamlmap.Path = (kind, name)
        if not KEY.match(name):
            raise _Refused("asked", f"{name!r} cannot be a key", "lower-case words joined by dots or _", path)
        for table in (self.results.facts, self.results.claims, self.results.figures):
            if name in table:
                raise _Refused("asked-name", f"{name} is already the key of a recorded result", "choose another", path)
        if kind == "claims" and isinstance(data.get("derived"), dict) and name in data["derived"]:
            raise _Refused("asked-name", f"{name} is already the name of a derived value", "choose another", path)
        if not isinstance(entry, dict):
            raise _Refused("asked", f"{name} does not say what to compute", f"write it as {_example(kind)}", path)
        for field_ in entry:
            if field_ not in FIELDS[kind]:
                fix = did_you_mean(field_, FIELDS[kind]) or f"it takes {', '.join(FIELDS[kind])}"
                raise _Refused("asked", f"{name} has no {field_!r}", fix, (*path, field_))
        op, of = entry.get("op"), entry.get("of")
        known = OPERATORS[kind]
        if op not in known:
            other = next((k for k in OPERATORS if op in OPERATORS[k]), "")
            fix = f"{op} belongs under `{other}:`" if other else ""
            fix = fix or did_you_mean(str(op), known) or f"the list is {', '.join(known)}"
            message = f"{name} names no operator" if op is None else f"{name}: no operator {op!r} for {kind}"
            raise _Refused("unknown-operator", message, fix, (*path, "op"))
        if not isinstance(of, list) or not of or not all(isinstance(key, str) for key in of):
            raise _Refused("asked", f"{name} names no keys", f"write it as {_example(kind)}", (*path, "of"))
        return entry

    def known(self, name: str, kind: str, keys: Iterable[str]) -> None:
        """Raise _Refused for the first key that nothing recorded and nothing asked for has."""
        for number, key in enumerate(keys):
            if key not in self.results.facts and key not in self.facts:
                fix = did_you_mean(key, [*self.results.facts, *self.facts]) or "list the facts with `forge facts`"
                if key in self.results.claims:
                    fix = f"{key} is a claim; name the facts it compares"
                raise _Refused("unknown-key", f"{name}: no fact {key}", fix, (kind, name, "of", number))

    def derive(self, name: str, entries: Mapping[str, Mapping[str, Any]], above: tuple[str, ...]) -> None:
        """Evaluate one derived value after those it is made of."""
        if name in self.done:
            return
        path: yamlmap.Path = ("derived", name)
        if name in above:
            self.done.add(name)
            self.find("asked", f"{' is made of '.join([*above, name])}: a circle", "break it", path, name)
            return
        entry = entries[name]
        for key in entry["of"]:
            if key in entries:
                self.derive(key, entries, (*above, name))
        if name in self.done:
            return
        self.done.add(name)
        try:
            self.known(name, "derived", entry["of"])
            self.facts[name] = self.fact(name, entry)
        except _Refused as refused:
            check, message, fix, where = refused.args
            self.find(check, message, fix, where, name)
        except OperatorError as error:
            self.find("asked", str(error), "name values of one kind, or take it out", path, name)

    def fact(self, name: str, entry: Mapping[str, Any]) -> Fact:
        path: yamlmap.Path = ("derived", name)
        facts = {**self.results.facts, **self.facts}
        inputs = [facts[key] for key in entry["of"]]
        better = entry.get("better", "none")
        if better not in ("higher", "lower", "none"):
            raise _Refused("asked", f"{name}: better is {better!r}", "higher, lower or none", (*path, "better"))
        tolerance = entry.get("tolerance")
        if tolerance is not None and not (_number(tolerance) and tolerance > 1):
            raise _Refused("asked", f"{name}: tolerance {tolerance!r}", "a factor above 1", (*path, "tolerance"))
        description = entry.get("description") or _description(entry["op"], inputs)
        if not isinstance(description, str):
            raise _Refused("asked", f"{name}: its description is no text", "put it in quotes", (*path, "description"))
        place = Place(self.file, self.front.line(*path) or 1, "front matter")
        bare = Derivation(name, entry["op"], tuple(entry["of"]), description, ".6g", better=better, place=place)
        made = evaluate_derivation(replace(bare, tolerance=tolerance), facts)
        unit = entry.get("unit")
        if unit is not None and unit != made.unit:
            message = f"{name} is said to be in {unit!r}; the {entry['op']} of these is in {made.unit!r}"
            raise _Refused("asked", message, f"write unit: {made.unit}, or leave it out", (*path, "unit"))
        made = replace(made, format=self.formats(name, entry.get("format"), made, inputs))
        for edition in EDITIONS:
            try:
                made.text(edition)
            except ValueError as error:
                raise _Refused("asked", f"{name}: {error}", "state another format", (*path, "format")) from None
        return made

    def formats(self, name: str, asked: Any, made: Fact, inputs: list[Fact]) -> Mapping[Edition, str]:
        """How the value prints in each edition."""
        if asked is None:
            return {edition: _rounding(made, inputs, edition) for edition in EDITIONS}
        if isinstance(asked, str):
            return dict.fromkeys(EDITIONS, asked)
        if isinstance(asked, dict) and asked and all(k in EDITIONS and isinstance(v, str) for k, v in asked.items()):
            first = next(iter(asked.values()))
            return {edition: asked.get(edition, first) for edition in EDITIONS}
        fix = 'write format: ".1f", or one for scientist and manager'
        raise _Refused("asked", f"{name}: format {asked!r}", fix, ("derived", name, "format"))

    def claim(self, name: str, entry: Mapping[str, Any]) -> None:
        path: yamlmap.Path = ("claims", name)
        facts = {**self.results.facts, **self.facts}
        bound = entry.get("bound")
        place = Place(self.file, self.front.line(*path) or 1, "front matter")
        try:
            self.known(name, "claims", entry["of"])
            if bound is not None and not _number(bound):
                raise _Refused("asked", f"{name}: bound {bound!r} is no number", "write bound: 0.5", (*path, "bound"))
            stated = Claim(name, entry["op"], tuple(entry["of"]), "", "", bound, place=place)
            made = evaluate_claim(stated, facts)
        except _Refused as refused:
            check, message, fix, where = refused.args
            self.find(check, message, fix, where, name)
        except OperatorError as error:
            self.find("asked", str(error), "name values of one kind, or take it out", path, name)
        else:
            studies = {facts[key].study for key in entry["of"]}
            self.claims[name] = replace(made, study=studies.pop() if len(studies) == 1 else "")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _example(kind: str) -> str:
    op = "difference" if kind == "derived" else "less"
    return f"`name: {{op: {op}, of: [a.key, another.key]}}`"


def _description(op: str, inputs: list[Fact]) -> str:
    names = [fact.description.rstrip(".") for fact in inputs]
    return SAYS[op].format(*names, "", all=", ".join(names))


def _rounding(made: Fact, inputs: list[Fact], edition: Edition) -> str:
    """The rounding of what the value is made of; a ratio or change has its own: two significant figures."""
    if made.unit in ("rank", "count"):
        return "d"
    if made.op in ("ratio", "percent_change"):
        digits = FIGURES - 1 - (math.floor(math.log10(abs(made.value))) if made.value else 0)
        return f",.{min(max(digits, 0), 6)}f"

    source = inputs[1] if made.op == "crosses_at" else max(inputs, key=lambda fact: _decimals(fact.format[edition]))
    return source.format[edition]


def _decimals(spec: str) -> int:
    return int("".join(c for c in spec if c.isdigit()) or 0)
