"""`forge week`: the weekly loop in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from experiments.kit.contract import Budget
    from pipeline.finding import Finding
    from pipeline.project import Project


@click.command()
@click.argument("number", type=int)
@budget_option
@click.option("--writer", default="auto", show_default=True, metavar="NAME", help="offline, anthropic, local or auto.")
@click.option("--jobs", type=int, default=None, help="Processes for the sweeps (default: all cores).")
@click.option("--cluster", default=None, metavar="ADDRESS", help="A Dask scheduler to run the sweeps on.")
@click.option("--serve", is_flag=True, help="Serve the preview when done, until stopped.")
@json_option
def command(
    number: int, budget: str | None, writer: str, jobs: int | None, cluster: str | None, serve: bool, as_json: bool
) -> None:
    """Bring week NUMBER up to date: run its studies, draft its posts, check them, build the preview.

    Only what is out of date is done; a killed call is finished by the next one.

    \b
    Examples:
      forge week 1
      forge week 1 --budget smoke --writer offline
    """
    from pipeline.settled import is_settled

    here = project()
    level = budget_of(here, budget)
    findings: list[Finding] = []
    if not as_json and is_settled(here, number, level, writer):
        say(f"week {number} is up to date")
        show_standing(here, number, level)
    else:
        findings = bring(here, number, level, writer, jobs, cluster, as_json)
    if serve and not as_json:
        from pipeline.cli.site_command import serve_preview

        serve_preview(here, 8000)
    finish(findings)


def bring(
    here: Project, number: int, level: Budget, writer: str, jobs: int | None, cluster: str | None, as_json: bool
) -> list[Finding]:
    """Do what is out of date and tell it; keep that nothing is, where the call left nothing to tell."""
    from pipeline.settled import given, settle
    from pipeline.weekly import bring_up_to_date

    before = given(here)
    done = bring_up_to_date(here, number, level, writer, jobs=jobs, cluster=cluster, report=progress)
    findings = [*done.findings, *(done.preview.findings if done.preview else ())]
    if as_json:
        print_json(
            {
                "week": number,
                "budget": level,
                "idle": done.idle,
                "runs": [run.__dict__ for run in done.runs],
                "drafts": [saved.__dict__ for saved in done.drafts],
                "editions": [state.to_json() for state in done.states],
                "preview": str(done.preview.index) if done.preview else None,
                "findings": [finding.to_json() for finding in findings],
            }
        )
        return findings
    for run in done.runs:
        for warning in run.warnings:
            say(click.style(warning, fg="yellow"))
        if not run.reasons:
            continue
        say(
            f"ran {run.study} at {run.budget}: {count_of(run.computed, 'point')} measured, {run.reused} kept, "
            f"{run.seconds:.0f} s"
        )
        if run.moved:
            say(f"  {count_of(len(run.moved), 'value')} moved:")
            for line in run.moved:
                say(f"    {line}")
        elif "not yet reproduced on this machine" in run.reasons:
            say("  reproduced: every recorded value prints the same, measured times are within their tolerance")
    for saved in done.drafts:
        conflicts = f", {count_of(saved.conflicts, 'conflict')} to settle" if saved.conflicts else ""
        kept = f", {count_of(saved.kept_edits, 'edit')} of yours kept" if saved.kept_edits else ""
        say(f"draft {saved.slug} ({saved.edition}): {saved.outcome}{kept}{conflicts}")
    show_findings(findings)
    if done.idle:
        say(f"week {number} is up to date")
    show_standing(here, number, level)
    told = findings or any(run.warnings for run in done.runs) or any(saved.conflicts for saved in done.drafts)
    drafts = [state.draft for state in done.states if state.draft is not None]
    edited = any(draft.path.read_text(encoding="utf-8") != draft.text for draft in drafts) or given(here) != before
    if not (told or edited):  # what this call did, the next one finds done
        settle(here, number, level, writer)
    return findings


def show_standing(here: Project, number: int, level: str) -> None:
    """Where each edition of the week stands, where the preview is, and the next step."""
    from pipeline.settled import preview_index
    from pipeline.status import project_status

    standing = next(week for week in project_status(here, level) if week.number == number)
    for edition in standing.editions:
        found = f": {count_of(edition['errors'], 'error')}" if edition["errors"] else ""
        say(f"  {edition['post']} · {edition['edition']}: {edition['state']}{found}")
    if preview_index(here).is_file():
        say(f"preview: {preview_index(here).as_uri()}")
    say(f"next: {standing.next or 'nothing waits; forge site serve shows the site'}")
