"""Shared by all tests: nothing leaves the temporary directory, nothing reaches the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chromium import browser
from tests.toy_project import drafted, project

__all__ = ["browser", "drafted", "project"]

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No key, account or project of the person who runs the tests is seen by them."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "WANDB_API_KEY", "FORGE_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("WANDB_MODE", "offline")


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT
