"""Markup a draft must not carry: raw HTML, scripts, links into the vault, links that run something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from pipeline.checks.subject import Subject
from pipeline.finding import Finding

DANGEROUS = ("javascript:", "data:", "vbscript:", "file:")
# CommonMark refuses such a destination and leaves the text; the site's Markdown makes it a link.
DESTINATION = re.compile(r"(?:\]\(|^ {0,3}\[[^\]\n]+\]:)\s*<?([^)>\n]*)", re.MULTILINE)


def check(subject: Subject) -> Iterator[Finding]:
    """Raw HTML (inline or block), vault links, and link targets that are not web addresses or page anchors."""
    for block in subject.document.blocks:
        if block.kind == "html":
            yield subject.find("raw-html", "error", block.start, "raw HTML", "write it in Markdown")
    for span in subject.document.spans:
        if span.kind == "html":
            yield subject.find("raw-html", "error", span.start, f"raw HTML: {span.text}", "write it in Markdown")
        elif span.kind == "wikilink":
            fix = "link to the published page, or write the words without the brackets"
            yield subject.find("vault-link", "error", span.start, f"a link into the vault: {span.text}", fix)
        elif span.kind == "text":
            for match in DESTINATION.finditer(subject.draft.body, span.start, span.end + 200):
                if match.start() < span.end and _runs(match[1]):
                    yield subject.find(
                        "unsafe-link", "error", match.start(), f"an unsafe link: {match[1]}", "remove it"
                    )
        elif span.kind == "link_url" and _runs(str(span.data.get("url", ""))):
            yield subject.find("unsafe-link", "error", span.start, f"an unsafe link: {span.text}", "remove it")


def _runs(url: str) -> bool:
    """Whether a browser would run or open a link's target instead of visiting it; it ignores blanks in the scheme."""
    return re.sub(r"[\x00-\x20]|%(?:[01][\da-f]|20)", "", unescape(url).lower()).startswith(DANGEROUS)
