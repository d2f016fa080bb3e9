"""The project: where things lie and how it is set up. Paths are decided here and nowhere else.

A project is a folder with `notes/`, `experiments/` and `mkdocs.yml`. Settings live in its `pyproject.toml` under
`[tool.forge]`; every one has a default, and an unknown one is an error with the nearest name.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from experiments.kit.errors import CannotRun
from experiments.kit.record import Edition

EFFORTS = ("default", "low", "medium", "high", "xhigh", "max")  # the least first
# Settings that take one of a few words.
CHOICES = {
    "anthropic_effort": EFFORTS,
    "thinking": ("default", "adaptive", "between_tools", "disabled"),
    "cache_ttl": ("5m", "1h"),
}


@dataclass(frozen=True)
class Settings:
    """`[tool.forge]`. Words count prose without code; minutes are words over `words_per_minute` (Material's 265).

    `fallback_models` are asked in turn when a model declines. `budget_usd` is what one command may spend on a model
    (0: no bound), `deadline_seconds` what one call may take with all its attempts, `cache_ttl` how long the service
    keeps a prompt's stable part, `repair_turns` how often findings go back to the model. `prices` are tables like those
    of `pipeline/writers/prices.toml`.
    """

    author: str = "the author"
    site_name: str = "Knowledge Forge"
    budget: str = "small"
    anthropic_model: str = "claude-sonnet-5-5"
    anthropic_effort: str = "medium"
    thinking: str = "adaptive"
    fallback_models: tuple[str, ...] = ()
    budget_usd: float = 0.0
    deadline_seconds: int = 600
    cache_ttl: str = "5m"
    repair_turns: int = 3
    prices: tuple[Mapping[str, Any], ...] = ()
    local_model: str = ""
    words_per_minute: int = 265
    scientist_minutes: tuple[int, int] = (12, 15)
    manager_minutes: tuple[int, int] = (3, 6)

    def minutes(self, edition: Edition) -> tuple[int, int]:
        """The asked reading time of an edition, shortest and longest."""
        return self.scientist_minutes if edition == "scientist" else self.manager_minutes


@dataclass(frozen=True)
class Project:
    """A project on disk."""

    root: Path
    settings: Settings

    @property
    def notes(self) -> Path:
        """The vault."""
        return self.root / "notes"

    @property
    def drafts(self) -> Path:
        """One folder a post."""
        return self.root / "drafts"

    @property
    def site(self) -> Path:
        """MkDocs' docs_dir."""
        return self.root / "site"

    @property
    def scratch(self) -> Path:
        """Git-ignored; deleting it loses time, never work."""
        return self.root / ".forge"

    def relative(self, path: Path) -> str:
        """A path as the person sees it: relative to the project where it lies inside."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def find_project(start: Path | None = None) -> Project:
    """The project around `start` (default: the working directory, or `FORGE_ROOT`). Raises CannotRun."""
    asked = os.environ.get("FORGE_ROOT")
    start = (start or Path(asked or ".")).resolve()
    for folder in (start, *start.parents):
        if (folder / "mkdocs.yml").is_file() and (folder / "notes").is_dir():
            return Project(folder, read_settings(folder))
    raise CannotRun(
        f"no Knowledge Forge project in {start} or above it (looked for mkdocs.yml beside notes/)\n"
        "  fix: change into your clone, or set FORGE_ROOT to it"
    )


def read_settings(root: Path) -> Settings:
    """`[tool.forge]` of `pyproject.toml`, checked. Raises CannotRun naming the file and key."""
    path = root / "pyproject.toml"
    if not path.is_file():
        return Settings()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("forge", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotRun(f"pyproject.toml: {error}") from None
    defaults = Settings()
    known = [f.name for f in fields(Settings)]
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"settings are {', '.join(known)}"
            raise CannotRun(f"pyproject.toml: [tool.forge] has no setting {name}; {hint}")
        default = getattr(defaults, name)
        if isinstance(default, tuple) and isinstance(value, list):
            value = tuple(value)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        same_length = not isinstance(default, tuple) or not default or len(value) == len(default)
        if type(value) is not type(default) or not same_length:
            raise CannotRun(f"pyproject.toml: [tool.forge] {name} = {value!r}: expected something like {default!r}")
        _check_value(name, value)
        values[name] = value
    return Settings(**values)


def _check_value(name: str, value: Any) -> None:
    """What a setting's type alone does not say. Raises CannotRun naming the setting and what it takes."""
    expected = ""
    if name in CHOICES and value not in CHOICES[name]:
        near = get_close_matches(value, CHOICES[name], n=1)
        expected = f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(CHOICES[name])}"
    elif name == "fallback_models" and not all(isinstance(model, str) and model for model in value):
        expected = 'expected names of models, such as ["claude-opus-5-5"]'
    elif name == "prices" and not all(isinstance(row, dict) for row in value):
        expected = "expected tables, each headed [[tool.forge.prices]]"
    elif name == "budget_usd" and not (math.isfinite(value) and value >= 0):
        expected = "expected US dollars, such as 2.50 (0: no bound)"
    elif name == "repair_turns" and value < 0:
        expected = "expected a number of turns, such as 3 (0: none)"
    elif name == "deadline_seconds" and value < 1:
        expected = "expected seconds, such as 600"
    elif name == "repair_turns" and value < 0:
        expected = "expected a number of turns, such as 3 (0: findings never go back to the model)"
    if expected:
        raise CannotRun(f"pyproject.toml: [tool.forge] {name} = {value!r}: {expected}")
