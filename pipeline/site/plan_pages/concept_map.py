"""The integration map: what reinforcement learning and language models have in common, drawn and as tables."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.plan import Cluster, Integration
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.draw import Tie, figure, two_columns
from pipeline.site.plan_pages.prose import joined, meta, plain, said, sentence
from pipeline.site.plan_pages.view import MAP, View

HEADS = ("RL", "GenAI")


def pages(view: View) -> Iterator[Generated]:
    """The page, where the roadmap has a concept map or an integration plan."""
    if view.plan.roadmap.concept_map or view.plan.roadmap.integration:
        text = front("Integration map", "What reinforcement learning and language models have in common.")
        yield Generated(MAP, text + "\n".join(_lines(view)), "notes/roadmap/index.md", ("Plan", "Integration map"))


def _lines(view: View) -> Iterator[str]:
    rows, sessions = view.plan.roadmap.concept_map, view.plan.roadmap.integration
    yield "# Where reinforcement learning and language models meet\n"
    if rows:
        yield "## The same idea twice {#concepts}\n"
        yield "A likeness is a place to start asking, and no result.\n"
        drawing = two_columns(
            HEADS,
            [said(row.rl) for row in rows],
            [said(row.genai) for row in rows],
            [Tie(number, number) for number in range(len(rows))],
        )
        name = (
            "Ideas of reinforcement learning, each joined to its counterpart in language models; the table lists them"
        )
        yield figure(drawing, name, "What one field calls so, the other calls so.")
        yield "| RL | GenAI | what they share |\n| --- | --- | --- |"
        for row in rows:
            topics = view.topic_links(MAP, view.plan.topics.of((row.rl, row.genai)))
            shared = joined((plain(row.insight), f"({topics})" if topics else ""), " ")
            yield f"| {plain(row.rl)} | {plain(row.genai)} | {shared} |"
        yield ""
    if sessions:
        yield "## The sessions that join them {#sessions}\n"
        if drawing := _joins(view, sessions):
            name = (
                "Clusters on either side, joined by the session that studies them together; the list below has them all"
            )
            yield figure(drawing, name, "Each line is a session; its number stands on it.")
        if view.plan.roadmap.session_format:
            yield "A session has three parts:\n" if len(view.plan.roadmap.session_format) == 3 else "A session:\n"
            yield from (f"- {minutes} min: {plain(text)}" for minutes, text in view.plan.roadmap.session_format)
            yield ""
        for each in sessions:
            yield f"### {each.session}. {plain(each.title)} {{#session-{each.session}}}\n"
            yield meta(*(view.note(MAP, end) or plain(end) for end in (each.primary, each.secondary)))
            yield f"{sentence(each.idea)}\n" if each.idea else ""
            yield f"Post: {view.post(MAP, each.blog)}\n" if each.blog else ""


def _joins(view: View, sessions: tuple[Integration, ...]) -> str:
    """The sessions that join two clusters: the one of the earlier phase on the left; '' where there is none."""
    joins: list[tuple[Cluster, Cluster, int]] = []
    for each in sessions:
        ends = [view.plan.by_path[p][1] for p in (each.primary, each.secondary) if p in view.plan.by_path]
        clusters = sorted((end for end in ends if isinstance(end, Cluster)), key=_place)
        if len(clusters) == 2:
            joins.append((clusters[0], clusters[1], each.session))
    if not joins:
        return ""
    left = sorted({one.number: one for one, _, _ in joins}.values(), key=_place)
    right = sorted({other.number: other for _, other, _ in joins}.values(), key=_place)
    ties = [Tie(left.index(one), right.index(other), str(number)) for one, other, number in joins]
    shown = [[f"{cluster.number} {said(cluster.title)}" for cluster in column] for column in (left, right)]
    return two_columns(HEADS, shown[0], shown[1], ties)


def _place(cluster: Cluster) -> tuple[int, ...]:
    return tuple(int(part) for part in cluster.number.split("."))
