"""How a model is told to think: the rules the service enforces, checked before anything is sent.

Sources: the platform's pages on adaptive thinking and effort, as of 2026-11. A model without rules here is sent what
the settings say.
"""

from __future__ import annotations

from typing import Any

from experiments.kit.errors import CannotRun
from pipeline.project import EFFORTS

# Model family -> thinking settings it refuses, and those it takes only up to an effort.
REFUSED: dict[str, tuple[str, ...]] = {
    "claude-opus-5-5": ("disabled",),
    "claude-fable-5": ("disabled",),
    "claude-sonnet-5-5": ("disabled",),
}
AT_MOST: dict[tuple[str, str], str] = {
    ("claude-sonnet-5-5", "between_tools"): "high",
    ("claude-haiku-5-5", "disabled"): "high",
}


def request_settings(model: str, thinking: str, effort: str) -> dict[str, Any]:
    """The request fields for a model. `default` sends nothing: the model does as it does by itself.

    Raises CannotRun on what the model would refuse.
    """
    for family, refused in REFUSED.items():
        if model.startswith(family) and thinking in refused:
            raise CannotRun(
                f"{model} cannot think as thinking = {thinking!r} says: it does not turn thinking off\n"
                "  fix: under [tool.forge] set thinking = \"adaptive\" and a low anthropic_effort, or another model"
            )  # fmt: skip
    for (family, kind), most in AT_MOST.items():
        if model.startswith(family) and thinking == kind and EFFORTS.index(effort) > EFFORTS.index(most):
            raise CannotRun(
                f"{model} takes thinking = {thinking!r} only up to anthropic_effort = {most!r}, not {effort!r}\n"
                f"  fix: under [tool.forge] set anthropic_effort = \"{most}\", or thinking = \"adaptive\""
            )  # fmt: skip
    fields: dict[str, Any] = {}
    if thinking != "default":
        fields["thinking"] = {"type": thinking}
    if effort != "default":
        fields["output_config"] = {"effort": effort}
    return fields
