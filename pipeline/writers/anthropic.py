"""The Anthropic writer: outline, sections, repair, over the Messages API.

- The outline is a plan in plain lines (`outline.py`), where the model may ask for derived values and claims.
- All sections are one call. Every call reads the stable part (rules and evidence) from the cache, for a twentieth of
  its price with the default model, so ten calls for ten sections would add nine cached reads, an eighth to a fifth of
  an edition's likely price, and each section would be written without the ones before it. One call costs least and
  reads as one text; its length is no limit, since an answer that reaches `max_tokens` is continued. A section that is
  missing is asked for.
- A repair turn sends only the paragraphs with findings (`repair.py`), not the whole conversation again: the evidence
  is in the cached prefix, and what was said in between is not.

`docs/writers.md` has the tokens and prices.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from experiments.kit.record import Edition
from pipeline.drafts import Written
from pipeline.evidence import Evidence
from pipeline.prompt import (
    PROMPT_VERSION,
    Kept,
    Prompt,
    build_prompt,
    data_marker,
    edition_rules,
    fenced,
    one_line,
    render_template,
    stable_part,
)
from pipeline.writers.conversation import Answer, Call, Later, Writing
from pipeline.writers.outline import Plan, ask_for_plan
from pipeline.writers.parts import Paragraph, assemble, labelled, split_answer, todo
from pipeline.writers.repair import Faulty, marked, repair, summary
from pipeline.writers.request import Request, front_matter
from pipeline.writers.trim import Talk

SECTIONS_TOKENS = 16_000
REPAIR_TOKENS = 8_000


def write(evidence: Evidence, edition: Edition, request: Request) -> Writing:
    """Write one edition. Raises CannotRun where the evidence fits no context."""
    what = f"{evidence.post.slug}, {edition}"
    talk = Talk(request.report)
    first = build_prompt(evidence, edition, request.project.settings, request.instruction)
    plan = yield from ask_for_plan(talk, evidence, edition, what, first)
    texts = yield from ask_for_sections(talk, evidence, edition, request, plan, what)
    front = {**front_matter(evidence, edition), **plan.asked}

    def prompt(faulty: Sequence[Faulty], kept: Kept) -> Prompt:
        return Prompt(stable_part(evidence, edition, kept), repair_request(evidence, edition, faulty, plan.granted))

    repaired = yield from repair(
        talk,
        assemble(evidence, edition, texts),
        lambda body: request.check(front, body.text),
        request.project.settings.repair_turns,
        what,
        prompt,
        max_tokens=lambda faulty: REPAIR_TOKENS,
    )
    talk.note(summary(repaired, what))
    body = marked(repaired.body, repaired.left)
    return Written(front, body.text, talk.text, "anthropic", notes=tuple(talk.notes), prompt_version=PROMPT_VERSION)


def ask_for_sections(
    talk: Talk, evidence: Evidence, edition: Edition, request: Request, plan: Plan, what: str
) -> Generator[Call, Answer, dict[str, tuple[Paragraph, ...]]]:
    """All sections in one answer, and in a second what the first left out. A section never written is a `{todo}`."""
    rules = edition_rules(evidence, edition, request.project.settings)
    names = [part.id for part in plan.parts]
    asked = render_template(
        "sections.md.j2",
        asked=names,
        plan=plan.text,
        granted=plan.granted,
        instruction=one_line(request.instruction),
        **rules,
    )

    def prompt(kept: Kept, turns: tuple[tuple[str, str], ...] = ()) -> Prompt:
        return Prompt(stable_part(evidence, edition, kept), asked, turns)

    answer = yield from talk.ask(f"{what}: {len(names)} sections", prompt, SECTIONS_TOKENS)
    found = split_answer(answer.text, names)
    missing = [name for name in names if name not in found]
    if missing:
        turn = (answer.text, render_template("missing.md.j2", missing=missing))
        more = yield from talk.ask(
            f"{what}: missing sections {', '.join(missing)}", lambda kept: prompt(kept, (turn,)), SECTIONS_TOKENS
        )
        found |= split_answer(more.text, missing)
    texts = {name: labelled(name, found[name]) for name in names if name in found}
    for name in names:
        if not texts.get(name):
            talk.note(f"{what}: the model wrote nothing for section {name}")
            texts[name] = (Paragraph(f"{name}.1", todo(f"the model wrote nothing for section {name}"), ours=True),)
    return texts


def repair_request(evidence: Evidence, edition: Edition, faulty: Sequence[Faulty], granted: Sequence[str]) -> str:
    """The request of a repair turn. The paragraphs are data: a model may have copied what a note planted."""
    marker = data_marker(evidence)
    return render_template(
        "repair.md.j2",
        edition=edition,
        paragraphs=faulty,
        granted=granted,
        data=lambda kind, text: fenced(marker, kind, text),
        one_line=one_line,
    )


def later(request: Request) -> tuple[Later, ...]:
    """The calls after the first, for a price before spending."""
    turns = request.project.settings.repair_turns
    return (
        Later("the outline again", most=1, likely=0, max_tokens=6_000, request_chars=4_000, history=True),
        Later("the sections", most=1, likely=1, max_tokens=SECTIONS_TOKENS, request_chars=8_000),
        Later("missing sections", most=1, likely=0, max_tokens=SECTIONS_TOKENS, request_chars=400, history=True),
        Later("repair", most=turns, likely=min(turns, 1), max_tokens=REPAIR_TOKENS, request_chars=16_000),
    )
