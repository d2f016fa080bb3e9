"""Repair: the checks' findings go back to the model, which may replace the paragraphs they are in, and no others.

A replacement is taken only if its paragraph has fewer findings afterwards and the whole edition has not more. What
is left when the turns are used up is marked, never dropped silently and never passed: beside the paragraph stands a
`{todo}` role, which blocks approval, and text that must not even be previewed (raw HTML, foreign images, unsafe
links, secrets) is cut out and named there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipeline.finding import Finding
from pipeline.prompt import Kept, Prompt
from pipeline.writers.conversation import Answer, Call
from pipeline.writers.parts import Body, split_answer, todo, with_text
from pipeline.writers.trim import Talk

Check = Callable[[Body], list[Finding]]
CUT_OUT = ("raw-html", "unsafe-link", "foreign-image", "vault-link", "secret")


@dataclass(frozen=True)
class Faulty:
    """A paragraph to mend: its findings (errors), and the last attempt that was not taken with what was found in it."""

    label: str
    text: str
    findings: tuple[Finding, ...]
    tried: str = ""
    tried_findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Repaired:
    """What repair came to: the body, the findings left by label, and how many there were before and after."""

    body: Body
    left: Mapping[str, tuple[Finding, ...]]
    before: int
    turns: int = 0

    @property
    def after(self) -> int:
        """Findings left in paragraphs."""
        return sum(len(findings) for findings in self.left.values())


def faults(body: Body, check: Check) -> tuple[dict[str, tuple[Finding, ...]], int]:
    """Errors by paragraph, and the number of all errors. A gap left open on purpose is none."""
    errors = [finding for finding in check(body) if finding.severity == "error" and finding.check != "todo"]
    by_label: dict[str, tuple[Finding, ...]] = {}
    for finding in errors:
        paragraph = body.at(finding.line) if finding.line is not None else None
        if paragraph is not None and not paragraph.ours:
            by_label[paragraph.label] = (*by_label.get(paragraph.label, ()), finding)
    return by_label, len(errors)


def repair(
    talk: Talk,
    body: Body,
    check: Check,
    turns: int,
    what: str,
    prompt: Callable[[Sequence[Faulty], Kept], Prompt],
    *,
    max_tokens: Callable[[Sequence[Faulty]], int],
    together: bool = True,
    may_be_cut: bool = False,
) -> Generator[Call, Answer, Repaired]:
    """Mend paragraphs for as many turns as allowed. `together`: one request a turn, else one a paragraph."""
    wrong, total = faults(body, check)
    before = sum(len(findings) for findings in wrong.values())
    tried: dict[str, tuple[str, tuple[Finding, ...]]] = {}
    turn = 0
    while wrong and turn < turns:
        turn += 1
        texts = {paragraph.label: paragraph.text for paragraph in body.paragraphs}
        faulty = [Faulty(label, texts[label], found, *tried.get(label, ("", ()))) for label, found in wrong.items()]
        new: dict[str, str] = {}
        groups = [faulty] if together else [[each] for each in faulty]
        for number, group in enumerate(groups, 1):
            of = f", {number} of {len(groups)}" if len(groups) > 1 else ""
            named = f"{what}: repair {turn} of {turns} ({', '.join(each.label for each in group)}{of})"
            answer = yield from talk.ask(named, partial(prompt, group), max_tokens(group), may_be_cut=may_be_cut)
            new |= split_answer(answer.text, {each.label for each in group}, bare=not together)
        body, wrong, total, refused = _take(body, check, wrong, total, new)
        tried |= refused
        left = sum(len(found) for found in wrong.values())
        talk.report(f"{what}: repair {turn} of {turns}: {left} of {before} findings left, {len(refused)} not taken")
    return Repaired(body, wrong, before, turn)


def _take(
    body: Body, check: Check, wrong: Mapping[str, tuple[Finding, ...]], total: int, new: Mapping[str, str]
) -> tuple[Body, dict[str, tuple[Finding, ...]], int, dict[str, tuple[str, tuple[Finding, ...]]]]:
    """Take the replacements that mend: (body, its faults, number of all errors, what was not taken)."""
    old = {paragraph.label: paragraph for paragraph in body.paragraphs}
    changed = {label: with_text(old[label], text) for label, text in new.items() if label in wrong}
    changed = {label: paragraph for label, paragraph in changed.items() if paragraph.text}
    refused: dict[str, tuple[str, tuple[Finding, ...]]] = {}
    while changed:
        candidate = body.replaced(changed)
        found, count = faults(candidate, check)
        worse = [label for label in changed if len(found.get(label, ())) >= len(wrong[label])]
        if not worse and count <= total:
            return candidate, found, count, refused
        # More errors elsewhere: no single paragraph is to blame, so none of these is taken.
        for label in worse or list(changed):
            refused[label] = (changed.pop(label).text, found.get(label, ()))
    return body, dict(wrong), total, refused


def marked(body: Body, left: Mapping[str, Sequence[Finding]]) -> Body:
    """The body with a `{todo}` behind each paragraph that still has findings; dangerous text is cut out."""
    new = {}
    for paragraph in body.paragraphs:
        findings = left.get(paragraph.label, ())
        if not findings:
            continue
        said = "; ".join(dict.fromkeys(f"{finding.check}: {finding.message}" for finding in findings))
        if any(finding.check in CUT_OUT for finding in findings):
            text = todo(f"a paragraph of the model was cut out ({said})")
        else:
            text = f"{paragraph.text}\n\n{todo(f'the paragraph above still has findings ({said})')}"
        new[paragraph.label] = replace(paragraph, text=text)
    return body.replaced(new)


def summary(repaired: Repaired, what: str) -> str:
    """One line for the draft's record."""
    kinds = Counter(finding.check for found in repaired.left.values() for finding in found)
    named = f" ({', '.join(f'{check} {count}' for check, count in sorted(kinds.items()))})" if kinds else ""
    turns = f"{repaired.turns} repair turn{'' if repaired.turns == 1 else 's'}"
    return f"{what}: {repaired.before} findings before repair, {repaired.after} after {turns}{named}"
