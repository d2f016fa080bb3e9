"""What drafting would cost, before a cent is spent: prompts counted by the server, answers bounded.

Known are the first call of each edition (its prompt is counted, which is free) and what each writer may ask after it
(`Later`). The **worst** price takes every call a writer may make, every continuation, every fallback model, all of
`max_tokens`, nothing read from the cache, and a token for every `DENSE` characters of what is not yet known. What
faults may add (an answer that breaks off is asked for again) is not in it; `--budget-usd` bounds that too. The
**likely** price takes the calls a writer usually makes, reads the stable part from the cache after its first use, and
fills answers as far as earlier ones were filled, or to `FILLED` where fewer than `ENOUGH` are on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.project import Project
from pipeline.writers.calls import About, CallLog
from pipeline.writers.conversation import Later, Writing
from pipeline.writers.dialogue import MAX_PARTS, Dialogue
from pipeline.writers.endpoint import Endpoint, Fields, today
from pipeline.writers.outgoing import refuse_secrets
from pipeline.writers.send import Report, count_tokens

DENSE = 2  # characters a token at the worst; prose has about 4, mathematics and code about 2.5
FILLED = 0.35  # of max_tokens, in a usual answer
LIKELY_REQUEST = 0.5  # of the most a later call may add to its prompt
CONTINUED = 40  # tokens of the turn that asks for the rest of an answer
ENOUGH = 5  # answers on record to measure that instead


@dataclass(frozen=True)
class Row:
    """One edition: tokens of its first prompt and of the stable part in it, calls, answer tokens, USD.

    `kept` says whether the whole edition can be written from kept answers: then it costs nothing.
    """

    about: About
    prompt_tokens: int
    stable_tokens: int
    calls_likely: int
    calls_worst: int
    output_likely: int
    output_worst: int
    likely_usd: Decimal
    worst_usd: Decimal
    kept: bool = False


@dataclass(frozen=True)
class Estimate:
    """All editions, the models in the order they would be asked, and the price they are reckoned at (None: free)."""

    rows: tuple[Row, ...]
    models: tuple[str, ...]
    since: date | None
    source: str
    filled: float
    measured_on: int
    batch: bool

    @property
    def likely_usd(self) -> Decimal:
        """The likely price of all editions."""
        return sum((row.likely_usd for row in self.rows), Decimal(0))

    @property
    def worst_usd(self) -> Decimal:
        """The most all editions can cost."""
        return sum((row.worst_usd for row in self.rows), Decimal(0))

    def to_json(self) -> dict[str, object]:
        """Every number by name; USD as numbers."""
        rows = [
            {
                **{k: v for k, v in row.__dict__.items() if k != "about"},
                **row.about.__dict__,
                "likely_usd": float(row.likely_usd),
                "worst_usd": float(row.worst_usd),
            }
            for row in self.rows
        ]
        return {
            "editions": rows,
            "likely_usd": float(self.likely_usd),
            "worst_usd": float(self.worst_usd),
            "models": list(self.models),
            "price_since": self.since.isoformat() if self.since is not None else None,
            "price_source": self.source,
            "filled": round(self.filled, 4),
            "measured_on_calls": self.measured_on,
            "batch": self.batch,
        }


@dataclass
class _Sum:
    """A price under way: calls, answer tokens, USD."""

    endpoint: Endpoint
    batch: bool
    calls: int = 0
    output: int = 0
    usd: Decimal = Decimal(0)

    def worst(self, prompt: int, max_tokens: int) -> int:
        """Add one call with all its continuations, asked of every model; the tokens of its whole answer."""
        for model in self.endpoint.models:
            for part in range(MAX_PARTS):
                self.usd += self.endpoint.worst(model, prompt + part * (max_tokens + CONTINUED), max_tokens, self.batch)
                self.calls += 1
                self.output += max_tokens
        return MAX_PARTS * max_tokens

    def likely(self, new: int, stable: int, cached: bool, output: int) -> None:
        """Add one call whose stable part is read from the cache, or written to it for the first time."""
        kind = "read" if cached else f"write_{self.endpoint.ttl}"
        usage = {"input": new, kind: stable, "output": output}
        self.usd += self.endpoint.cost(self.endpoint.models[0], usage, self.batch)
        self.calls += 1
        self.output += output


def estimate(
    project: Project, jobs: Iterable[tuple[About, Writing, Sequence[Later]]], endpoint: Endpoint, report: Report,
    batch: bool = False,
) -> Estimate:  # fmt: skip
    """Price writings without asking for an answer. Raises CannotRun where a count or a price cannot be had."""
    endpoint.check_prices(batch)
    log = CallLog(project)
    filled, measured_on = fill(log, endpoint)
    stable: dict[str, int] = {}  # tokens of each stable part
    rows = []
    for about, writing, later in jobs:
        dialogue = Dialogue(writing, endpoint, about)
        first, what = dialogue.request, dialogue.what
        while dialogue.request is not None and (reply := log.get(endpoint.key(dialogue.request))):
            dialogue.take(reply)
        dialogue.close()
        if first is None or dialogue.request is None:
            rows.append(Row(about, 0, 0, 0, 0, 0, 0, Decimal(0), Decimal(0), kept=True))
            continue
        refuse_secrets(project, first, what)
        text = first["system"][0]["text"]
        cached = text in stable
        if not cached:
            alone = {**first, "messages": [{"role": "user", "content": "."}]}
            stable[text] = count_tokens(endpoint, alone, what, report)
        tokens = count_tokens(endpoint, first, what, report)
        kept = log.get(endpoint.key(first)) is not None
        rows.append(_row(endpoint, about, first, tokens, stable[text], cached, kept, later, filled, batch))
    price = endpoint.prices.price(endpoint.models[0], today()) if endpoint.prices is not None else None
    since, source = (price.since, price.source) if price is not None else (None, "the endpoint is declared free")
    return Estimate(tuple(rows), endpoint.models, since, source, filled, measured_on, batch)


def _row(
    endpoint: Endpoint, about: About, first: Fields, tokens: int, stable: int, cached: bool, kept: bool,
    later: Sequence[Later], filled: float, batch: bool,
) -> Row:  # fmt: skip
    """Price one edition from its counted first call and what may follow."""
    worst, likely = _Sum(endpoint, batch), _Sum(endpoint, batch)
    most = first["max_tokens"]
    whole = MAX_PARTS * most  # the longest the last answer can be
    asked = tokens  # the last prompt
    if not kept:
        whole = worst.worst(tokens, most)
        likely.likely(tokens - stable, stable, cached, round(filled * most))
    usual = round(filled * most)
    for each in later:
        request = -(-each.request_chars // DENSE)
        before, usual_before = (asked - stable + whole, usual) if each.history else (0, 0)
        for _ in range(each.most):
            whole = worst.worst(stable + before + request, each.max_tokens)
            asked = stable + before + request
        for _ in range(each.likely):
            usual = round(filled * each.max_tokens)
            likely.likely(usual_before + round(request * LIKELY_REQUEST), stable, True, usual)
    return Row(
        about, tokens, stable, likely.calls, worst.calls, likely.output, worst.output, likely.usd, worst.usd
    )  # fmt: skip


def fill(log: CallLog, endpoint: Endpoint) -> tuple[float, int]:
    """How far answers of this model filled `max_tokens`, and over how many calls that is known (0: not measured)."""
    shares = [
        line.usage["output"] / line.max_tokens
        for line in log.all_lines()
        if (line.writer, line.model, line.outcome) == (endpoint.name, endpoint.models[0], "paid")
        and line.usage.get("output")
    ]
    return (sum(shares) / len(shares), len(shares)) if len(shares) >= ENOUGH else (FILLED, 0)
