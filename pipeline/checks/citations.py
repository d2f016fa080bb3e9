"""Sources named in free text: a citation belongs in a `{cite}` role, where the bibliography is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pipeline.checks.about_run import any_of
from pipeline.checks.subject import Subject
from pipeline.finding import Finding

# The forms of a citation itself.
FORMS: tuple[tuple[str, str], ...] = (
    (r"\bet\s+al\b\.?", '"et al."'),
    (r"[(\[](?:[^()\[\]\d]{0,60}\s)?(?:1[89]|20)\d\d[a-z]?(?:,\s*(?:p|pp|ch)\.[^()\[\]]{0,20})?[)\]]",
     "a year in brackets"),
    (r"(?<![\w^])\[\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\]|\b[Rr]ef(?:s?\.|erences?)\s*\[?\d+", "a numbered reference"),
    (r"(?i:\barXiv\b)", "an arXiv identifier"),
    (r"\b10\.\d{4,9}/\S+|(?i:\bdoi\b)", "a DOI"),
    (r"(?i:\bISBN\b)", "an ISBN"),
    (r"(?i:\bwww\.\w[\w.-]+)", "a bare address"),
    (r"\[@[\w:-]+\]|\\cite\w*\{", "a citation in another tool's form"),
)  # fmt: skip
YEAR = r"(?:1[89]|20)\d\d"
SAYS = (
    r"(?:(?:show|prove|find|report|argue|demonstrate|propose|introduce|observe|claim|suggest|note|state|establish|"
    r"describe|conclude|estimate|invent|coin|discover|document|publish|present|confirm|derive|explain|argue)(?:s|d|ed|n)?|found|"
    r"shown)\b"
)
# Capital letters that begin a sentence or name no author.
NO_NAME = any_of(
    "the this that these those in on at by for from with when where why how what if as a an both each i it we you they "
    "he she and but so or then here there since after before until during between value policy figure table chapter "
    "section python scientist manager monte carlo markov q january february march april may june july august september "
    "october november december monday tuesday wednesday thursday friday saturday sunday"
)
NAME = rf"(?!(?i:{NO_NAME})\b)[A-Z][\w'’-]+"
WORK = (
    r"(?:papers?|articles?|study|studies|preprints?|surveys?|monographs?|thesis|books?|textbooks?|reports?|"
    r"blog\s+posts?|theorem)"
)
SOME = r"(?i:an?|one|another|several|many|most|some|numerous|recent|earlier|prior)"
PEOPLE = "(?:researchers|scientists|studies|experts|economists|psychologists|engineers|people)"
# What somebody said, in words: fine beside a {cite} in the same sentence, which says where.
TOLD: tuple[tuple[str, str], ...] = (
    (rf"\b{NAME}(?:,\s+{NAME})*,?\s+(?:and|&)\s+{NAME}(?:,?\s+{YEAR})?,?\s+(?:\w+ly\s+|have\s+|first\s+)?{SAYS}",
     "authors named in free text"),
    (rf"\b{NAME},?\s+(?:&|and)\s+{NAME},?\s+{YEAR}\b", "authors and a year"),
    (rf"\b{NAME}(?:'s|’s)?\s+(?:famous\s+|seminal\s+|original\s+|classic\s+)?{YEAR}\b(?!s)"
     rf"|\b{NAME},\s+{YEAR}\s*[,;)]|\b{NAME}\s+{SAYS}[^.;]{{0,40}}?\bin\s+{YEAR}\b", "a name and a year"),
    (rf"\b{NAME}\s+and\s+(?:(?:his|her|their)\s+)?(?:colleagues|co-?workers|co-?authors|collaborators|others|team)\b",
     "authors named in free text"),
    (rf"\b(?i:blog\s+posts?|essays?|articles?|talks?|tutorials?|lectures?|videos?|threads?)\s+(?:by|from)\s+{NAME}",
     "a work named in free text"),
    (rf"\b[Aa]s\s+{NAME}\s+(?:\([^()]*\)\s+)?(?:once\s+|famously\s+|rightly\s+)?(?:puts?|said|says|wrote|writes|{SAYS})",
     "a name as a source"),
    (rf"\b(?i:according\s+to|as\s+shown\s+by|due\s+to\s+a\s+result\s+of)\s+{NAME}", "a name as a source"),
    (rf"\b[Tt]he\s+(?:[A-Z][\w'’-]+\s+|{YEAR}\s+)+(?:{WORK}|authors?)\b", "a paper named in free text"),
    (rf"\b{SOME}\s+(?:[\w-]+\s+){{0,2}}?{WORK}\s+(?:(?:by|from)\s+{NAME}\s+)?(?:have\s+|has\s+)?{SAYS}",
     "an unnamed source"),
    (rf"(?i:\b{PEOPLE}\s+(?:(?:at|from)\s+\w+\s+)?(?:have\s+|has\s+)?(?:shown?|shows|found|reports?|reported|proved|"
     r"proven|demonstrated|documented)\b)", "an unnamed source"),
    (r"(?i:\b(?:recent|prior|previous|earlier)\s+work\s+(?:has|have|shows?|found|finds?|reports?)\b)",
     "an unnamed source"),
    (r"(?i:\b(?:in|throughout|from)\s+the\s+(?:\w+\s+)?literature\b"
     r"|\bthe\s+literature\s+(?:has|shows?|finds?|reports?|agrees)\b)", "an unnamed source"),
    (rf"(?i:\bthe\s+authors?\s+(?:of\s+[\w-]+\s+)?(?:{SAYS}|writes?\b))", "an unnamed source"),
    (r"(?i:\b(?:it\s+(?:is|has\s+been)\s+(?:well\s+)?(?:documented|established|shown|proven|reported)"
     r"|studies\s+suggest)\b)", "an unnamed source"),
)  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """Citation forms in prose and in what the front matter says to the reader, and bare addresses."""
    fix = "cite it with {cite}`key, place`; add it to notes/references.bib if it is not there"
    for prose in (*subject.prose(), *subject.properties()):
        for at, message in free_citations(prose.text):
            if message.startswith("told:"):
                if prose.line is None and subject.cites(prose.places[at]):
                    continue
                message = message.removeprefix("told:")
            yield subject.report("free-citation", "error", prose, at, message, fix)
    for span in subject.document.spans:
        if span.kind == "link_url" and span.data.get("shown"):
            message = f"a bare address: {span.text}"
            yield subject.find("free-citation", "error", span.start, message, fix)


@lru_cache(maxsize=8192)
def free_citations(text: str) -> tuple[tuple[int, str], ...]:
    """(offset, message) of each source a text names outside a role, one a place; the message of what a `{cite}` in the
    same sentence would cover begins with `told:`."""
    seen: set[int] = set()
    found: list[tuple[int, str]] = []
    for mark, forms in (("", FORMS), ("told:", TOLD)):
        for pattern, what in forms:
            for match in re.finditer(pattern, text):
                covered = set(range(match.start(), match.end()))
                if not covered & seen:
                    seen |= covered
                    found.append((match.start(), f"{mark}{what} outside a {{cite}} role: {match[0]}"))
    return tuple(found)
