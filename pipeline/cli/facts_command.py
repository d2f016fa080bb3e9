"""`forge facts`: what may be cited, and where a value came from."""

from __future__ import annotations

from collections.abc import Mapping

import click

from experiments.kit.errors import CannotRun
from experiments.kit.record import SYMBOL_UNITS, Claim, Fact, FigureRecord, to_json
from pipeline.cli.common import budget_of, budget_option, json_option, print_json, project, say
from pipeline.results import ResultSet, load_result_set

Tables = dict[str, Mapping[str, Fact | Claim | FigureRecord]]


@click.command()
@click.argument("key", required=False)
@click.option("--week", type=int, default=None, help="Only this week's studies.")
@budget_option
@json_option
def command(key: str | None, week: int | None, budget: str | None, as_json: bool) -> None:
    """List facts, claims and figures; with KEY, explain one: value, seeds, interval, run and source line.

    KEY may be a beginning: `forge facts grid.cliff` lists what starts so.

    \b
    Examples:
      forge facts
      forge facts grid.cliff.optimal_return
    """
    from experiments.kit.run import studies
    from pipeline.results import topics_of
    from pipeline.weekly import week_studies

    here = project()
    level = budget_of(here, budget)
    named = week_studies(here, week) if week is not None else studies(here.root)
    results = load_result_set(here, topics_of(named), level)
    if not results.facts:
        raise CannotRun(f"no {level} results yet\n  fix: forge run --budget {level}")
    tables: Tables = {"facts": results.facts, "claims": results.claims, "figures": results.figures}
    if key is not None and not any(key in table for table in tables.values()):
        tables = {name: {k: r for k, r in table.items() if k.startswith(key)} for name, table in tables.items()}
        if not any(tables.values()):
            near = results.nearest(key, results.facts) or results.nearest(key, results.claims)
            raise CannotRun(f"no fact, claim or figure {key}" + (f"; did you mean {near}?" if near else ""))
    elif key is not None:
        record = next(table[key] for table in tables.values() if key in table)
        if as_json:
            run = results.runs.get(record.study)
            print_json({"key": key, **to_json(record), "run_record": run.__dict__ if run else None})
        else:
            explain(key, record, results)
        return
    if as_json:
        print_json({name: {k: to_json(r) for k, r in t.items() if "/" not in k} for name, t in tables.items()})
        return
    listing(tables)


def listing(tables: Tables) -> None:
    """One line a record, keys aligned."""
    for name, table in tables.items():
        own = {key: record for key, record in table.items() if "/" not in key}
        if not own:
            continue
        say(click.style(f"{name} ({len(own)})", bold=True))
        width = max(map(len, own))
        for key, record in sorted(own.items()):
            if isinstance(record, Fact):
                value = record.text("scientist")
                bare = record.unit in SYMBOL_UNITS or record.unit == "fraction"
                value = value if bare else f"{value} {record.unit}"
                say(f"  {key:<{width}}  {value:>14}  {record.description}")
            elif isinstance(record, Claim):
                mark = click.style("holds", fg="green") if record.holds else click.style("FALSE", fg="red")
                say(f"  {key:<{width}}  {mark}  {record.detail}")
            else:
                say(f"  {key:<{width}}  {record.alt}")


def explain(key: str, record: Fact | Claim | FigureRecord, results: ResultSet) -> None:
    """Everything known about one record, down to the line of code and the run."""
    say(click.style(key, bold=True))
    rows: list[tuple[str, str]] = []
    if isinstance(record, Fact):
        say(f"  {record.description}")
        shown = f"{record.text('scientist')} (Manager edition: {record.text('manager')})"
        rows += [("value", f"{record.value!r} {record.unit}"), ("printed", shown), ("kind", record.kind)]
        rows.append(("obtained", record.statistic))
        if record.better != "none":
            rows.append(("better", record.better))
        rows.append(("n", str(record.n)))
        if record.values:
            pairs = zip(record.seeds, record.values, strict=False)
            rows.append(("by seed", ", ".join(f"{seed}: {value:.6g}" for seed, value in pairs)))
        if record.interval is not None:
            rows.append(("interval", f"{record.interval[0]:.6g} to {record.interval[1]:.6g}"))
        if record.machine:
            rows.append(("machine", f"measured time; may move by a factor of {record.tolerance:g}"))
        if record.of:
            for source in record.of:
                value = results.facts[source].value if source in results.facts else "?"
                rows.append(("from", f"{source} = {value}"))
    elif isinstance(record, Claim):
        say(f"  {record.says}")
        rows += [("holds", "yes" if record.holds else "NO"), ("compares", record.detail)]
        rows.append(("in plain words", record.plain))
    else:
        say(f"  {record.caption}")
        rows += [("alternative", record.alt), ("series", record.series), ("files", ", ".join(record.files))]
    run = results.runs.get(record.study)
    rows.append(("study", record.study))
    if run is not None:
        dirty = " (with uncommitted code)" if run.dirty else ""
        rows.append(("run", f"{run.id}, {run.started[:10]}, {run.points} points, {run.seeds} seeds"))
        rows.append(("commit", f"{run.commit or 'none'}{dirty}"))
        rows.append(("machine", run.machine))
    if record.place is not None:
        rows.append(("source line", f"{record.place.file}:{record.place.line} ({record.place.function})"))
    for name, value in rows:
        say(f"  {name + ':':<15} {value}")
