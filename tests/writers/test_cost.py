"""The cost report adds up the record: by week, post and model, live and in batches, with what may be billed beside."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.writers.calls import Line
from pipeline.writers.cost import by_week_post_model, total
from pipeline.writers.prices import KINDS

LINES = st.lists(
    st.builds(
        Line,
        id=st.uuids().map(str),
        when=st.just("2026-11-21T10:00:00+00:00"),
        week=st.integers(1, 12),
        post=st.sampled_from(["a-post", "b-post"]),
        edition=st.sampled_from(["scientist", "manager"]),
        what=st.just("x"),
        writer=st.just("anthropic"),
        model=st.sampled_from(["m1", "m2"]),
        how=st.sampled_from(["live", "batch"]),
        outcome=st.sampled_from(["paid", "lost"]),
        stop_reason=st.just("end_turn"),
        max_tokens=st.just(100),
        usage=st.dictionaries(st.sampled_from(KINDS), st.integers(0, 10**6)),
        usd=st.one_of(st.none(), st.decimals(0, 100, places=6).map(str)),
        prompt_version=st.just("v"),
    ),
    max_size=30,
)


@given(LINES)
def test_the_rows_add_up_to_the_total_and_nothing_is_lost(lines: list[Line]) -> None:
    rows, whole = by_week_post_model(lines), total(lines)
    assert list(rows) == sorted({(line.week, line.post, line.model) for line in lines})
    assert sum(row.calls + row.lost_calls for row in rows.values()) == len(lines)
    paid = [line for line in lines if line.outcome == "paid"]
    assert whole.usd == sum((row.usd for row in rows.values()), Decimal(0))
    assert whole.usd == sum((Decimal(line.usd) for line in paid if line.usd is not None), Decimal(0))
    assert whole.unpriced == sum(line.usd is None for line in paid)
    assert whole.batched == sum(line.how == "batch" for line in paid)
    assert whole.usage["output"] == sum(line.usage.get("output", 0) for line in paid)
    assert 0 <= whole.cached <= 1


def test_the_cached_share() -> None:
    line = Line("1", "w", 1, "p", "e", "x", "a", "m", "live", "paid", "end_turn", 10,
                {"input": 10, "write_5m": 30, "read": 60, "output": 500}, "0.5", "v")  # fmt: skip
    spent = total([line])
    assert spent.cached == 0.6 and spent.to_json()["usd"] == 0.5 and spent.to_json()["live"] == 1
    assert total([]).cached == 0
