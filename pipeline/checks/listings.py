"""Listings: the code shown must be code that a run executed, exactly."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.subject import Subject
from pipeline.finding import Finding


def check(subject: Subject) -> Iterator[Finding]:
    """A listing whose code is not among what the post's runs executed."""
    name = subject.project.relative(subject.draft.path)
    places = {use.key: use for use in subject.rendered.uses if use.role == "listing"}
    for ref, listing in subject.rendered.listings.items():
        if not listing.ran:
            message = f"listing {ref} is not the code that ran: it changed since, or no study of this post calls it"
            use = places.get(ref)
            yield Finding(
                "listing-drift", "error", message, name, use.line if use else None, use.column if use else None,
                fix="run the study again, or show code it executes", key=ref,
            )  # fmt: skip
