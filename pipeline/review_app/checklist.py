"""The checklist: at most eight questions that no program answers, each about something this very draft holds.

What the program can decide is a finding and never stands here. A tick belongs to what was looked at: its key changes
with the thing asked about, so a redrawn figure has to be looked at again while the other ticks stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.kit.files import hash_value
from experiments.kit.record import Edition
from pipeline.page import Page
from pipeline.review_app.values import ClaimRow, Row

LONGEST = 8


@dataclass(frozen=True)
class Item:
    """A question, where on the page its answer is found, and the key its tick is kept under."""

    text: str
    where: str
    key: str


def checklist(
    pages: Mapping[Edition, Page],
    values: Sequence[Row],
    claims: Sequence[ClaimRow],
    limits: Sequence[str],
    changed: bool,
) -> list[Item]:
    """The questions of a post, what moved first."""
    return list(_questions(pages, values, claims, limits, changed))[:LONGEST]


def _questions(
    pages: Mapping[Edition, Page],
    values: Sequence[Row],
    claims: Sequence[ClaimRow],
    limits: Sequence[str],
    changed: bool,
) -> Iterator[Item]:
    moved = [row for row in values if row.moved]
    texts = [page.text for page in pages.values()]
    if moved:
        shown = [[row.fact.key, [cell.now for cell in row.cells.values()]] for row in moved]
        yield _item(
            f"The sentences around {_count(len(moved), 'moved value')} still say the right thing", "values", shown
        )
    if changed:
        yield _item("The changes since the last approved text are meant", "changes", texts)
    if claims:
        read = [
            [row.claim.key, row.claim.detail, [use.text for uses in row.uses.values() for use in uses]]
            for row in claims
        ]
        yield _item(f"Each of {_count(len(claims), 'claim')} says no more than its comparison", "claims", read)
    figures = {key: figure for page in pages.values() for key, figure in page.snapshot.figures.items()}
    if figures:
        seen = [[key, figure.caption, figure.plain, dict(figure.files)] for key, figure in sorted(figures.items())]
        yield _item(f"{_count(len(figures), 'figure')} looked at; the captions say what they show", "pages", seen)
    if limits:
        yield _item(f"{_count(len(limits), 'limit')} of the runs can be found in both editions", "limits", list(limits))
    sources = {(use.key, use.sentence) for page in pages.values() for use in page.rendered.uses if use.role == "cite"}
    if sources:
        count = len({key for key, _ in sources})
        yield _item(
            f"{_count(count, 'source')} cited for what {'they say' if count > 1 else 'it says'}",
            "pages",
            sorted(sources),
        )
    if len(pages) > 1:
        yield _item("Both editions tell the same result", "pages", texts)
    yield _item("The opening is worth a stranger's first minute", "pages", [text[:2000] for text in texts])


def _item(text: str, where: str, about: object) -> Item:
    return Item(text, where, hash_value([text, about])[:20])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
