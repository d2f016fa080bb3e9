"""What an error of the Messages API means: try again (and when), trim the request, or stop with words and a fix.

The service's own kinds are told by `error.type` before the status, because an error inside a stream arrives with
status 200. The wording of a message is only read to find the numbers of a context that is too small.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from experiments.kit.errors import CannotRun
from pipeline.writers.conversation import ContextOverflow

if TYPE_CHECKING:
    from anthropic import APIStatusError

DAY = 86_400.0  # a longer wait is nobody's honest answer
STATUS_OF_TYPE = {
    "invalid_request_error": 400, "exceed_context_size_error": 400, "authentication_error": 401, "billing_error": 402,
    "permission_error": 403, "not_found_error": 404, "timeout_error": 504, "conflict_error": 409,
    "request_too_large": 413, "rate_limit_error": 429, "api_error": 500, "overloaded_error": 529,
}  # fmt: skip
OVERFLOW_TYPE = "exceed_context_size_error"  # llama.cpp's
NUMBER = r"([\d,]+)"
# Of the servers we know: what their message says, as (tokens, limit) or (tokens, more tokens, limit).
OVERFLOWS = (
    re.compile(rf"prompt is too long(?:: {NUMBER} tokens > {NUMBER})?", re.I),  # Anthropic
    re.compile(
        rf"exceeds? (?:the )?context limit: {NUMBER} \+ {NUMBER} > {NUMBER}", re.I
    ),  # Anthropic, with max_tokens
    re.compile(rf"(?:\({NUMBER} tokens\) )?exceeds the available context size(?: \({NUMBER})?", re.I),  # llama.cpp
)


@dataclass(frozen=True)
class ServerError:
    """An error as a server states it."""

    status: int
    kind: str
    message: str
    body: Mapping[str, Any]

    @property
    def passes(self) -> bool:
        """Whether trying again can help."""
        return self.status in (408, 409, 429) or self.status >= 500

    def __str__(self) -> str:
        kind = f" {self.kind}" if self.kind else ""
        return f"{self.status}{kind}: {self.message}"


class Rejected(CannotRun):
    """The server will not do it, and has not: no key, no such model, a request it refuses."""


class Fault(Exception):
    """An answer that did not arrive, or cannot be read. With `error`, what the server stated inside a stream."""

    def __init__(self, why: str, error: ServerError | None = None) -> None:
        super().__init__(why)
        self.error = error


def read_error(status: int, body: Any) -> ServerError:
    """An error from a response's status and body (parsed JSON or text), or from an event inside a stream (200)."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            body = {"message": body}
    outer = body if isinstance(body, Mapping) else {}
    inner = outer.get("error", outer)
    inner = inner if isinstance(inner, Mapping) else {"message": str(inner)}
    kind = str(inner.get("type") or "")
    message = " ".join(str(inner.get("message") or "no reason given").split())[:300]
    if status < 400:
        status = STATUS_OF_TYPE.get(kind, 500)
    return ServerError(status, kind, message, inner)


def overflow(error: ServerError) -> ContextOverflow | None:
    """The error as a prompt that does not fit the model's context, with the numbers where the server gives them."""
    if error.status != 400:
        return None
    for pattern in OVERFLOWS:
        match = pattern.search(error.message)
        if match:
            *counted, limit = [int(text.replace(",", "")) if text else None for text in match.groups()]
            tokens = sum(filter(None, counted)) or None
            break
    else:
        if error.kind != OVERFLOW_TYPE:
            return None
        tokens = limit = None
    tokens = _whole(error.body.get("n_prompt_tokens")) or tokens
    limit = _whole(error.body.get("n_ctx")) or limit
    of = f" ({tokens} tokens, room for {limit})" if tokens and limit else ""
    return ContextOverflow(
        f"the request does not fit the model's context{of}\n  fix: shorten the notes or the outline, "
        "or take a model with a longer context", tokens, limit,
    )  # fmt: skip


def fatal(error: ServerError, model: str, what: str) -> CannotRun:
    """An error that stays, in words and with what to do."""
    too_big = overflow(error)
    if too_big is not None:
        return ContextOverflow(f"{what}: {too_big}", too_big.tokens, too_big.limit)
    said = f"the server says: {error.message}"
    match error.status:
        case 401:
            words, fix = f"the key is not accepted ({said})", "check ANTHROPIC_API_KEY"
        case 402:
            words, fix = f"the account cannot pay ({said})", "see the billing page of your Anthropic account"
        case 403:
            words = f"the key may not do this ({said})"
            fix = f"use a key whose workspace may use {model}, or set another anthropic_model under [tool.forge]"
        case 404:
            words = f"there is no such model or address ({said})"
            fix = f"check anthropic_model = {model!r} under [tool.forge], and ANTHROPIC_BASE_URL where it is set"
        case 413:
            words, fix = f"the request is too large ({said})", "shorten the notes or the outline"
        case 400 if "credit" in error.message.lower():
            words, fix = f"the account has no credit left ({said})", "add credit to your Anthropic account"
        case _:
            words = f"the server refuses the request ({error.status}; {said})"
            fix = "check anthropic_model, anthropic_effort and thinking under [tool.forge], or use --writer offline"
    return Rejected(f"{what}: {words}\n  fix: {fix}")


def from_status(error: APIStatusError) -> tuple[ServerError, float | None]:
    """The SDK's error as ours, and how long the server asks to wait."""
    body = error.body if error.body is not None else error.message
    return read_error(error.status_code, body), retry_after(error.response.headers)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds a response asks to wait; None where it asks nothing sensible.

    Takes `retry-after-ms`, seconds and HTTP dates (against the response's own Date). What is negative, no number, or
    longer than a day is not believed.
    """
    try:
        if "retry-after-ms" in headers:
            return _sensible(float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after", "").strip()
        if re.fullmatch(r"[+-]?[\d.]+(?:e[+-]?\d+)?", text, re.IGNORECASE | re.ASCII):
            return _sensible(float(text))
        if not text:
            return None
        date = headers.get("date")
        began = parsedate_to_datetime(date) if date else (now or datetime.now(UTC))
        until = parsedate_to_datetime(text)
        return _sensible((_aware(until) - _aware(began)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _sensible(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and 0 <= seconds <= DAY else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
