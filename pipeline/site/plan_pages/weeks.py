"""The blog plan: phases, weeks and their posts, with links to the editions that are out."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.plan import Post, Week
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import count, day, fold, meta, nested, plain, status
from pipeline.site.plan_pages.view import WEEKS, View


def pages(view: View) -> Iterator[Generated]:
    """The page, where there is a week."""
    if view.plan.weeks:
        text = front("Weeks", "The blog plan week by week: topics, papers, experiments and posts.")
        yield Generated(WEEKS, text + "\n".join(_lines(view)), "notes/plan/", ("Plan", "Weeks"))


def _lines(view: View) -> Iterator[str]:
    yield f"# {plain(view.plan.schedule.title) or 'Weeks'}\n"
    hours = view.plan.schedule.hours_per_week
    posts = count(len(view.plan.posts), "post")
    yield meta(count(len(view.plan.weeks), "week"), posts, f"{plain(hours)} hours a week" if hours else "")
    phase = None
    for week in view.plan.weeks.values():
        if week.phase != phase:
            phase = week.phase
            number = len({w.phase for w in view.plan.weeks.values() if w.number <= week.number})
            yield f"## {plain(phase) or 'Further weeks'} {{#phase-{number}}}\n"
        yield from _week(view, week)


def _builds_on(view: View, post: Post) -> str:
    """The weeks and single posts a post builds on; '' where it stands alone."""
    weeks = [view.entry(WEEKS, "week", number) for number in post.earlier if number in view.plan.weeks]
    posts = [f"“{plain(view.plan.posts[slug][1].title)}”" for slug in post.recalls if slug in view.plan.posts]
    return f", builds on {', '.join([*weeks, *posts])}" if weeks or posts else ""


def _week(view: View, week: Week) -> Iterator[str]:
    yield f"### Week {week.number}: {plain(week.title)} {{#week-{week.number}}}\n"
    dates = view.plan.schedule.dates(week.number)
    yield meta(status(view.progress.week_status(week)), f"{day(dates[0])} to {day(dates[1])}" if dates else "")
    if week.posts:
        yield "Posts\n{ .kf-kind }\n"
        yield from (f"- {view.post(WEEKS, post.title, post.slug)}{_builds_on(view, post)}" for post in week.posts)
        yield ""
    yield view.topics(WEEKS, "week", week.number)
    lines: list[str] = []
    if week.topics:
        lines += ["To study", "{ .kf-kind }", "", *nested(week.topics), ""]
    if week.core_papers:
        lines += ["Core papers", "{ .kf-kind }", "", *view.resources(WEEKS, week.core_papers), ""]
    if week.experiments:
        lines += ["Experiments", "{ .kf-kind }", ""]
        for experiment in week.experiments:
            study = f" ({view.study(WEEKS, experiment.study)})" if experiment.study else ""
            lines.append(f"- {plain(experiment.text)}{study}")
        lines.append("")
    if week.wandb:
        lines += ["To measure", "{ .kf-kind }", "", *(f"- {plain(text)}" for text in week.wandb), ""]
    if lines:
        parts = (
            (len(week.topics), "topic"), (len(week.core_papers), "paper"), (len(week.experiments), "experiment")
        )  # fmt: skip
        yield fold(", ".join(count(number, noun) for number, noun in parts if number) or "More", lines)
