"""Asking a language model over the Messages API: what the `anthropic` and `local` writers share.

Every answer that arrived is kept under a hash of its request (`.forge/calls/`), so no request is paid for twice, also
after a kill. Answers stream with progress. Every stop reason is handled: an answer cut off by its length is continued,
a refusal or an empty answer stops with a message, and what an error means is said in words.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.kit.errors import CannotRun
from experiments.kit.files import atomic_write, canonical_json, hash_value
from pipeline.prompt import Prompt
from pipeline.writers import Request

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import Message

CONTINUE = "Go on exactly where you stopped. Do not repeat anything and do not comment."
MAX_PARTS = 4  # an answer may be continued three times


@dataclass(frozen=True)
class Endpoint:
    """A model behind a client. `settings` are further request fields (thinking, effort).

    With `trim`, an answer that reaches its length is cut after its last whole sentence instead of being continued:
    a small model that rambles would ramble on.
    """

    client: Anthropic
    model: str
    name: str
    max_tokens: int
    settings: dict[str, Any] = field(default_factory=dict)
    trim: bool = False


@dataclass(frozen=True)
class Answer:
    """An answer's text and what it took: calls made now (0 when it was kept from before) and tokens by kind."""

    text: str
    calls: int
    tokens: dict[str, int]


def ask(endpoint: Endpoint, prompt: Prompt, request: Request, what: str) -> Answer:
    """Send a prompt, or take its kept answer. Raises CannotRun on a refusal, an empty answer or an error."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt.request}]
    system = [{"type": "text", "text": prompt.stable, "cache_control": {"type": "ephemeral"}}]
    parts: list[str] = []
    tokens: dict[str, int] = {}
    calls = 0
    for _ in range(MAX_PARTS):
        fields = {
            "model": endpoint.model,
            "max_tokens": endpoint.max_tokens,
            "system": system,
            "messages": messages,
            **endpoint.settings,
        }
        path = request.project.scratch / "calls" / f"{hash_value([endpoint.name, fields])[:32]}.json"
        if path.is_file():
            reply = json.loads(path.read_text(encoding="utf-8"))
        else:
            reply = _reply(_stream(endpoint, fields, request, what))
            calls += 1
            if reply["stop_reason"] in ("end_turn", "stop_sequence", "max_tokens") and reply["text"].strip():
                atomic_write(path, canonical_json({"request": fields, **reply}))
        for kind, number in reply["usage"].items():
            tokens[kind] = tokens.get(kind, 0) + number
        parts.append(reply["text"])
        if endpoint.trim and reply["stop_reason"] == "max_tokens":
            return Answer(tidy(whole_sentences(reply["text"])), calls, tokens)
        if reply["stop_reason"] != "max_tokens":
            break
        messages = [
            *messages,
            {"role": "assistant", "content": reply["text"]},
            {"role": "user", "content": CONTINUE},
        ]
    _refuse_bad_stop(endpoint, reply, what)
    text = "".join(parts)
    if not text.strip():
        raise CannotRun(f"{endpoint.model} answered {what} with nothing\n  fix: run it again, or --writer offline")
    return Answer(tidy(text), calls, tokens)


def _stream(endpoint: Endpoint, fields: dict[str, Any], request: Request, what: str) -> Message:
    import anthropic

    try:
        with endpoint.client.messages.stream(**fields) as stream:
            words = shown = 0
            for piece in stream.text_stream:
                words += piece.count(" ")
                if words - shown >= 200:
                    shown = words
                    request.report(f"{what}: {words} words so far")
            return stream.get_final_message()
    except TypeError as error:  # the SDK's way to say that it found no credential
        raise CannotRun(
            f"no key for the Messages API ({error})\n  fix: set ANTHROPIC_API_KEY, or --writer offline"
        ) from None
    except anthropic.AuthenticationError:
        raise CannotRun("the Messages API does not accept the key\n  fix: check ANTHROPIC_API_KEY") from None
    except anthropic.BadRequestError as error:
        hint = "shorten the notes or the outline, or take a model with a longer context"
        raise CannotRun(f"{what}: the server refused the request: {error.message}\n  fix: {hint}") from None
    except anthropic.APIStatusError as error:
        kept = "answers that arrived are kept; run the same command again later"
        raise CannotRun(f"{what}: the server failed ({error.status_code}): {error.message}\n  fix: {kept}") from None
    except anthropic.APIConnectionError as error:
        raise CannotRun(f"{what}: no answer from {endpoint.client.base_url}: {error}\n  fix: is it running?") from None


def _reply(message: Message) -> dict[str, Any]:
    text = "".join(block.text for block in message.content if block.type == "text")
    usage = {
        kind: number
        for kind in ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        if (number := getattr(message.usage, kind, None))
    }
    details = message.stop_details
    why = f"{details.category}: {details.explanation}" if details is not None else ""
    return {"text": text, "stop_reason": message.stop_reason, "why": why, "usage": usage}


def _refuse_bad_stop(endpoint: Endpoint, reply: dict[str, Any], what: str) -> None:
    match reply["stop_reason"]:
        case "end_turn" | "stop_sequence":
            return
        case "refusal":
            reason = f" ({reply['why']})" if reply["why"] else ""
            fix = "set another anthropic_model under [tool.forge], or use --writer offline"
            raise CannotRun(f"{endpoint.model} declined to write {what}{reason}\n  fix: {fix}")
        case "max_tokens":
            raise CannotRun(
                f"{endpoint.model} did not finish {what} in {MAX_PARTS} answers\n  fix: shorten the outline"
            )
        case "model_context_window_exceeded":
            raise CannotRun(f"{what} does not fit into the context of {endpoint.model}\n  fix: shorten the notes")
        case other:
            raise CannotRun(f"{endpoint.model} stopped writing {what} with {other!r}, which a draft cannot use")


def whole_sentences(text: str) -> str:
    """The text up to the end of its last sentence; all of it where no sentence ends."""
    ends = [match.end() for match in re.finditer(r"[.!?…][\"'”’)`]*(?=\s)", text)]
    return text[: ends[-1]] if ends else text


def tidy(text: str) -> str:
    """A model's answer as Markdown: a fence or front matter around the whole of it is taken off."""
    text = text.strip()
    fenced = re.fullmatch(r"```(?:markdown|md)?\n(.*)\n```", text, re.DOTALL)
    if fenced:
        text = fenced[1].strip()
    front = re.match(r"---\n.*?\n---\n", text, re.DOTALL)
    return text[front.end() :].strip() if front else text
