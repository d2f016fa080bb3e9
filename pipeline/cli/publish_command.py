"""`forge publish`: approved editions into site/, or proof that site/ holds nothing else."""

from __future__ import annotations

import click

from pipeline.cli.common import (
    budget_of,
    budget_option,
    count_of,
    finish,
    json_option,
    print_json,
    project,
    say,
    show_findings,
)


@click.command()
@click.argument("post", required=False)
@click.option("--check", "verify", is_flag=True, help="Write nothing: verify everything in site/ against its approval.")
@budget_option
@json_option
def command(post: str | None, verify: bool, budget: str | None, as_json: bool) -> None:
    """Render approved editions into site/. What is unapproved, stale or changed is refused, by name and reason.

    \b
    Examples:
      forge publish
      forge publish --check
    """
    from pipeline.drafts import draft_slugs
    from pipeline.evidence import gather_all, pick_post
    from pipeline.publish import publish, published_pages, verify_site
    from pipeline.transaction import locked

    here = project()
    evidences, _ = gather_all(here, budget_of(here, budget))
    if verify:
        findings = verify_site(here, evidences)
        if as_json:
            print_json([finding.to_json() for finding in findings])
        else:
            show_findings(findings)
            pages = len(published_pages(here))
            if not any(finding.severity == "error" for finding in findings):
                say(f"{count_of(pages, 'published page')}: each is the page a person approved")
        finish(findings)
        return
    drafted = set(draft_slugs(here))  # what is not drafted yet is no news here; `forge status` shows it
    chosen = [pick_post(evidences, post)] if post else [e for e in evidences if e.post.slug in drafted]
    with locked(here):
        done = publish(here, chosen)
    refused = [finding for each in done for finding in each.findings]
    if as_json:
        print_json([{**d.__dict__, "findings": [f.to_json() for f in d.findings]} for d in done])
    else:
        for each in done:
            say(f"{each.slug} · {each.edition}: {each.outcome}")
            show_findings(each.findings)
        if any(each.outcome == "published" for each in done):
            say("next: forge site build")
    finish(refused)
