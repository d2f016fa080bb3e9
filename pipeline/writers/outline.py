"""The outline: a plan of an edition in plain lines, asked of a model, read strictly and completed by the program.

    section: throws
    says: what the reader knows afterwards
    claims: coin.more
    figures: coin.heads
    derived: gap = difference of coin.many, coin.few; format = .1f
    claim: fewer = less of coin.few, coin.many; bound = 2

Lines instead of JSON: every model can write them, also one without structured outputs. A plan may name only what the
evidence holds; `derived` and `claim` ask for what it lacks by an operator of the closed list, and the program computes
it. What is wrong is answered as findings in one more turn; what is still wrong then is left out, and said.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from experiments.kit.record import Edition
from pipeline.asked import evaluate
from pipeline.drafts import Draft, compose
from pipeline.evidence import Evidence
from pipeline.finding import Finding, did_you_mean
from pipeline.prompt import Kept, Prompt, one_line, render_template, stable_part
from pipeline.writers.conversation import Answer, Call
from pipeline.writers.trim import Talk

KINDS = ("facts", "claims", "figures", "listings", "cites")
FIELDS = ("section", "says", *KINDS, "derived", "claim")
LINE = re.compile(r"^[\s>*#-]*([A-Za-z_]+)\**\s*:\**\s*(.*?)\s*$")
ASKED = re.compile(r"([\w.]+)\s*=\s*(\w+)\s+of\s+([^;]*?)\s*(?:;\s*(.*))?$")
NOTHING = ("", "none", "-", "n/a")
MAX_TOKENS = 6_000  # an outline of twenty sections takes a third of it; the rest is for thinking


@dataclass(frozen=True)
class Part:
    """The plan of one section: its id, what it says, and the keys it uses by kind (`KINDS`)."""

    id: str
    says: str = ""
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A plan of an edition: its sections in order, and the front matter that asks for derived values and claims."""

    parts: tuple[Part, ...]
    asked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    granted: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The plan in the form it is asked for."""
        blocks = []
        for part in self.parts:
            lines = [f"section: {part.id}", *([f"says: {part.says}"] if part.says else [])]
            lines += [f"{kind}: {', '.join(part.uses[kind])}" for kind in KINDS if part.uses.get(kind)]
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks)


def plan_of_post(evidence: Evidence) -> Plan:
    """The plan the author's own outline gives."""
    return Plan(
        tuple(
            Part(
                m.section.id,
                uses={
                    "claims": tuple(c.key for c in m.claims if c.holds),
                    "figures": tuple(f.key for f in m.figures),
                    "listings": tuple(x.ref for x in m.listings),
                    "cites": tuple(s.key for s in m.sources),
                },
            )
            for m in evidence.materials
        )
    )


def ask_for_plan(
    talk: Talk, evidence: Evidence, edition: Edition, what: str, first: Prompt
) -> Generator[Call, Answer, Plan]:
    """Ask for the outline, once more with findings if it has any. `first` is the prompt before anything is left out."""

    def prompt(kept: Kept, turns: tuple[tuple[str, str], ...] = ()) -> Prompt:
        return Prompt(stable_part(evidence, edition, kept), first.request, turns)

    answer = yield from talk.ask(f"{what}: outline", prompt, MAX_TOKENS)
    plan, findings = read_plan(answer.text, evidence, edition)
    if findings:
        talk.report(f"{what}: the outline has {_count(len(findings), 'finding')}, asked once more")
        turn = (answer.text, render_template("outline_again.md.j2", findings=findings))
        again = yield from talk.ask(f"{what}: outline again", lambda kept: prompt(kept, (turn,)), MAX_TOKENS)
        second, left = read_plan(again.text, evidence, edition)
        if len(left) <= len(findings):  # a worse second outline is not taken
            plan, findings = second, left
    for finding in findings:
        talk.note(f"{what}: left out of the outline: {finding.message}")
    own = {part.id: part for part in plan_of_post(evidence).parts}
    planned = {part.id: part for part in plan.parts}
    return replace(plan, parts=tuple(planned.get(name, own[name]) for name in own))


def read_plan(text: str, evidence: Evidence, edition: Edition) -> tuple[Plan, list[Finding]]:
    """What an outline says, without what is wrong with it, and what that is. Lines of findings count in the answer."""
    reader = _Reader(evidence, edition)
    for number, line in enumerate(text.split("\n"), 1):
        match = LINE.match(line)
        if match:
            reader.read(number, match[1].lower(), match[2])
    return reader.finish()


class _Reader:
    """Reads the lines of one outline."""

    def __init__(self, evidence: Evidence, edition: Edition) -> None:
        self.evidence, self.edition = evidence, edition
        self.order = [material.section.id for material in evidence.materials]
        self.known: dict[str, Sequence[str]] = {
            "facts": [*evidence.results.facts],
            "claims": [key for key, claim in evidence.results.claims.items() if claim.holds],
            "figures": [*evidence.results.figures],
            "listings": [listing.ref for material in evidence.materials for listing in material.listings],
            "cites": [*evidence.sources],
        }
        self.parts: dict[str, Part] = {}
        self.current = ""
        self.asked: dict[str, dict[str, dict[str, Any]]] = {"derived": {}, "claims": {}}
        self.lines: dict[str, int] = {}
        self.wanted: list[tuple[int, str, str, str]] = []
        self.findings: list[Finding] = []

    def find(self, message: str, line: int | None, fix: str = "", key: str = "") -> None:
        self.findings.append(Finding("outline", "error", one_line(message), line=line, fix=one_line(fix), key=key))

    def read(self, number: int, name: str, value: str) -> None:
        """One line `name: value`."""
        value = value.strip().strip("*`").strip()
        if name not in FIELDS:
            near = did_you_mean(name, FIELDS)
            if near or name.endswith("s"):
                self.find(f"no field {name}", number, near or f"fields are {', '.join(FIELDS)}")
        elif name == "section":
            self.section(number, value)
        elif name in ("derived", "claim"):
            self.ask(number, name, value)
        elif not self.current:
            return  # belongs to a section that was refused
        elif name == "says":
            self.parts[self.current] = replace(self.parts[self.current], says=one_line(value))
        elif value.lower() not in NOTHING:
            self.wanted += [(number, self.current, name, key.strip(" `")) for key in value.split(",") if key.strip()]

    def section(self, number: int, name: str) -> None:
        self.current = ""
        if name not in self.order:
            self.find(f"no section {name}", number, did_you_mean(name, self.order) or "take it out")
        elif name in self.parts:
            self.find(f"section {name} stands twice", number, "plan each section once")
        else:
            self.current = name
            self.parts[name] = Part(name)

    def ask(self, number: int, kind: str, value: str) -> None:
        """A line that asks for a derived value or a claim."""
        match = ASKED.match(value)
        if match is None:
            self.find(f"{kind} {value!r} cannot be read", number, f"write {kind}: NAME = OPERATOR of KEY, KEY")
            return
        name, op, keys, options = match[1], match[2], [key.strip(" `") for key in match[3].split(",")], match[4]
        if kind == "claim" and self.edition == "manager":
            fix = "use a listed claim, or none"
            self.find(f"{name}: the Manager edition states only what the Scientist edition shows", number, fix)
            return
        entry: dict[str, Any] = {"op": op, "of": keys}
        for option in (options or "").split(";"):
            if not option.strip():
                continue
            field_, _, given = (piece.strip(" `\"'") for piece in option.partition("="))
            if field_ == "bound":
                try:
                    entry["bound"] = float(given)
                except ValueError:
                    self.find(f"{name}: bound {given!r} is no number", number, "write bound = 2")
                    return
            elif field_ in ("format", "description", "unit"):
                entry[field_] = given
            else:
                self.find(f"{name} has no option {field_!r}", number, "options are format and bound")
                return
        self.asked["derived" if kind == "derived" else "claims"][name] = entry
        self.lines[name] = number

    def finish(self) -> tuple[Plan, list[Finding]]:
        """The plan and the findings, once all lines are read."""
        granted = self._grant()
        self.known["facts"] = [*self.known["facts"], *self.asked["derived"]]
        self.known["claims"] = [*self.known["claims"], *self.asked["claims"]]
        for number, section, kind, key in self.wanted:
            if key not in self.known[kind]:
                claim = self.evidence.results.claims.get(key) if kind == "claims" else None
                why = f"does not hold: {claim.detail}" if claim else "is not in the evidence"
                fix = did_you_mean(key, self.known[kind]) or "take it out, or ask for it"
                self.find(f"section {section}: {kind} {key} {why}", number, fix, key)
                continue
            part = self.parts[section]
            keys = (*part.uses.get(kind, ()), key)
            self.parts[section] = replace(part, uses={**part.uses, kind: tuple(dict.fromkeys(keys))})
        missing = [name for name in self.order if name not in self.parts]
        if missing:
            self.find(f"no plan for {', '.join(missing)}", None, "plan every section")
        placed = [name for name in self.parts if name in self.order]
        if placed != [name for name in self.order if name in placed]:
            self.find("the sections stand in another order", None, f"keep the order {', '.join(self.order)}")
        asked = {kind: entries for kind, entries in self.asked.items() if entries}
        ordered = tuple(self.parts[name] for name in self.order if name in self.parts)
        return Plan(ordered, asked, tuple(granted)), self.findings

    def _grant(self) -> list[str]:
        """Evaluate what is asked for; what cannot be, or does not hold, is a finding and goes."""
        draft = asking_draft(self.evidence, self.edition, self.asked)
        made = evaluate(self.evidence.results, draft, "the outline")
        refused = {}
        for finding in made.findings:
            refused[finding.key] = (finding.message, finding.fix)
        for name, claim in made.claims.items():
            if not claim.holds:
                refused[name] = (
                    f"claim {name} does not hold: {claim.detail}",
                    "ask for what does hold, or for nothing",
                )
        for name, (message, fix) in refused.items():
            self.find(message, self.lines.get(name), fix, name)
        for entries in self.asked.values():
            for name in [name for name in entries if name in refused]:
                del entries[name]
        lines = []
        for name, entry in self.asked["derived"].items():
            fact = made.facts[name]
            said = f"{entry['op']} of {', '.join(entry['of'])}"
            lines.append(f"{{val}}`{name}`: {said}, prints {fact.text(self.edition)} ({fact.unit})")
        for name, entry in self.asked["claims"].items():
            lines.append(f"{{claim}}``{name}|your words``: {entry['op']} of {', '.join(entry['of'])}, which holds")
        return lines


def asking_draft(evidence: Evidence, edition: Edition, asked: Mapping[str, Any]) -> Draft:
    """A draft of front matter alone that asks for derived values and claims."""
    front = {kind: entries for kind, entries in asked.items() if entries}
    return Draft(evidence.post.slug, edition, Path("the outline"), compose(front, ""), front, "", 1)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
