"""The Anthropic writer: one edition a request, over the Messages API, with the evidence as a cached prefix."""

from __future__ import annotations

import os

from experiments.kit.errors import CannotRun
from experiments.kit.record import Edition
from pipeline.drafts import Written
from pipeline.evidence import Evidence
from pipeline.prompt import build_prompt
from pipeline.writers import Request, front_matter
from pipeline.writers.model import Endpoint, ask

MAX_TOKENS = 16_000


def write(evidence: Evidence, edition: Edition, request: Request) -> Written:
    """Write one edition. Raises CannotRun without a key, on a refusal or when the service fails."""
    if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")):
        raise CannotRun("the anthropic writer needs a key\n  fix: set ANTHROPIC_API_KEY, or use --writer offline")
    from anthropic import Anthropic

    settings = request.project.settings
    endpoint = Endpoint(
        Anthropic(timeout=600, max_retries=2),
        settings.anthropic_model,
        "anthropic",
        MAX_TOKENS,
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": settings.anthropic_effort}},
    )
    prompt = build_prompt(evidence, edition, settings, request.instruction)
    answer = ask(endpoint, prompt, request, f"the {edition} edition of {evidence.post.slug}")
    notes = tuple(f"{kind}: {number}" for kind, number in answer.tokens.items())
    front = front_matter(evidence, edition)
    return Written(front, answer.text, prompt.text, "anthropic", endpoint.model, answer.calls, notes=notes)
