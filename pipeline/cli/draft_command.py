"""`forge draft`: write a week's posts from the evidence."""

from __future__ import annotations

import click

from pipeline.cli.common import (
    budget_of,
    budget_option,
    count_of,
    finish,
    json_option,
    print_json,
    progress,
    project,
    say,
    show_findings,
)


@click.command()
@click.argument("number", type=int)
@click.option("--writer", default="auto", show_default=True, metavar="NAME", help="offline, anthropic, local or auto.")
@click.option("--post", default=None, metavar="SLUG", help="Only this post.")
@click.option("--again", is_flag=True, help="Draft again although nothing changed; your edits are merged.")
@budget_option
@json_option
def command(number: int, writer: str, post: str | None, again: bool, budget: str | None, as_json: bool) -> None:
    """Write both editions of week NUMBER's posts, or bring them up to date with changed evidence.

    Edited paragraphs stay yours; where you and the writer changed the same one, both texts are kept for you to choose.

    \b
    Examples:
      forge draft 1
      forge draft 1 --writer offline --post decision-making-101 --again
    """
    from pipeline.evidence import gather, open_vault, pick_post
    from pipeline.transaction import locked
    from pipeline.weekly import draft_posts
    from pipeline.writers import choose

    here = project()
    level = budget_of(here, budget)
    evidences, findings = gather(here, open_vault(here), number, level)
    if post is not None:
        evidences = [pick_post(evidences, post)]
    findings += [finding for evidence in evidences for finding in evidence.findings]
    with locked(here):
        saved = draft_posts(here, evidences, writer, progress, again)
    if as_json:
        print_json({"drafts": [s.__dict__ for s in saved], "findings": [f.to_json() for f in findings]})
        finish(findings)
        return
    show_findings(findings)
    for each in saved:
        kept = f", {count_of(each.kept_edits, 'edit')} of yours kept" if each.kept_edits else ""
        conflicts = f", {count_of(each.conflicts, 'conflict')} to settle" if each.conflicts else ""
        say(f"drafts/{each.slug}/{each.edition}.md: {each.outcome} by {choose(writer)}{kept}{conflicts}")
    say("up to date" if not saved else "next: forge check")
    finish(findings)
