"""`forge start`: an entry of the plan is under way."""

from __future__ import annotations

import click

from pipeline.cli.common import project, say
from pipeline.cli.planning import kind_of, planning
from pipeline.cli.statuses import set_status


@click.command()
@click.argument("kind", metavar="cluster|session|lecture|course")
@click.argument("number")
def command(kind: str, number: str) -> None:
    """Mark a cluster, session, lecture or course week as in progress: one property of its note, nothing else.

    \b
    Examples:
      forge start cluster 1.2
      forge start session 3
    """
    made = planning(project())
    say(set_status(made, kind_of(kind), number, "in-progress"))
