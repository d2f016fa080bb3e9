"""`forge why`: what a published sentence or a key rests on, down to the commit and the line of code."""

from __future__ import annotations

import click

from pipeline.cli.common import budget_of, budget_option, json_option, print_json, project, say


@click.command()
@click.argument("asked", metavar="KEY|SENTENCE", nargs=-1, required=True)
@budget_option
@json_option
def command(asked: tuple[str, ...], budget: str | None, as_json: bool) -> None:
    """Walk back from a KEY, or from words of a published or drafted SENTENCE, to claim, fact, run, commit and code.

    \b
    Examples:
      forge why grid.claim.careful_beats_careless
      forge why "planning for one's own mistakes pays"
      forge why --json vipi.discount.g999.pi_seconds
    """
    from pipeline.why import why

    here = project()
    chains = why(here, " ".join(asked), budget_of(here, budget))
    if as_json:
        print_json([chain.to_json() for chain in chains])
        return
    for number, chain in enumerate(chains):
        if number:
            say()
        for depth, line in enumerate(chain.lines()):
            say(click.style(line, bold=True) if depth == 0 else line)
