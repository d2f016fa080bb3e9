"""Streams that end anywhere: an answer is taken whole or asked for again, and what may be billed is written down."""

from __future__ import annotations

from dataclasses import replace

from pipeline.writers.endpoint import Patience
from pipeline.writers.send import Message, message_of
from tests.writers.helpers import QUICK, Desk, endpoint
from tests.writers.messages_server import Reply, Server, message, stream_bytes

GOOD = Reply("Two pieces of text, and ümläuts.", thinking="Hm.", usage={"input_tokens": 70, "output_tokens": 9})
WHOLE = stream_bytes(GOOD)
STARTED = WHOLE.index(b"\n\n") + 2  # the first event, which brings the usage
ENDED = WHOLE.index(b"event: message_stop")  # the stop reason has come, and with it all there is


def test_a_stream_cut_at_any_byte(desk: Desk, server: Server) -> None:
    impatient = replace(QUICK, pause=0.0001)
    for cut in sorted({*range(0, len(WHOLE), 23), STARTED - 1, STARTED, ENDED - 1, ENDED, len(WHOLE) - 1}):
        server.queue = [replace(GOOD, cut_at=cut), GOOD]
        before = len(server.seen)
        assert desk.ask(f"cut at {cut}", to=endpoint(server, patience=impatient)) == GOOD.text
        sent = len(server.seen) - before
        lost = [line for line in desk.lines if line.outcome == "lost" and line.what.endswith(f"cut at {cut}")]
        if cut >= ENDED:
            assert (sent, lost) == (1, []), cut
        else:
            assert sent == 2 and len(lost) == (cut >= STARTED), cut
            assert all(line.usage["input"] == 70 for line in lost)


def test_a_whole_message_reads_like_its_stream() -> None:
    told = {"type": "refusal", "category": "bio", "explanation": "no"}
    read = message_of(message(replace(GOOD, stop_reason="refusal", details=told)))
    assert (read.text, read.stop_reason, read.category, read.why) == (GOOD.text, "refusal", "bio", "no")
    assert read.usage["input_tokens"] == 70 and read.usage["output_tokens"] == 9 and not read.empty
    assert Message(text=" \n", stop_reason="end_turn").empty and not Message(stop_reason="max_tokens").empty


def test_progress_is_told(desk: Desk, server: Server) -> None:
    server.queue = [Reply("word " * 450)]
    desk.ask("a long one")
    assert [line.partition(": a long one: ")[2] for line in desk.told] == ["200 words so far", "400 words so far"]


def test_waits_grow_and_are_bounded(desk: Desk, server: Server) -> None:
    from pipeline.writers.send import _wait

    for failed in range(1, 40):
        waits = [_wait(1.0, failed) for _ in range(50)]
        most = min(2.0 ** (failed - 1), 60.0)
        assert most / 2 <= min(waits) and max(waits) <= most
        assert failed == 1 or len(set(waits)) > 40, "callers spread"


def test_patience_is_ours_and_not_the_sdk_s(desk: Desk, server: Server) -> None:
    server.queue = [Reply(status=500)] * 2
    patience = Patience(deadline=5, idle=1, connect=1, pause=0.001, attempts=3)
    desk.ask(to=endpoint(server, patience=patience))
    assert len(server.seen) == 3
    assert {headers.get("x-stainless-retry-count") for headers in server.headers} == {"0"}, "the SDK's retries are off"
