"""A model to ask: the client, the models in the order they are asked, what each is told, and what it costs.

Requests are built here and nowhere else, so that a live call, a batch and an estimate are byte for byte the same
request, and its hash finds the answer again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from experiments.kit.files import hash_value
from pipeline.prompt import Prompt
from pipeline.writers.prices import KINDS, Prices

if TYPE_CHECKING:
    from anthropic import Anthropic

Fields = dict[str, Any]


@dataclass(frozen=True)
class Patience:
    """How long one call is tried, in seconds.

    `deadline` is for all its attempts, `idle` for silence in a stream (the service sends a ping every few seconds),
    `connect` for a connection, `pause` for the first wait between attempts, which then doubles.
    """

    deadline: float = 600.0
    idle: float = 120.0
    connect: float = 10.0
    pause: float = 1.0
    attempts: int = 7


@dataclass(frozen=True)
class Endpoint:
    """Where calls go. The first of `models` is asked; the next one when it declines.

    `settings` are further request fields by model. `prices` None declares the endpoint free (a server of one's own).
    """

    client: Anthropic
    name: str
    models: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prices: Prices | None = None
    ttl: str = "5m"
    patience: Patience = Patience()

    def fields(self, model: str, prompt: Prompt, max_tokens: int, more: tuple[tuple[str, str], ...] = ()) -> Fields:
        """The request, as the Messages API takes it. `more` are turns after the prompt's own."""
        cache = {"type": "ephemeral"} if self.ttl == "5m" else {"type": "ephemeral", "ttl": self.ttl}
        messages = list(prompt.messages())
        for answered, asked in more:
            messages += [{"role": "assistant", "content": answered}, {"role": "user", "content": asked}]
        return {
            "model": model,
            "max_tokens": max_tokens,
            "system": [{"type": "text", "text": prompt.stable, "cache_control": cache}],
            "messages": messages,
            **self.settings.get(model, {}),
        }

    def key(self, request: Fields) -> str:
        """What an answer is kept under: 32 hex digits of the hash of the request and who is asked."""
        return hash_value([self.name, request])[:32]

    def cost(self, model: str, usage: Mapping[str, int], batch: bool = False) -> Decimal:
        """USD of a call's tokens today; 0 where the endpoint is declared free."""
        return Decimal(0) if self.prices is None else self.prices.cost(model, today(), usage, batch)

    def worst(self, model: str, prompt_tokens: int, max_tokens: int, batch: bool = False) -> Decimal:
        """The most a call can cost today."""
        if self.prices is None:
            return Decimal(0)
        return self.prices.worst(model, today(), prompt_tokens, max_tokens, self.ttl, batch)

    def check_prices(self, batch: bool = False) -> None:
        """Every price a call can need is known. Raises CannotRun before anything is sent."""
        for model in self.models if self.prices is not None else ():
            usage = {kind: 1 for kind in KINDS if kind in ("input", "output", "read", f"write_{self.ttl}")}
            self.cost(model, usage, batch)


def today() -> date:
    """The day prices are taken for (UTC)."""
    return datetime.now(UTC).date()
