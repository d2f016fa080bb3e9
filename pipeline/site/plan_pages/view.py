"""What the pages of the plan are made from, and how they name and link things."""

from __future__ import annotations

import datetime
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import count

from experiments.kit.record import EDITIONS
from pipeline.graph import Graph, Id, Node, concept_graph
from pipeline.plan import Plan, Resource
from pipeline.plan.topics import words
from pipeline.progress import Progress, Published
from pipeline.site import code
from pipeline.site.plan_pages.prose import link, meta, plain, said, titled, web
from pipeline.site.shelf import Post, Shelf
from pipeline.sources import Source, load_sources

OVERVIEW, ROADMAP, SPRINT = "plan/index.md", "plan/roadmap.md", "plan/sprint.md"
LECTURES, COURSE, WEEKS = "plan/lectures.md", "plan/course.md", "plan/weeks.md"
MAP, PROGRESS, BIBLIOGRAPHY, TOPICS = "plan/map.md", "plan/progress.md", "bibliography.md", "topics/index.md"

_PLACES = {
    "cluster": (ROADMAP, "cluster"), "week": (WEEKS, "week"), "session": (SPRINT, "session"),
    "lecture": (LECTURES, "lecture"), "course": (COURSE, "week"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class View:
    """The plan as far as it is public: properties of its notes, published posts, sources. No note's body is shown."""

    shelf: Shelf
    plan: Plan
    progress: Progress
    graph: Graph
    sources: Mapping[str, Source]

    @cached_property
    def posts(self) -> Mapping[str, Mapping[str, Post]]:
        """The published posts by slug and edition."""
        found: dict[str, dict[str, Post]] = defaultdict(dict)
        for post in self.shelf.posts:
            found[post.slug][post.edition] = post
        return found

    @cached_property
    def day(self) -> datetime.date | None:
        """The day of the newest publication: what the pages are dated by."""
        return None if self.progress.on == datetime.date.min else self.progress.on

    @cached_property
    def topic_pages(self) -> Mapping[str, str]:
        """The page of each topic of the table that something is about."""
        about = [topic for topic, nodes in self.graph.topics.items() if nodes]
        return {topic: f"topics/{name}.md" for topic, name in zip(about, unique(about), strict=True)}

    @cached_property
    def anchors(self) -> Mapping[str, str]:
        """The place of each source in the bibliography."""
        return {key: f"source-{name}" for key, name in zip(self.sources, unique(self.sources), strict=True)}

    @cached_property
    def _slug_of_title(self) -> Mapping[str, str]:
        return {post.title.casefold(): slug for slug, (_, post) in self.plan.posts.items()}

    @cached_property
    def sources_on(self) -> Mapping[str, list[Source]]:
        """The sources whose titles hold each topic."""
        found: dict[str, list[Source]] = defaultdict(list)
        for source in self.sources.values():
            for topic in self.plan.topics.of((source.title, *source.topics)):
                found[topic].append(source)
        return found

    # names and links

    def entry(self, page: str, kind: str, number: str | int, words: str = "") -> str:
        """A link to an entry of the plan: `cluster`, `week`, `session`, `lecture` or `course`."""
        where, name = _PLACES[kind]
        anchor = f"{name}-{str(number).replace('.', '-')}"
        return link(words or f"{'course week' if kind == 'course' else kind} {number}", f"{to(page, where)}#{anchor}")

    def note(self, page: str, path: str) -> str:
        """A link to the entry of a note, given its vault path; '' where the note is no entry."""
        if path not in self.plan.by_path:
            return ""
        kind, found = self.plan.by_path[path]
        return self.entry(page, kind, found.number, numbered(found.number, found.title))

    def editions(self, page: str, slug: str, among: Iterable[str] = EDITIONS) -> str:
        """Links to the published editions of a post; '' where none is out."""
        out = {edition: post for edition, post in self.posts.get(slug, {}).items() if edition in among}
        return ", ".join(link(e.capitalize(), to(page, out[e].path)) for e in EDITIONS if e in out)

    def post(self, page: str, title: str, slug: str = "") -> str:
        """A post by its title, with its editions where they are out."""
        out = self.editions(page, slug or self._slug_of_title.get(title.casefold(), ""))
        return f"{plain(title)} ({out})" if out else plain(title)

    @cached_property
    def _topics_of(self) -> Mapping[Id, list[str]]:
        found: dict[Id, list[str]] = defaultdict(list)
        for topic, nodes in self.graph.topics.items():
            for node in nodes:
                found[node.id].append(topic)
        return found

    def topics(self, page: str, kind: str, number: str | int) -> str:
        """Links to the topics of an entry, as a line of facts; '' where it has none."""
        found = self.topic_links(page, self._topics_of.get((kind, str(number)), ()))
        return meta(f"Topics: {found}") if found else ""

    def topic_links(self, page: str, topics: Iterable[str]) -> str:
        """Links to the pages of topics."""
        there = ((topic, self.topic_pages[topic]) for topic in topics if topic in self.topic_pages)
        return ", ".join(link(plain(self.topic_name(topic)), to(page, target)) for topic, target in there)

    def topic_name(self, topic: str) -> str:
        """A topic as a reader would write it: the table's own spelling of its key, else the key in words."""
        same = (n for n in self.plan.topics.names[topic][1:] if "/" not in n and words(n) == words(topic))
        name = said(next(same, topic.replace("-", " ")))
        return name[:1].upper() + name[1:]

    def study(self, page: str, name: str) -> str:
        """A study; its code, where a published post brought it along."""
        target = code.files(self.shelf).get(f"experiments/{name}_study.py")
        return link(f"`{name}`", to(page, target)) if target else f"`{name}`"

    def source(self, page: str, key: str) -> str:
        """Who and when, linked to the bibliography; '' for what is no source."""
        source = self.sources.get(key)
        if source is None:
            return ""
        name = titled(source.short) if source.families else f"entry{f', {source.year}' if source.year else ''}"
        return link(name, f"{to(page, BIBLIOGRAPHY)}#{self.anchors[key]}")

    def resource(self, page: str, resource: Resource) -> str:
        """Something to read: its title as a link to it, the place in it, its source, what is noted about it."""
        source = self.sources.get(resource.source)
        title = titled(source.title) if source else plain(resource.text or resource.source)
        address = resource.link or (source.link if source else "")
        parts = [web(title, address)]
        if resource.where:
            parts.append(f", {plain(resource.where)}")
        if source:
            parts.append(f" · {self.source(page, resource.source)}")
        notes = [plain(resource.note)] if resource.note else []
        notes += ["mislabelled: see the source"] if source and source.remark else []
        notes += ["read"] if resource.read else []
        return "".join(parts) + (f" ({'; '.join(notes)})" if notes else "")

    def resources(self, page: str, listed: Iterable[Resource]) -> list[str]:
        """Resources as lines of a list."""
        return [f"- {self.resource(page, resource)}" for resource in listed]

    def node(self, page: str, node: Node) -> str:
        """A thing of the concept graph, linked to where it is shown."""
        if node.kind == "post":
            return self.post(page, node.title, node.key)
        if node.kind == "study":
            return f"{plain(node.title)} ({self.study(page, node.key)})"
        return self.entry(page, node.kind, node.key, numbered(node.key, node.title))


def view_of(shelf: Shelf, plan: Plan) -> View:
    """The view of a site's plan, seen on the day of its newest publication."""
    pages = {(post.slug, post.edition): post.date for post in shelf.posts}
    newest = max((date for post in shelf.posts if (date := date_of(post.date))), default=datetime.date.min)
    progress = Progress(plan, Published(pages), newest)
    sources, _ = load_sources(shelf.root / "notes" / "references.bib")  # its findings are for `forge sources check`
    return View(shelf, plan, progress, concept_graph(progress, shelf.root), sources)


def numbered(number: str | int, title: str) -> str:
    """1.2 Title, or 3. Title."""
    return f"{number}{'' if '.' in str(number) else '.'} {plain(title)}"


@cache
def to(page: str, target: str) -> str:
    """The relative path from one docs page to another; '' to itself, so that an anchor can follow."""
    return "" if page == target else posixpath.relpath(target, posixpath.dirname(page))


def date_of(text: str) -> datetime.date | None:
    """An ISO date, None for anything else."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def unique(names: Iterable[str]) -> list[str]:
    """Each name fit for an address, in lower case; of names that come to be the same, later ones get a number."""
    made: dict[str, None] = {}
    for name in names:
        base = re.sub(r"[^\w.-]+", "-", name.lower()).strip("-.") or "x"
        others = (f"{base}-{number}" for number in count(2))
        free = base if base not in made and base != "index" else next(n for n in others if n not in made)
        made[free] = None
    return list(made)
