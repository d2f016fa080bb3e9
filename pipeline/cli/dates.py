"""Dates on the command line."""

from __future__ import annotations

import datetime
from typing import Any

import click


class Day(click.ParamType[datetime.date]):
    """A date as year-month-day."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime.date:
        if isinstance(value, datetime.date):
            return value
        try:
            return datetime.date.fromisoformat(value)
        except ValueError as error:
            self.fail(f"{value!r} is no date ({error}); write it as year-month-day: 2026-11-23", param, ctx)


on_option = click.option(
    "--on", type=Day(), default=None, metavar="DATE", help="The day to look from (default: today)."
)
