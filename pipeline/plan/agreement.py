"""What must fit between the plan's notes: phases, tracks, blocks and months that exist, right links, right order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.finding import Finding, Severity, did_you_mean
from pipeline.plan.clusters import Cluster
from pipeline.plan.lectures import Lecture
from pipeline.plan.reader import Reader
from pipeline.plan.sessions import Session
from pipeline.vault import Note
from pipeline.yamlmap import Path as KeyPath

if TYPE_CHECKING:
    from pipeline.plan.whole import Plan


def disagreements(plan: Plan) -> Iterator[Finding]:
    """What does not fit between the notes of a plan."""
    yield from _weeks_and_posts(plan)
    yield from _clusters(plan)
    yield from _sessions(plan)
    yield from _lectures(plan)
    months = {month.number for month in plan.course.months}
    for course_week in plan.course_weeks.values():
        if months and course_week.month and course_week.month not in months:
            message = f"the course has no month {course_week.month}"
            yield _at(course_week.note, "plan.unknown-month", ("month",), message, _of(months, "the months are"))
    yield from _missing(plan.course.note, ("weeks",), plan.course.weeks, plan.course_weeks, "course/week")


def _weeks_and_posts(plan: Plan) -> Iterator[Finding]:
    schedule = plan.schedule
    yield from _missing(schedule.note, ("weeks",), schedule.weeks, plan.weeks, "plan/week")
    order = list(plan.posts)
    for week in plan.weeks.values():
        for post in week.posts:
            path: KeyPath = ("posts", post.position, "earlier")
            yield from (_no_week(plan, week.note, path, number) for number in post.earlier if number not in plan.weeks)
            for slug in post.recalls:
                if slug not in plan.posts:
                    yield _no_post(plan, week.note, path, slug)
                elif order.index(slug) >= order.index(post.slug):
                    message = f"post '{slug}' does not come before '{post.slug}'"
                    yield _at(week.note, "plan.not-earlier", path, message, "name posts that come before this one")


def _no_week(plan: Plan, note: Note, path: KeyPath, number: int) -> Finding:
    unread = [file for other, file in plan.left_out.items() if other.endswith(f"week-{number:02d}.md")]
    if unread:
        return _unread(note, path, f"week {number}", unread[0])
    return _at(note, "plan.unknown-week", path, f"week {number} has no note", _of(plan.weeks, "the weeks are"))


def _no_post(plan: Plan, note: Note, path: KeyPath, slug: str) -> Finding:
    unread = [file for other, file in plan.left_out.items() if "plan/week-" in other]
    near = did_you_mean(slug, plan.posts)
    if unread and not near:
        more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
        return _unread(note, path, f"the week of post '{slug}'", unread[0] + more)
    fix = near or "name a post of the blog plan by its slug"
    return _at(note, "plan.unknown-post", path, f"there is no post '{slug}'", fix)


def _clusters(plan: Plan) -> Iterator[Finding]:
    phases = {phase.number for phase in plan.roadmap.phases}
    tracks = {track.name for track in plan.roadmap.tracks}
    for cluster in plan.clusters.values():
        if phases and cluster.phase and cluster.phase not in phases:
            message = f"the roadmap has no phase {cluster.phase}"
            yield _at(cluster.note, "plan.unknown-phase", ("phase",), message, _of(phases, "the phases are"))
        if cluster.track and tracks and cluster.track not in tracks:
            message = f"the roadmap has no track '{cluster.track}'"
            yield _at(cluster.note, "plan.unknown-track", ("track",), message, _of(tracks, "the tracks are"))
        if cluster.pair:
            other = plan.by_path.get(cluster.pair, ("", None))[1]
            if not isinstance(other, Cluster):
                yield _no_entry(plan, cluster.note, ("pair",), cluster.pair, "cluster", "roadmap")
            elif other.pair != cluster.note.path:
                message = f"cluster {other.number} does not name {cluster.number} as its pair"
                fix = f'write `pair: "[[{cluster.note.path.removesuffix(".md")}]]"` in {other.note.file}'
                yield _at(cluster.note, "plan.one-sided-pair", ("pair",), message, fix, "warning")
    for position, session in enumerate(plan.roadmap.integration):
        for end in ("primary", "secondary"):
            path = getattr(session, end)
            if path.endswith(".md") and not isinstance(plan.by_path.get(path, ("", None))[1], Cluster):
                at: KeyPath = ("integration", position, end)
                yield _no_entry(plan, plan.roadmap.note, at, path, "cluster", "roadmap")


def _sessions(plan: Plan) -> Iterator[Finding]:
    tracks = {track.name for track in plan.sprint.tracks}
    before: Session | None = None
    for session in plan.sessions.values():
        if session.track and tracks and session.track not in tracks:
            message = f"the sprint has no track '{session.track}'"
            yield _at(session.note, "plan.unknown-track", ("track",), message, _of(tracks, "the tracks are"))
        for at, path in enumerate(session.clusters):
            if not isinstance(plan.by_path.get(path, ("", None))[1], Cluster):
                yield _no_entry(plan, session.note, ("clusters", at), path, "cluster", "roadmap")
        if before and before.date and session.date and session.date < before.date:
            message = f"session {session.number} comes before session {before.number} ({before.date.isoformat()})"
            yield _at(session.note, "plan.wrong-order", ("date",), message, "correct one of the two dates")
        before = session
    late = [s for s in plan.sessions.values() if s.date and plan.sprint.end and s.date > plan.sprint.end]
    if late:
        message = f"the sprint ends before sessions {', '.join(str(s.number) for s in late)}"
        last = max(s.date for s in late if s.date)
        fix = f"write `end: {last.isoformat()}`, or bring the sessions forward"
        yield _at(plan.sprint.note, "plan.outside-sprint", ("end",), message, fix, "review")


def _lectures(plan: Plan) -> Iterator[Finding]:
    blocks = {block.name for block in plan.series.blocks}
    for lecture in plan.lectures.values():
        if blocks and lecture.block and lecture.block not in blocks:
            fix = did_you_mean(lecture.block, blocks) or _of(blocks, "the blocks are")
            yield _at(lecture.note, "plan.unknown-block", ("block",), f"there is no block '{lecture.block}'", fix)
        for at, slug in enumerate(lecture.posts):
            if slug not in plan.posts:
                yield _no_post(plan, lecture.note, ("posts", at), slug)
        for at, path in enumerate(lecture.prerequisites):
            if not isinstance(plan.by_path.get(path, ("", None))[1], Lecture):
                yield _no_entry(plan, lecture.note, ("prerequisites", at), path, "lecture", "lectures")
    for position, block in enumerate(plan.series.blocks):
        for number in block.lectures:
            if number not in plan.lectures:
                path_: KeyPath = ("blocks", position, "lectures")
                message = f"lecture {number} has no note"
                yield _at(
                    plan.series.note, "plan.missing-note", path_, message, "write it, or shorten the block", "warning"
                )
    yield from _circles(plan)


def _circles(plan: Plan) -> Iterator[Finding]:
    """Lectures that are their own prerequisite, over however many others; each circle once, at its first lecture."""
    needs = {
        number: [
            e.number
            for e in (plan.by_path.get(p, ("", None))[1] for p in lecture.prerequisites)
            if isinstance(e, Lecture)
        ]
        for number, lecture in plan.lectures.items()
    }
    seen: set[frozenset[int]] = set()

    def walk(number: int, chain: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for other in needs.get(number, ()):
            if other in chain:
                yield chain[chain.index(other) :]
            elif other not in done:
                yield from walk(other, (*chain, other))
        done.add(number)

    done: set[int] = set()
    for start in needs:
        for circle in walk(start, (start,)):
            if frozenset(circle) not in seen:
                seen.add(frozenset(circle))
                first = plan.lectures[min(circle)]
                at = circle.index(min(circle))
                turned = [*circle[at:], *circle[:at], circle[at]]
                message = f"lecture {first.number} needs itself: {' → '.join(map(str, turned))}"
                yield _at(first.note, "plan.circle", ("prerequisites",), message, "take one of the prerequisites out")


def _missing(note: Note, path: KeyPath, wanted: int, there: Mapping[int, object], stem: str) -> Iterator[Finding]:
    missing = [number for number in range(1, min(wanted, 999) + 1) if number not in there]
    if missing:
        numbers = ", ".join(map(str, missing))
        message = f"no note that can be read for {numbers} of {wanted}"
        fix = f"write {stem}-{missing[0]:02d}.md, or lower the number"
        yield _at(note, "plan.missing-note", path, message, fix, "warning")


def _no_entry(plan: Plan, note: Note, at: KeyPath, path: str, kind: str, folder: str) -> Finding:
    """A link that leads to a note, but to none that is such an entry."""
    if path in plan.left_out:
        return _unread(note, at, f"the {kind} it links to", plan.left_out[path])
    return _at(note, "plan.wrong-link", at, f"{path} is no {kind}", f"link to a note of notes/{folder}/")


def _unread(note: Note, at: KeyPath, what: str, file: str) -> Finding:
    """What an entry names cannot be used; its own note says why, so this is no second error."""
    return _at(note, "plan.unread", at, f"{what} cannot be used", f"mend {file} first", "warning")


def _of(known: Any, words: str) -> str:
    return f"{words} {', '.join(map(str, sorted(known)))}" if known else "there is none yet"


def _at(note: Note, check: str, path: KeyPath, message: str, fix: str, severity: Severity = "error") -> Finding:
    reader = Reader(note, "")
    reader.report(check, path, message, fix, severity)
    return reader.findings[0]
