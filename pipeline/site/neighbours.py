"""Where a post stands among the others: before and after in the plan, in its week, and beside what it resembles.

All of it is a function of front matter and plan, so it is the same on every machine.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.site.shelf import Post

RELATED = 3


@dataclass(frozen=True)
class Neighbours:
    """A post's neighbours in its own edition. `week` holds the posts of its week, itself among them."""

    before: Post | None
    after: Post | None
    week: tuple[Post, ...]
    related: tuple[Post, ...]


def neighbours(posts: Sequence[Post]) -> dict[str, Neighbours]:
    """The neighbours of each post by its key; `posts` are one edition's, in the plan's order."""
    weeks: Mapping[int, list[Post]] = defaultdict(list)
    by_tag: Mapping[str, list[int]] = defaultdict(list)
    for place, post in enumerate(posts):
        if post.week:
            weeks[post.week].append(post)
        for tag in sorted({tag.lower() for tag in post.tags}):
            by_tag[tag].append(place)
    found = {}
    for place, post in enumerate(posts):
        found[post.key] = Neighbours(
            posts[place - 1] if place else None,
            posts[place + 1] if place + 1 < len(posts) else None,
            tuple(weeks[post.week]) if post.week else (post,),
            tuple(posts[other] for other in _resembling(place, post, by_tag, len(posts))),
        )
    return found


def _resembling(place: int, post: Post, by_tag: Mapping[str, list[int]], total: int) -> list[int]:
    """The posts that share the rarest topics; of equals, the nearer in the plan, then the earlier.

    A topic counts log(N / n), N being all posts and n those about it: what everything is about relates nothing.
    The posts right before and after are left out, for the page links those anyway.
    """
    score: defaultdict[int, float] = defaultdict(float)
    for tag in {tag.lower() for tag in post.tags}:
        weight = math.log((total + 1) / len(by_tag[tag]))
        for other in by_tag[tag]:
            score[other] += weight
    for beside in (place - 1, place, place + 1):
        score.pop(beside, None)
    ranked = sorted(score, key=lambda other: (-round(score[other], 9), abs(other - place), other))
    return ranked[:RELATED]
