"""Markup a draft must not carry: raw HTML, scripts, links into the vault, links that run something."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.subject import Subject
from pipeline.finding import Finding

DANGEROUS = ("javascript:", "data:", "vbscript:", "file:")


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
        elif span.kind == "link_url" and str(span.data.get("url", "")).lower().startswith(DANGEROUS):
            yield subject.find("unsafe-link", "error", span.start, f"an unsafe link: {span.text}", "remove it")
