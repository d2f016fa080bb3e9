"""One writing's way from call to call, without I/O: what it asks next, and what an answer means for it.

The drivers share it. An answer cut by its length is continued, one that was declined is asked of the next model, and
what cannot become a text stops with the reason and the fix. Who wrote which part is told in the draft's notes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from experiments.kit.errors import CannotRun
from pipeline.drafts import Written
from pipeline.writers.calls import About, Reply
from pipeline.writers.conversation import Answer, Call, ContextOverflow, Writing
from pipeline.writers.endpoint import Endpoint, Fields
from pipeline.writers.prices import PROMPT_KINDS

CONTINUE = "Go on exactly where you stopped. Do not repeat anything and do not comment."
MAX_PARTS = 4  # an answer may be continued three times
MAX_OVERFLOWS = 20  # times in a row a writing may make a call smaller
OTHER = "fix: set another anthropic_model under [tool.forge], or use --writer offline"


@dataclass
class Tally:
    """What answers took: calls made now, tokens by kind, USD."""

    calls: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    usd: Decimal = Decimal(0)

    def add(self, calls: int, usage: Mapping[str, int], usd: Decimal) -> None:
        """Count one more."""
        self.calls += calls
        self.usd += usd
        for kind, number in usage.items():
            self.usage[kind] = self.usage.get(kind, 0) + number


class Dialogue:
    """A writing under way: `request` is what it wants answered next (None when done), `written` what it returned."""

    def __init__(self, writing: Writing, endpoint: Endpoint, about: About) -> None:
        self.endpoint = endpoint
        self.about = about
        self.request: Fields | None = None
        self.written: Written | None = None
        self._writing = writing
        self._call: Call
        self._parts: list[str] = []
        self._calm = False  # whether the call is asked at low effort
        self._tally = Tally()  # of the call
        self._total = Tally()
        self._wrote: list[tuple[str, str]] = []  # (call, model)
        self._declined: list[tuple[str, str, str]] = []  # (model, category, call)
        self._model = 0  # who declined once is not asked again for this writing: that would cost and change nothing
        self._overflows = 0
        self._step(lambda: next(writing))

    @property
    def what(self) -> str:
        """The call's name, with the part where an answer is being continued."""
        return self._call.what + (f", part {len(self._parts) + 1}" if self._parts else "")

    def take(self, reply: Reply) -> str:
        """Go on with the answer to `request`. Returns a line for the person where something is to be told.

        Raises CannotRun where the answer can be no text and no model is left to ask.
        """
        for tally in (self._tally, self._total):
            tally.add(0 if reply.kept else 1, reply.usage, reply.usd or Decimal(0))
        match reply.stop_reason:
            case "end_turn" | "stop_sequence":
                self._answer(reply, "end_turn")
            case "max_tokens" | "pause_turn":
                return self._unfinished(reply)
            case "refusal":
                return self._declines(reply)
            case "model_context_window_exceeded":
                self.overflow(
                    ContextOverflow(f"{self.what}: the context of {reply.model} was full before the answer was whole\n"
                                    "  fix: shorten the notes or the outline, or take a model with a longer context")
                )  # fmt: skip
            case "tool_use":
                raise CannotRun(f"{self.what}: {reply.model} asked for a tool, and none was offered\n  {OTHER}")
            case other:
                raise CannotRun(f"{self.what}: {reply.model} stopped with {other!r}, which is unknown\n  {OTHER}")
        return ""

    def overflow(self, error: ContextOverflow) -> None:
        """Tell the writing that its call does not fit; it yields a smaller one or the error goes on."""
        self._overflows += 1
        if self._overflows > MAX_OVERFLOWS:
            raise error
        self._step(lambda: self._writing.throw(error))

    def close(self) -> None:
        """End the writing without an answer."""
        self._writing.close()

    def _step(self, advance: Callable[[], Call]) -> None:
        """Run the writing to its next call or its end."""
        try:
            self._call = advance()
        except StopIteration as end:
            self.request, self.written = None, self._signed(end.value)
            return
        self._tally = Tally()
        self._restart()

    def _restart(self) -> None:
        """Ask the call from its beginning."""
        self._parts, self._calm = [], False
        self._build()

    def _build(self) -> None:
        more = tuple((part, CONTINUE) for part in self._parts)
        model = self.endpoint.models[self._model]
        self.request = self.endpoint.fields(model, self._call.prompt, self._call.max_tokens, more)
        if self._calm:
            self.request["output_config"] = {**self.request["output_config"], "effort": "low"}

    def _answer(self, reply: Reply, stop_reason: str) -> None:
        text = "".join((*self._parts, reply.text))
        tally = self._tally
        self._wrote.append((self._call.what, reply.model))
        self._overflows = 0
        parts = len(self._parts) + 1
        answer = Answer(text, stop_reason, reply.model, tally.calls, parts, dict(tally.usage), tally.usd)
        self._step(lambda: self._writing.send(answer))

    def _unfinished(self, reply: Reply) -> str:
        """Have an answer continued that reached its length (or that the service paused)."""
        if not reply.text.strip():
            effort = (self.request or {}).get("output_config", {}).get("effort", "low")
            if effort == "low":
                raise CannotRun(
                    f"{self.what}: {reply.model} used up its {self._call.max_tokens} tokens before the first word\n"
                    "  fix: set a lower anthropic_effort or another anthropic_model under [tool.forge]"
                )
            self._calm = True
            self._build()
            return f"{self.what}: {reply.model} thought until its tokens were used up; asked again at low effort"
        if self._call.may_be_cut and reply.stop_reason == "max_tokens":
            self._answer(reply, "max_tokens")
            return ""
        self._parts.append(reply.text)
        if len(self._parts) + self._calm == MAX_PARTS:
            raise CannotRun(
                f"{self._call.what}: {reply.model} did not finish in {MAX_PARTS} answers of {self._call.max_tokens} "
                "tokens\n  fix: shorten the outline, or ask for shorter editions under [tool.forge]"
            )
        self._build()
        return ""

    def _declines(self, reply: Reply) -> str:
        """Ask the next model from the call's beginning."""
        self._declined.append((reply.model, reply.category or "no category", self._call.what))
        self._model += 1
        if self._model < len(self.endpoint.models):
            self._restart()
            successor = self.endpoint.models[self._model]
            return f"{self._call.what}: {_refusal(reply)}; asking {successor}, which writes the rest of this edition"
        others = [model for model, _, _ in self._declined[:-1]]
        also = f", and so did {', '.join(others)} before" if others else ""
        harmless = (
            "\n  (this category also meets harmless writing about machine learning)"
            if reply.category == "frontier_llm"
            else ""
        )
        raise CannotRun(
            f"{self._call.what}: {_refusal(reply)}{also}{harmless}\n"
            f'  fix: set fallback_models = ["{_other_than(self.endpoint.models)}"] under [tool.forge] (models asked in '
            "turn when one declines), or use --writer offline"
        )

    def _signed(self, written: Written) -> Written:
        """The writing's result with what only the driver knows."""
        usage = self._total.usage
        prompt = sum(usage.get(kind, 0) for kind in PROMPT_KINDS)
        notes = [f"{kind}: {usage[kind]} tokens" for kind in (*PROMPT_KINDS, "output", "thinking") if usage.get(kind)]
        if prompt:
            notes.append(f"cached share of the prompts: {100 * usage.get('read', 0) / prompt:.0f} %")
        notes += [f"{model} declined {call} ({category})" for model, category, call in self._declined]
        models = list(dict.fromkeys(model for _, model in self._wrote))
        if len(models) > 1:
            notes += [f"{call}: written by {model}" for call, model in self._wrote]
        return replace(
            written, model=", ".join(models) or written.model, calls=self._total.calls, usd=float(self._total.usd),
            notes=(*written.notes, *notes),
        )  # fmt: skip


def _refusal(reply: Reply) -> str:
    reason = ", ".join(part for part in (reply.category, reply.why) if part)
    return f"{reply.model} declined" + (f" ({reason})" if reason else "")


def _other_than(models: tuple[str, ...]) -> str:
    known = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
    return next((model for model in known if model not in models), "MODEL")
