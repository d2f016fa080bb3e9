"""`forge sendback`: an edition goes back to the writer with a reason."""

from __future__ import annotations

import click

from experiments.kit.record import EDITIONS
from pipeline.cli.approve_command import asked_editions, reviewer
from pipeline.cli.common import budget_of, budget_option, project, say


@click.command()
@click.argument("post")
@click.option("--edition", type=click.Choice(EDITIONS), default=None, help="One edition (default: both).")
@click.option("--reason", required=True, help="What should change; the next draft is written with it.")
@click.option("--by", "who", default=None, metavar="NAME", help="Reviewer (default: git's user.name).")
@budget_option
def command(post: str, edition: str | None, reason: str, who: str | None, budget: str | None) -> None:
    """Send POST back with a reason, which becomes the next draft's instruction.

    \b
    Example:
      forge sendback decision-making-101 --edition manager --reason "Open with the lift, not the car."
    """
    from pipeline.evidence import gather_all, pick_post
    from pipeline.review import decide
    from pipeline.transaction import locked

    here = project()
    name = reviewer(here, who)
    evidences, _ = gather_all(here, budget_of(here, budget))
    evidence = pick_post(evidences, post)
    with locked(here):
        for each in asked_editions(edition):
            decide(here, evidence, each, "sent-back", name, reason=reason)
            say(f"{post} · {each}: sent back")
    say(f"next: forge draft {evidence.week.number}")
