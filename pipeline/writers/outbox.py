"""Message Batches under way, on disk: `.forge/batches/<name>.json`, one file a batch.

A file is written before its batch is submitted and gets the batch's id as soon as that is known, so that a later
command goes on by id. Where a kill or a broken connection left it unknown whether the service took a batch, the
service's list is searched for it before anything is sent again: the same call is never submitted twice. A call's
`custom_id` is the key its answer is kept under.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.kit.errors import CannotRun
from experiments.kit.files import atomic_write, canonical_json, hash_value
from pipeline.project import Project
from pipeline.writers.calls import About, CallLog, Reply
from pipeline.writers.endpoint import Endpoint, Fields
from pipeline.writers.faults import Rejected, ServerError, read_error
from pipeline.writers.send import Message, Report, legible, message_of, persist, timeout_of

if TYPE_CHECKING:
    from anthropic.types.messages import MessageBatch

T = TypeVar("T")
LISTED = 100  # how far back the service's list is searched for a batch whose id never arrived


@dataclass(frozen=True)
class Posted:
    """One call of a batch."""

    request: Fields
    what: str
    about: About


@dataclass
class Batch:
    """A batch as it lies on disk. `state`: `submitting` (id unknown), `open` (by id), `done` (answers collected).

    `before` are the newest batches of the account when this one was about to be submitted, `foreign` some that looked
    like it and were not. `failed` says why calls came back without an answer; `worst` is the most the batch can cost.
    """

    path: Path
    calls: dict[str, Posted]
    worst: Decimal
    when: str
    state: str = "submitting"
    id: str = ""
    before: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    failed: dict[str, ServerError] = field(default_factory=dict)

    def save(self) -> None:
        """Write it, whole."""
        done = self.state == "done"  # the answers hold their requests
        calls = {
            key: {"request": {} if done else call.request, "what": call.what, "about": call.about.__dict__}
            for key, call in self.calls.items()
        }
        failed = {key: error.__dict__ for key, error in self.failed.items()}
        atomic_write(self.path, canonical_json({
            "state": self.state, "id": self.id, "when": self.when, "worst": str(self.worst), "calls": calls,
            "before": list(self.before), "foreign": list(self.foreign), "failed": failed,
        }))  # fmt: skip


class Outbox:
    """The batches of a project."""

    def __init__(self, project: Project, endpoint: Endpoint, report: Report) -> None:
        self._project = project
        self._endpoint = endpoint
        self._report = report
        self._folder = project.scratch / "batches"
        self._log = CallLog(project)

    def batches(self) -> list[Batch]:
        """All batches, oldest first. Raises CannotRun where a file cannot be read."""
        return sorted((self._load(path) for path in self._folder.glob("*.json")), key=lambda batch: batch.when)

    def under_way(self) -> list[Batch]:
        """Batches whose answers are not collected yet."""
        return [batch for batch in self.batches() if batch.state != "done"]

    def failures(self, key: str) -> list[ServerError]:
        """Why a call came back without an answer, once for each batch it was in, the latest last."""
        return [batch.failed[key] for batch in self.batches() if key in batch.failed]

    def submit(self, calls: dict[str, Posted], worst: Decimal) -> Batch:
        """Send calls as one batch; its id is on disk when this returns. Raises CannotRun."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        path = self._folder / f"{uuid.uuid4().hex[:12]}.json"
        before = self._persist("listing batches", self._listed)
        batch = Batch(path, calls, worst, now, before=tuple(listed.id for listed in before))
        batch.save()
        self._hand_over(batch, doubtful=False)
        return batch

    def collect(self, batch: Batch) -> dict[str, Reply] | None:
        """The answers of a batch that has ended, each kept before the next is read; None while it is in progress.

        What came back without an answer is in `batch.failed`. Raises CannotRun.
        """
        while True:
            if batch.state == "submitting":
                self._hand_over(batch, doubtful=True)
            found = self._persist(f"batch {batch.id}", lambda left: self._retrieve(batch, left))
            if found.processing_status != "ended":
                return None
            replies, failed = self._persist(f"batch {batch.id}: results", lambda left: self._results(batch, left))
            if set(replies) | set(failed) <= set(batch.calls):
                break
            # It only looked like ours: as many calls, submitted at the same time.
            batch.foreign, batch.id, batch.state = (*batch.foreign, batch.id), "", "submitting"
            batch.save()
        for key in batch.calls:
            if key not in replies:
                batch.failed[key] = failed.get(key, ServerError(500, "missing", "the batch has no result for it", {}))
        batch.state = "done"
        batch.save()
        return replies

    def _hand_over(self, batch: Batch, doubtful: bool) -> None:
        """Submit a batch; where it is `doubtful` whether the service has it already, look for it first."""
        requests: Any = [{"custom_id": key, "params": call.request} for key, call in batch.calls.items()]
        known = {*batch.before, *batch.foreign, *(other.id for other in self.batches())}

        def once(left: float) -> str:
            nonlocal doubtful
            for listed in self._listed(left) if doubtful else ():
                if listed.id not in known and _size(listed) == len(batch.calls):
                    self._report(f"batch {listed.id} had reached the service; going on with it")
                    return listed.id
            doubtful = True
            batches = self._endpoint.client.messages.batches
            return batches.create(requests=requests, timeout=timeout_of(self._endpoint, left)).id

        try:
            batch.id = self._persist("submitting a batch", once)
        except Rejected:
            batch.path.unlink(missing_ok=True)
            raise
        batch.state = "open"
        batch.save()

    def _retrieve(self, batch: Batch, left: float) -> MessageBatch:
        from anthropic import NotFoundError

        try:
            return self._endpoint.client.messages.batches.retrieve(batch.id, timeout=timeout_of(self._endpoint, left))
        except NotFoundError:
            raise CannotRun(
                f"the service knows no batch {batch.id} (of {len(batch.calls)} calls, submitted {batch.when[:16]})\n"
                f"  fix: use the key it was submitted with, or delete {self._project.relative(batch.path)} to send its "
                "calls again"
            ) from None

    def _results(self, batch: Batch, left: float) -> tuple[dict[str, Reply], dict[str, ServerError]]:
        """Read a batch's results, in whatever order they come. Safe to repeat: an answer is kept once."""
        replies: dict[str, Reply] = {}
        failed: dict[str, ServerError] = {}
        with self._endpoint.client.messages.batches.with_streaming_response.results(
            batch.id, timeout=timeout_of(self._endpoint, left)
        ) as response:
            for text in response.iter_lines():
                if not text.strip():
                    continue
                with legible():
                    line = json.loads(text)
                    key, result = str(line["custom_id"]), dict(line["result"])
                    message = message_of(result["message"]) if result["type"] == "succeeded" else None
                    failed[key] = ServerError(500, "empty", "an answer without a word", {}) if message else _why(result)
                if message and key in batch.calls:
                    reply = self._keep(batch, key, message)
                    if reply is not None:
                        replies[key] = reply
        return replies, failed

    def _keep(self, batch: Batch, key: str, message: Message) -> Reply | None:
        """Keep an answer; None where it is empty."""
        call = batch.calls[key]
        kept = self._log.get(key)
        if kept is not None:
            return kept
        reply = self._log.arrived(
            self._endpoint, call.request, call.what, call.about, "batch", message, hash_value([batch.id, key])[:16]
        )
        return None if message.empty else reply

    def _persist(self, what: str, once: Callable[[float], T]) -> T:
        return persist(self._endpoint, once, self._endpoint.models[0], what, self._report)

    def _listed(self, left: float) -> list[MessageBatch]:
        """The newest batches of the account."""
        batches = self._endpoint.client.messages.batches
        return list(batches.list(limit=LISTED, timeout=timeout_of(self._endpoint, left)).data or [])

    def _load(self, path: Path) -> Batch:
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            calls = {
                key: Posted(call["request"], call["what"], About(**call["about"])) for key, call in raw["calls"].items()
            }
            failed = {key: ServerError(**error) for key, error in raw["failed"].items()}
            return Batch(
                path, calls, Decimal(raw["worst"]), raw["when"], raw["state"], raw["id"], tuple(raw["before"]),
                tuple(raw["foreign"]), failed,
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            raise CannotRun(
                f"{self._project.relative(path)} cannot be read ({error!r})\n  fix: delete it; calls of that batch may "
                "then be sent, and paid for, again"
            ) from None


def _size(batch: MessageBatch) -> int:
    counts = batch.request_counts
    return counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired


def _why(result: Any) -> ServerError:
    """Why a call came back without an answer."""
    match result["type"]:
        case "errored":
            return read_error(200, result["error"])
        case "expired":
            return ServerError(504, "expired", "the batch ran out of its 24 hours", {})
        case "canceled":
            return ServerError(503, "canceled", "the batch was canceled", {})
        case other:
            return ServerError(500, str(other), "no answer", {})
