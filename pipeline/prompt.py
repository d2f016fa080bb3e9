"""Prompts: evidence laid out for a writer, from the Jinja2 templates in `pipeline/prompts/`.

A prompt has a stable part (rules and evidence, byte for byte the same for both editions, all stages and all repair
turns, so that it is paid for once and then read from the cache) and a request (the stage, the edition and, when a
person sent a draft back, their reason).

Text from the notes and the records is data. It stands between two lines that carry a hash of all of it
(`data_marker`): text that wants to end its own block would have to contain its own hash.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.kit.files import hash_value
from experiments.kit.operators import CLAIMS, DERIVED
from experiments.kit.record import Claim, Edition, Fact, FigureRecord
from pipeline.evidence import Evidence, Excerpt, Material
from pipeline.project import Settings

if TYPE_CHECKING:
    from jinja2 import Environment

T = TypeVar("T", Fact, Claim, FigureRecord)

TEMPLATES = Path(__file__).with_name("prompts")
PROMPT_VERSION = hash_value({p.name: p.read_text(encoding="utf-8") for p in sorted(TEMPLATES.glob("*.j2"))})[:12]
"""Names the wording of all prompts; kept with every call and every draft."""


@dataclass(frozen=True)
class Prompt:
    """What a writer is sent: the stable part, the request, and the turns since (assistant's text, next request)."""

    stable: str
    request: str
    turns: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """Both parts, as kept beside the draft."""
        return f"{self.stable.rstrip()}\n\n{self.request.rstrip()}\n"

    def messages(self) -> list[dict[str, str]]:
        """The conversation as the Messages API takes it: user and assistant in turn, the user's word last."""
        messages = [{"role": "user", "content": self.request}]
        for answered, asked in self.turns:
            messages += [{"role": "assistant", "content": answered}, {"role": "user", "content": asked}]
        return messages


# What a prompt can do without, in the order in which it is left out where a model's context is too short. What the
# sections are about (their claims, the facts these compare, their own notes' beginning) is never left out.
CUTS: tuple[tuple[str, str], ...] = (
    ("earlier", "what earlier posts said"),
    ("sources", "the sources that no section cites"),
    ("glossary", "the glossary"),
    ("listings", "the code of the listings"),
    ("captions", "the captions of the figures"),
    ("facts", "the facts that no section names"),
    ("other edition", "the notes of the other edition"),
    ("half", "the second half of each section's notes"),
    ("quarter", "all but the first quarter of each section's notes"),
    ("eighth", "all but the first eighth of each section's notes"),
)
SHARES = {"half": 0.5, "quarter": 0.25, "eighth": 0.125}
LEFT_OUT = "[The rest of this passage was left out: it does not fit.]"


@dataclass(frozen=True)
class Kept:
    """How much of the evidence a prompt holds: the first `cuts` of `CUTS` are left out."""

    cuts: int = 0
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(name for name, _ in CUTS[: self.cuts]))

    def __contains__(self, name: str) -> bool:
        """Whether this is still in the prompt."""
        return name not in self.names

    @property
    def share(self) -> float:
        """How much of each passage of the notes is kept."""
        return min((share for name, share in SHARES.items() if name in self.names), default=1.0)


EVERYTHING = Kept()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES), comment_start_string="<#", comment_end_string="#>",  # {#id} is Markdown
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip


def render_template(name: str, **values: Any) -> str:
    """A template of `pipeline/prompts/` with values filled in; an undefined name is an error, not a blank."""
    return _environment().get_template(name).render(**values)


def one_line(text: str) -> str:
    """Text without line breaks, so that it cannot begin a line of its own."""
    return " ".join(text.split())


def data_marker(evidence: Evidence) -> str:
    """The word in the lines around data: it holds a hash of all of that data, so no part of it can contain the word."""
    said = [
        [[e.title, e.plain_title, e.scientist, e.plain] for m in evidence.materials for e in m.excerpts],
        [listing.code for m in evidence.materials for listing in m.listings],
        [[c.says, c.plain] for c in evidence.results.claims.values()],
        [f.description for f in evidence.results.facts.values()],
        [[f.caption, f.plain] for f in evidence.results.figures.values()],
        [[s.title, s.short] for s in evidence.sources.values()],
        [dict(evidence.glossary), list(evidence.limits), evidence.notes],
        [earlier.to_json() for earlier in evidence.earlier],
        [earlier.to_json() for earlier in evidence.earlier],
    ]
    return f"DATA-{hash_value(said)[:16]}"


def fenced(marker: str, kind: str, text: str) -> str:
    """Text as data of a kind, between its two lines."""
    return f"<<{marker} {one_line(kind)}>>\n{text.strip()}\n<<end of {marker}>>"


def shortened(text: str, share: float) -> str:
    """The first paragraphs, up to that share of the words (at least one sentence), and a line that says so."""
    if share >= 1 or not text.strip():
        return text
    room = max(int(len(text.split()) * share), 1)
    kept: list[str] = []
    for paragraph in text.split("\n\n"):
        words = len(paragraph.split())
        if words <= room:
            kept.append(paragraph)
            room -= words
            continue
        sentences = re.split(r"(?<=[.!?])\s+", paragraph)
        part = []
        for number, sentence in enumerate(sentences):
            if len(sentence.split()) > room and (kept or number):
                break
            part.append(sentence)
            room -= len(sentence.split())
        kept.append(" ".join(part))
        break
    return "\n\n".join([*(piece for piece in kept if piece), LEFT_OUT])


def named_facts(evidence: Evidence, materials: Sequence[Material]) -> set[str]:
    """Keys of the facts that sections are about: compared by their claims, or named by these, figures or notes."""
    keys: set[str] = set()
    for material in materials:
        words = [word for c in material.claims for word in (c.says, c.plain)]
        words += [word for f in material.figures for word in (f.caption, f.plain)]
        words += [word for e in material.excerpts for word in (e.scientist, e.plain)]
        keys |= {key for c in material.claims for key in c.of}
        keys |= {match[1].strip() for word in words for match in re.finditer(r"\{val\}`+\s*([^`|]+)", word)}
    return keys & set(evidence.results.facts)


def _own(evidence: Evidence, table: Mapping[str, T], needed: Collection[str] = ()) -> list[T]:
    """The records of the post's studies under their short keys, and those needed, in order of key."""
    studies = evidence.post.studies
    return [
        record
        for key, record in sorted(table.items())
        if "/" not in key and (key in needed or not studies or record.study in studies)
    ]


def _excerpts(material: Material, edition: Edition, kept: Kept) -> list[tuple[Excerpt, str, str]]:
    """(excerpt, kind, text) of the passages of a section."""
    found = []
    for excerpt in material.excerpts:
        for kind, text, of in (("notes", excerpt.scientist, "scientist"), ("plain words", excerpt.plain, "manager")):
            if text and ("other edition" in kept or of == edition):
                found.append((excerpt, kind, shortened(text, kept.share)))
    return found


def stable_part(evidence: Evidence, edition: Edition, kept: Kept = EVERYTHING) -> str:
    """Rules and evidence of a whole post. The same for both editions, unless the other edition's notes had to go."""
    marker = data_marker(evidence)
    cited = {source.key for material in evidence.materials for source in material.sources}
    named = named_facts(evidence, evidence.materials)
    stated = {claim.key for material in evidence.materials for claim in material.claims}
    shown = {figure.key for material in evidence.materials for figure in material.figures}
    return render_template(
        "stable.md.j2",
        evidence=evidence,
        sections=[(material, _excerpts(material, edition, kept)) for material in evidence.materials],
        facts=[f for f in _own(evidence, evidence.results.facts, named) if "facts" in kept or f.key in named],
        claims=[c for c in _own(evidence, evidence.results.claims, stated) if c.holds],
        figures=_own(evidence, evidence.results.figures, shown),
        sources=[s for key, s in sorted(evidence.sources.items()) if "sources" in kept or key in cited],
        kept=kept,
        marker=marker,
        data=lambda kind, text: fenced(marker, kind, text),
        one_line=one_line,
    )


def section_notes(material: Material, edition: Edition, kept: Kept = EVERYTHING) -> str:
    """An edition's notes of one section."""
    texts = [shortened(excerpt.text(edition), kept.share) for excerpt in material.excerpts]
    return "\n\n".join(text for text in texts if text)


def section_part(evidence: Evidence, material: Material, edition: Edition, kept: Kept = EVERYTHING) -> str:
    """Rules for one section and what stands around it, for models with a short context; its notes go in the request."""
    marker = data_marker(evidence)
    words = one_line(section_notes(material, edition, kept)).lower()
    return render_template(
        "local_stable.md.j2",
        edition=edition,
        material=material,
        glossary={t: m for t, m in sorted(evidence.glossary.items()) if t.lower() in words and "glossary" in kept},
        kept=kept,
        marker=marker,
        data=lambda kind, text: fenced(marker, kind, text),
        one_line=one_line,
    )


def operators() -> dict[str, dict[str, str]]:
    """The closed list of operators in words, from their own documentation: of derived values and of claims."""
    tables = (("derived", DERIVED), ("claims", CLAIMS))
    return {name: {op: one_line(f.__doc__ or "") for op, f in table.items()} for name, table in tables}


def edition_rules(evidence: Evidence, edition: Edition, settings: Settings) -> dict[str, Any]:
    """What the templates say of an edition: words and minutes it should take, its sections, its glossary."""
    low, high = settings.minutes(edition)
    return {
        "edition": edition,
        "minutes": (low, high),
        "words": (low * settings.words_per_minute, high * settings.words_per_minute),
        "sections": [material.section.id for material in evidence.materials],
        "headings": {material.section.id: one_line(material.heading(edition)) for material in evidence.materials},
    }


def outline_request(evidence: Evidence, edition: Edition, settings: Settings, instruction: str = "") -> str:
    """The first request of an edition: its plan."""
    rules = edition_rules(evidence, edition, settings)
    return render_template("outline.md.j2", operators=operators(), instruction=one_line(instruction), **rules)


def build_prompt(evidence: Evidence, edition: Edition, settings: Settings, instruction: str = "") -> Prompt:
    """The first prompt of an edition. `instruction` is the reason a person gave when sending the last draft back."""
    return Prompt(stable_part(evidence, edition), outline_request(evidence, edition, settings, instruction))
