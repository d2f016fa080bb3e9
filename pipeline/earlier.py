"""Earlier posts as evidence: the headings, claims and values a published page states, read from the page itself.

A post that builds on an earlier week may say what that week's published posts said, and nothing else of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from experiments.kit.record import EDITIONS
from pipeline.markdown import parse
from pipeline.plan import Post, Week
from pipeline.project import Project
from pipeline.results import ResultSet, topics_of


@dataclass(frozen=True)
class EarlierPost:
    """A published post of an earlier week: what it is called and what it stated.

    `claims` and `facts` hold, by key with its topic in front ("week01_mdp/vi.sweeps", the form in which a later draft
    may use it), the words and the value as printed.
    """

    week: int
    slug: str
    title: str
    headings: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> list[object]:
        """Everything a draft could take from it."""
        return [self.week, self.slug, self.title, list(self.headings), dict(self.claims), dict(self.facts)]


def read_earlier(project: Project, week: Week, post: Post, results: ResultSet) -> EarlierPost | None:
    """A post of an earlier week as it was published, the Scientist edition first; None where no edition is out.

    `results` holds the earlier week's records under `topic/key`; what no run records any more is left out.
    """
    for edition in EDITIONS:
        path = project.site / edition / "posts" / f"{post.slug}.md"
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            break
    else:
        return None
    stated = _Stated()
    stated.feed(text)
    topics = topics_of(post.studies or week.studies)
    claims = {key: words for said, words in stated.claims.items() if (key := _full(said, topics, results.claims))}
    facts = {key: value for said, value in stated.facts.items() if (key := _full(said, topics, results.facts))}
    headings = tuple(block.content for block in parse(text).blocks if block.kind == "heading")
    return EarlierPost(week.number, post.slug, post.title, headings, claims, facts)


def _full(key: str, topics: list[str], known: Mapping[str, object]) -> str:
    """A key of a page with its topic in front; '' where no run records it."""
    names = [key] if "/" in key else [f"{topic}/{key}" for topic in topics]
    return next((name for name in names if name in known), "")


class _Stated(HTMLParser):
    """Collects the words in `kf-claim` spans and the text of `kf-value` data, by key; the first use counts."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: dict[str, str] = {}
        self.facts: dict[str, str] = {}
        self._open: list[tuple[str, str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("span", "data"):
            kind = given.get("class") or ""
            self._open.append((kind, given.get("data-key") or "", []))

    def handle_data(self, data: str) -> None:
        for _, _, words in self._open:
            words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("span", "data") or not self._open:
            return
        kind, key, words = self._open.pop()
        table = {"kf-claim": self.claims, "kf-value": self.facts}.get(kind)
        if table is not None and key:
            table.setdefault(key, re.sub(r"\s+", " ", "".join(words)).strip())
