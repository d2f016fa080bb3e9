"""Prompts: evidence laid out for a writer, from the Jinja2 templates in `pipeline/prompts/`.

A prompt has a stable part (rules, evidence; the same for both editions, so that it can be cached) and a request (the
edition and, when a person sent a draft back, their reason). The notes are quoted as data between markers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.kit.record import Edition
from pipeline.evidence import Evidence
from pipeline.project import Settings

TEMPLATES = Path(__file__).with_name("prompts")


@dataclass(frozen=True)
class Prompt:
    """What a writer is sent: the stable part and the request."""

    stable: str
    request: str

    @property
    def text(self) -> str:
        """Both parts, as kept beside the draft."""
        return f"{self.stable.rstrip()}\n\n{self.request.rstrip()}\n"


def render_template(name: str, **values: Any) -> str:
    """A template of `pipeline/prompts/` with values filled in; an undefined name is an error, not a blank."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), comment_start_string="<#", comment_end_string="#>",  # {#id} is Markdown
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    return environment.get_template(name).render(**values)


def build_prompt(evidence: Evidence, edition: Edition, settings: Settings, instruction: str = "") -> Prompt:
    """The prompt for one edition. `instruction` is the reason a person gave when sending the last draft back."""
    low, high = settings.minutes(edition)
    words = (low * settings.words_per_minute, high * settings.words_per_minute)
    stable = render_template("stable.md.j2", evidence=evidence)
    request = render_template(
        "request.md.j2", evidence=evidence, edition=edition, words=words, minutes=(low, high), instruction=instruction
    )
    return Prompt(stable, request)
