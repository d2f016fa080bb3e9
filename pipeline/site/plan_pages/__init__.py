"""The plan on the site: roadmap, board, lectures, course, weeks, map, progress, topics and bibliography, as Markdown.

Everything comes from the properties of the plan's notes, the bibliography and the published posts. What stands below
the properties is the person's: a note's text, its tick boxes and its private comments never get here, and a post that
is not out is its planned title only. Pages are dated by the newest publication, never by the day of building.

One module a kind of page, each with `pages(view)`; `view` holds what they share, `prose` words, `draw` pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.site.generated import Generated
from pipeline.site.plan_pages import (
    concept_map,
    course,
    growth,
    lectures,
    overview,
    references,
    roadmap,
    sprint,
    topics,
    weeks,
)
from pipeline.site.plan_pages.view import view_of
from pipeline.site.shelf import Shelf


def pages(shelf: Shelf) -> Iterator[Generated]:
    """All pages of the plan; none where the shelf has no plan, as in a preview."""
    if shelf.plan is None:
        return
    view = view_of(shelf, shelf.plan)
    made = []
    for kind in (weeks, roadmap, sprint, lectures, course, concept_map, topics, growth):
        made += kind.pages(view)
    yield from overview.pages(view, made)
    yield from made
    yield from references.pages(view)
