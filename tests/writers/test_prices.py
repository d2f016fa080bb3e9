"""Prices: exact, dated, in tiers; what is not known is an error with the fix, never free."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.kit.errors import CannotRun
from pipeline.writers.prices import KINDS, MILLION, load_prices, read_price, usage_of

DAY = date(2026, 11, 21)
PRICES = load_prices()
OWN = {"model": "own-model", "from": date(2026, 1, 1), "input": 1.5, "output": 0.1, "source": "my contract"}
TOKENS = st.integers(0, 3_000_000)


def test_known_answers() -> None:
    assert PRICES.cost("claude-sonnet-5-5", DAY, {"input": 15_000, "output": 8_000}) == Decimal("0.11")
    assert PRICES.cost("claude-opus-5-5", DAY, {"input": 15_000, "output": 8_000}) == Decimal("0.22")
    kinds = {"write_5m": 1_000_000, "write_1h": 1_000_000, "read": 1_000_000}
    assert PRICES.cost("claude-sonnet-5-5", DAY, kinds) == Decimal("6.60")
    assert PRICES.cost("claude-sonnet-5-5", DAY, {"input": 15_000, "output": 8_000}, batch=True) == Decimal("0.055")
    assert PRICES.cost("claude-sonnet-5-5", DAY, {"thinking": 10**9}) == 0, "thinking is part of output"


def test_a_long_prompt_is_priced_at_its_tier_whole() -> None:
    short = PRICES.cost("claude-haiku-5-5", DAY, {"input": 60_000, "read": 40_000, "output": 1000})
    assert short == Decimal("0.0069")
    long = PRICES.cost("claude-haiku-5-5", DAY, {"input": 60_001, "read": 40_000, "output": 1000})
    assert long == Decimal("0.0345005"), "cached tokens count towards the length, and all of it costs more"


@given(TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, st.sampled_from(["claude-opus-5-5", "claude-fable-5-1"]), st.booleans())
def test_prices_are_exact_sums(a: int, b: int, c: int, d: int, e: int, model: str, batch: bool) -> None:
    usage = dict(zip(KINDS, (a, b, c, d, e), strict=True))
    row = PRICES.price(model, DAY)
    exact = sum((Fraction(row.rate(kind)) * n for kind, n in usage.items()), Fraction(0)) / 10**6
    assert Fraction(PRICES.cost(model, DAY, usage, batch)) == exact * (Fraction(1, 2) if batch else 1)
    one_by_one = sum((PRICES.cost(model, DAY, {kind: n}) for kind, n in usage.items()), Decimal(0))
    assert one_by_one == PRICES.cost(model, DAY, usage)


@given(st.integers(0, 400_000), st.integers(0, 400_000), st.integers(0, 64_000), st.data())
def test_the_worst_price_bounds_every_way_a_call_can_go(new: int, old: int, most: int, data: st.DataObject) -> None:
    read = data.draw(st.integers(0, old))
    usage = {"input": new, "read": read, "write_5m": old - read, "output": data.draw(st.integers(0, most))}
    for model in ("claude-sonnet-5-5", "claude-haiku-5-5"):
        assert PRICES.cost(model, DAY, usage) <= PRICES.worst(model, DAY, new + old, most, "5m")


def test_an_unknown_model_has_no_price() -> None:
    with pytest.raises(CannotRun, match="did you mean 'claude-sonnet-5-5'") as error:
        PRICES.price("claude-sonet-5-5", DAY)
    assert "[[tool.forge.prices]]" in str(error.value) and 'model = "claude-sonet-5-5"' in str(error.value)
    with pytest.raises(CannotRun, match="models with a price are"):
        PRICES.price("zzz", DAY)


def test_a_kind_without_a_price_is_an_error_only_when_it_is_needed() -> None:
    assert PRICES.cost("claude-fable-5-2", DAY, {"input": 1000, "write_1h": 0}) == Decimal("0.008")
    with pytest.raises(CannotRun, match="no write_1h price is known for claude-fable-5-2"):
        PRICES.cost("claude-fable-5-2", DAY, {"write_1h": 1})
    with pytest.raises(CannotRun, match="write_1h"):
        PRICES.worst("claude-fable-5-2", DAY, 1000, 1000, "1h")


def test_prices_hold_from_their_day_on() -> None:
    rows = [{**OWN, "input": 3.0}, {**OWN, "from": date(2026, 6, 1), "input": 2.0}]
    prices = load_prices(rows)
    assert prices.price("own-model", date(2026, 5, 31)).input == 3
    assert prices.price("own-model", date(2026, 6, 1)).input == 2
    with pytest.raises(CannotRun, match="known from 2026-01-01 on, and this is 2025-12-31"):
        prices.price("own-model", date(2025, 12, 31))


def test_rows_of_the_project_replace_those_of_the_table() -> None:
    prices = load_prices([{**OWN, "model": "claude-haiku-5-5"}])
    assert prices.price("claude-haiku-5-5", DAY, 200_000).input == Decimal("1.5")
    assert prices.cost("claude-haiku-5-5", DAY, {"output": 1_000_000}) == Decimal("0.1"), "0.1 is not 0.1000…05"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"inptu": 1}, r"number 1 has no key inptu; did you mean 'input'"),
        ({"input": "2.00"}, r"input = '2.00': expected a number"),
        ({"input": -1}, r"input = -1: expected a number >= 0"),
        ({"output": float("nan")}, r"output = nan: expected a number"),
        ({"batch": 50}, r"batch = 50: expected a number from 0 to 1"),
        ({"from": "2026-01-01"}, r"from = '2026-01-01': expected a day"),
        ({"over": -5}, r"over = -5: expected a number of tokens"),
        ({"source": ""}, r"source = '': expected words"),
        ({"model": None}, r"model = None: expected words"),
    ],
)
def test_a_wrong_row_is_named(change: dict[str, object], why: str) -> None:
    with pytest.raises(CannotRun, match=why):
        load_prices([{**OWN, **change}])


def test_what_a_row_lacks_is_named() -> None:
    for key in ("model", "from", "input", "output", "source"):
        row = {name: value for name, value in OWN.items() if name != key}
        with pytest.raises(CannotRun, match=f"number 1 lacks {key}\n  fix: give its price"):
            load_prices([row])
    with pytest.raises(CannotRun, match="is 3: expected a table"):
        read_price(3, "here")


def test_usage_by_kind() -> None:
    raw = {
        "input_tokens": 7, "output_tokens": 5, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 11,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens_details": {"thinking_tokens": 3}, "service_tier": "standard",
    }  # fmt: skip
    assert usage_of(raw) == {"input": 7, "output": 5, "write_5m": 10, "write_1h": 20, "read": 11, "thinking": 3}
    assert usage_of({"cache_creation_input_tokens": 9}, "1h") == {"write_1h": 9}
    assert usage_of({"cache_creation_input_tokens": 9}, "5m") == {"write_5m": 9}
    assert usage_of({"input_tokens": -4, "output_tokens": "many", "cache_creation": None}) == {}


def test_every_row_of_the_table_says_where_it_is_from() -> None:
    assert len(PRICES.rows) >= 6 and MILLION == 10**6
    assert all(row.source and row.input and row.output and row.batch == Decimal("0.5") for row in PRICES.rows)
