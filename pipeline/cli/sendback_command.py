"""`forge sendback`: an edition goes back to the writer with a reason."""

from __future__ import annotations

import click

from experiments.kit.record import EDITIONS
from pipeline.cli.approve_command import record
from pipeline.cli.common import budget_option, say


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
    week = record(post, edition, "sent-back", who, reason, budget)
    say(f"next: forge draft {week}")
