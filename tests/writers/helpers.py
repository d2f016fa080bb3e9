"""What the tests of the sending layer share: an endpoint at the test server, small writings, a post to spend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from anthropic import Anthropic

from pipeline.drafts import Written
from pipeline.project import Project, Settings
from pipeline.prompt import Prompt
from pipeline.writers.calls import About, CallLog, Line
from pipeline.writers.conversation import Answer, Call, Writing
from pipeline.writers.endpoint import Endpoint, Patience
from pipeline.writers.live import write_live
from pipeline.writers.prices import load_prices
from pipeline.writers.purse import Purse
from tests.writers.messages_server import Server

MODEL = "claude-sonnet-5-5"
OTHER = "claude-opus-5-5"
ABOUT = About(1, "coin-post", "scientist")
QUICK = Patience(deadline=8.0, idle=1.0, connect=1.0, pause=0.01)
EFFORT = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}


def endpoint(server: Server, models: tuple[str, ...] = (MODEL,), patience: Patience = QUICK, **more: Any) -> Endpoint:
    """The Messages API's endpoint, at the test server and in a hurry."""
    client = Anthropic(api_key="test", base_url=server.url, max_retries=0)
    settings = dict.fromkeys(models, EFFORT)
    return Endpoint(client, "anthropic", models, settings, load_prices(), patience=patience, **more)


def calls(*prompts: str, max_tokens: int = 200, may_be_cut: bool = False) -> Writing:
    """A writing that asks these requests one after the other and returns the answers, joined by bars."""
    texts: list[str] = []
    for prompt in prompts:
        call = Call(f"the draft: {prompt}", Prompt("The rules.", prompt), max_tokens, may_be_cut)
        answer: Answer = yield call
        texts.append(answer.text)
    return Written({}, "|".join(texts), "the prompt", "anthropic")


@dataclass
class Desk:
    """A project, a server and a purse; `run` drives a writing live, `told` is what was reported."""

    root: Path
    server: Server
    told: list[str] = field(default_factory=list)

    @property
    def project(self) -> Project:
        """The project."""
        return Project(self.root, Settings())

    @property
    def log(self) -> CallLog:
        """Its call log."""
        return CallLog(self.project)

    @property
    def lines(self) -> list[Line]:
        """Its cost record."""
        return self.log.lines(ABOUT.post)

    def run(self, writing: Writing, purse: Purse | None = None, to: Endpoint | None = None) -> Written:
        """Drive a writing live."""
        return write_live(self.project, writing, to or endpoint(self.server), ABOUT, purse or Purse(), self.told.append)

    def ask(self, prompt: str = "task", **more: Any) -> str:
        """The answer to one call."""
        return self.run(calls(prompt), **more).body


def spent(lines: list[Line], count: Callable[[Line], bool] = lambda line: True) -> Decimal:
    """USD of lines of the record."""
    return sum((Decimal(line.usd or 0) for line in lines if count(line)), Decimal(0))
