"""The rules of the two editions: same sections in both; the Manager edition plain, the lengths as asked."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.kit.record import Claim, Fact
from pipeline.asked import Asked
from pipeline.checks.subject import Subject
from pipeline.finding import Finding
from pipeline.markdown import Document, parse
from pipeline.page import count_words
from pipeline.render import key_and_rest

OPENING = 40  # words a page has at least before its first heading: the lead that lists and feeds show


def section_ids(document: Document) -> dict[str, int]:
    """Ids of the second-level headings and their offsets."""
    headings = (block for block in document.blocks if block.kind == "heading" and block.data["level"] == 2)
    return {block.data["id"]: block.start for block in headings}


def check(subject: Subject) -> Iterator[Finding]:
    """Section ids that differ from the other edition, a claim only managers read, formulas or code for managers,
    a first-level heading, a missing lead, and a length far from the asked reading time."""
    edition = subject.draft.edition
    mine = section_ids(subject.document)
    for block in subject.document.blocks:
        if block.kind == "heading" and block.data["level"] == 1:
            fix = "the title is the page's own: use ##"
            yield subject.find("heading", "error", block.start, "a first-level heading", fix)
        elif block.kind == "heading" and block.data["level"] == 2 and not block.data["explicit"]:
            fix = "give it the id the other edition's section has: ## Heading {#id}"
            yield subject.find("heading-id", "error", block.start, "a section heading without an id", fix)
    if subject.other is not None:
        other = parse(subject.other.body)
        theirs = section_ids(other)
        where = subject.project.relative(subject.other.path)
        for name in mine.keys() - theirs.keys():
            message = f"section #{name} is not in {where}: switching edition would lose the reader's place"
            fix = "give both editions the same section ids"
            yield subject.find("heading-id", "error", mine[name], message, fix, name)
        if edition == "manager":
            yield from _without_basis(subject, other)
    if edition == "manager":
        yield from _plain(subject)
    yield from _length(subject)


def _without_basis(subject: Subject, scientist: Document) -> Iterator[Finding]:
    """Claims, and values asked for, that only the Manager edition states.

    What a draft asks for is known by what it computes: the two editions may name it differently.
    """
    results = subject.evidence.results

    def basis(asked: Asked, name: str, key: str) -> object:
        record: Fact | Claim | None = asked.facts.get(key) or results.facts.get(key)
        if name == "claim":
            record = asked.claims.get(key) or results.claims.get(key)
        if record is None or not record.op:
            return key
        return record.op, tuple(record.of), record.bound if isinstance(record, Claim) else None

    shown = {basis(subject.other_asked, name, key) for name, key, _ in _named(scientist)}
    for name, key, start in _named(subject.document):
        if name == "claim" and basis(subject.asked, name, key) not in shown:
            message = f"claim {key} is not in the Scientist edition, which would have to show its basis"
            fix = "state it there too, or take it out here"
            yield subject.find("claim-without-basis", "error", start, message, fix, key)
        elif name == "val" and key in subject.asked.facts and basis(subject.asked, name, key) not in shown:
            made = subject.asked.facts[key]
            message = f"{key} is asked for here only: the Scientist edition does not show the {made.statistic}"
            fix = "ask for it there too and show it, or take it out here"
            yield subject.find("claim-without-basis", "error", start, message, fix, key)


def _named(document: Document) -> Iterator[tuple[str, str, int]]:
    """(role, key, place) of every claim and value, those within a claim's words included."""
    for span in document.spans:
        if span.kind != "role":
            continue
        key = key_and_rest(span.data["content"])[0]
        yield span.data["name"], key, span.start
        if span.data["name"] == "claim":
            start = span.data["at"] + span.data["content"].find("|") + 1
            for inner in document.nested(start, span.data["at"] + len(span.data["content"])):
                if inner.kind == "role":
                    yield inner.data["name"], key_and_rest(inner.data["content"])[0], inner.start


def _plain(subject: Subject) -> Iterator[Finding]:
    words = "say it in words"
    for block in subject.document.blocks:
        if block.kind in ("fence", "code", "math"):
            what = "a formula" if block.kind == "math" else "code"
            yield subject.find("manager-plain", "error", block.start, f"{what} in the Manager edition", words)
    for span in subject.document.spans:
        if span.kind in ("code", "math"):
            what = "a formula" if span.kind == "math" else "code"
            yield subject.find("manager-plain", "error", span.start, f"{what}: {span.text}", words)
        elif span.kind == "role" and span.data["name"] == "listing":
            yield subject.find("manager-plain", "error", span.start, "a code listing", words)


def _length(subject: Subject) -> Iterator[Finding]:
    settings = subject.project.settings
    low, high = settings.minutes(subject.draft.edition)
    words = count_words(subject.draft.body)
    minutes = words / settings.words_per_minute
    name = subject.project.relative(subject.draft.path)
    if not low <= minutes <= high:
        asked = f"the {subject.draft.edition} edition takes {low} to {high}"
        message = f"{words} words take {minutes:.1f} minutes to read; {asked}"
        # Too long costs every reader and the review its half hour; a short edition is only thin.
        if minutes > high:
            yield Finding("length", "error", message, name, fix="shorten it")
        else:
            yield Finding("length", "warning", message, name, fix="say more, from the notes")
    first = next((b for b in subject.document.blocks if b.kind == "heading"), None)
    lead = subject.draft.body[: first.start if first else len(subject.draft.body)]
    if count_words(lead) < OPENING:
        message = f"the lead before the first section has fewer than {OPENING} words"
        yield Finding(
            "lead", "warning", message, name, subject.draft.body_line, fix="open with what the reader will get"
        )
