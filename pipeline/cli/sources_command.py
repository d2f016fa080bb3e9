"""`forge sources`: what is wrong with the bibliography."""

from __future__ import annotations

import click

from experiments.kit.errors import CannotRun
from pipeline.cli.common import count_of, finish, json_option, print_json, progress, project, say, show_findings
from pipeline.cli.planning import planning


@click.group()
def command() -> None:
    """Look after notes/references.bib.

    \b
    Examples:
      forge sources check
      forge sources check --online
    """


@command.command()
@click.option("--online", is_flag=True, help="Also compare titles and first authors with arXiv and Crossref.")
@click.option("--arxiv", default=None, metavar="URL", help="Ask this address instead of arXiv's export API.")
@click.option("--crossref", default=None, metavar="URL", help="Ask this address instead of Crossref's API.")
@click.option("--strict", is_flag=True, help="Warnings count as findings too.")
@json_option
def check(online: bool, arxiv: str | None, crossref: str | None, strict: bool, as_json: bool) -> None:
    """Check the bibliography: fields, ids, years, duplicates, mislabelled links, keys that notes name or never name.

    \b
    Examples:
      forge sources check
      forge sources check --online --json
    """
    from pipeline.bibliography import check as check_sources
    from pipeline.bibliography import uses
    from pipeline.finding import in_order
    from pipeline.sources import load_sources

    made = planning(project())
    file = f"{made.vault.prefix}/references.bib"
    sources, findings = load_sources(made.project.notes / "references.bib", file)
    findings = [*findings, *check_sources(sources, uses(made.vault, made.plan, made.project.drafts), file)]
    compared, unreached = 0, None
    if online:
        from pipeline.lookup import ARXIV, CROSSREF, compare

        asked = {"arxiv": arxiv or ARXIV, "crossref": crossref or CROSSREF}
        try:
            found, compared = compare(sources.values(), file, report=progress, **asked)
            findings += found
        except CannotRun as error:  # what was found without a network is told first
            unreached = error
    findings = in_order(findings)
    if as_json:
        print_json([finding.to_json() for finding in findings])
    else:
        show_findings(findings)
        online_part = f", {compared} compared online" if online else ""
        errors = sum(finding.severity == "error" for finding in findings)
        say(f"{count_of(len(sources), 'source')} read{online_part}: {count_of(errors, 'error')}, "
            f"{count_of(len(findings) - errors, 'other finding')}")  # fmt: skip
    if unreached is not None:
        raise unreached
    finish(findings, strict)
