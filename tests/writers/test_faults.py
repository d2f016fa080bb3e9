"""What errors mean: which pass, how long to wait, what fits no context."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.writers.conversation import ContextOverflow
from pipeline.writers.faults import DAY, Rejected, fatal, overflow, read_error, retry_after

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "4294967"}, None),
        ({"retry-after": "١٢"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1.2.3"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, None),
        ({"retry-after": "Fri, 21 Nov 2126 12:00:00 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": "Sat, 21 Nov 2026 12:00:20 GMT"}, 10.0),
        ({"retry-after": "Sat, 21 Nov 2026 25:99:99 GMT"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text(max_size=40), st.one_of(st.none(), st.text(max_size=40)))
def test_no_header_breaks_it_and_no_wait_is_absurd(text: str, date: str | None) -> None:
    headers = {"retry-after": text} | ({"date": date} if date is not None else {})
    seconds = retry_after(headers, NOW)
    assert seconds is None or 0 <= seconds <= DAY


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_read_as_they_are_or_not_believed(number: float) -> None:
    seconds = retry_after({"retry-after": repr(number)}, NOW)
    assert seconds == (number if 0 <= number <= DAY else None)


@given(st.integers(-(10**6), 10**6))
def test_dates_are_differences(offset: int) -> None:
    text = format_datetime(NOW + timedelta(seconds=offset), usegmt=True)
    assert retry_after({"retry-after": text}, NOW) == (offset if 0 <= offset <= DAY else None)


@pytest.mark.parametrize(
    ("status", "passes"),
    [(400, False), (401, False), (402, False), (403, False), (404, False), (405, False), (408, True), (409, True),
     (413, False), (422, False), (429, True), (500, True), (502, True), (503, True), (504, True), (529, True),
     (599, True)],
)  # fmt: skip
def test_what_passes(status: int, passes: bool) -> None:
    assert read_error(status, {"error": {"type": "x", "message": "y"}}).passes is passes


@pytest.mark.parametrize(
    ("kind", "passes"),
    [("overloaded_error", True), ("api_error", True), ("rate_limit_error", True), ("timeout_error", True),
     ("invalid_request_error", False), ("authentication_error", False), ("permission_error", False),
     ("new_error", True)],
)  # fmt: skip
def test_an_error_in_a_stream_is_told_by_its_type(kind: str, passes: bool) -> None:
    assert read_error(200, {"type": "error", "error": {"type": kind, "message": "m"}}).passes is passes


@pytest.mark.parametrize(
    ("body", "tokens", "limit"),
    [
        ({"message": "prompt is too long: 210,000 tokens > 200,000 maximum"}, 210_000, 200_000),
        ({"message": "prompt is too long"}, None, None),
        ({"message": "input length and `max_tokens` exceed context limit: 190000 + 16000 > 200000, decrease"},
         206_000, 200_000),
        ({"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192,
          "message": "the request exceeds the available context size, try increasing it"}, 9000, 8192),
        ({"type": "exceed_context_size_error",
          "message": "request (9001 tokens) exceeds the available context size (8192 tokens), try increasing it"},
         9001, 8192),
        ({"type": "exceed_context_size_error", "message": "no words we know"}, None, None),
    ],
)  # fmt: skip
def test_a_context_that_is_too_small_is_told_with_its_numbers(
    body: dict[str, object], tokens: int | None, limit: int | None
) -> None:
    error = read_error(400, {"error": body})
    found = overflow(error)
    assert found is not None and (found.tokens, found.limit) == (tokens, limit)
    raised = fatal(error, "a-model", "the draft")
    assert isinstance(raised, ContextOverflow) and (raised.tokens, raised.limit) == (tokens, limit)
    assert str(raised).startswith("the draft: the request does not fit") and "fix:" in str(raised)


def test_other_errors_are_no_overflow() -> None:
    assert overflow(read_error(400, {"error": {"message": "max_tokens: must be positive"}})) is None
    assert overflow(read_error(500, {"error": {"message": "prompt is too long: 3 tokens > 2 maximum"}})) is None


@pytest.mark.parametrize(
    "body", [None, "", "<html>", [], 3, {"error": None}, {"error": "x"}, {"error": {"message": 7}}]
)
def test_any_body_is_read(body: object) -> None:
    error = read_error(404, body)
    assert (error.status, error.passes) == (404, False)
    raised = fatal(error, "claude-x", "the draft")
    assert isinstance(raised, Rejected) and "anthropic_model = 'claude-x'" in str(raised)
