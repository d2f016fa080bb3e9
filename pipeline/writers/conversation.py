"""The contract between what is asked and how it is sent.

A writing is a generator without I/O: it yields `Call`s, is sent an `Answer` for each, and returns what it wrote. A
driver runs it: `live.py` sends each call as it comes, `batch.py` collects those of many writings into Message Batches,
`estimate.py` prices them and sends nothing. So a writer never sees a network, a key, a price or a clock.

    def write(evidence, edition, request) -> Writing:
        outline = yield Call("the outline", Prompt(stable, request), max_tokens=2_000)
        ...
        return Written(front, body, prompt, "anthropic")

    with open_endpoint("anthropic", project) as endpoint:                                    # service.py
        written = write_live(project, writing, endpoint, About(week, slug, edition), Purse(limit), report)

The driver fills in what the writing cannot know (model, calls, usd, notes on who wrote which part). Two things may be
thrown into the generator at a `yield`: `ContextOverflow`, which it may answer with a smaller Call, and GeneratorExit.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from experiments.kit.errors import CannotRun
from pipeline.drafts import Written
from pipeline.prompt import Prompt


@dataclass(frozen=True)
class Call:
    """One request a writing wants answered.

    `what` names it in progress and messages ("the scientist edition of decision-making-101: outline"). An answer that
    reaches `max_tokens` is continued by the driver; with `may_be_cut` it is handed over as far as it came.
    """

    what: str
    prompt: Prompt
    max_tokens: int
    may_be_cut: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back. `stop_reason` is `end_turn`, or `max_tokens` where the call may be cut.

    `calls` were made now (0 when every part was kept from before), `parts` answers make up the text. `usage` counts
    tokens by kind and `usd` is their price, kept parts included. `model` is who answered, which a refusal can change.
    """

    text: str
    stop_reason: str
    model: str
    calls: int = 0
    parts: int = 1
    usage: Mapping[str, int] = field(default_factory=dict)
    usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Later:
    """Calls a writing may make after its first, for a price before spending: at `most` and `likely` so many.

    `request_chars` is the most each adds to its prompt beyond the stable part, `history` whether what was answered
    before is sent along.
    """

    what: str
    most: int
    likely: int
    max_tokens: int
    request_chars: int
    history: bool = False


class ContextOverflow(CannotRun):
    """A call does not fit the model's context. `tokens` it has and the `limit`, where the server said them."""

    def __init__(self, message: str, tokens: int | None = None, limit: int | None = None) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.limit = limit


Writing = Generator[Call, Answer, Written]
