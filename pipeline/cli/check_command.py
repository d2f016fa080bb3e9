"""`forge check`: findings on drafts, or on any Markdown taken as an edition."""

from __future__ import annotations

from pathlib import Path

import click

from experiments.kit.record import EDITIONS
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
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--post", default=None, metavar="SLUG", help="The post a FILE is checked as.")
@click.option("--edition", type=click.Choice(EDITIONS), default=None, help="The edition, likewise.")
@click.option("--strict", is_flag=True, help="Warnings count as findings too.")
@budget_option
@json_option
def command(
    files: tuple[Path, ...], post: str | None, edition: str | None, strict: bool, budget: str | None, as_json: bool
) -> None:
    """Check all drafts; or FILES, as if each were an edition of a post. Exit 0 clean, 1 findings, 2 could not check.

    A file under drafts/ knows its post and edition by its path.

    \b
    Examples:
      forge check
      forge check notes/try.md --post decision-making-101 --edition manager --json
    """
    from pipeline.checks import check_draft
    from pipeline.drafts import load_draft, read_draft
    from pipeline.evidence import gather_all, pick_post

    here = project()
    level = budget_of(here, budget)
    evidences, found = gather_all(here, level)
    targets = []
    if files:
        for file in files:
            path = file.resolve()
            slug, name = post, edition
            if path.parent.parent == here.drafts:
                slug, name = slug or path.parent.name, name or path.stem
            if slug is None or name not in ("scientist", "manager"):
                message = f"{file} is no draft of a post (drafts/POST/EDITION.md)"
                raise click.UsageError(f"{message}: say --post SLUG and --edition scientist|manager")
            evidence = pick_post(evidences, slug)
            targets.append((evidence, read_draft(here, path, slug, "scientist" if name == "scientist" else "manager")))
    else:
        for evidence in evidences:
            drafts = [load_draft(here, evidence.post.slug, name) for name in EDITIONS]
            targets += [(evidence, draft) for draft in drafts if draft is not None]
    findings = [] if files else list(found)
    for evidence, draft in targets:
        other = load_draft(here, draft.slug, "manager" if draft.edition == "scientist" else "scientist")
        findings += check_draft(here, evidence, draft, other, queue=True)
    if as_json:
        print_json([finding.to_json() for finding in findings])
    else:
        show_findings(findings)
        errors = sum(finding.severity == "error" for finding in findings)
        say(f"{count_of(len(targets), 'edition')} checked: {count_of(errors, 'error')}, "
            f"{count_of(len(findings) - errors, 'other finding')}")  # fmt: skip
    finish(findings, strict)
