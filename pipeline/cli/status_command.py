"""`forge status`: where everything stands."""

from __future__ import annotations

import click

from pipeline.cli.common import budget_of, budget_option, json_option, print_json, project, say

COLOUR = {
    "published": "green", "approved": "green", "waiting": "cyan", "findings": "red", "sent-back": "yellow",
    "stale": "red", "missing": "yellow",
}  # fmt: skip


@click.command()
@budget_option
@json_option
def command(budget: str | None, as_json: bool) -> None:
    """Show what is done, stale and waiting, week by week, and the next step as a command to copy.

    \b
    Example:
      forge status
    """
    from pipeline.status import project_status

    here = project()
    weeks = project_status(here, budget_of(here, budget))
    if as_json:
        print_json([week.__dict__ for week in weeks])
        return
    if not weeks:
        say("no week has posts yet: notes/plan/week-01.md is where they are planned")
        return
    for week in weeks:
        say(click.style(f"Week {week.number}: {week.title}", bold=True))
        for study, reasons in week.studies.items():
            state = click.style("stale", fg="red") if reasons else click.style("fresh", fg="green")
            say(f"  study  {study:<44} {state}" + (f": {'; '.join(reasons)}" if reasons else ""))
        for edition in week.editions:
            state = click.style(edition["state"], fg=COLOUR[edition["state"]])
            reason = f": {edition['reason']}" if edition["reason"] else ""
            say(f"  post   {edition['post'] + ' · ' + edition['edition']:<44} {state}{reason}")
    steps = [week.next for week in weeks if week.next]
    say(f"next: {steps[0]}" if steps else "nothing waits")
