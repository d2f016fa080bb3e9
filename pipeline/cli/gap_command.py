"""`forge gap`: knowledge gaps, noted as they are met."""

from __future__ import annotations

import click

from experiments.kit.errors import CannotRun
from pipeline.cli.common import json_option, print_json, project, say
from pipeline.cli.dates import on_option
from pipeline.cli.planning import planning


@click.group()
def command() -> None:
    """Note what has to be looked at again, and list what is open.

    \b
    Examples:
      forge gap add "why the span of the differences bounds the error" --cluster 1.4
      forge gap list
    """


@command.command()
@click.argument("text")
@click.option("--cluster", default=None, metavar="NUMBER", help="The cluster it belongs to.")
@on_option
def add(text: str, cluster: str | None, on: object) -> None:
    """Add a gap to the roadmap's note, as a box to tick once it is closed.

    \b
    Example:
      forge gap add "what V-trace corrects for" --cluster 4.4
    """
    import datetime

    from pipeline.additions import gap_words, with_gap
    from pipeline.plan import Cluster
    from pipeline.transaction import locked

    made = planning(project(), on if isinstance(on, datetime.date) else None)
    note = made.plan.roadmap.note
    if note.path not in made.vault.notes:
        raise CannotRun(f"{note.file} does not exist\n  fix: write it; docs/plan-format.md has an example")
    entry = made.entry("cluster", cluster) if cluster else None
    changed = with_gap(note, text, made.on, entry if isinstance(entry, Cluster) else None)
    if any(gap_words(text) == gap_words(box.text) for box in made.plan.roadmap.gaps if not box.ticked):
        say("this gap is noted already: forge gap list")
        return
    with locked(made.project):
        made.write(note, changed)
    say(f"noted in {note.file}; tick it there once it is closed")


@command.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List the open gaps.

    \b
    Example:
      forge gap list
    """
    made = planning(project())
    gaps = [box for box in made.plan.roadmap.gaps if not box.ticked]
    if as_json:
        print_json([{"text": box.text, "line": box.line} for box in gaps])
        return
    for box in gaps:
        say(f"{made.plan.roadmap.note.file}:{box.line}: {box.text}")
    if not gaps:
        say("no open gap")
