"""The local writer: a model on this machine or in this network writes the prose, section by section.

Small models have short contexts and cannot be trusted with a result. So the plan is the author's outline, each section
is a request of its own with only its own notes, and what the runs showed (claims, figures, code, sources) stands in the
studies' words, placed by the program as the offline writer places it. The model retells the notes in between.

Findings go back to the model, one paragraph a request; beside the checks', those of `grounding.py`, which holds a
small model's sentences against the notes. Sentences that still have findings after the last turn are cut; where too
little is left, the section is told in the notes' own words. Comments in the draft and lines in its record say where.
What the checks hold against the notes too is marked with a `{todo}`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.kit.record import Edition
from pipeline import sentences
from pipeline.drafts import Written
from pipeline.evidence import Evidence, Material
from pipeline.finding import Finding
from pipeline.prompt import (
    EVERYTHING,
    PROMPT_VERSION,
    Kept,
    Prompt,
    data_marker,
    fenced,
    one_line,
    render_template,
    section_notes,
    section_part,
)
from pipeline.writers.conversation import Answer, Call, Later, Writing
from pipeline.writers.grounding import Grounds, material_of, ungrounded
from pipeline.writers.offline import Turns, evidence_parts, note_parts
from pipeline.writers.parts import Body, Paragraph, assemble, labelled, whole_sentences
from pipeline.writers.repair import Faulty, faults, marked, repair, summary
from pipeline.writers.request import Request, front_matter
from pipeline.writers.trim import Talk

TOKENS_A_WORD = 2  # of room for an answer, by the words it retells: a small model left alone would ramble on
LEAST, MOST = 96, 1200  # tokens of an answer
ENOUGH = 0.4  # share of the notes' length that the model's prose must keep


def write(evidence: Evidence, edition: Edition, request: Request) -> Writing:
    """Write one edition. Raises CannotRun where a section fits no context."""
    what = f"{evidence.post.slug}, {edition}"
    talk = Talk(request.report)
    turns = Turns(edition)
    texts: dict[str, tuple[Paragraph, ...]] = {}
    for number, material in enumerate(evidence.materials, 1):
        name = f"{what}: section {material.section.id} ({number} of {len(evidence.materials)})"
        prose = yield from ask_for_section(talk, evidence, edition, request, material, name)
        texts[material.section.id] = (*prose, *results_of(material, edition, turns, prose))
    materials = {material.section.id: material for material in evidence.materials}
    front = front_matter(evidence, edition)

    sources = {name: material_for(evidence, material, edition) for name, material in materials.items()}

    def check(body: Body) -> list[Finding]:
        return [*request.check(front, body.text), *made_up(body, sources)]

    def prompt(faulty: Sequence[Faulty], kept: Kept) -> Prompt:
        material = materials[faulty[0].label.partition(".")[0]]
        return section_prompt("local_repair.md.j2", evidence, material, edition, kept, each=faulty[0])

    talk.kept = EVERYTHING
    repaired = yield from repair(
        talk,
        assemble(evidence, edition, texts),
        check,
        request.project.settings.repair_turns,
        what,
        prompt,
        max_tokens=lambda faulty: room(faulty[0].text),
        together=False,
        may_be_cut=True,
    )
    talk.note(summary(repaired, what))
    body, left = repaired.body, repaired.left
    if left:
        body = without_faults(body, left)
        left, _ = faults(body, check)
        talk.note(f"{what}: sentences of the model that still had findings were cut")
    retold: list[str] = []
    while True:  # one section in other words may bring out what it hid, such as the grade of the whole edition
        again = {label.partition(".")[0] for label in left} | too_short(body, materials, edition)
        again -= set(retold)
        if not again:
            break
        retold += [name for name in materials if name in again]
        body = by_the_notes(body, {name: materials[name] for name in again}, edition)
        left, _ = faults(body, check)
    if retold:
        talk.note(f"{what}: told in the notes' own words, not the model's: {', '.join(retold)}")
    return Written(
        front, marked(body, left).text, talk.text, "local", notes=tuple(talk.notes), prompt_version=PROMPT_VERSION
    )


def ask_for_section(
    talk: Talk, evidence: Evidence, edition: Edition, request: Request, material: Material, what: str
) -> Generator[Call, Answer, tuple[Paragraph, ...]]:
    """The model's paragraphs of a section; none where there are no notes to retell."""
    if not any(excerpt.text(edition).strip() for excerpt in material.excerpts):
        return ()

    def prompt(kept: Kept) -> Prompt:
        said = {"heading": one_line(material.heading(edition)), "instruction": one_line(request.instruction)}
        return section_prompt("local_section.md.j2", evidence, material, edition, kept, **said)

    talk.kept = EVERYTHING  # each section is a prompt of its own: what one had to leave out may fit in the next
    answer = yield from talk.ask(what, prompt, room(section_notes(material, edition)), may_be_cut=True)
    text = whole_sentences(answer.text) if answer.stop_reason == "max_tokens" else answer.text
    prose = tuple(p for p in labelled(material.section.id, said_once(text)) if not p.text.startswith("#"))
    return prose or (Paragraph(f"{material.section.id}.1", ""),)  # a place for the notes' own words


def section_prompt(
    template: str, evidence: Evidence, material: Material, edition: Edition, kept: Kept, **values: Any
) -> Prompt:
    """A prompt about one section: what stands around it, and a request that holds its notes."""
    marker = data_marker(evidence)
    request = render_template(
        template,
        notes=section_notes(material, edition, kept),
        data=lambda kind, text: fenced(marker, kind, text),
        one_line=one_line,
        **values,
    )
    return Prompt(section_part(evidence, material, edition, kept), request)


def results_of(material: Material, edition: Edition, turns: Turns, prose: Sequence[Paragraph]) -> tuple[Paragraph, ...]:
    """The program's paragraphs of a section: claims, figures, code and sources that the prose does not have."""
    before = "\n".join(paragraph.text for paragraph in prose)
    parts = evidence_parts(material, edition, turns, before)
    return tuple(Paragraph(f"{material.section.id}.r{n}", text, ours=True) for n, text in enumerate(parts, 1))


def room(text: str) -> int:
    """Tokens an answer may take that retells a text."""
    return max(LEAST, min(MOST, TOKENS_A_WORD * len(text.split())))


def material_for(evidence: Evidence, material: Material, edition: Edition) -> Grounds:
    """What a section's prose may be made of: everything its prompt holds."""
    words = [material.heading(edition), evidence.post.title, *evidence.glossary, *evidence.glossary.values()]
    words += [claim.says if edition == "scientist" else claim.plain for claim in material.claims]
    words += [figure.caption if edition == "scientist" else figure.plain for figure in material.figures]
    return material_of(section_notes(material, edition), *words)


def made_up(body: Body, sources: Mapping[str, Grounds]) -> Iterator[Finding]:
    """Findings on the model's own paragraphs, with their lines in the body."""
    for name, _, paragraphs in body.sections:
        said: set[str] = set()
        for paragraph in paragraphs:
            if not paragraph.ours and name in sources:
                line = body.line_of(paragraph)
                yield from (replace(found, line=line) for found in ungrounded(paragraph.text, sources[name], said))


def without_faults(body: Body, left: Mapping[str, Sequence[Finding]]) -> Body:
    """The body without the model's sentences that have findings, each place under a comment that says so.

    A finding that names no sentence of its paragraph takes the whole of it.
    """
    new: dict[str, Paragraph] = {}
    for paragraph in body.paragraphs:
        findings = left.get(paragraph.label, ())
        if not findings:
            continue
        text = one_line(paragraph.text)
        for finding in findings:
            said = one_line(finding.sentence)
            text = text.replace(said, " ") if said and said in one_line(paragraph.text) else ""
        checks = ", ".join(sorted({finding.check for finding in findings}))
        comment = f"%%what the model wrote here and had findings was cut ({checks})%%"
        new[paragraph.label] = replace(paragraph, text="\n\n".join(filter(None, [comment, one_line(text)])))
    return body.replaced(new)


def too_short(body: Body, materials: Mapping[str, Material], edition: Edition) -> set[str]:
    """Sections of whose notes the model's prose keeps too little."""
    short = set()
    for name, _, paragraphs in body.sections:
        prose = " ".join(re.sub(r"%%.*?%%", "", p.text) for p in paragraphs if not p.ours)
        notes = section_notes(materials[name], edition) if name in materials else ""
        if len(prose.split()) < ENOUGH * len(notes.split()):
            short.add(name)
    return short


def said_once(text: str) -> str:
    """The text without sentences said before: what a small model repeats, it repeats until it is stopped."""
    said: set[str] = set()
    paragraphs = []
    for paragraph in text.split("\n\n"):
        kept = []
        for line in paragraph.split("\n"):
            for start, end in sentences.split(line):
                same = one_line(line[start:end]).lower()
                if same not in said:
                    kept.append(line[start:end])
                said.add(same)
        paragraphs.append(" ".join(kept))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def by_the_notes(body: Body, materials: Mapping[str, Material], edition: Edition) -> Body:
    """The body with these sections told in the notes' own words, under a comment that says so."""
    new: dict[str, Paragraph] = {}
    comment = "%%too little of the model's text had no findings: the notes' own words stand here%%"
    for section, material in materials.items():
        prose = [p for p in body.paragraphs if not p.ours and p.label.partition(".")[0] == section]
        new |= {paragraph.label: replace(paragraph, text="") for paragraph in prose[1:]}
        if prose:
            new[prose[0].label] = replace(prose[0], text="\n\n".join([comment, *note_parts(material, edition)]))
    return body.replaced(new)


def later(request: Request) -> tuple[Later, ...]:
    """The calls after the first, for an estimate of their number."""
    turns = request.project.settings.repair_turns
    return (Later("repair", most=10 * turns, likely=turns, max_tokens=MOST, request_chars=4_000),)
