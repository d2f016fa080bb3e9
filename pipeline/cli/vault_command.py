"""`forge vault`: what is wrong with the notes."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pipeline.cli.common import count_of, finish, json_option, print_json, project, say, show_findings


@click.group()
def command() -> None:
    """Look after the notes.

    \b
    Example:
      forge vault check
    """


@command.command()
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--strict", is_flag=True, help="Warnings count as findings too.")
@json_option
def check(path: Path | None, strict: bool, as_json: bool) -> None:
    """Check the project's vault and its plan, or any Obsidian vault at PATH: links, embeds, block ids, properties.

    \b
    Examples:
      forge vault check
      forge vault check ~/obsidian --json
    """
    from pipeline.finding import in_order
    from pipeline.plan import is_plan, load_plan
    from pipeline.vault import Vault

    began = time.perf_counter()
    vault = Vault.load(path.resolve() if path else project().notes)
    findings = vault.check()
    if path is None or is_plan(vault):
        findings = in_order([*findings, *load_plan(vault)[1]])
    if as_json:
        print_json([finding.to_json() for finding in findings])
    else:
        show_findings(findings)
        seconds = time.perf_counter() - began
        say(f"{count_of(len(vault.notes), 'note')} read in {seconds:.1f} s, {count_of(len(findings), 'finding')}")
    finish(findings, strict)
