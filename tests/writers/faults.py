"""The fault table: each fault provoked at a local server that speaks the Messages API, and what came of it.

    python -m tests.writers.faults        writes docs/faults.md
    python -m tests.writers.faults -      prints it

A row says what the person is told (or that the text was written), how many requests were sent, what was paid for
answers that arrived, and what broken answers may be billed beside. Dollars are at Sonnet 5.5's price.
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from experiments.kit.errors import CannotRun
from pipeline.drafts import Written
from pipeline.prompt import Prompt
from pipeline.writers.conversation import Call, ContextOverflow, Writing
from pipeline.writers.endpoint import Patience
from pipeline.writers.purse import Purse
from tests.writers.helpers import MODEL, OTHER, QUICK, Desk, calls, endpoint, spent
from tests.writers.messages_server import Reply, Server, serve, stream_bytes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
USED = {"input_tokens": 1000, "output_tokens": 50}
GOOD = Reply("A whole answer of some length, with more than one piece.", usage=USED)
HALF = len(stream_bytes(GOOD)) * 2 // 3
NO_MODEL = {"type": "refusal", "category": "frontier_llm", "explanation": None}


@dataclass(frozen=True)
class Fault:
    """A fault: what the server does, request by request, and how the model is asked."""

    name: str
    replies: tuple[Reply, ...]
    models: tuple[str, ...] = (MODEL,)
    patience: Patience = QUICK
    limit: Decimal | None = None
    trims: bool = False
    at: str = ""  # an address instead of the server's


@dataclass
class Outcome:
    """What came of it: the text or the message, requests sent, USD paid, USD possibly billed, reports."""

    text: str = ""
    error: str = ""
    sent: int = 0
    paid: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    told: list[str] = field(default_factory=list)


def status(code: int, kind: str, message: str = "", **headers: str) -> Reply:
    """An HTTP error."""
    return Reply(status=code, error=kind, message=message, headers={k.replace("_", "-"): v for k, v in headers.items()})


NEVER = Patience(deadline=1.5, idle=0.3, connect=0.5, pause=0.01, attempts=3)
TOO_LONG = status(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
OVERLOADED = status(529, "overloaded_error", "Overloaded")
FAULTS = (
    Fault("408 request timeout, once", (status(408, "timeout_error"), GOOD)),
    Fault("409 conflict, once", (status(409, "conflict_error"), GOOD)),
    Fault("429 rate limit, `retry-after: 0.05`", (status(429, "rate_limit_error", retry_after="0.05"), GOOD)),
    Fault("429, `retry-after: 3600`", (status(429, "rate_limit_error", retry_after="3600"), GOOD)),
    Fault("429, `retry-after` of a hundred years", (status(429, "rate_limit_error", retry_after="3153600000"), GOOD)),
    Fault("429, `retry-after: -5`", (status(429, "rate_limit_error", retry_after="-5"), GOOD)),
    Fault("429, `retry-after: soon`", (status(429, "rate_limit_error", retry_after="soon"), GOOD)),
    Fault("429, `retry-after: Wed, 21 Oct 2015 07:28:00 GMT`",
          (status(429, "rate_limit_error", retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), GOOD)),
    Fault("500, 502, 503 and 504 in a row",
          (*(status(code, "api_error") for code in (500, 502, 503, 504)), GOOD)),
    Fault("529 overloaded, three times", (OVERLOADED, OVERLOADED, OVERLOADED, GOOD)),
    Fault("529 overloaded, without end", (OVERLOADED,) * 9),
    Fault("502 with a page of HTML", (Reply(status=502, raw=b"<html>Oh</html>", content_type="text/html"), GOOD)),
    Fault("`overloaded_error` in the stream (status 200)", (replace(GOOD, error_after="overloaded_error"), GOOD)),
    Fault("`api_error` in the stream", (replace(GOOD, error_after="api_error"), GOOD)),
    Fault("`rate_limit_error` in the stream", (replace(GOOD, error_after="rate_limit_error"), GOOD)),
    Fault("`invalid_request_error` in the stream", (replace(GOOD, error_after="invalid_request_error"), GOOD)),
    Fault("nothing listens", (), at="http://127.0.0.1:9", patience=replace(NEVER, connect=0.3)),
    Fault("connection dropped before the headers", (Reply(drop=True), GOOD)),
    Fault("cut after the first piece of text", (replace(GOOD, cut=True), GOOD)),
    Fault("cut in the middle of an event", (replace(GOOD, cut_at=HALF), GOOD)),
    Fault("cut before the first event", (replace(GOOD, cut_at=0), GOOD)),
    Fault("cut without end", (replace(GOOD, cut=True),) * 9, patience=replace(QUICK, attempts=3)),
    Fault("silence before the headers", (replace(GOOD, hold=0.6), GOOD), patience=replace(QUICK, idle=0.3)),
    Fault("silence in the middle", (replace(GOOD, stall=0.6), GOOD), patience=replace(QUICK, idle=0.3)),
    Fault("pings for ever", (replace(GOOD, pings=200, pace=0.02),), patience=replace(QUICK, deadline=1.0)),
    Fault("a page of HTML with status 200", (Reply(raw=b"<html>Log in</html>", content_type="text/html"), GOOD)),
    Fault("events that are no JSON", (Reply(raw=b"event: message_start\ndata: {oops\n\n"), GOOD)),
    Fault("events that are no objects", (Reply(raw=b"event: message_start\ndata: [1]\n\n"), GOOD)),
    Fault("bytes that are no UTF-8", (Reply(raw=b"event: message_start\ndata: \xff\xfe\n\n"), GOOD)),
    Fault("an empty body", (Reply(raw=b""), GOOD)),
    Fault("an answer without a word", (replace(GOOD, text=""), GOOD)),
    Fault("no stop reason", (replace(GOOD, stop_reason=None), GOOD)),
    Fault("`max_tokens`: continued", (replace(GOOD, stop_reason="max_tokens"), GOOD)),
    Fault("`max_tokens` without end", (replace(GOOD, stop_reason="max_tokens"),) * 9),
    Fault("`max_tokens` used up by thinking", (replace(GOOD, text="", thinking="Hm.", stop_reason="max_tokens"), GOOD)),
    Fault("`pause_turn`", (replace(GOOD, stop_reason="pause_turn"), GOOD)),
    Fault("`stop_sequence`", (replace(GOOD, stop_reason="stop_sequence"),)),
    Fault("`tool_use`", (replace(GOOD, stop_reason="tool_use"),)),
    Fault("a stop reason of the future", (replace(GOOD, stop_reason="tired"),)),
    Fault("`model_context_window_exceeded`", (replace(GOOD, stop_reason="model_context_window_exceeded"),)),
    Fault("refusal (`frontier_llm`), no fallback", (replace(GOOD, text="", stop_reason="refusal", details=NO_MODEL),)),
    Fault("refusal, a fallback model writes",
          (replace(GOOD, text="", stop_reason="refusal", details=NO_MODEL), GOOD), models=(MODEL, OTHER)),
    Fault("refusal by all models",
          (replace(GOOD, text="", stop_reason="refusal", details=NO_MODEL),) * 2, models=(MODEL, OTHER)),
    Fault("400 prompt is too long",
          (TOO_LONG,)),
    Fault("400 prompt is too long, the writer trims",
          (TOO_LONG, GOOD), trims=True),
    Fault("400 something else", (status(400, "invalid_request_error", "max_tokens: too large"),)),
    Fault("400 no credit", (status(400, "invalid_request_error", "Your credit balance is too low"),)),
    Fault("401", (status(401, "authentication_error", "invalid x-api-key"),)),
    Fault("402", (status(402, "billing_error", "payment required"),)),
    Fault("403", (status(403, "permission_error", "not allowed"),)),
    Fault("404", (status(404, "not_found_error", "model: claude-none"),)),
    Fault("413", (status(413, "request_too_large", "too large"),)),
    Fault("the budget is too small", (GOOD,), limit=Decimal("0.0001")),
    Fault("the budget is used up by broken answers", (replace(GOOD, cut=True),) * 9, limit=Decimal("0.01")),
)  # fmt: skip


def trimming() -> Writing:
    """A writing that asks with less when its call does not fit."""
    for prompt in ("everything", "half of it"):
        try:
            answer = yield Call(f"the draft: {prompt}", Prompt("The rules.", prompt), 200)
        except ContextOverflow:
            continue
        return Written({}, answer.text, "the prompt", "anthropic")
    raise AssertionError("asked with less, and that did not fit either")


def provoke(fault: Fault, server: Server, root: Path) -> Outcome:
    """Let a fault happen and see what comes of it."""
    desk = Desk(root, server)
    server.queue = list(fault.replies)
    outcome = Outcome()
    asked = endpoint(server, fault.models, fault.patience)
    if fault.at:
        asked = replace(asked, client=asked.client.with_options(base_url=fault.at))
    try:
        written = desk.run(trimming() if fault.trims else calls("a section"), Purse(fault.limit), asked)
        outcome.text = written.body
    except CannotRun as error:
        outcome.error = str(error)
    outcome.sent = len(server.seen)
    outcome.paid = spent(desk.lines, lambda line: line.outcome == "paid")
    outcome.lost = spent(desk.lines, lambda line: line.outcome == "lost")
    outcome.told = desk.told
    return outcome


def table() -> str:
    """The page."""
    rows = []
    for fault in FAULTS:
        with serve() as server, tempfile.TemporaryDirectory() as folder:
            outcome = provoke(fault, server, Path(folder))
            what = _cell(outcome, server.url)
            rows.append(f"| {fault.name} | {what} | {outcome.sent} | {_usd(outcome.paid)} | {_usd(outcome.lost)} |")
    return HEAD + "\n".join(rows) + "\n"


def _cell(outcome: Outcome, url: str) -> str:
    if outcome.text:
        told = [line for line in outcome.told if "asking" in line or "asked again" in line]
        return "written" + (f"; told: {_plain(told[-1])}" if told else "")
    return "**stopped:** " + _plain(outcome.error.replace(url, "SERVER"))


def _plain(text: str) -> str:
    """One line of a table, without what differs from one machine to the next."""
    text = re.sub(r"\[Errno [^]]*\] ", "", " ".join(text.split()))
    return text.replace("|", "\\|").replace(" fix: ", "<br>fix: ")


def _usd(amount: Decimal) -> str:
    return f"{amount:.5f}" if amount else "0"


HEAD = """# Faults

What happens when the Messages API fails, as `python -m tests.writers.faults` sees it: each fault is provoked at a local
server that speaks the real protocol, and the real client, retry policy, call log and cost record deal with it. The
first request is for one part of a draft (1,000 tokens asked, 50 answered, at the price of Sonnet 5.5); a whole answer
costs 0.00250 USD. "Sent" counts requests, "paid" is what answers that arrived cost, "possibly billed" what an answer
had been counted at when it broke off. A test keeps this page and the code the same.

| fault | what came of it | sent | paid, USD | possibly billed, USD |
| --- | --- | ---: | ---: | ---: |
"""


def main() -> None:
    """Write the page, or print it with `-`."""
    page = table()
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(page)
    else:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
