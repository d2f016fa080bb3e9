"""What a site build knows about all its posts at once: their front matter, what was measured, the plan, the glossary.

Everything that depends on more than one post (order, neighbours, related posts, series, feeds, the glossary) is made
from this at build. An approved page therefore never changes because another one was published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from experiments.kit.record import EDITIONS
from pipeline.plan import Plan, Week, load_plan, load_week, week_numbers
from pipeline.vault import Vault

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml: the same, slower
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

DATA = "assets/data"


@dataclass(frozen=True)
class Post:
    """One edition of one post, as its front matter gives it. `date` is the day it was published first, `updated` that
    of the text that stands, both YYYY-MM-DD; `week` is 0 where there is none."""

    edition: str
    slug: str
    title: str
    date: str = ""
    week: int = 0
    tags: tuple[str, ...] = ()
    description: str = ""
    minutes: int = 0
    text: str = field(default="", repr=False)
    updated: str = ""

    @property
    def key(self) -> str:
        """`scientist/<slug>`: the post among all, and its address without what the builder appends."""
        return f"{self.edition}/{self.slug}"

    @property
    def path(self) -> str:
        """Its Markdown below the docs folder."""
        return f"{self.edition}/posts/{self.slug}.md"


@dataclass(frozen=True, eq=False)
class Shelf:
    """All of it, of one build. `posts` are in the plan's order, `measured` holds their data files by key.

    `weeks` are those of the posts; the whole `plan` is there only where its pages are to be made.
    """

    root: Path
    posts: Sequence[Post]
    weeks: Mapping[int, Week] = field(default_factory=dict)
    glossary: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plan: Plan | None = None

    def of(self, edition: str) -> list[Post]:
        """The posts of one edition, in the plan's order."""
        return [post for post in self.posts if post.edition == edition]

    def week(self, number: int) -> tuple[str, str]:
        """A week's title and its phase of the plan; both empty where the plan has no such note."""
        entry = self.weeks.get(number)
        return (entry.title, entry.phase) if entry else ("", "")


def fill_shelf(root: Path, docs: Path, *, whole: bool = False) -> Shelf:
    """The shelf of the posts below `docs`, with the notes of the project in `root`; with the `whole` plan if asked."""
    posts = list(_read_posts(docs))
    vault = Vault.load(root / "notes") if (root / "notes").is_dir() else None
    weeks: dict[int, Week] = {}
    if vault is not None:
        for number in sorted({post.week for post in posts} & set(week_numbers(vault))):
            week, _ = load_week(vault, number)  # what is wrong with a note is for `forge vault check` to say
            if week is not None:
                weeks[number] = week
    glossary = vault.glossary() if vault is not None else {}
    measured = {}
    for post in posts:
        path = docs / DATA / f"{post.key}.json"
        if path.is_file():
            measured[post.key] = json.loads(path.read_text(encoding="utf-8"))
    plan = load_plan(vault)[0] if whole and vault is not None else None
    return Shelf(root, tuple(in_plan_order(posts, weeks)), weeks, glossary, measured, plan)


def in_plan_order(posts: Sequence[Post], weeks: Mapping[int, Week]) -> list[Post]:
    """By week, then as the week's note lists them; posts the plan does not know follow in order of date."""

    def place(post: Post) -> tuple[int, int, str, str, str]:
        listed = [planned.slug for planned in weeks[post.week].posts] if post.week in weeks else []
        at = listed.index(post.slug) if post.slug in listed else len(listed)
        return post.week or 10**6, at, post.date, post.slug, post.edition

    return sorted(posts, key=place)


def newest_first(posts: Sequence[Post]) -> list[Post]:
    """Posts in the plan's order as lists show them: by date, those of one day as the plan has them, last first."""
    return sorted(posts, key=lambda post: post.date)[::-1]


def _read_posts(docs: Path) -> Iterator[Post]:
    for edition in EDITIONS:
        for path in sorted((docs / edition / "posts").glob("*.md")):
            text = path.read_text(encoding="utf-8")
            front = front_matter(text)
            if front.get("draft") is True:
                continue
            created, updated = dates_of(front)
            yield Post(
                edition,
                str(front.get("slug") or path.stem),
                str(front.get("title") or path.stem),
                created,
                front["week"] if isinstance(front.get("week"), int) else 0,
                tuple(str(tag) for tag in front.get("tags") or ()),
                str(front.get("description") or ""),
                front["readtime"] if isinstance(front.get("readtime"), int) else 0,
                text,
                updated,
            )


def dates_of(front: Mapping[str, Any]) -> tuple[str, str]:
    """When a post was published first and when the text that stands was, in Material's two forms; '' for neither."""
    date = front.get("date")
    created, updated = (date.get("created"), date.get("updated")) if isinstance(date, dict) else (date, date)
    return str(created or "")[:10], str(updated or created or "")[:10]


def front_matter(text: str) -> dict[str, Any]:
    """The YAML between the first two `---`; {} where there is none that reads (the build itself says what is wrong)."""
    if not text.startswith("---\n"):
        return {}
    try:
        data = yaml.load(text[4:].partition("\n---")[0], Loader)
    except yaml.YAMLError:
        return {}
    return data if isinstance(data, dict) else {}
