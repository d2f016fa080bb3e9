"""The concept graph: clusters, weeks, posts, sessions, lectures, course weeks and studies, tied by links and by topic.

Links are what the notes say outright (a pair, a prerequisite, a study that answers an assignment). Topics are found in
titles, topics and tags through the table of `topics.md`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.plan import Cluster, CourseWeek, Lecture, Plan, Session, Topic, Week
from pipeline.plan.topics import words
from pipeline.progress import Progress, post_state
from pipeline.sources import Source

NODE_KINDS = ("cluster", "week", "post", "session", "lecture", "course", "study")
BACK = {
    "works on": "is worked on in", "builds on": "is built on by", "is carried by": "carries", "writes": "is written in",
    "measures": "is measured in", "is answered by": "answers", "rests on": "carries", "refers to": "is recalled by",
}  # fmt: skip
"""What a link says from its other end."""
_TITLE = re.compile(r"""^TITLE = ("[^"\\\n]*"|'[^'\\\n]*')$""", re.M)
Id = tuple[str, str]
"""(kind, key): ("cluster", "1.2"), ("post", "decision-making-101"), ("study", "week01_mdp/gridworlds")."""


@dataclass(frozen=True, slots=True)
class Node:
    """One thing of the plan. `texts` are the words it is found by, `file` the note or module that holds it."""

    kind: str
    key: str
    title: str
    state: str
    file: str
    date: str = ""
    texts: tuple[str, ...] = ()

    @property
    def id(self) -> Id:
        """What edges name it by."""
        return self.kind, self.key


@dataclass(frozen=True, slots=True)
class Edge:
    """A link the notes give: `one` to `other`, and what it says."""

    one: Id
    other: Id
    says: str


@dataclass(frozen=True)
class About:
    """Everything about one topic. `topic` is '' where the table of topics does not have it."""

    asked: str
    topic: str
    names: tuple[str, ...]
    nodes: tuple[Node, ...]
    sources: tuple[Source, ...]
    gaps: tuple[str, ...]

    def of(self, kind: str) -> list[Node]:
        """Its nodes of a kind, in the order of the plan."""
        return [node for node in self.nodes if node.kind == kind]


@dataclass(frozen=True)
class Graph:
    """All nodes by id, the links between them, and which topics each holds."""

    plan: Plan
    nodes: Mapping[Id, Node]
    edges: tuple[Edge, ...]

    @cached_property
    def topics(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes of each topic of the table."""
        found: dict[str, list[Node]] = {topic: [] for topic in self.plan.topics.names}
        for node in self.nodes.values():
            for topic in self.plan.topics.of(node.texts):
                found[topic].append(node)
        return {topic: tuple(nodes) for topic, nodes in found.items()}

    def neighbours(self, node: Id) -> list[tuple[Node, str]]:
        """What a node is linked to, either way, and how."""
        there = [(edge.other, edge.says) for edge in self.edges if edge.one == node]
        back = [(edge.one, BACK.get(edge.says, edge.says)) for edge in self.edges if edge.other == node]
        return [(self.nodes[other], says) for other, says in dict.fromkeys([*there, *back]) if other in self.nodes]

    def about(self, asked: str, sources: Mapping[str, Source]) -> About:
        """Everything that holds a topic under any of its names, or, where the table lacks it, the words as they are."""
        topic = self.plan.topics.find(asked)
        names = self.plan.topics.names[topic] if topic else (asked,)
        wanted = [words(name) for name in names if words(name).strip()]

        def holds(texts: tuple[str, ...]) -> bool:
            return any(want in words(text) for want in wanted for text in texts)

        nodes = tuple(node for node in self.nodes.values() if holds(node.texts))
        read = tuple(source for source in sources.values() if holds((source.title, *source.topics)))
        gaps = tuple(box.text for box in self.plan.roadmap.gaps if not box.ticked and holds((box.text,)))
        return About(asked, topic, names, nodes, read, gaps)


def concept_graph(progress: Progress, root: Path) -> Graph:
    """The graph of a plan; `root` is the project, whose studies it looks up."""
    plan = progress.plan
    nodes = {node.id: node for node in [*_nodes(progress), *_studies(plan, root)]}
    edges = tuple(edge for edge in _edges(plan) if edge.one in nodes and edge.other in nodes)
    return Graph(plan, nodes, edges)


def _nodes(progress: Progress) -> Iterator[Node]:
    plan = progress.plan
    for cluster in plan.clusters.values():
        texts = (cluster.title, *_names(cluster.topics), *cluster.tags)
        yield Node("cluster", cluster.number, cluster.title, cluster.status, cluster.note.file, "", texts)
    for week in plan.weeks.values():
        dates = plan.schedule.dates(week.number)
        texts = (week.title, *_names(week.topics), *week.tags)
        state, date = progress.week_status(week), dates[0].isoformat() if dates else ""
        yield Node("week", str(week.number), week.title, state, week.note.file, date, texts)
    for slug, (week, post) in plan.posts.items():
        state = post_state(progress.published, post)
        yield Node("post", slug, post.title, state, week.note.file, "", (post.title, *post.tags))
    for session in plan.sessions.values():
        texts = (session.title, *_names(session.topics), *session.tags)
        date = session.date.isoformat() if session.date else ""
        yield Node("session", str(session.number), session.title, session.status, session.note.file, date, texts)
    for lecture in plan.lectures.values():
        texts = (lecture.title, lecture.promise, *_names(lecture.topics), *lecture.tags)
        yield Node("lecture", str(lecture.number), lecture.title, lecture.status, lecture.note.file, "", texts)
    for course in plan.course_weeks.values():
        texts = (course.title, *_names(course.concept), *_names(course.topics), *course.tags)
        yield Node("course", str(course.number), course.title, course.status, course.note.file, "", texts)


def _names(topics: tuple[Topic, ...]) -> tuple[str, ...]:
    return tuple(name for topic in topics for name in topic.names())


def _studies(plan: Plan, root: Path) -> Iterator[Node]:
    """The studies that exist and those the notes name, each with the words of the experiments that name it.

    One whose own words name no topic is tied by the tags of the notes that name it.
    """
    said: dict[str, list[str]] = {}
    tags: dict[str, list[str]] = {}
    for week in plan.weeks.values():
        for experiment in week.experiments:
            if experiment.study:
                said.setdefault(experiment.study, []).append(experiment.text)
        for study in (*week.studies, *(study for post in week.posts for study in post.studies)):
            said.setdefault(study, [])
            tags.setdefault(study, []).extend(week.tags)
    for lecture in plan.lectures.values():
        for study in lecture.studies:
            said.setdefault(study, [])
            tags.setdefault(study, []).extend(lecture.tags)
    for course in plan.course_weeks.values():
        if course.study:
            said.setdefault(course.study, []).append(course.title)
            tags.setdefault(course.study, []).extend(course.tags)
    for path in sorted((root / "experiments").glob("*/*_study.py")):
        said.setdefault(f"{path.parent.name}/{path.stem.removesuffix('_study')}", [])
    for study, texts in said.items():
        folder, _, name = study.partition("/")
        path = root / "experiments" / folder / f"{name}_study.py"
        title = _title(path)
        state = "written" if path.is_file() else "not written"
        file = f"experiments/{folder}/{name}_study.py"
        own = (title, study, *texts)
        found_by = own if plan.topics.of(own) else (*own, *tags.get(study, ()))
        yield Node("study", study, title or next(iter(texts), study), state, file, "", found_by)


def _title(path: Path) -> str:
    """The TITLE a study gives, read without running it."""
    try:
        text = path.read_text(encoding="utf-8")
        if said := _TITLE.search(text):  # parsing every study would take longer than all the rest of the graph
            return str(ast.literal_eval(said[1]))
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return ""
    for node in tree.body:
        names = (
            [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
        if "TITLE" in names and isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    return ""


def _edges(plan: Plan) -> Iterator[Edge]:
    ids = {path: _id(kind, entry) for path, (kind, entry) in plan.by_path.items()}
    for cluster in plan.clusters.values():
        if cluster.pair in ids:
            yield Edge(("cluster", cluster.number), ids[cluster.pair], "studied together")
    for session in plan.sessions.values():
        for path in session.clusters:
            if path in ids:
                yield Edge(("session", str(session.number)), ids[path], "works on")
    for lecture in plan.lectures.values():
        me = ("lecture", str(lecture.number))
        for path in lecture.prerequisites:
            if path in ids:
                yield Edge(me, ids[path], "builds on")
        yield from (Edge(me, ("study", study), "is carried by") for study in lecture.studies)
        yield from (Edge(me, ("post", slug), "is carried by") for slug in lecture.posts)
    for course in plan.course_weeks.values():
        if course.study:
            yield Edge(("course", str(course.number)), ("study", course.study), "is answered by")
    for week in plan.weeks.values():
        me = ("week", str(week.number))
        yield from (Edge(me, ("study", study), "measures") for study in week.studies)
        for post in week.posts:
            yield Edge(me, ("post", post.slug), "writes")
            yield from (Edge(("post", post.slug), ("study", study), "rests on") for study in post.studies)
            yield from (Edge(("post", post.slug), ("week", str(number)), "refers to") for number in post.earlier)
            yield from (Edge(("post", post.slug), ("post", slug), "refers to") for slug in post.recalls)
    for session_ in plan.roadmap.integration:
        if session_.primary in ids and session_.secondary in ids:
            yield Edge(ids[session_.primary], ids[session_.secondary], f"integration {session_.session}")


def _id(kind: str, entry: Week | Cluster | Session | Lecture | CourseWeek) -> Id:
    return kind, str(entry.number)
