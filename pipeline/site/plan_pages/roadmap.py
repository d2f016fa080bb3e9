"""The roadmap: phases and clusters with their status, scope, times, pairs and resources."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.plan import Cluster
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import count, fold, meta, names, plain, status
from pipeline.site.plan_pages.view import ROADMAP, View


def pages(view: View) -> Iterator[Generated]:
    """The page, where there is a cluster."""
    if view.plan.clusters:
        text = front("Roadmap", "Phases and clusters of the study plan, with their status and resources.")
        yield Generated(ROADMAP, text + "\n".join(_lines(view)), "notes/roadmap/", ("Plan", "Roadmap"))


def _lines(view: View) -> Iterator[str]:
    plan = view.plan
    yield f"# {plain(plan.roadmap.title) or 'Roadmap'}\n"
    days = count(plan.roadmap.post_within_days, "day")
    again = "; finished clusters are looked at again" if plan.roadmap.review not in ("", "never") else ""
    again += f" {plan.roadmap.review}" if again else ""
    yield f"A cluster is a few hours of study with one post at its end, written within {days}{again}.\n"
    yield "| phase | clusters | done |\n| --- | ---: | ---: |"
    for phase, done, all_ in view.progress.phases():
        yield f"| [{phase.number}. {plain(phase.title)}](#phase-{phase.number}) | {all_} | {done} |"
    yield f"| all | {len(plan.clusters)} | {view.progress.statuses('cluster')['done']} |\n"
    known = {phase.number for phase in plan.roadmap.phases}
    for phase in plan.roadmap.phases:
        yield f"## Phase {phase.number}: {plain(phase.title)} {{#phase-{phase.number}}}\n"
        for cluster in plan.clusters.values():
            if cluster.phase == phase.number:
                yield from _cluster(view, cluster)
    rest = [cluster for cluster in plan.clusters.values() if cluster.phase not in known]
    if rest:
        yield "## Without a phase {#phase-none}\n"
    for cluster in rest:
        yield from _cluster(view, cluster)
    if plan.roadmap.tracks:
        yield "## Tracks {#tracks}\n\n| track | | clusters |\n| --- | --- | --- |"
        for track in plan.roadmap.tracks:
            yield f"| {plain(track.name)} | {plain(track.title)} | {plain(track.clusters)} |"
        yield ""


def _cluster(view: View, cluster: Cluster) -> Iterator[str]:
    number = cluster.number.replace(".", "-")
    yield f"### {cluster.number} {plain(cluster.title)} {{#cluster-{number}}}\n"
    sessions = [s.number for s in view.plan.sessions.values() if cluster.note.path in s.clusters]
    yield meta(
        status(cluster.status),
        f"to learn: {plain(cluster.learning_time)}" if cluster.learning_time else "",
        f"to read: {plain(cluster.reading_time)}" if cluster.reading_time else "",
        f"track {plain(cluster.track)}" if cluster.track else "",
        ", ".join(view.entry(ROADMAP, "session", session) for session in sessions),
    )
    if cluster.blog:
        post = view.post(ROADMAP, cluster.blog)
        yield f"Post: {post}{' (published elsewhere)' if cluster.published and not post.endswith(')') else ''}\n"
    pair = view.note(ROADMAP, cluster.pair)
    if pair:
        role = f" ({cluster.role} here)" if cluster.role else ""
        yield f"Studied alongside {pair}{role}{f': {plain(cluster.theme)}' if cluster.theme else ''}.\n"
    if cluster.topics:
        yield f"On {names(cluster.topics)}.\n"
    yield view.topics(ROADMAP, "cluster", cluster.number)
    listed = sum(len(group) for group in cluster.resources.values())
    if listed:
        lines = []
        for kind, group in cluster.resources.items():
            lines += [kind.replace("-", " ").capitalize(), "{ .kf-kind }", ""]
            lines += [*view.resources(ROADMAP, group), ""]
        yield fold(count(listed, "resource"), lines)
