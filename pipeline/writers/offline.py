"""The offline writer: composes a readable draft from the notes, claims, figures and listings, with no model.

It invents nothing. The prose is the author's: their notes for the Scientist edition, their `[!plain]` passages for the
Manager edition. The results are the studies' claims, in the words the studies gave them. What is added is the order of
the argument (lead, sections, evidence where it is discussed, what was not shown, the close) and short sentences that
lead from one to the next, taken in turn so that no two neighbours sound alike.

The local writer borrows `evidence_parts`: a small model writes prose, results stand in the studies' own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from experiments.kit.record import Claim, Edition, FigureRecord
from pipeline.drafts import Written
from pipeline.evidence import Evidence, Material
from pipeline.prompt import PROMPT_VERSION, build_prompt, render_template
from pipeline.writers.conversation import Writing
from pipeline.writers.left_out import fitted
from pipeline.writers.request import Request, front_matter

OPENING = "opening"  # outline section whose text is the lead
LIMITS = "limits"

# Each list is used in order, round and round; {} is the figure or listing mentioned.
TURN_TO_RUNS: dict[Edition, Sequence[str]] = {
    "scientist": (
        "So much for the argument; the runs have the next word.",
        "I did not want to take that on trust.",
        "Here is what happened when the code had to show it.",
        "The measurements speak to exactly this point.",
        "Theory is cheap, so I let the machine answer.",
        "That is a prediction, and predictions can be checked.",
        "This is where the experiment earns its keep.",
        "What follows was measured, not assumed.",
    ),
    "manager": (
        "I tested this on a computer, and the result is plain.",
        "Here is what the test runs say.",
        "This is not just a story; it was measured.",
        "So what happened when the machine tried it?",
        "The test results back this up.",
        "I checked it rather than guess.",
    ),
}
SHOW_FIGURE: dict[Edition, Sequence[str]] = {
    "scientist": (
        "{} draws it.",
        "The whole picture is in {}.",
        "{} is the same result, laid out to be looked at.",
        "I find {} the quickest way to see why.",
        "Before reading on, spend a moment with {}.",
        "{} shows where this comes from.",
        "The evidence is in {}.",
    ),
    "manager": (
        "{} shows it at a glance.",
        "You can see it in {}.",
        "{} tells the story in one picture.",
        "Take a look at {}.",
        "The picture to remember is {}.",
    ),
}
SHOW_LISTING: Sequence[str] = (
    "The code is short enough to read whole. This is `{}`, exactly as it ran:",
    "The next piece is `{}`:",
    "Here is `{}`, cut from the file that produced the numbers:",
    "`{}` is all there is to it:",
)
SHOW_SOURCES: dict[Edition, Sequence[str]] = {
    "scientist": ("For the full treatment, see {}.", "The details are in {}.", "I learned this from {}."),
    "manager": ("If you want to read more, start with {}.", "The idea comes from {}."),
}
LIMITS_HEADING: dict[Edition, str] = {
    "scientist": "What these runs do not show",
    "manager": "What this does not prove",
}
LIMITS_LEAD: dict[Edition, str] = {
    "scientist": "Everything above is a statement about particular runs. Some things they do not settle.",
    "manager": "A fair reading needs the limits too.",
}


@dataclass
class Turns:
    """Takes each phrase list in order; remembers where it is."""

    edition: Edition
    counters: dict[str, Iterator[int]] = field(default_factory=dict)

    def next(self, name: str, phrases: Sequence[str]) -> str:
        number = next(self.counters.setdefault(name, count()))
        return phrases[number % len(phrases)]


def write(evidence: Evidence, edition: Edition, request: Request) -> Writing:
    """Compose one edition; nothing is asked of a model. Deterministic: the same evidence gives the same text.

    What the checks would not pass is left out of it (`left_out.py`).
    """
    yield from ()
    front = front_matter(evidence, edition)
    body, left_out = fitted(
        evidence, edition, OPENING, lambda these: compose(these, edition), lambda body: request.check(front, body)
    )
    if left_out:
        count = f"{len(left_out)} thing{'' if len(left_out) == 1 else 's'}"
        where = "named in its draft.json"
        request.report(f"{evidence.post.slug}: left out of the {edition} edition, for the checks: {count}, {where}")
    prompt = build_prompt(evidence, edition, request.project.settings, request.instruction)
    asked = (f"asked for, and left to the person: {request.instruction}",) if request.instruction else ()
    return Written(front, body, prompt.text, "offline", notes=(*asked, *left_out), prompt_version=PROMPT_VERSION)


def compose(evidence: Evidence, edition: Edition) -> str:
    """The body: lead, sections with their evidence, what was not shown, the close."""
    turns = Turns(edition)
    lead = [m for m in evidence.materials if m.section.id == OPENING]
    rest = [m for m in evidence.materials if m.section.id != OPENING]
    sections = [(m.section.id, m.heading(edition), section_parts(m, edition, turns)) for m in rest]
    limits = limits_text(evidence, edition)
    if limits:  # before the last section, which closes the post
        place = len(sections) - 1 if len(sections) > 2 else len(sections)
        sections.insert(place, (LIMITS, LIMITS_HEADING[edition], [limits]))
    return render_template(
        "offline.md.j2",
        lead=[paragraph for material in lead for paragraph in section_parts(material, edition, turns)],
        sections=sections,
    )


def limits_text(evidence: Evidence, edition: Edition) -> str:
    """What the runs do not show, in the studies' own words; '' where they state no limits."""
    return f"{LIMITS_LEAD[edition]} {' '.join(evidence.limits)}" if evidence.limits else ""


def section_parts(material: Material, edition: Edition, turns: Turns) -> list[str]:
    """The paragraphs of one section: notes, then the evidence."""
    notes = list(note_parts(material, edition))
    return [*notes, *evidence_parts(material, edition, turns, "\n".join(notes))]


def evidence_parts(material: Material, edition: Edition, turns: Turns, before: str) -> list[str]:
    """Each figure with the claims that belong to it, code, and the sources that the text `before` does not cite."""
    parts: list[str] = []
    claims = [claim for claim in material.claims if claim.holds]
    groups = _groups(claims, material.figures)
    for number, (stated, figure) in enumerate(groups):
        sentences = [TURN_TO_RUNS] if number == 0 and stated else []
        words = [turns.next("runs", table[edition]) for table in sentences]
        words += [claim_role(claim, edition) for claim in stated]
        if figure is not None:
            words.append(turns.next("figure", SHOW_FIGURE[edition]).format(f"{{fig}}`{figure.key}`"))
        parts.append(" ".join(words))
        if figure is not None:
            parts.append(f"{{fig}}`{figure.key}`")
    if edition == "scientist":
        for listing in material.listings:
            parts.append(turns.next("listing", SHOW_LISTING).format(listing.name))
            parts.append(f"{{listing}}`{listing.ref}`")
    written = "\n".join([before, *parts])
    uncited = [source.key for source in material.sources if f"{{cite}}`{source.key}" not in written]
    if uncited:
        cites = [f"{{cite}}`{key}|name`" for key in uncited]
        named = cites[0] if len(cites) == 1 else ", ".join(cites[:-1]) + " and " + cites[-1]
        parts.append(turns.next("sources", SHOW_SOURCES[edition]).format(named))
    return parts


def note_parts(material: Material, edition: Edition) -> Iterator[str]:
    """The notes of a section; where several passages meet, each under its own third-level heading."""
    excerpts = [excerpt for excerpt in material.excerpts if excerpt.text(edition)]
    titled = len(excerpts) > 1 and material.section.id != OPENING
    for excerpt in excerpts:
        title = excerpt.title if edition == "scientist" else excerpt.plain_title
        if titled and title:
            yield f"### {title}"
        yield excerpt.text(edition)


def claim_role(claim: Claim, edition: Edition) -> str:
    """The claim in the edition's words, as a role."""
    words = claim.says if edition == "scientist" else claim.plain
    return f"{{claim}}``{claim.key}|{words}``" if not words.endswith("`") else f"{{claim}}`` {claim.key}|{words} ``"


def _groups(
    claims: Sequence[Claim], figures: Sequence[FigureRecord]
) -> list[tuple[Sequence[Claim], FigureRecord | None]]:
    """Claims shared out over the figures in the order of the outline; without figures, three to a paragraph."""
    if not figures:
        return [(claims[i : i + 3], None) for i in range(0, len(claims), 3)]
    share = -(-len(claims) // len(figures)) if claims else 0
    return [(claims[i * share : (i + 1) * share], figure) for i, figure in enumerate(figures)]
