"""A server that speaks the Messages API over real HTTP, for faults a real service cannot be made to have.

Each queued `Reply` answers one request: as a stream of server-sent events, or as an HTTP error. Requests are kept in
`seen` as parsed JSON.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One answer. With `status` other than 200 it is an error of that kind; `cut` drops the connection midway."""

    text: str = "An answer."
    stop_reason: str = "end_turn"
    status: int = 200
    error: str = "api_error"
    details: dict[str, Any] | None = None
    cut: bool = False
    thinking: str = ""


@dataclass
class Server:
    """A running server: where it listens, what is queued, what was asked."""

    url: str
    queue: list[Reply] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)


def _events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "test", "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    yield "message_start", {"type": "message_start", "message": message}
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
    yield "content_block_stop", {"type": "content_block_stop", "index": index}
    end = {"stop_reason": reply.stop_reason, "stop_sequence": None, "stop_details": reply.details}
    yield "message_delta", {"type": "message_delta", "delta": end, "usage": {"output_tokens": len(reply.text) // 4}}
    yield "message_stop", {"type": "message_stop"}


@contextmanager
def serve() -> Iterator[Server]:
    """Run a server on a free port of this machine."""
    state = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.seen.append(json.loads(body))
            reply = state.queue.pop(0) if state.queue else Reply()
            if reply.status != 200:
                error = {"type": "error", "error": {"type": reply.error, "message": f"provoked {reply.status}"}}
                data = json.dumps(error).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for name, data_event in _events(reply):
                self.wfile.write(f"event: {name}\ndata: {json.dumps(data_event)}\n\n".encode())
                self.wfile.flush()
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        http.server_close()
