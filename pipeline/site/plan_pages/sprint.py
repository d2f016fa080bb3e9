"""The sprint: its board (a column a track) and each session with its dates, targets and materials."""

from __future__ import annotations

import html
from collections.abc import Iterator

from pipeline.plan import Session
from pipeline.plan.sessions import DAYS
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import count, day, fold, joined, meta, names, plain, said, sentence, status
from pipeline.site.plan_pages.view import SPRINT, View, unique


def pages(view: View) -> Iterator[Generated]:
    """The page, where there is a session."""
    if view.plan.sessions:
        text = front("Sprint", "The sprint board: sessions by track, with dates, targets and materials.")
        yield Generated(SPRINT, text + "\n".join(_lines(view)), "notes/sprint/", ("Plan", "Sprint"))


def _lines(view: View) -> Iterator[str]:
    sprint = view.plan.sprint
    yield f"# {plain(sprint.title) or 'Sprint'}\n"
    if sprint.goal:
        yield f"{sentence(sprint.goal)}\n"
    if sprint.start and sprint.end:
        yield meta(f"{day(sprint.start)} to {day(sprint.end)}", count(len(view.plan.sessions), "session"))
    yield "## The board {#board}\n"
    yield _board(view)
    if sprint.weekly:
        yield "## Week by week {#weeks}\n"
        for week in sprint.weekly:
            dates = joined((day(date) for date in (week.first, week.last) if date), " to ")
            yield f"- Week {week.number}{f', {dates}' if dates else ''}: {plain(week.focus)}"
        yield ""
    for name, title, sessions in _tracks(view):
        head = f"Track {plain(name)}: {plain(title)}" if name else "Without a track"
        yield f"## {head} {{#track-{unique([name or 'none'])[0]}}}\n"
        for session in sessions:
            yield from _session(view, session)
    if sprint.metrics:
        yield "## What counts as success {#metrics}\n"
        yield from (f"- {plain(name)}: {plain(text)}" for name, text in sprint.metrics)
        yield ""
    if sprint.progression:
        yield "## From paper to practice {#progression}\n"
        yield from (f"- {plain(name)}: {plain(text)}" for name, text in sprint.progression)
        yield ""


def _tracks(view: View) -> Iterator[tuple[str, str, list[Session]]]:
    """(name, title, sessions) of each track that has some; sessions of no known track come last."""
    known = {track.name for track in view.plan.sprint.tracks}
    listed = list(view.plan.sessions.values())
    for track in view.plan.sprint.tracks:
        if sessions := [session for session in listed if session.track == track.name]:
            yield track.name, track.title, sessions
    if rest := [session for session in listed if session.track not in known]:
        yield "", "", rest


def _board(view: View) -> str:
    """One block of raw HTML: a list a track, a card a session."""
    columns = []
    for name, title, sessions in _tracks(view):
        cards = "".join(
            f'<li><a href="#session-{session.number}">{session.number}. {_html(session.title)}</a>'
            f'<span class="kf-facts">{joined((day(session.date) if session.date else "", status(session.status)), " ")}'
            f"</span></li>"
            for session in sessions
        )
        head = f"{_html(name)}: {_html(title)}" if name else "Without a track"
        columns.append(f'<section aria-label="Track {head}"><p>{head}</p><ul>{cards}</ul></section>')
    return f'<div class="kf-board">{"".join(columns)}</div>\n'


def _html(text: str) -> str:
    return html.escape(said(text))


def _session(view: View, session: Session) -> Iterator[str]:
    yield f"### {session.number}. {plain(session.title)} {{#session-{session.number}}}\n"
    date = f"{DAYS[session.date.weekday()]}, {day(session.date)}" if session.date else ""
    yield meta(status(session.status), date, f"{session.hours:g} hours" if session.hours else "")
    clusters = [found for path in session.clusters if (found := view.note(SPRINT, path))]
    if clusters:
        yield f"Target: {', '.join(clusters)}\n"
    if session.topics:
        yield f"On {names(session.topics)}.\n"
    if session.time:
        yield from (f"- {minutes} min: {plain(text)}" for minutes, text in session.time)
        yield ""
    if session.focus:
        yield "To ask on the way:\n"
        yield from (f"- {plain(question)}" for question in session.focus)
        yield ""
    if session.post:
        yield f"Post it should enable: {view.post(SPRINT, session.post)}\n"
    yield view.topics(SPRINT, "session", session.number)
    listed = sum(len(group) for group in session.materials.values())
    if listed:
        lines = []
        for group, resources in session.materials.items():
            lines += [plain(group), "{ .kf-kind }", "", *view.resources(SPRINT, resources), ""]
        yield fold(count(listed, "material"), lines)
