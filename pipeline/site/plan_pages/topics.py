"""Topic pages: everything the plan and the posts hold about one topic."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.graph import NODE_KINDS, Node
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import count, day, joined, link, plain, status
from pipeline.site.plan_pages.view import BIBLIOGRAPHY, TOPICS, View, date_of, to

_HEADS = {"post": "Posts", "cluster": "Clusters", "week": "Weeks", "session": "Sessions", "lecture": "Lectures",
          "course": "Course weeks", "study": "Studies"}  # fmt: skip


def pages(view: View) -> Iterator[Generated]:
    """One page a topic, and the list of them."""
    if not view.topic_pages:
        return
    lines = ["# Topics\n", "What the plan is about, and how much of it is about each.\n", "| topic | posts | plan |"]
    lines.append("| --- | ---: | ---: |")
    for topic, page in view.topic_pages.items():
        nodes = view.graph.topics[topic]
        out = sum(node.kind == "post" and bool(view.posts.get(node.key)) for node in nodes)
        name = view.topic_name(topic)
        lines.append(f"| {link(plain(name), to(TOPICS, page))} | {out or ''} | {len(nodes)} |")
        head = front(
            name,
            f"Everything about {name}: clusters, weeks, sessions, lectures, studies and posts.",
            hide="[navigation]",
        )
        text = head + "\n".join(_lines(view, topic, page))
        yield Generated(page, text, "notes/topics.md")
    head = front("Topics", "The topics of the plan, each with everything about it.")
    yield Generated(TOPICS, head + "\n".join([*lines, ""]), "notes/topics.md", ("Plan", "Topics"))


def _lines(view: View, topic: str, page: str) -> Iterator[str]:
    nodes = view.graph.topics[topic]
    yield f"# {plain(view.topic_name(topic))}\n"
    others = [name for name in view.plan.topics.names[topic][1:] if "/" not in name and name != view.topic_name(topic)]
    if others:
        yield f"Also: {', '.join(plain(name) for name in others)}\n{{ .kf-facts }}\n"
    for kind in ("post", *(kind for kind in NODE_KINDS if kind != "post")):
        listed = [node for node in nodes if node.kind == kind]
        if listed:
            yield f"## {_HEADS[kind]} {{#{kind}}}\n"
            yield from (f"- {_line(view, page, node)}" for node in listed)
            yield ""
    sources = view.sources_on.get(topic, [])
    if sources:
        yield "## Sources {#source}\n"
        for source in sources:
            yield f"- {link(plain(source.title), f'{to(page, BIBLIOGRAPHY)}#{view.anchors[source.key]}')}" + (
                f", {source.year}" if source.year else ""
            )
        yield ""
    yield f"{link('All topics', to(page, TOPICS))}, {count(len(view.topic_pages), 'topic')} in all.\n"


def _line(view: View, page: str, node: Node) -> str:
    date = date_of(node.date)
    state = "" if node.kind == "post" and node.state == "published" else status(node.state)
    return joined((f"{view.node(page, node)}{f', {day(date)}' if date else ''}", state), " ")
