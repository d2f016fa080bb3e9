"""What a check looks at: one edition, parsed and rendered, beside its evidence and its other edition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.asked import Asked, evaluate, with_asked
from pipeline.drafts import Draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding, Severity
from pipeline.markdown import INLINE, Document, Sentence, Span, parse
from pipeline.project import Project
from pipeline.render import Context, Rendered, render

ROLE = "\ufffc"
"""Stands in prose for a role, code or a formula."""
PUBLISHED = ("title", "description", "tags")  # the properties a reader sees


@dataclass(frozen=True)
class Prose:
    """A stretch of prose as the reader sees it, over emphasis, entities and line ends; roles, code and formulas are
    `ROLE`. `places` says where each character stands in the body, or for a property `line` in the file. `in_claim`
    names the claim whose words it is."""

    text: str
    places: tuple[int, ...]
    in_claim: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Subject:
    """One edition under check. The results of its evidence hold what the draft asks for, beside what was recorded."""

    project: Project
    evidence: Evidence
    draft: Draft
    document: Document
    rendered: Rendered
    other: Draft | None
    asked: Asked
    other_asked: Asked

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The draft's sentences, roles and formulas as written."""
        return self.document.sentences()

    def prose(self) -> Iterator[Prose]:
        """All prose of the body, block by block, then the words of claims, link titles and alternative texts."""
        for block in self.document.blocks:
            if block.kind in INLINE:
                yield _joined(s for s in self.document.spans_of(block) if s.leaf)
        for span in self.document.spans:
            if span.leaf and span.kind in ("link_title", "image"):
                text = span.text if span.kind != "image" else str(span.data["alt"])
                yield Prose(text, (span.start,) * len(text))
            elif span.kind == "role" and span.data["name"] == "claim":
                content = span.data["content"]
                start = span.data["at"] + content.find("|") + 1
                inner = self.document.nested(start, span.data["at"] + len(content))
                yield _joined((s for s in inner if s.leaf), content.partition("|")[0].strip())

    def properties(self) -> Iterator[Prose]:
        """What the front matter says to the reader and the plan's note does not."""
        post, edition = self.evidence.post, self.draft.edition
        planned = {post.title, post.description.get(edition, ""), *post.tags}
        rows = self.draft.text.split("\n")
        for name in PUBLISHED:
            given = self.draft.front.get(name)
            for value in given if isinstance(given, list) else [given]:
                if value is not None and str(value) not in planned:
                    line = next((n for n, row in enumerate(rows, 1) if row.startswith(f"{name}:")), 1)
                    yield Prose(str(value), (0,) * len(str(value)), line=line)

    def repeats_a_limit(self, text: str) -> bool:
        """Whether a sentence is a study's own word on what it does not show, which may be repeated as it stands."""
        return _flat(text) in self._limits

    @cached_property
    def _limits(self) -> frozenset[str]:
        return frozenset(_flat(said.text) for limit in self.evidence.limits for said in parse(limit).sentences())

    def cites(self, offset: int) -> bool:
        """Whether the sentence at an offset of the body holds a `{cite}`."""
        sentence = next((s for s in self.sentences if s.start <= offset < s.end), None)
        return sentence is not None and any(s.kind == "role" and s.data["name"] == "cite" for s in sentence.spans)

    def report(
        self, check: str, severity: Severity, prose: Prose, at: int, message: str, fix: str, key: str = ""
    ) -> Finding:
        """A finding at a character of a stretch of prose."""
        if prose.line is None:
            return self.find(check, severity, prose.places[at], message, fix, key)
        name = self.project.relative(self.draft.path)
        return Finding(check, severity, message, name, prose.line, 1, prose.text, fix, key)

    def find(self, check: str, severity: Severity, offset: int, message: str, fix: str, key: str = "") -> Finding:
        """A finding at an offset of the body, with the sentence around it."""
        line, column = self.document.position(offset)
        sentence = next((s.text for s in self.sentences if s.start <= offset < s.end), "")
        name = self.project.relative(self.draft.path)
        return Finding(check, severity, message, name, self.draft.body_line + line - 1, column, sentence, fix, key)


def _flat(text: str) -> str:
    return " ".join(text.split()).lower()


def _joined(spans: Iterable[Span], in_claim: str = "") -> Prose:
    """The prose of neighbouring spans; markers of emphasis vanish, so that no word hides behind one."""
    text: list[str] = []
    places: list[int] = []
    for span in spans:
        if span.kind == "text":
            text.append(span.text)
            places += range(span.start, span.start + len(span.text))
            continue
        piece = {"break": " ", "role": ROLE, "code": ROLE, "math": ROLE, "wikilink": ROLE}.get(span.kind, "")
        piece = str(span.data["char"]) if span.kind in ("escape", "entity") else piece
        text.append(piece)
        places += [span.start] * len(piece)
    return Prose("".join(text), tuple(places), in_claim)


def make_subject(project: Project, evidence: Evidence, draft: Draft, other: Draft | None) -> Subject:
    """Parse and render an edition for checking."""
    name = project.relative(draft.path)
    others = evaluate(evidence.results, other, project.relative(other.path)) if other is not None else Asked()
    evidence, asked = with_asked(evidence, draft, name)
    context = Context(project, evidence.results, evidence.sources, draft.edition, name)
    rendered = render(draft.body, context, draft.body_line)
    return Subject(project, evidence, draft, parse(draft.body), rendered, other, asked, others)
