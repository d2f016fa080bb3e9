"""Sources named in free text: a citation belongs in a `{cite}` role, where the bibliography is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.checks.subject import Subject
from pipeline.finding import Finding

FORMS: tuple[tuple[str, str], ...] = (
    (r"\bet al\b\.?", '"et al."'),
    (r"\((?:[^()\d]{0,60}\s)?(?:1[89]|20)\d\d[a-z]?\)", "a year in brackets"),
    (r"\barXiv\b", "an arXiv identifier"),
    (r"\b10\.\d{4,9}/\S+|\bdoi\b", "a DOI"),
    (r"\[@[\w:-]+\]|\\cite\w*\{", "a citation in another tool's form"),
    (r"\b[Tt]he (?:[A-Z][\w'’-]+ )+(?:paper|article|book|authors?) (?:shows?|proves?|finds?|reports?|argues?)\b",
     "a paper named in free text"),
    (r"\b(?:researchers|scientists|studies|recent work|the literature) (?:have|has|show|shows|found|find|report)\b",
     "an unnamed source"),
)  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """Citation forms in prose, and bare addresses."""
    fix = "cite it with {cite}`key, place`; add it to notes/references.bib if it is not there"
    for prose in subject.prose():
        for pattern, what in FORMS:
            for match in re.finditer(pattern, prose.text, re.IGNORECASE if pattern.startswith(r"\b(?:res") else 0):
                message = f"{what} outside a {{cite}} role: {match[0]}"
                yield subject.find("free-citation", "error", prose.start + match.start(), message, fix)
    for span in subject.document.spans:
        if span.kind == "link_url" and span.data.get("shown"):
            message = f"a bare address: {span.text}"
            yield subject.find("free-citation", "error", span.start, message, fix)
