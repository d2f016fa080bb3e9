"""How much there is of everything in the plan, counted from the notes, document by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pipeline.plan import Plan, Resource, Topic
from pipeline.sources import Source

Counts = dict[str, dict[str, int]]


def count(plan: Plan, sources: Mapping[str, Source]) -> Counts:
    """Document -> what -> how many."""
    clusters, sessions = plan.clusters.values(), plan.sessions.values()
    lectures, course = plan.lectures.values(), plan.course_weeks.values()
    weeks = plan.weeks.values()
    kinds = Counter(kind for cluster in clusters for kind, group in cluster.resources.items() for _ in group)
    media = Counter(source.medium for source in sources.values())
    return {
        "blog plan": {
            "weeks": len(plan.weeks),
            "phases": len(plan.schedule.phases),
            "outermost topics": sum(len(week.topics) for week in weeks),
            "topics": sum(_leaves(week.topics) for week in weeks),
            "core papers": sum(len(week.core_papers) for week in weeks),
            "experiments": sum(len(week.experiments) for week in weeks),
            "W&B measures": sum(len(week.wandb) for week in weeks),
            "posts": len(plan.posts),
            "posts with notes for the agent or a content line": sum(bool(p.brief) for _, p in plan.posts.values()),
            "editions": len(plan.schedule.editions),
            "habits of the rhythm": len(plan.schedule.rhythm),
            "courses": len(plan.schedule.courses),
            "backlog groups": len(plan.schedule.backlog),
            "backlog topics": sum(_leaves(group.parts) for group in plan.schedule.backlog),
        },
        "roadmap": {
            "phases": len(plan.roadmap.phases),
            "clusters": len(plan.clusters),
            "clusters done": sum(cluster.status == "done" for cluster in clusters),
            "clusters in progress": sum(cluster.status == "in-progress" for cluster in clusters),
            "paired clusters": sum(bool(cluster.pair) for cluster in clusters),
            "resources": sum(kinds.values()),
            **{f"resources: {kind}": kinds[kind] for kind in sorted(kinds)},
            "integration sessions": len(plan.roadmap.integration),
            "concept map rows": len(plan.roadmap.concept_map),
        },
        "sprint": {
            "sessions": len(plan.sessions),
            "tracks": len(plan.sprint.tracks),
            "materials": sum(len(group) for session in sessions for group in session.materials.values()),
            "material groups": sum(len(session.materials) for session in sessions),
            "time slots": sum(len(session.time) for session in sessions),
            "success criteria": sum(len(session.criteria) for session in sessions),
            "focus questions": sum(len(session.focus) for session in sessions),
            "posts": sum(bool(session.post) for session in sessions),
            "weeks": len(plan.sprint.weekly),
            "metrics": len(plan.sprint.metrics),
            "steps of the progression": len(plan.sprint.progression),
        },
        "lectures": {
            "lectures": len(plan.lectures),
            "blocks": len(plan.series.blocks),
            "parts of the form": len(plan.series.form),
            "reading paths": len(plan.series.paths),
            "things one can do after a block": sum(len(block.after) for block in plan.series.blocks),
            "lectures with a study": sum(bool(lecture.studies) for lecture in lectures),
            "lectures with a post": sum(bool(lecture.posts) for lecture in lectures),
        },
        "course": {
            "weeks": len(plan.course_weeks),
            "months": len(plan.course.months),
            "readings": sum(len(week.reading) for week in course),
            "assignments": sum(bool(week.assignment) for week in course),
            "projects": sum(bool(week.project) for week in course),
            "assignments and projects with a study": sum(bool(w.study) for w in course if w.assignment or w.project),
        },
        "bibliography": {
            "sources": len(sources),
            **{f"sources: {medium}": media[medium] for medium in sorted(media)},
            "named by the plan": len(_named(plan) & set(sources)),
            "mislabelled in the plan": sum(bool(source.remark) for source in sources.values()),
        },
    }


def _leaves(topics: tuple[Topic, ...]) -> int:
    """Topics without parts, and the parts of those that have some."""
    return sum(_leaves(topic.parts) if topic.parts else 1 for topic in topics)


def _named(plan: Plan) -> set[str]:
    cited: set[Resource] = {resource for resource, _, _ in plan.cited()}
    return {resource.source for resource in cited}
