"""Each edition's posts by week of the plan and by track (the plan's phases): one page an edition."""

from __future__ import annotations

import re
from collections.abc import Iterator

from experiments.kit.record import EDITIONS
from pipeline.site.generated import Generated, escaped, front
from pipeline.site.shelf import Post, Shelf


def pages(shelf: Shelf) -> Iterator[Generated]:
    """The page of each edition that has a post with a week."""
    for edition in EDITIONS:
        posts = [post for post in shelf.of(edition) if post.week]
        if posts:
            name = edition.capitalize()
            yield Generated(f"{edition}/series.md", _page(shelf, posts, name), "notes/plan/", (name, "Weeks"))


def _page(shelf: Shelf, posts: list[Post], name: str) -> str:
    lines = [
        front(f"Weeks of the {name} edition", f"The {name} edition in the order of the plan.", hide="[navigation]"),
        f"# Week by week: the {name} edition\n",
        "In the order in which it was studied: each week rests on the ones before it.\n",
    ]
    track = week = None
    for post in posts:
        title, phase = shelf.week(post.week)
        if phase and phase != track:
            track = phase
            lines.append(f"## {escaped(phase)} {{#{slug(phase)}}}\n")
        if post.week != week:
            week = post.week
            heading = f"Week {week}: {escaped(title)}" if title else f"Week {week}"
            lines.append(f"{'###' if track else '##'} {heading} {{#week-{week}}}\n")
        minutes = f" ({post.minutes} min)" if post.minutes else ""
        about = f"  \n    {escaped(post.description)}" if post.description else ""
        lines.append(f"-   [{escaped(post.title)}](posts/{post.slug}.md){minutes}{about}\n")
    return "\n".join(lines)


def slug(text: str) -> str:
    """A heading's id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
