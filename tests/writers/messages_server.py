"""A server that speaks the Messages API over real HTTP, for faults a real service cannot be made to have.

Each queued `Reply` answers one request: as a stream of server-sent events, or as the fault it describes; `answer`
takes over where the queue is empty. Requests for messages are kept in `seen` as parsed JSON, their headers in
`headers`. Tokens are counted as a quarter of the characters. Message Batches are there too: `end_batches` answers the
requests of all that are in progress, from the queue, in reverse order.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One answer.

    With `status` other than 200 it is an error of that kind. `cut` drops the connection after the first piece of text,
    `cut_at` after so many bytes of the body, `drop` before a byte. `error_after` sends that kind of error in the
    stream instead of its end. `stall` is seconds of silence after the first event, `hold` before the headers, `pings`
    how many pings come first, one each `pace` seconds. `raw` is a body of its own. In a batch, `result` other than
    `succeeded` is what becomes of the request.
    """

    text: str = "An answer."
    stop_reason: str | None = "end_turn"
    status: int = 200
    error: str = "api_error"
    message: str = ""
    details: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    cut_at: int | None = None
    drop: bool = False
    error_after: str = ""
    thinking: str = ""
    usage: dict[str, Any] | None = None
    stall: float = 0.0
    hold: float = 0.0
    pings: int = 0
    pace: float = 0.0
    raw: bytes | None = None
    content_type: str = "text/event-stream"
    result: str = "succeeded"


@dataclass
class Server:
    """A running server: where it listens, what is queued, what was asked."""

    url: str
    queue: list[Reply] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Reply] = lambda request: Reply()
    count_faults: list[Reply] = field(default_factory=list)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, list[Any]] = field(default_factory=dict)
    batch_faults: list[str] = field(default_factory=list)  # "drop": taken, and the answer lost; "overloaded": not taken
    end_at_once: bool = False

    def next_reply(self, request: dict[str, Any]) -> Reply:
        """The reply to a request."""
        return self.queue.pop(0) if self.queue else self.answer(request)

    def end_batches(self) -> None:
        """Answer every request of the batches in progress."""
        for name, batch in self.batches.items():
            if batch["processing_status"] == "in_progress":
                lines = [_result(one["custom_id"], self.next_reply(one["params"])) for one in batch["requests"]]
                self.results[name] = lines[::-1]
                batch["processing_status"] = "ended"

    def listed(self, name: str) -> dict[str, Any]:
        """A batch as the service shows it."""
        batch = self.batches[name]
        ended = batch["processing_status"] == "ended"
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        for line in self.results.get(name, ()):
            counts[line["result"]["type"]] = counts.get(line["result"]["type"], 0) + 1
        counts["processing"] = 0 if ended else len(batch["requests"])
        return {
            "id": name, "type": "message_batch", "processing_status": batch["processing_status"],
            "request_counts": counts, "created_at": batch["created_at"], "expires_at": "2027-01-01T00:00:00Z",
            "ended_at": None, "archived_at": None, "cancel_initiated_at": None,
            "results_url": f"{self.url}/v1/messages/batches/{name}/results" if ended else None,
        }  # fmt: skip


USAGE = {"input_tokens": 10, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def message(reply: Reply) -> dict[str, Any]:
    """A reply as a whole message, as a batch brings it."""
    content: list[dict[str, Any]] = [{"type": "thinking", "thinking": reply.thinking}] if reply.thinking else []
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "test", "stop_sequence": None,
        "content": [*content, {"type": "text", "text": reply.text}], "stop_reason": reply.stop_reason,
        "stop_details": reply.details, "usage": {**USAGE, "output_tokens": len(reply.text) // 4, **(reply.usage or {})},
    }  # fmt: skip


def _result(custom_id: str, reply: Reply) -> dict[str, Any]:
    if reply.result == "succeeded":
        result: dict[str, Any] = {"type": "succeeded", "message": message(reply)}
    elif reply.result == "errored":
        error = {"type": "error", "error": {"type": reply.error, "message": reply.message or "provoked"}}
        result = {"type": "errored", "error": error}
    else:
        result = {"type": reply.result}
    return {"custom_id": custom_id, "result": result}


def _events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    started = {**message(reply), "content": [], "stop_reason": None, "usage": {**USAGE, **(reply.usage or {})}}
    started["usage"]["output_tokens"] = 1
    yield "message_start", {"type": "message_start", "message": started}
    for _ in range(reply.pings):
        time.sleep(reply.pace)
        yield "ping", {"type": "ping"}
    time.sleep(reply.stall)
    index = 0
    if reply.thinking:
        block = {"type": "thinking", "thinking": "", "signature": ""}
        yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
        delta = {"type": "thinking_delta", "thinking": reply.thinking}
        yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": 0}
        index = 1
    block = {"type": "text", "text": ""}
    yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": block}
    for start in range(0, len(reply.text), 20):
        delta = {"type": "text_delta", "text": reply.text[start : start + 20]}
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        if reply.cut:
            return
    if reply.error_after:
        error = {"type": reply.error_after, "message": reply.message or "provoked in the stream"}
        yield "error", {"type": "error", "error": error}
        return
    yield "content_block_stop", {"type": "content_block_stop", "index": index}
    end = {"stop_reason": reply.stop_reason, "stop_sequence": None, "stop_details": reply.details}
    usage = {"output_tokens": (reply.usage or {}).get("output_tokens", len(reply.text) // 4)}
    yield "message_delta", {"type": "message_delta", "delta": end, "usage": usage}
    yield "message_stop", {"type": "message_stop"}


def stream_bytes(reply: Reply) -> bytes:
    """A reply's stream in full."""
    return b"".join(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in _events(reply))


@contextmanager
def serve() -> Iterator[Server]:
    """Run a server on a free port of this machine."""
    state = Server("")
    numbers = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            state.paths.append(f"GET {path}")
            parts = path.strip("/").split("/")[3:]
            if not parts:
                listed = [state.listed(name) for name in reversed(state.batches)]
                self.send_json(200, {"data": listed, "has_more": False, "first_id": None, "last_id": None})
            elif parts[0] not in state.batches:
                self.send_json(404, {"type": "error", "error": {"type": "not_found_error", "message": "no such batch"}})
            elif parts[1:] == ["results"]:
                body = "".join(json.dumps(line) + "\n" for line in state.results[parts[0]])
                self.send_body(200, body.encode(), "application/x-jsonl")
            else:
                self.send_json(200, state.listed(parts[0]))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.paths.append(f"POST {self.path}")
            if self.path.endswith("/count_tokens"):
                if state.count_faults:
                    self.send_fault(state.count_faults.pop(0))
                    return
                text = json.dumps([body.get("system"), body["messages"]], ensure_ascii=False)
                self.send_json(200, {"input_tokens": len(text) // 4})
            elif self.path.endswith("/batches"):
                self.take_batch(body["requests"])
            else:
                state.seen.append(body)
                state.headers.append({name.lower(): value for name, value in self.headers.items()})
                reply = state.next_reply(body)
                time.sleep(reply.hold)
                with contextlib.suppress(ConnectionError):
                    self.send_reply(reply)

        def take_batch(self, requests: list[dict[str, Any]]) -> None:
            fault = state.batch_faults.pop(0) if state.batch_faults else ""
            if fault == "overloaded":
                self.send_fault(Reply(status=529, error="overloaded_error"))
                return
            name = f"msgbatch_{next(numbers)}"
            created = f"2026-11-21T10:00:{len(state.batches):02}Z"
            state.batches[name] = {"requests": requests, "processing_status": "in_progress", "created_at": created}
            if state.end_at_once:
                state.end_batches()
            if fault == "drop":
                self.close_connection = True
                return
            self.send_json(200, state.listed(name))

        def send_reply(self, reply: Reply) -> None:
            if reply.drop:
                self.close_connection = True
                return
            if reply.status != 200:
                self.send_fault(reply)
                return
            self.send_response(200)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Connection", "close")
            self.send_header("request-id", "req_1")
            self.end_headers()
            self.close_connection = True
            if reply.raw is not None:
                self.wfile.write(reply.raw)
            elif reply.cut_at is not None:
                self.wfile.write(stream_bytes(reply)[: reply.cut_at])
            else:
                for name, data in _events(reply):
                    self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
                    self.wfile.flush()

        def send_fault(self, reply: Reply) -> None:
            if reply.raw is not None:
                self.send_body(reply.status, reply.raw, reply.content_type, reply.headers)
                return
            error = {"type": reply.error, "message": reply.message or f"provoked {reply.status}"}
            self.send_json(reply.status, {"type": "error", "error": error}, reply.headers)

        def send_json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
            self.send_body(status, json.dumps(value).encode(), "application/json", headers)

        def send_body(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.block_on_close = False  # a stalled answer is not waited for
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        http.server_close()
