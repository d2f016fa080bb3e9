"""`forge calendar`: the plan for a calendar program."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from experiments.kit.files import write_if_changed
from pipeline.cli.common import count_of, project, say
from pipeline.cli.dates import on_option
from pipeline.cli.planning import planning, say_troubles


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@on_option
def command(file: Path | None, on: datetime.date | None) -> None:
    """Write the sessions, reviews and due posts to an .ics FILE (default: .forge/plan.ics; - for the terminal).

    Overdue posts stand on today. Importing the file again moves events and doubles none.

    \b
    Examples:
      forge calendar
      forge calendar plan.ics --on 2026-11-23
    """
    from pipeline.calendar import calendar

    made = planning(project(), on)
    data = calendar(made.progress)
    if file is not None and str(file) == "-":
        click.echo(data, nl=False)
        return
    path = file or made.project.scratch / "plan.ics"
    write_if_changed(path, data)
    due = made.progress.due()
    late = sum(item.kind == "post" for item in made.progress.overdue())
    say(f"{made.project.relative(path)}: {count_of(len(due), 'event')}, {count_of(late, 'overdue post')}")
    say_troubles(made)
