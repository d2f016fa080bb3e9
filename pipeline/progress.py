"""Progress: how far each part of the plan is, what is overdue, and what a given day is for. Computed, never typed.

A post counts as published where its page stands in `site/`; clusters, sessions, lectures and course weeks have the
status their notes give. Nothing here runs a study or a check, so it is quick.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from experiments.kit.record import EDITIONS
from pipeline.plan import STATUSES, Cluster, Phase, Plan, Post, Session, Week

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Published:
    """Which pages stand in `site/`: (slug, edition) with the date of its front matter, '' where it has none."""

    pages: Mapping[tuple[str, str], str]

    def editions(self, slug: str) -> int:
        """How many editions of a post are out."""
        return sum((slug, edition) in self.pages for edition in EDITIONS)

    def whole(self, slug: str) -> bool:
        """Whether every edition of a post is out."""
        return self.editions(slug) == len(EDITIONS)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that should have happened, or will: `kind` is session, post or review; `what` says it in words."""

    date: datetime.date
    kind: str
    what: str
    command: str = ""
    key: str = ""


@dataclass(frozen=True)
class Progress:
    """The plan and what is published, seen on a day."""

    plan: Plan
    published: Published
    on: datetime.date

    # How far

    def posts(self, edition: str) -> tuple[int, int]:
        """(published, all) posts of an edition."""
        return sum((slug, edition) in self.published.pages for slug in self.plan.posts), len(self.plan.posts)

    def statuses(self, kind: str) -> dict[str, int]:
        """How many entries of a kind have each status; for weeks it follows from their posts."""
        counts = dict.fromkeys(STATUSES, 0)
        for entry in self.plan.of(kind).values():
            counts[self.week_status(entry) if isinstance(entry, Week) else entry.status] += 1
        return counts

    def week_status(self, week: Week) -> str:
        """`done` where every edition of every post is out, `in-progress` where some are or the week has begun."""
        out = [self.published.editions(post.slug) for post in week.posts]
        if week.posts and all(editions == len(EDITIONS) for editions in out):
            return "done"
        return "in-progress" if any(out) or week.number == self.week_number else "planned"

    def phases(self) -> list[tuple[Phase, int, int]]:
        """Each phase of the roadmap with its finished and all its clusters."""
        rows = []
        for phase in self.plan.roadmap.phases:
            clusters = [c for c in self.plan.clusters.values() if c.phase == phase.number]
            rows.append((phase, sum(c.status == "done" for c in clusters), len(clusters)))
        return rows

    # Which week

    @cached_property
    def week_number(self) -> int | None:
        """The week `on` falls in; None before the plan begins and after it ends."""
        number = self.plan.schedule.week_of(self.on)
        return number if number is not None and number <= self.last_week else None

    @property
    def last_week(self) -> int:
        """The last week of the plan."""
        return max([self.plan.schedule.weeks, *self.plan.weeks])

    @property
    def ends(self) -> datetime.date | None:
        """The last day of the plan, its sessions included."""
        dates = self.plan.schedule.dates(self.last_week) if self.last_week else None
        days = [session.date for session in self.plan.sessions.values() if session.date]
        return max([*days, *(dates[1:] if dates else ())], default=None)

    @property
    def session_today(self) -> Session | None:
        """The session of the day."""
        return next((s for s in self.plan.sessions.values() if s.date == self.on), None)

    # What is due

    def due(self) -> list[Due]:
        """Everything with a date that is not done, by date: sessions, posts, and reviews within the plan."""
        return sorted(
            [*self._sessions(), *self._posts(), *self._reviews()], key=lambda due: (due.date, due.kind, due.what)
        )

    def overdue(self) -> list[Due]:
        """What should have been done before today. A review that went by is gone, not overdue."""
        return [due for due in self.due() if due.date < self.on and due.kind != "review"]

    def _sessions(self) -> Iterator[Due]:
        for session in self.plan.sessions.values():
            if session.date and session.status != "done":
                what = f"session {session.number}: {session.title}"
                yield Due(session.date, "session", what, f"forge done session {session.number}", str(session.number))

    def _posts(self) -> Iterator[Due]:
        """Posts of the weeks, due when their week ends, and posts of finished sessions, due by the roadmap's rule."""
        for week in self.plan.weeks.values():
            dates = self.plan.schedule.dates(week.number)
            for post in week.posts if dates else ():
                if not self.published.whole(post.slug):
                    assert dates is not None
                    yield Due(dates[1], "post", f"post of week {week.number}: {post.title}", step(week), post.slug)
        within = datetime.timedelta(days=self.plan.roadmap.post_within_days)
        for session in self.plan.sessions.values():
            if session.status == "done" and session.date and session.post and not self._is_out(session.post):
                what = f"post of session {session.number}: {session.post}"
                yield Due(session.date + within, "post", what, f"forge plan session {session.number}", session.post)

    def _is_out(self, title: str) -> bool:
        """Whether a post of this title is published."""
        same = (slug for slug, (_, post) in self.plan.posts.items() if post.title.casefold() == title.casefold())
        return any(self.published.whole(slug) for slug in same)

    def _reviews(self) -> Iterator[Due]:
        """The review day of each week of the plan, and of each month a longer look back."""
        first, days = self.plan.schedule.start, self.review_days
        if first is None or not days or not self.ends:
            return
        looked_back: set[tuple[int, int]] = set()
        for offset in range((self.ends - first).days + 1):
            day = first + offset * DAY
            if day.weekday() != days[0]:
                continue
            number = self.plan.schedule.week_of(day) or 0
            if number in self.plan.weeks:
                title = self.plan.weeks[number].title
                yield Due(
                    day, "review", f"review the drafts of week {number}: {title}", "forge review", f"week-{number}"
                )
            if self.plan.roadmap.review == "monthly" and (day.year, day.month) not in looked_back:
                looked_back.add((day.year, day.month))
                what = "monthly review: the finished clusters and the knowledge gaps"
                yield Due(day, "review", what, "forge plan", f"month-{day.isoformat()[:7]}")

    @property
    def review_days(self) -> tuple[int, ...]:
        """The weekdays the rhythm keeps for reviewing."""
        return next((h.days for h in self.plan.schedule.rhythm if "review" in h.do.casefold()), ())

    def unwritten(self) -> list[Cluster]:
        """Finished clusters whose post is not out: by the roadmap's rule it follows within days of finishing."""
        done = (c for c in self.plan.clusters.values() if c.status == "done" and not c.published)
        return [cluster for cluster in done if not self._is_out(cluster.blog)]


def step(week: Week) -> str:
    """The command that brings a week's posts forward."""
    return (
        f"forge week {week.number}"
        if week.studies or any(p.outline for p in week.posts)
        else f"forge plan week {week.number}"
    )


def post_state(published: Published, post: Post) -> str:
    """In a word or two: published, one edition out, planned."""
    out = published.editions(post.slug)
    return "published" if out == len(EDITIONS) else f"{out} of {len(EDITIONS)} editions published" if out else "planned"


def read_published(site: Path) -> Published:
    """The pages under `site/<edition>/posts/`, by slug, each with the day it was published first."""
    pages: dict[tuple[str, str], str] = {}
    for edition in EDITIONS:
        for path in sorted((site / edition / "posts").glob("*.md")):
            head = path.read_text(encoding="utf-8", errors="replace")[:2000]
            found = re.search(r"^date:\s*(?:created:\s*)?(\d{4}-\d{2}-\d{2})\b", head, re.M)
            pages[path.stem, edition] = found[1] if found else ""
    return Published(pages)
