"""Order, neighbours and related posts: functions of front matter and plan alone."""

from __future__ import annotations

import random

from pipeline.plan import Post as Planned
from pipeline.plan import Week
from pipeline.site.neighbours import neighbours
from pipeline.site.shelf import Post, in_plan_order
from pipeline.vault import Note


def post(slug: str, week: int = 1, tags: str = "", date: str = "2026-11-01", edition: str = "scientist") -> Post:
    return Post(edition, slug, slug.title(), date, week, tuple(tags.split()))


def week(number: int, *slugs: str) -> Week:
    planned = tuple(Planned(slug=slug, title=slug, brief="") for slug in slugs)
    return Week(number, f"Week {number}", Note("n.md", "n.md", ""), posts=planned)


def test_the_plan_orders_and_what_it_does_not_know_follows_by_date() -> None:
    posts = [post("late", 2), post("b"), post("new", date="2026-12-01"), post("a"), post("old", date="2025-01-01")]
    ordered = in_plan_order(posts, {1: week(1, "b", "a")})
    assert [each.slug for each in ordered] == ["b", "a", "old", "new", "late"]
    shuffled = random.Random(3).sample(posts, len(posts))
    assert in_plan_order(shuffled, {1: week(1, "b", "a")}) == ordered


def test_before_after_and_the_week() -> None:
    posts = [post("a"), post("b"), post("c", 2)]
    around = neighbours(posts)["scientist/b"]
    assert around.before is posts[0] and around.after is posts[2]
    assert around.week == (posts[0], posts[1])
    assert neighbours(posts)["scientist/a"].before is None
    assert neighbours(posts)["scientist/c"].after is None


def test_rare_topics_relate_more_than_common_ones() -> None:
    posts = [post("a", tags="rl span"), *(post(f"x{n}", tags="rl") for n in range(6)), post("z", tags="rl Span")]
    related = neighbours(posts)["scientist/a"].related
    assert [each.slug for each in related] == ["z", "x1", "x2"]  # z shares the rare one; x0 is linked as the next


def test_without_topics_in_common_nothing_is_related() -> None:
    posts = [post("a", tags="rl"), post("b"), post("c", tags="llm")]
    assert all(around.related == () for around in neighbours(posts).values())
