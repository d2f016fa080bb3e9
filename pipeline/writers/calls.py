"""The call log and the cost record: every answer that arrived is kept, and what it cost is written down.

    .forge/calls/<key>.json       one answer: request, text, stop reason, tokens, price, prompt version, when
    drafts/<slug>/calls.jsonl     one line a call that was paid for or may be: no text, only what it was and cost

An answer is on disk, whole, before anything else is done with it; its key is the hash of its request, so the same
request is never sent twice. The log is scratch. The cost record lies with the post it paid for, so that it is
committed, and outlives `.forge/`. A line that a kill kept from being written is added when its answer is next used.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from experiments.kit.errors import CannotRun
from experiments.kit.files import atomic_write, canonical_json
from pipeline.drafts import folder_of
from pipeline.project import Project
from pipeline.prompt import PROMPT_VERSION
from pipeline.writers.endpoint import Endpoint, Fields
from pipeline.writers.prices import usage_of
from pipeline.writers.send import Message

How = Literal["live", "batch"]
# `paid`: an answer arrived. `lost`: none did, but the service had begun to count tokens, so they may be billed.
Outcome = Literal["paid", "lost"]
LEDGER = "calls.jsonl"


@dataclass(frozen=True)
class About:
    """What a call is for."""

    week: int
    post: str
    edition: str


@dataclass(frozen=True)
class Reply:
    """An answer that arrived, now or (`kept`) before. `usd` is None where a kind of token had no known price."""

    text: str
    stop_reason: str
    model: str
    category: str = ""
    why: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    usd: Decimal | None = Decimal(0)
    kept: bool = False


@dataclass(frozen=True)
class Line:
    """One line of the cost record."""

    id: str
    when: str
    week: int
    post: str
    edition: str
    what: str
    writer: str
    model: str
    how: How
    outcome: Outcome
    stop_reason: str
    max_tokens: int
    usage: Mapping[str, int]
    usd: str | None
    prompt_version: str


@dataclass(frozen=True)
class CallLog:
    """The answers and costs of a project."""

    project: Project

    def path(self, key: str) -> Path:
        """Where an answer is kept."""
        return self.project.scratch / "calls" / f"{key}.json"

    def get(self, key: str) -> Reply | None:
        """The kept answer to a request. Raises CannotRun where its file cannot be read."""
        path = self.path(key)
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            reply = Reply(
                kept["text"], kept["stop_reason"], kept["model"], kept["category"], kept["why"], kept["usage"],
                None if kept["usd"] is None else Decimal(kept["usd"]), kept=True,
            )  # fmt: skip
            line = kept["line"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            raise CannotRun(
                f"{self.project.relative(path)} cannot be read ({error!r})\n  fix: delete it; its request is then "
                "sent, and paid for, again"
            ) from None
        if line["id"] not in {written.id for written in self.lines(line["post"])}:
            self._append(Line(**line))
        return reply

    def arrived(
        self, endpoint: Endpoint, request: Fields, what: str, about: About, how: How, got: Message, id: str = ""
    ) -> Reply:
        """Keep an answer, then write its cost down, once for each `id` where one is given.

        An empty answer is paid for but not kept: it will be asked again.
        """
        key = endpoint.key(request)
        usage = usage_of(got.usage, endpoint.ttl)
        usd = _price(endpoint, request["model"], usage, how)
        line = self._line(endpoint, request, what, about, how, "paid", got.stop_reason, usage, usd)
        line = replace(line, id=id or line.id)
        reply = Reply(got.text, got.stop_reason, request["model"], got.category, got.why, usage, usd)
        if not got.empty:
            kept = {
                "request": request, "text": got.text, "stop_reason": got.stop_reason, "category": got.category,
                "why": got.why, "usage": usage, "usd": line.usd, "model": request["model"],
                "served_by": Path(got.model).name, "message": got.id, "request_id": got.request_id,
                "prompt_version": line.prompt_version, "when": line.when, "line": line.__dict__,
            }  # fmt: skip
            atomic_write(self.path(key), canonical_json(kept))
        if not id or id not in {written.id for written in self.lines(about.post)}:
            self._append(line)
        return reply

    def lost(self, endpoint: Endpoint, request: Fields, what: str, about: About, raw: Mapping[str, Any]) -> Decimal:
        """Write down tokens that were counted for an answer that never arrived, and return what they may cost."""
        usage = usage_of(raw, endpoint.ttl)
        usd = _price(endpoint, request["model"], usage, "live")
        self._append(self._line(endpoint, request, what, about, "live", "lost", "", usage, usd))
        return usd or Decimal(0)

    def lines(self, slug: str) -> list[Line]:
        """The cost record of a post. A line that a kill left unfinished is passed over."""
        path = folder_of(self.project, slug) / LEDGER
        return list(_read(path)) if path.is_file() else []

    def all_lines(self) -> list[Line]:
        """The cost records of all posts, and kept answers whose line a kill prevented."""
        lines = {
            line.id: line
            for path in sorted(self.project.drafts.glob(f"*/{LEDGER}"))
            for line in _read(path)
        }  # fmt: skip
        for path in sorted((self.project.scratch / "calls").glob("*.json")):
            try:
                line = Line(**json.loads(path.read_text(encoding="utf-8"))["line"])
            except (ValueError, KeyError, TypeError):
                continue  # told when it is next used
            lines.setdefault(line.id, line)
        return sorted(lines.values(), key=lambda line: line.when)

    def _line(
        self, endpoint: Endpoint, request: Fields, what: str, about: About, how: How, outcome: Outcome,
        stop_reason: str, usage: Mapping[str, int], usd: Decimal | None,
    ) -> Line:  # fmt: skip
        now = datetime.now(UTC).replace(microsecond=0).isoformat()
        return Line(
            uuid.uuid4().hex[:16], now, about.week, about.post, about.edition, what, endpoint.name, request["model"],
            how, outcome, stop_reason, request["max_tokens"], dict(usage), None if usd is None else str(usd),
            PROMPT_VERSION,
        )  # fmt: skip

    def _append(self, line: Line) -> None:
        """Add a line in one write, behind a line break that an unfinished one may lack."""
        path = folder_of(self.project, line.post) / LEDGER
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as record:
            record.seek(0, os.SEEK_END)
            torn = False
            if record.tell():
                record.seek(-1, os.SEEK_END)
                torn = record.read(1) != b"\n"
            record.write((b"\n" if torn else b"") + canonical_json(line.__dict__).encode() + b"\n")
            record.flush()
            os.fsync(record.fileno())


def _price(endpoint: Endpoint, model: str, usage: Mapping[str, int], how: How) -> Decimal | None:
    try:
        return endpoint.cost(model, usage, batch=how == "batch")
    except CannotRun:
        return None  # the answer is kept all the same; `forge cost` names what has no price


def _read(path: Path) -> Iterator[Line]:
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            yield Line(**json.loads(text))
        except (ValueError, TypeError):
            continue
