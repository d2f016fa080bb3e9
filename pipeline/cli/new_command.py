"""`forge new`: a template for a note of the plan."""

from __future__ import annotations

import click

from experiments.kit.errors import CannotRun
from pipeline.cli.common import project, say
from pipeline.cli.planning import kind_of, planning


@click.command()
@click.argument("kind", metavar="week")
@click.argument("number", type=click.IntRange(1, 999))
def command(kind: str, number: int) -> None:
    """Write a template for a week's note: properties to fill in and the eight parts of a study note. Never overwrites.

    \b
    Example:
      forge new week 17
    """
    from pipeline.additions import week_note
    from pipeline.plan import week_numbers

    kind_of(kind, ("week",))
    made = planning(project())
    path = made.vault.root / "plan" / f"week-{number:02d}.md"
    if path.exists() or number in week_numbers(made.vault):
        raise CannotRun(f"{made.project.relative(path)} exists already; nothing was written")
    text = week_note(made.plan, number).encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as out:
            out.write(text)
    except FileExistsError:
        raise CannotRun(f"{made.project.relative(path)} exists already; nothing was written") from None
    say(f"{made.project.relative(path)}: fill in its properties, then forge plan week {number}")
