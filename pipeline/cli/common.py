"""What the commands share: the project, how findings and JSON are printed, and the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

from experiments.kit.contract import BUDGETS, Budget
from experiments.kit.errors import CannotRun
from pipeline.finding import Finding, did_you_mean
from pipeline.project import Project, find_project

COLOURS = {"error": "red", "warning": "yellow", "review": "cyan"}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts instead of text.")
budget_option = click.option(
    "--budget", default=None, metavar="NAME", help="smoke (seconds), small (what posts cite) or full (overnight)."
)


def project() -> Project:
    """The project around the working directory. Raises CannotRun."""
    return find_project()


def budget_of(here: Project, named: str | None) -> Budget:
    """The budget named on the command line, or the project's. Raises CannotRun with the nearest one."""
    name = named or here.settings.budget
    for budget in BUDGETS:
        if budget == name:
            return budget
    raise CannotRun(f"no budget {name}; {did_you_mean(name, BUDGETS) or 'budgets are ' + ', '.join(BUDGETS)}")


def say(text: str = "") -> None:
    """A line of the command's answer; colours are dropped when piped."""
    click.echo(text)


def progress(text: str) -> None:
    """A line about work under way, on stderr so that answers can be piped."""
    click.secho(text, dim=True, err=True)


def show_findings(findings: Iterable[Finding]) -> None:
    """Findings as text: place, severity, check, message, the sentence concerned and the fix."""
    for finding in findings:
        place = f"{finding.place}: " if finding.place else ""
        severity = click.style(finding.severity, fg=COLOURS[finding.severity], bold=finding.severity == "error")
        say(f"{place}{severity} {finding.about}: {finding.message}")
        if finding.sentence:
            say(click.style(f"    {_shorten(finding.sentence)}", dim=True))
        if finding.fix:
            say(f"    fix: {finding.fix}")


def _shorten(text: str, width: int = 160) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def print_json(value: Any) -> None:
    """JSON on stdout, readable and stable."""
    say(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def finish(findings: Iterable[Finding], strict: bool = False) -> None:
    """Exit 1 where a finding blocks (an error; with `strict` also a warning)."""
    blocking = ("error", "warning") if strict else ("error",)
    if any(finding.severity in blocking for finding in findings):
        sys.exit(1)


def count_of(number: int, noun: str) -> str:
    """`1 finding`, `3 findings`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def spans(numbers: Iterable[int | str]) -> str:
    """Numbers with their runs joined: 2-5, 7, 9-16, and 1.1-1.4, 2.1 for those of clusters."""
    runs: list[list[tuple[str, int]]] = []
    for number in numbers:
        before, dot, last = str(number).rpartition(".")
        place = (before + dot, int(last))
        if runs and place == (runs[-1][-1][0], runs[-1][-1][1] + 1):
            runs[-1].append(place)
        else:
            runs.append([place])
    ends = (["".join(map(str, place)) for place in (run[0], run[-1])] for run in runs)
    return ", ".join("-".join(dict.fromkeys(pair)) for pair in ends)
