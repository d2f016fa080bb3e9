"""What a check looks at: one edition, parsed and rendered, beside its evidence and its other edition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.drafts import Draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding, Severity
from pipeline.markdown import Document, Sentence, Span, parse
from pipeline.project import Project
from pipeline.render import Context, Rendered, render


@dataclass(frozen=True)
class Prose:
    """A stretch of prose as the reader sees it, outside roles, code, formulas and markup. `in_claim` names the claim
    whose words it belongs to."""

    text: str
    start: int
    in_claim: str = ""


@dataclass(frozen=True)
class Subject:
    """One edition under check."""

    project: Project
    evidence: Evidence
    draft: Draft
    document: Document
    rendered: Rendered
    other: Draft | None

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The draft's sentences, roles and formulas as written."""
        return self.document.sentences()

    def prose(self) -> Iterator[Prose]:
        """All prose of the body, the words of claims included."""
        for span in self.document.spans:
            if span.leaf and span.kind in ("text", "link_title", "image"):
                yield Prose(span.text if span.kind != "image" else span.data["alt"], span.start)
            elif span.kind == "role" and span.data["name"] == "claim":
                yield from self._claim_words(span)

    def _claim_words(self, span: Span) -> Iterator[Prose]:
        content = span.data["content"]
        key = content.partition("|")[0].strip()
        start = span.data["at"] + content.find("|") + 1
        for inner in self.document.nested(start, span.data["at"] + len(content)):
            if inner.kind == "text":
                yield Prose(inner.text, inner.start, key)

    def find(self, check: str, severity: Severity, offset: int, message: str, fix: str, key: str = "") -> Finding:
        """A finding at an offset of the body, with the sentence around it."""
        line, column = self.document.position(offset)
        sentence = next((s.text for s in self.sentences if s.start <= offset < s.end), "")
        name = self.project.relative(self.draft.path)
        return Finding(check, severity, message, name, self.draft.body_line + line - 1, column, sentence, fix, key)


def make_subject(project: Project, evidence: Evidence, draft: Draft, other: Draft | None) -> Subject:
    """Parse and render an edition for checking."""
    context = Context(project, evidence.results, evidence.sources, draft.edition, project.relative(draft.path))
    rendered = render(draft.body, context, draft.body_line)
    return Subject(project, evidence, draft, parse(draft.body), rendered, other)
