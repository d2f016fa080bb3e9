"""`forge next`: what to do today."""

from __future__ import annotations

import datetime

import click

from pipeline.cli.common import count_of, json_option, print_json, project, say
from pipeline.cli.dates import on_option
from pipeline.cli.planning import planning, say_troubles


@click.command()
@on_option
@json_option
def command(on: datetime.date | None, as_json: bool) -> None:
    """Say what to do today, by the weekly rhythm, the sessions and what is overdue.

    \b
    Examples:
      forge next
      forge next --on 2026-11-26
    """
    from pipeline.agenda import agenda

    made = planning(project(), on)
    studies = (made.project.root / "experiments").glob("*/*_study.py")
    written = {f"{path.parent.name}/{path.stem.removesuffix('_study')}" for path in studies}
    today = agenda(made.progress, made.sources, written)
    if as_json:
        from pipeline.cli.plan_views import plain

        print_json(plain(today))
        return
    say(click.style(f"{today.on:%A}, {today.on} · {today.where}", bold=True))
    if today.habit:
        say(f"  {today.habit}")
    for task in today.tasks:
        say(f"  - {task.what}" + (click.style(f"  {task.command}", fg="cyan") if task.command else ""))
    if today.overdue:
        say(click.style(f"overdue: {count_of(len(today.overdue), 'item')}", fg="red"))
        for due in today.overdue[:3]:
            say(f"  {due.date}  {due.what}" + (click.style(f"  {due.command}", fg="cyan") if due.command else ""))
        if len(today.overdue) > 3:
            say(f"  and {len(today.overdue) - 3} more: forge plan")
    if today.coming:
        say("coming:")
        for due in today.coming:
            say(f"  {due.date}  {due.what}")
    say_troubles(made)
