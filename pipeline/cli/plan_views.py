"""How the plan looks in a terminal, and as JSON."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import click

from pipeline.agenda import named
from pipeline.cli.common import count_of, say
from pipeline.cli.planning import FOLDERS, NAMES, Planning, marked
from pipeline.cli.status_command import show_dashboard
from pipeline.counts import Counts
from pipeline.graph import NODE_KINDS, About, Graph, concept_graph
from pipeline.plan import KINDS, Box, Cluster, CourseWeek, Entry, Lecture, Resource, Session, Topic, Week
from pipeline.progress import Progress, post_state
from pipeline.status import plan_dashboard
from pipeline.vault import Note


def heading(text: str) -> None:
    """A heading."""
    say(click.style(text, bold=True))


def show_plan(made: Planning) -> None:
    """All five documents, a line an entry, then what is overdue."""
    progress, plan = made.progress, made.plan
    heading(plan.schedule.title or "The plan")
    dashboard = plan_dashboard(made.project, made.on)
    if dashboard is not None:
        show_dashboard(dashboard)
    for title, kind in (("Blog plan", "week"), ("Roadmap", "cluster"), ("Sprint", "session"), ("Lectures", "lecture"),
                        ("Course", "course")):  # fmt: skip
        if not plan.of(kind):
            continue
        say()
        heading(title)
        group = ""
        for entry in plan.of(kind).values():
            name = _group(made, entry)
            if name and name != group:
                group = name
                say(f"  {group}")
            say(f"    {entry.number:>4}  {marked(_state(progress, entry), 12)} {entry.title}{_aside(made, entry)}")
    overdue = progress.overdue()
    if overdue:
        say()
        heading(f"Overdue on {progress.on}")
        for due in overdue:
            say(f"  {due.date}  {due.what}")
    gaps = [box for box in plan.roadmap.gaps if not box.ticked]
    if gaps:
        say()
        heading("Knowledge gaps")
        for box in gaps:
            say(f"  {box.text}")
    if plan.schedule.backlog:
        say()
        heading("Further topics")
        for subject in plan.schedule.backlog:
            say(f"  {subject.name}: {'; '.join(topic.name for topic in subject.parts)}")
    if not any(plan.of(kind) for kind in KINDS):
        say(f"  nothing is planned yet: forge new week 1 writes {made.vault.prefix}/plan/week-01.md")


def _group(made: Planning, entry: Entry) -> str:
    plan = made.plan
    if isinstance(entry, Week):
        return entry.phase
    if isinstance(entry, Cluster):
        return next((f"Phase {p.number}: {p.title}" for p in plan.roadmap.phases if p.number == entry.phase), "")
    if isinstance(entry, Session):
        return next((f"Track {t.name}: {t.title}" for t in plan.sprint.tracks if t.name == entry.track), "")
    if isinstance(entry, Lecture):
        return next((block.title for block in plan.series.blocks if block.name == entry.block), "")
    return next((f"Month {m.number}: {m.title}" for m in plan.course.months if m.number == entry.month), "")


def _state(progress: Progress, entry: Entry) -> str:
    return progress.week_status(entry) if isinstance(entry, Week) else entry.status


def _aside(made: Planning, entry: Entry) -> str:
    if isinstance(entry, Session) and entry.date:
        late = entry.date < made.on and entry.status != "done"
        return click.style(f"  {entry.date}", fg="red" if late else None, dim=not late)
    dates = made.plan.schedule.dates(entry.number) if isinstance(entry, Week) else None
    return click.style(f"  from {dates[0]}", dim=True) if dates else ""


def show_entry(made: Planning, kind: str, entry: Entry) -> None:
    """One entry: what it is about, what it asks, what it is tied to."""
    state = marked(_state(made.progress, entry))
    heading(f"{NAMES[kind].capitalize()} {entry.number}: {entry.title}")
    group = _group(made, entry)
    say(f"  {state}{' · ' + group if group else ''} · {entry.note.file}")
    if isinstance(entry, Week):
        _show_week(made, entry)
    elif isinstance(entry, Cluster):
        _show_cluster(made, entry)
    elif isinstance(entry, Session):
        _show_session(made, entry)
    elif isinstance(entry, Lecture):
        _show_lecture(made, entry)
    else:
        _show_course_week(made, entry)
    _show_ties(concept_graph(made.progress, made.project.root), kind, entry)


def _show_week(made: Planning, week: Week) -> None:
    dates = made.plan.schedule.dates(week.number)
    if dates:
        say(f"  {dates[0]} to {dates[1]}")
    _show_topics("Topics", week.topics)
    _show_resources(made, {"Core papers": week.core_papers})
    if week.experiments:
        heading("Experiments")
        for experiment in week.experiments:
            say(f"  {experiment.text}" + (click.style(f"  {experiment.study}", dim=True) if experiment.study else ""))
    _show_list("W&B", week.wandb)
    heading("Posts")
    for post in week.posts:
        named = [*(f"week {number}" for number in post.earlier), *post.recalls]
        builds = f", builds on {', '.join(named)}" if named else ""
        say(f"  {post.title}  {marked(post_state(made.progress.published, post))}{builds}")
        say(click.style(f"    {' '.join(post.brief.split())}", dim=True))


def _show_cluster(made: Planning, cluster: Cluster) -> None:
    named_times = (("reading", cluster.reading_time), ("learning", cluster.learning_time))
    times = [f"{what} time {time}" for what, time in named_times if time]
    say(f"  post: {cluster.blog}" + (" (published)" if cluster.published else ""))
    if times:
        say(f"  {', '.join(times)}")
    if cluster.pair in made.plan.by_path:
        other = made.plan.by_path[cluster.pair][1]
        role = f", {cluster.role} here" if cluster.role else ""
        session = f", integration session {cluster.session}" if cluster.session else ""
        say(f"  paired with {other.number} {other.title}{role}{session}")
    if cluster.theme:
        say(f"  theme: {cluster.theme}")
    _show_topics("Topics", cluster.topics)
    _show_resources(made, cluster.resources)
    _show_boxes("Completion criteria", cluster.criteria)


def _show_session(made: Planning, session: Session) -> None:
    if session.date:
        say(f"  {session.date:%A} {session.date}, {session.hours:g} hours")
    if session.post:
        say(f"  post: {session.post}")
    _show_topics("Topics", session.topics)
    _show_resources(made, session.materials)
    if session.time:
        total = sum(minutes for minutes, _ in session.time)
        heading(f"Time ({total} of {session.hours * 60:g} minutes given out)" if session.hours else "Time")
        for minutes, what in session.time:
            say(f"  {minutes:>3} min  {what}")
    _show_boxes("Success criteria", session.criteria)
    _show_list("Focus", session.focus)


def _show_lecture(made: Planning, lecture: Lecture) -> None:
    say(f"  {lecture.promise}{', ' + lecture.time if lecture.time else ''}")
    written = [part.title for part in lecture.written]
    say(f"  {count_of(len(written), 'part')} of 8 written" + (f": {', '.join(written)}" if written else ""))
    _show_topics("Topics", lecture.topics)
    _show_resources(made, {"Papers": lecture.papers})


def _show_course_week(made: Planning, week: CourseWeek) -> None:
    _show_topics("Concept", week.concept)
    _show_resources(made, {"Reading": week.reading})
    task = week.assignment or week.project
    if task:
        heading("Project" if week.project else "Assignment")
        say(f"  {task}")
        for number, step in enumerate(week.steps, 1):
            say(f"    {number}. {step}")
    if week.goal:
        say(f"  goal: {week.goal}")


def _show_topics(title: str, topics: tuple[Topic, ...], depth: int = 1) -> None:
    if topics and title:
        heading(title)
    for topic in topics:
        say(f"{'  ' * depth}{topic.name}")
        _show_topics("", topic.parts, depth + 1)


def _show_resources(made: Planning, groups: Mapping[str, tuple[Resource, ...]]) -> None:
    for group, listed in groups.items():
        if listed:
            heading(group[0].upper() + group[1:])
        for resource in listed:
            source = made.sources.get(resource.source)
            link = resource.link or (source.link if source else "")
            unknown = click.style("  not in references.bib", fg="red") if resource.source and source is None else ""
            say(f"  {named(resource, made.sources)}{unknown}" + (click.style(f"  {link}", dim=True) if link else ""))
            if resource.note:
                say(click.style(f"    {resource.note}", dim=True))
            if source is not None and source.remark:
                say(click.style(f"    {source.remark}", fg="yellow"))


def _show_boxes(title: str, boxes: tuple[Box, ...]) -> None:
    if boxes:
        heading(title)
    for box in boxes:
        say(f"  [{'x' if box.ticked else ' '}] {box.text}")


def _show_list(title: str, items: Iterable[str]) -> None:
    items = list(items)
    if items:
        heading(title)
    for item in items:
        say(f"  {item}")


def _show_ties(graph: Graph, kind: str, entry: Entry) -> None:
    ties = graph.neighbours((kind, str(entry.number)))
    if ties:
        heading("Tied to")
    for node, says in ties:
        say(f"  {says:<16} {node.kind} {node.key}: {node.title}  {marked(node.state)}")
    me = graph.nodes.get((kind, str(entry.number)))
    topics = graph.plan.topics.of(me.texts) if me else ()
    if topics:
        say(click.style(f"  topics: {', '.join(topics)} (forge plan topic {topics[0]})", dim=True))


def show_topic(about: About) -> None:
    """Everything about one topic, kind by kind."""
    others = [name for name in about.names if name != about.topic]
    heading(about.topic or about.asked)
    if others and about.topic:
        say(f"  also: {', '.join(others)}")
    if not about.topic:
        say("  not in topics.md; looked for as written")
    width = max([len(node.key) for node in about.nodes] + [len(source.key) for source in about.sources], default=0)
    for kind in NODE_KINDS:
        nodes = about.of(kind)
        if nodes:
            heading("Studies" if kind == "study" else f"{NAMES.get(kind, kind)}s".capitalize())
        for node in nodes:
            date = f"  {node.date}" if node.date else ""
            say(f"  {node.key:<{width}}  {marked(node.state, 12)} {node.title}{date}")
    if about.sources:
        heading("Sources")
        for source in about.sources:
            say(f"  {source.key:<{width}}  {source.title} · {source.short}")
    _show_list("Knowledge gaps", about.gaps)


def show_counts(counts: Counts) -> None:
    """What there is, document by document."""
    for document, rows in counts.items():
        heading(document.capitalize())
        for what, number in rows.items():
            say(f"  {number:>5}  {what}")


# JSON


def plan_json(made: Planning) -> dict[str, Any]:
    """The dashboard and every entry's state."""
    progress = made.progress
    return {
        "on": progress.on.isoformat(),
        "start": str(made.plan.schedule.start) if made.plan.schedule.start else None,
        "week": progress.week_number,
        "posts": {
            edition: dict(zip(("published", "all"), progress.posts(edition), strict=True))
            for edition in ("scientist", "manager")
        },
        "statuses": {kind: progress.statuses(kind) for kind in KINDS},
        "entries": {
            kind: [
                {"number": str(e.number), "title": e.title, "status": _state(progress, e)}
                for e in made.plan.of(kind).values()
            ]
            for kind in KINDS
        },
        "overdue": [plain(due) for due in progress.overdue()],
        "gaps": [box.text for box in made.plan.roadmap.gaps if not box.ticked],
        "backlog": plain(made.plan.schedule.backlog),
        "findings": [finding.to_json() for finding in made.findings],
    }


def entry_json(made: Planning, kind: str, entry: Entry) -> dict[str, Any]:
    """An entry with its state, what it asks for, and its ties."""
    graph = concept_graph(made.progress, made.project.root)
    ties = graph.neighbours((kind, str(entry.number)))
    values = {key: value for key, value in plain(entry).items() if key != "note"}
    criteria = getattr(entry, "criteria", ())
    return {
        **values,
        "kind": kind,
        "file": f"{made.vault.prefix}/{entry.note.path}",
        "folder": FOLDERS[kind],
        "status": _state(made.progress, entry),
        "criteria": [{"text": box.text, "ticked": box.ticked} for box in criteria],
        "ties": [{"says": says, "kind": node.kind, "key": node.key, "title": node.title} for node, says in ties],
    }


def about_json(about: About) -> dict[str, Any]:
    """Everything about a topic."""
    return {
        "asked": about.asked,
        "topic": about.topic or None,
        "names": list(about.names),
        "nodes": [{key: value for key, value in plain(node).items() if key != "texts"} for node in about.nodes],
        "sources": [source.key for source in about.sources],
        "gaps": list(about.gaps),
    }


def plain(value: Any) -> Any:
    """Dataclasses, dates and tuples as JSON has them; notes are left out."""
    if isinstance(value, Note):
        return value.file
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
