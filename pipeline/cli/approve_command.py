"""`forge approve`: a person's approval of one edition as it stands."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import click

from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS
from pipeline.cli.common import budget_of, budget_option, project, say
from pipeline.project import Project

OWN = "site"
"""Stands for the site's own pages where a post is asked for."""

if TYPE_CHECKING:
    from pipeline.review import Decision


def reviewer(here: Project, named: str | None) -> str:
    """Who decides: as named, or git's user.name, or the login name. Raises CannotRun where nobody is known."""
    if named:
        return named
    try:
        asked = subprocess.run(["git", "config", "user.name"], cwd=here.root, capture_output=True, text=True)
        found = asked.stdout.strip() or os.environ.get("USER", "")
    except OSError:
        found = os.environ.get("USER", "")
    if not found:
        raise CannotRun("who reviews? name yourself with --by NAME, or set git config user.name")
    return found


def _approve_own(who: str | None) -> None:
    """Approve the site's own pages, and name them."""
    from pipeline.own_pages import approve_own
    from pipeline.transaction import locked

    here = project()
    name = reviewer(here, who)
    with locked(here):
        for file in approve_own(here, name):
            say(f"site/{file}: approved by {name}")


def record(
    post: str,
    edition: str | None,
    decision: Decision,
    who: str | None,
    reason: str,
    budget: str | None,
    queue_read: bool = False,
) -> int:
    """Record one decision on the asked editions and say so. Returns the post's week."""
    from pipeline.evidence import gather_all, pick_post
    from pipeline.review import decide, edition_state, queued
    from pipeline.transaction import locked

    here = project()
    name = reviewer(here, who)
    with locked(here):  # what is decided on is what lies there, not what lay there before another command wrote
        evidences, _ = gather_all(here, budget_of(here, budget))
        evidence = pick_post(evidences, post)
        for each in (e for e in EDITIONS if edition in (None, e)):
            queue = edition_state(here, evidence, each, queue=True).queue if queue_read else []
            confirmed = [queued(finding) for finding in queue]
            decide(here, evidence, each, decision, name, reason=reason, confirmed=confirmed)
            say(f"{post} · {each}: {decision.replace('-', ' ')} by {name}")
    return evidence.week.number


@click.command()
@click.argument("post")
@click.option("--edition", type=click.Choice(EDITIONS), default=None, help="One edition (default: both).")
@click.option("--by", "who", default=None, metavar="NAME", help="Reviewer (default: git's user.name).")
@click.option("--note", default="", help="A remark kept with the approval.")
@click.option("--queue-read", is_flag=True, help="You looked at each sentence of the review queue; none needs backing.")
@budget_option
def command(post: str, edition: str | None, who: str | None, note: str, queue_read: bool, budget: str | None) -> None:
    """Approve POST as it stands. Refused while a check finds an error or a sentence of the review queue is undecided
    (the refusal lists them); void as soon as the text or a value changes. POST `site` stands for the site's own pages
    (front page, about, lists), which are no posts.

    \b
    Examples:
      forge approve decision-making-101 --edition scientist --queue-read
      forge approve site
    """
    if post == OWN:
        _approve_own(who)
        return
    record(post, edition, "approved", who, note, budget, queue_read)
    say("next: forge publish")
