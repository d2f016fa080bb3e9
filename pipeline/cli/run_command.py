"""`forge run`: bring studies up to date without drafting."""

from __future__ import annotations

import click

from pipeline.cli.common import budget_of, budget_option, count_of, json_option, print_json, progress, project, say


@click.command()
@click.argument("studies", nargs=-1)
@budget_option
@click.option("--again", is_flag=True, help="Measure every point again, kept or not.")
@click.option("--jobs", type=int, default=None, help="Processes for the sweep (default: all cores).")
@click.option("--cluster", default=None, metavar="ADDRESS", help="A Dask scheduler to run the sweep on.")
@json_option
def command(
    studies: tuple[str, ...], budget: str | None, again: bool, jobs: int | None, cluster: str | None, as_json: bool
) -> None:
    """Run STUDIES (default: all) whose code, sweep or libraries changed; finished points are kept.

    \b
    Examples:
      forge run
      forge run week01_mdp/gridworlds --budget smoke
      forge run week01_mdp/vi_vs_pi --again
    """
    from experiments.kit.run import run_study
    from experiments.kit.run import studies as all_studies
    from pipeline.transaction import locked

    here = project()
    level = budget_of(here, budget)
    reports = []
    with locked(here):
        for study in studies or all_studies(here.root):
            done = run_study(
                study, level, root=here.root, jobs=jobs, cluster=cluster, force=again, here=False, report=progress
            )
            reports.append(done)
            if as_json:
                continue
            if not done.reasons:
                say(f"{study}: up to date at {level}")
                continue
            say(f"{study}: {count_of(done.computed, 'point')} measured, {done.reused} kept, {done.seconds:.1f} s")
            for line in (*done.moved, *done.warnings):
                say(f"  {line}")
    if as_json:
        print_json([report.__dict__ for report in reports])
