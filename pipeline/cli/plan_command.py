"""`forge plan`: the whole plan, one entry of it, a topic, its counts; and its start."""

from __future__ import annotations

import datetime
import re

import click

from experiments.kit.errors import CannotRun
from pipeline.cli.common import json_option, print_json, project, say
from pipeline.cli.dates import Day, on_option
from pipeline.cli.planning import kind_of, planning, say_troubles
from pipeline.plan import KINDS

WORDS = (*KINDS, "topic", "counts")


@click.command()
@click.argument("what", required=False, metavar="[week|session|cluster|lecture|course|topic|counts]")
@click.argument("which", nargs=-1, metavar="[NUMBER|TOPIC]")
@click.option("--start", type=Day(), default=None, metavar="DATE", help="Move the whole plan so that it begins then.")
@click.option("--dry-run", is_flag=True, help="With --start: show every date, old and new, and change nothing.")
@on_option
@json_option
def command(
    what: str | None,
    which: tuple[str, ...],
    start: datetime.date | None,
    dry_run: bool,
    on: datetime.date | None,
    as_json: bool,
) -> None:
    """Show the plan: all of it, one week, session, cluster, lecture or course week, or everything about a topic.

    \b
    Examples:
      forge plan
      forge plan cluster 1.2
      forge plan topic attention
      forge plan counts
      forge plan --start 2026-11-23 --dry-run
    """
    from pipeline.cli import plan_views as views

    if start is not None and what is not None:
        raise CannotRun("--start moves the whole plan and takes no other words\n  fix: forge plan --start DATE")
    if dry_run and start is None:
        raise CannotRun("--dry-run goes with --start\n  fix: forge plan --start DATE --dry-run")
    if what is not None and re.fullmatch(r"\d+(\.\d+)?", what):
        raise CannotRun(f"{what} of what?\n  fix: forge plan {'cluster' if '.' in what else 'week'} {what}")
    word = kind_of(what, WORDS) if what is not None else ""
    if word in (*KINDS, "topic") and not which:
        example = {"topic": "attention", "cluster": "1.2"}.get(word, "1")
        raise CannotRun(f"which {word}?\n  fix: forge plan {word} {example}")
    made = planning(project(), on)
    if start is not None:
        _move(made, start, dry_run, as_json)
        return
    if word in ("", "counts") and which:
        raise CannotRun(f"`forge plan {word}` takes nothing more")
    if word == "counts":
        from pipeline.counts import count

        counts = count(made.plan, made.sources)
        print_json(counts) if as_json else views.show_counts(counts)
    elif word == "topic":
        from pipeline.graph import concept_graph

        about = concept_graph(made.progress, made.project.root).about(" ".join(which), made.sources)
        if not about.nodes and not about.sources:
            near = made.plan.topics.nearest(" ".join(which))
            raise CannotRun(f"nothing in the plan is about {' '.join(which)!r}" + (f"; {near}" if near else ""))
        print_json(views.about_json(about)) if as_json else views.show_topic(about)
    elif word:
        if len(which) > 1:
            raise CannotRun(f"one {word} at a time\n  fix: forge plan {word} {which[0]}")
        entry = made.entry(word, which[0])
        print_json(views.entry_json(made, word, entry)) if as_json else views.show_entry(made, word, entry)
    elif as_json:
        print_json(views.plan_json(made))
    else:
        views.show_plan(made)
        say_troubles(made)


def _move(made: object, start: datetime.date, dry_run: bool, as_json: bool) -> None:
    from pipeline.cli.planning import Planning
    from pipeline.redate import moved, moves, unreadable_dates
    from pipeline.transaction import Transaction, locked

    assert isinstance(made, Planning)
    broken = unreadable_dates(made.findings)
    if broken:
        raise CannotRun("the plan's dates cannot all be read; nothing was moved\n" + "\n".join(map(str, broken)))
    planned = moves(made.plan, start)
    texts = moved(planned)
    if as_json:
        rows = [{"file": m.note.file, "line": m.line, "old": str(m.old), "new": str(m.new)} for m in planned]
        print_json({"moves": rows, "written": bool(planned) and not dry_run})
    else:
        for move in planned:
            place = f"{move.note.file}:{move.line}"
            say(f"{place:<32} {move.old} {move.old:%a} → {move.new} {move.new:%a}")
        if not planned:
            say(f"the plan begins on {start} already; nothing to move")
    if dry_run or not planned:
        if planned and not as_json:
            say("nothing was changed; without --dry-run these dates are written")
        return
    with locked(made.project):
        transaction = Transaction(made.project)
        for path, text in texts.items():
            transaction.write(*made.rewritten(made.vault.note(path), text))
        transaction.commit()
    if not as_json:
        say(f"{len(planned)} dates moved in {len(texts)} notes")
