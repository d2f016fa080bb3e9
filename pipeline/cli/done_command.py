"""`forge done`: an entry of the plan is finished."""

from __future__ import annotations

import sys

import click

from pipeline.cli.common import project, say
from pipeline.cli.planning import kind_of, planning
from pipeline.cli.statuses import set_status
from pipeline.plan import Cluster
from pipeline.plan.clusters import CRITERIA


@click.command()
@click.argument("kind", metavar="cluster|session|lecture|course")
@click.argument("number")
def command(kind: str, number: str) -> None:
    """Mark a cluster, session, lecture or course week as done, once every box of its criteria is ticked.

    \b
    Examples:
      forge done cluster 1.2
      forge done lecture 3
    """
    made = planning(project())
    word = kind_of(kind)
    entry = made.entry(word, number)
    open_boxes = [box for box in getattr(entry, "criteria", ()) if not box.ticked]
    if isinstance(entry, Cluster) and not entry.criteria:
        say(f"{word} {entry.number} is not done: {entry.note.file} says nowhere what that takes")
        say(f"  fix: write `## {CRITERIA}` with boxes to tick (- [ ] I can explain it), and tick what holds")
        sys.exit(1)
    if open_boxes:
        criteria = "1 criterion is" if len(open_boxes) == 1 else f"{len(open_boxes)} criteria are"
        say(f"{word} {entry.number} is not done: {criteria} not ticked yet")
        for box in open_boxes:
            say(f"  {entry.note.file}:{box.line}: [ ] {box.text}")
        say("  fix: tick what holds, in the note, and run this again")
        sys.exit(1)
    say(set_status(made, word, number, "done"))
    blog = getattr(entry, "blog", "") or getattr(entry, "post", "")
    if blog:
        say(f"next: its post within {made.plan.roadmap.post_within_days} days: {blog}")
