"""What tokens cost: dated prices, exact arithmetic, and an error where a price is not known.

`prices.toml` beside this file is the table; `[[tool.forge.prices]]` adds to it. Amounts are `Decimal` USD. A model
that is in neither has no price, which is an error with the nearest name: unknown is never free.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from experiments.kit.errors import CannotRun
from pipeline.finding import did_you_mean

TABLE = Path(__file__).with_name("prices.toml")
KINDS = ("input", "output", "write_5m", "write_1h", "read")  # of tokens, as they are priced
PROMPT_KINDS = ("input", "write_5m", "write_1h", "read")
MILLION = Decimal(1_000_000)
OWN = "pyproject.toml: [[tool.forge.prices]]"


@dataclass(frozen=True)
class Price:
    """USD per million tokens of one model from a day on, for prompts of more than `over` tokens. None: not known."""

    model: str
    since: date
    source: str
    over: int = 0
    input: Decimal | None = None
    output: Decimal | None = None
    write_5m: Decimal | None = None
    write_1h: Decimal | None = None
    read: Decimal | None = None
    batch: Decimal | None = None

    def rate(self, kind: str) -> Decimal:
        """USD per million tokens of a kind. Raises CannotRun where it is not known."""
        amount: Decimal | None = getattr(self, kind)
        if amount is None:
            raise CannotRun(
                f"no {kind} price is known for {self.model} (since {self.since}: {self.source})\n"
                f"  fix: add {kind} to a table of its own, {how_to_add(self.model)}"
            )
        return amount

    def of(self, usage: Mapping[str, int], batch: bool = False) -> Decimal:
        """USD for tokens by kind. Raises CannotRun where a kind that occurs has no price."""
        total = sum((self.rate(kind) * usage.get(kind, 0) / MILLION for kind in KINDS if usage.get(kind)), Decimal(0))
        return total * (self.rate("batch") if batch else 1)


@dataclass(frozen=True)
class Prices:
    """All known prices, the project's own first."""

    rows: tuple[Price, ...]

    def models(self) -> list[str]:
        """Models with a price, in order."""
        return sorted({row.model for row in self.rows})

    def price(self, model: str, day: date, prompt_tokens: int = 0) -> Price:
        """The price of a model on a day for a prompt of so many tokens. Raises CannotRun where none is known."""
        named = [row for row in self.rows if row.model == model]
        if not named:
            near = did_you_mean(model, self.models()) or f"models with a price are {', '.join(self.models())}"
            raise CannotRun(f"no price is known for the model {model!r}; {near}\n  fix: {how_to_add(model)}")
        held = [row for row in named if row.since <= day]
        if not held:
            first = min(row.since for row in named)
            raise CannotRun(
                f"the price of {model} is known from {first} on, and this is {day}\n  fix: set this machine's clock, "
                f"or {how_to_add(model)}"
            )
        newest = max(row.since for row in held)
        tiers = [row for row in held if row.since == newest and prompt_tokens >= row.over + (row.over > 0)]
        if not tiers:
            raise CannotRun(f"no price of {model} holds for a prompt of {prompt_tokens} tokens; {how_to_add(model)}")
        return max(tiers, key=lambda row: row.over)

    def cost(self, model: str, day: date, usage: Mapping[str, int], batch: bool = False) -> Decimal:
        """USD for the tokens of one call."""
        prompt = sum(usage.get(kind, 0) for kind in PROMPT_KINDS)
        return self.price(model, day, prompt).of(usage, batch)

    def worst(
        self, model: str, day: date, prompt_tokens: int, max_tokens: int, ttl: str | None, batch: bool = False
    ) -> Decimal:
        """The most one call can cost: every prompt token at its dearest kind, every answer token used."""
        row = self.price(model, day, prompt_tokens)
        dearest = max((kind for kind in ("input", f"write_{ttl}" if ttl else "input")), key=row.rate)
        return row.of({dearest: prompt_tokens, "output": max_tokens}, batch)


def how_to_add(model: str) -> str:
    """How a person adds a price."""
    return (
        f'give its price in pyproject.toml:\n    [[tool.forge.prices]]\n    model = "{model}"\n'
        "    from = 2026-01-31\n    input = 2.00\n    output = 10.00\n    write_5m = 2.50\n    write_1h = 4.00\n"
        '    read = 0.20\n    batch = 0.5\n    source = "where you read it"'
    )


def usage_of(raw: Mapping[str, Any], ttl: str | None = "5m") -> dict[str, int]:
    """A message's `usage` as tokens by priced kind, plus `thinking` (part of `output`). Zeros are left out.

    Cache writes are told apart by the lifetime the service names, else by the one that was asked for (`ttl`).
    """

    def number(table: Mapping[str, Any], key: str) -> int:
        value = table.get(key)
        return value if isinstance(value, int) and value > 0 else 0

    by_lifetime = raw.get("cache_creation")
    written: Mapping[str, Any] = by_lifetime if isinstance(by_lifetime, Mapping) else {}
    hour = number(written, "ephemeral_1h_input_tokens")
    five = number(written, "ephemeral_5m_input_tokens")
    rest = max(0, number(raw, "cache_creation_input_tokens") - hour - five)
    details = raw.get("output_tokens_details")
    usage = {
        "input": number(raw, "input_tokens"),
        "output": number(raw, "output_tokens"),
        "write_5m": five + (0 if ttl == "1h" else rest),
        "write_1h": hour + (rest if ttl == "1h" else 0),
        "read": number(raw, "cache_read_input_tokens"),
        "thinking": number(details, "thinking_tokens") if isinstance(details, Mapping) else 0,
    }
    return {kind: count for kind, count in usage.items() if count}


def load_prices(own: Iterable[Mapping[str, Any]] = ()) -> Prices:
    """The table, behind the project's own rows (`settings.prices`). Raises CannotRun naming the row and key."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"), parse_float=Decimal)["price"]
    mine = [read_price(row, f"{OWN} number {number}") for number, row in enumerate(own, 1)]
    known = [read_price(row, f"{TABLE.name}: price number {number}") for number, row in enumerate(table, 1)]
    named = {row.model for row in mine}  # a model with rows of one's own takes only those
    return Prices((*mine, *(row for row in known if row.model not in named)))


def read_price(row: Any, place: str) -> Price:
    """One table, checked. Raises CannotRun naming the place, the key and the fix."""
    keys = {"since": "from"}
    known = [keys.get(field.name, field.name) for field in fields(Price)]
    if not isinstance(row, Mapping):
        raise CannotRun(f"{place} is {row!r}: expected a table\n  fix: {how_to_add('MODEL')}")
    for key in row:
        if key not in known:
            raise CannotRun(f"{place} has no key {key}; {did_you_mean(key, known) or 'keys are ' + ', '.join(known)}")
    for key in ("model", "from", "input", "output", "source"):
        if key not in row:
            raise CannotRun(f"{place} lacks {key}\n  fix: {how_to_add(str(row.get('model', 'MODEL')))}")
    since = row["from"]
    if isinstance(since, datetime) or not isinstance(since, date):
        raise CannotRun(f"{place}: from = {since!r}: expected a day, such as 2026-01-31 (no quotation marks)")
    for key in ("model", "source"):
        if not isinstance(row[key], str) or not row[key].strip():
            raise CannotRun(f"{place}: {key} = {row[key]!r}: expected words in quotation marks")
    over = row.get("over", 0)
    if not isinstance(over, int) or isinstance(over, bool) or over < 0:
        raise CannotRun(f"{place}: over = {over!r}: expected a number of tokens, such as 100_000")
    amounts = {key: _amount(row[key], key, place) for key in (*KINDS, "batch") if key in row}
    return Price(row["model"], since, row["source"], over, **amounts)


def _amount(value: Any, key: str, place: str) -> Decimal:
    """A price as written: `str` of a TOML float is its shortest form, so 0.1 stays 0.1."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CannotRun(f"{place}: {key} = {value!r}: expected a number, such as 2.50")
    amount = Decimal(str(value))
    if not amount.is_finite() or amount < 0 or (key == "batch" and amount > 1):
        raise CannotRun(f"{place}: {key} = {value}: expected a number {'from 0 to 1' if key == 'batch' else '>= 0'}")
    return amount
