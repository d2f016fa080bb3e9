"""`forge status`: where everything stands."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.common import budget_of, budget_option, json_option, print_json, project, say, spans
from pipeline.cli.dates import on_option

if TYPE_CHECKING:
    from pipeline.status import Dashboard

COLOUR = {
    "published": "green", "approved": "green", "waiting": "cyan", "findings": "red", "sent-back": "yellow",
    "stale": "red", "missing": "yellow",
}  # fmt: skip


@click.command()
@budget_option
@on_option
@json_option
def command(budget: str | None, on: datetime.date | None, as_json: bool) -> None:
    """Show how far the plan is, and week by week what is done, stale and waiting, with the next step to copy.

    \b
    Examples:
      forge status
      forge status --on 2026-11-23
    """
    from pipeline.status import NOT_WRITTEN, plan_dashboard, project_status

    here = project()
    weeks = project_status(here, budget_of(here, budget))
    if as_json:
        print_json([week.__dict__ for week in weeks])
        return
    if not weeks:
        say("no week has posts yet: notes/plan/week-01.md is where they are planned")
        return
    dashboard = plan_dashboard(here, on or datetime.date.today())
    if dashboard is not None:
        show_dashboard(dashboard)
    planned = [week for week in weeks if week.planned]
    for week in weeks:
        if week.planned and dashboard is not None:
            continue
        say(click.style(f"Week {week.number}: {week.title}", bold=True))
        for study, reasons in week.studies.items():
            if NOT_WRITTEN in reasons:
                say(f"  study  {study:<44} {click.style(NOT_WRITTEN, fg='yellow')}")
                continue
            state = click.style("stale", fg="red") if reasons else click.style("fresh", fg="green")
            say(f"  study  {study:<44} {state}" + (f": {'; '.join(reasons)}" if reasons else ""))
        for edition in week.editions:
            state = click.style(edition["state"], fg=COLOUR[edition["state"]])
            reason = f": {edition['reason']}" if edition["reason"] else ""
            say(f"  post   {edition['post'] + ' · ' + edition['edition']:<44} {state}{reason}")
    if dashboard is not None and planned:
        say(f"only planned yet: weeks {spans([week.number for week in planned])} (forge plan)")
    steps = [week.next for week in weeks if week.next]
    say(f"next: {steps[0]}" if steps else "nothing waits")


BAR = 20


def show_dashboard(dashboard: Dashboard) -> None:
    """How far each document is, where today falls, what is overdue and what comes next."""
    for what, done, all_, begun in dashboard.rows:
        filled = round(BAR * done / all_) if all_ else 0
        under_way = f", {begun} in progress" if begun else ""
        say(f"  {what:<18} {'█' * filled}{'·' * (BAR - filled)} {done:>2} of {all_}{under_way}")
    say(f"  {'today':<18} {dashboard.place}")
    if dashboard.overdue:
        date, what = dashboard.overdue[0]
        more = f" and {len(dashboard.overdue) - 1} more: forge plan" if len(dashboard.overdue) > 1 else ""
        say(f"  {'overdue':<18} {click.style(f'{what} ({date})', fg='red')}{more}")
    if dashboard.next is not None:
        say(f"  {'coming':<18} {dashboard.next[0]} {dashboard.next[1]}")
    if dashboard.errors:
        say(click.style(f"  {'notes':<18} {dashboard.errors} to mend: forge vault check", fg="red"))
