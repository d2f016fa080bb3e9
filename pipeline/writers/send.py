"""One request to a model, sent until it is answered, refused for good, or the time for it is up.

The SDK's retries are off: it obeys any `retry-after` and sees no error inside a stream. Here an attempt follows another
after a growing, jittered wait, within `Patience`. Every complete message is handed to `paid` before anything else
happens to it; what a broken stream had reported is handed to `lost`.
"""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from experiments.kit.errors import CannotRun
from pipeline.writers.endpoint import Endpoint, Fields
from pipeline.writers.faults import Fault, fatal, from_status, read_error

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
Report = Callable[[str], None]
KEPT = "what arrived is kept; run the same command again to go on from here"
PROGRESS_WORDS = 200
COUNTED = ("model", "messages", "system", "thinking", "output_config")  # what count_tokens takes of a request


@dataclass
class Message:
    """A message as it arrives. `usage` is the service's own table, `category` and `why` are of a refusal."""

    id: str = ""
    model: str = ""
    text: str = ""
    stop_reason: str = ""
    category: str = ""
    why: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    request_id: str = ""

    @property
    def empty(self) -> bool:
        """Whether it ended by itself with no word said: an answer that is none."""
        return self.stop_reason in ("end_turn", "stop_sequence") and not self.text.strip()


def message_of(raw: Any) -> Message:
    """A whole message, as a batch brings it. Raises Fault where it is none."""
    if not isinstance(raw, dict) or not isinstance(raw.get("content"), list):
        raise Fault("a message without content")
    message = Message(usage=dict(_object(raw, "usage")))
    _take({"type": "message_start", "message": raw}, message)
    message.text = "".join(_text(b) for b in raw["content"] if isinstance(b, dict) and b.get("type") == "text")
    _take({"type": "message_delta", "delta": raw}, message)
    return message


@contextlib.contextmanager
def legible() -> Iterator[None]:
    """What is read inside comes from a server: where it makes no sense, that is a Fault and no error of ours."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Fault(f"an answer that cannot be read ({error!r:.120})") from None


def send(
    endpoint: Endpoint,
    request: Fields,
    what: str,
    report: Report,
    *,
    before: Callable[[], None] = lambda: None,
    paid: Callable[[Message], None] = lambda message: None,
    lost: Callable[[Mapping[str, Any]], None] = lambda usage: None,
) -> Message:
    """The answer to a request. `before` runs ahead of each attempt and may stop it by raising (a budget).

    Raises CannotRun, among them ContextOverflow, with what happened and the fix.
    """

    def once(left: float) -> Message:
        before()
        message = Message()
        try:
            _stream(endpoint, request, left, message, lambda words: report(f"{what}: {words} words so far"))
        except BaseException:  # an interrupt too: the tokens so far may be billed
            if message.usage:
                lost(message.usage)
            raise
        paid(message)
        if message.empty:
            raise Fault("an empty answer")
        return message

    return persist(endpoint, once, request["model"], what, report)


def count_tokens(endpoint: Endpoint, request: Fields, what: str, report: Report) -> int:
    """Tokens of a request's prompt, counted by the server, which costs nothing."""
    fields = {name: request[name] for name in COUNTED if name in request}

    def once(left: float) -> int:
        with legible():
            counted = endpoint.client.messages.count_tokens(**fields, timeout=timeout_of(endpoint, left)).input_tokens
        if not isinstance(counted, int) or counted < 0:
            raise Fault(f"a token count of {counted!r}")
        return counted

    return persist(endpoint, once, request["model"], f"{what}: counting tokens", report)


def persist(endpoint: Endpoint, once: Callable[[float], T], model: str, what: str, report: Report) -> T:
    """Call `once(seconds left)` until it returns, within the endpoint's patience. Raises CannotRun."""
    import anthropic
    import httpx2

    patience = endpoint.patience
    until = time.monotonic() + patience.deadline
    happened: list[str] = []
    while True:
        after: float | None = None
        try:
            return once(max(0.1, until - time.monotonic()))
        except Fault as fault:
            if fault.error is not None and not fault.error.passes:
                raise fatal(fault.error, model, what) from None
            why = str(fault)
        except anthropic.APIStatusError as error:
            said, after = from_status(error)
            if not said.passes:
                raise fatal(said, model, what) from None
            why = str(said)
        except anthropic.APITimeoutError:
            why = "no answer in time"
        except anthropic.APIConnectionError as error:
            why = f"no connection to {endpoint.client.base_url} ({error.__cause__ or error})"
        except httpx2.TimeoutException:
            why = f"silence for {endpoint.patience.idle:g} s in the middle of an answer"
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            why = f"the connection broke ({error})"
        except anthropic.AnthropicError as error:
            why = f"an answer that cannot be read ({str(error)[:120]})"
        happened.append(why)
        left = until - time.monotonic()
        wait = _wait(patience.pause, len(happened)) if after is None else max(after, patience.pause)
        if len(happened) >= patience.attempts or wait >= left:
            raise CannotRun(_gave_up(what, happened, patience.deadline, after, left)) from None
        report(f"{what}: {why}; attempt {len(happened) + 1} of {patience.attempts} in {wait:.0f} s")
        time.sleep(wait)


def _wait(pause: float, failed: int) -> float:
    """Doubling from `pause`, at most 60 times that, and somewhere in its upper half, so that callers spread."""
    return min(pause * 2.0 ** (failed - 1), 60 * pause) * random.uniform(0.5, 1.0)


def _gave_up(what: str, happened: list[str], deadline: float, after: float | None, left: float) -> str:
    told = list(dict.fromkeys(happened))
    times = "once" if len(happened) == 1 else f"{len(happened)} times"
    text = f"{what}: it failed {times}: {'; '.join(told)}"
    if after is not None and after >= left:
        text += f"\n  the server asks to wait {after:.0f} s, beyond deadline_seconds = {deadline:g}"
    return f"{text}\n  fix: {KEPT}"


def timeout_of(endpoint: Endpoint, left: float) -> httpx2.Timeout:
    """The endpoint's patience for one attempt, with `left` seconds to go."""
    import httpx2

    patience = endpoint.patience
    return httpx2.Timeout(min(patience.idle, left), connect=min(patience.connect, left))


def _stream(
    endpoint: Endpoint, request: Fields, left: float, message: Message, progress: Callable[[int], None]
) -> None:
    """Fill `message` from the stream of one attempt. Raises Fault where it ends early or makes no sense.

    The stop reason comes after the last word, with the final usage: what breaks behind it takes nothing away.
    """
    import httpx2

    until = time.monotonic() + left
    words = shown = 0
    with endpoint.client.messages.with_streaming_response.create(
        **request, stream=True, timeout=timeout_of(endpoint, left)
    ) as response:
        message.request_id = response.headers.get("request-id", "")
        events = _events(response.http_response, until)
        while True:
            try:
                with legible():
                    ended = (event := next(events, None)) is None or _take(event, message)
            except (Fault, httpx2.HTTPError, httpx2.StreamError):
                if message.stop_reason:
                    return
                raise
            if ended:
                break
            words = message.text.count(" ")
            if words - shown >= PROGRESS_WORDS:
                shown = words
                progress(words)
    if not message.stop_reason:
        if event is not None:
            raise Fault("an answer without a stop reason")
        raise Fault("the answer was cut off" + ("" if message.usage else " before it began"))


@dataclass(frozen=True)
class _Watched:
    """A response's bytes with an eye on the clock, so that pings cannot outlast the deadline."""

    response: httpx2.Response
    until: float

    def iter_bytes(self) -> Iterator[bytes]:
        for piece in self.response.iter_bytes():
            if time.monotonic() > self.until:
                raise Fault("the answer took longer than deadline_seconds")
            yield piece


def _events(response: httpx2.Response, until: float) -> Iterator[dict[str, Any]]:
    """The stream's events as JSON objects."""
    from anthropic import Stream

    kind = response.headers.get("content-type", "")
    if not kind.startswith("text/event-stream"):
        raise Fault(f"an answer of type {kind or 'unknown'!r} instead of a stream")
    events = Stream.raw_events(cast("httpx2.Response", _Watched(response, until)))
    while True:
        with legible():
            sse = next(events, None)
            event = json.loads(sse.data) if sse is not None and sse.data else None
        if sse is None:
            return
        if event is None:
            continue
        if not isinstance(event, dict):
            raise Fault(f"an event that is no object: {sse.data[:60]}")
        yield event


def _take(event: dict[str, Any], message: Message) -> bool:
    """Add an event to the message; whether it was the last. Raises Fault on an error or nonsense."""
    match event.get("type"):
        case "message_start":
            started = _object(event, "message")
            message.id, message.model = str(started.get("id", "")), str(started.get("model", ""))
            message.usage.update(_object(started, "usage"))
        case "content_block_start":
            block = _object(event, "content_block")
            if block.get("type") == "text":
                message.text += _text(block)
        case "content_block_delta":
            delta = _object(event, "delta")
            if delta.get("type") == "text_delta":
                message.text += _text(delta)
        case "message_delta":
            delta = _object(event, "delta")
            message.stop_reason = str(delta.get("stop_reason") or "")
            details = delta.get("stop_details")
            if isinstance(details, dict):
                message.category, message.why = (
                    str(details.get("category") or ""),
                    str(details.get("explanation") or ""),
                )
            usage = event.get("usage")  # totals so far: they replace, and what is left out stays
            message.usage.update({k: v for k, v in usage.items() if v is not None} if isinstance(usage, dict) else {})
        case "message_stop":
            return True
        case "error":
            raise _stated(event)
        case None if "error" in event:  # llama.cpp sends the error bare
            raise _stated(event)
        case _:
            pass  # a ping, the end of a block, or an event of a later version
    return False


def _stated(event: dict[str, Any]) -> Fault:
    error = read_error(200, event)
    return Fault(f"an error in the middle of an answer: {error}", error)


def _object(event: dict[str, Any], name: str) -> dict[str, Any]:
    value = event.get(name)
    if not isinstance(value, dict):
        raise Fault(f"an event whose {name} is {value!r}")
    return value


def _text(block: dict[str, Any]) -> str:
    value = block.get("text", "")
    if not isinstance(value, str):
        raise Fault(f"text that is {value!r}")
    return value
