"""Endpoints as the settings and the environment make them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.project import Project, Settings
from pipeline.writers.models import request_settings
from pipeline.writers.service import anthropic_endpoint, model_file, open_endpoint


def test_the_messages_api_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotRun, match="needs a key\n  fix: set ANTHROPIC_API_KEY"):
        anthropic_endpoint(Settings())
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "t")
    settings = Settings(
        anthropic_model="claude-opus-5-5", fallback_models=("claude-haiku-5-5", "claude-opus-5-5"), deadline_seconds=90,
        thinking="default", anthropic_effort="max", cache_ttl="1h",
    )  # fmt: skip
    made = anthropic_endpoint(settings)
    assert made.models == ("claude-opus-5-5", "claude-haiku-5-5") and made.patience.deadline == 90 and made.ttl == "1h"
    assert made.settings["claude-haiku-5-5"] == {"output_config": {"effort": "max"}}
    assert made.client.max_retries == 0


def test_a_price_of_one_s_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with pytest.raises(CannotRun, match="no price is known for the model 'claude-next'"):
        anthropic_endpoint(Settings(anthropic_model="claude-next"))
    row = {"model": "claude-next", "from": date(2026, 1, 1), "input": 1, "output": 5, "source": "here"}
    with pytest.raises(CannotRun, match=r"no (write_5m|read) price is known"):
        anthropic_endpoint(Settings(anthropic_model="claude-next", prices=(row,)))
    made = anthropic_endpoint(Settings(anthropic_model="claude-next", prices=({**row, "write_5m": 2, "read": 0.1},)))
    assert made.cost("claude-next", {"input": 1_000_000, "read": 1_000_000}) == Decimal("1.1")


def test_another_server_is_free_and_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    with open_endpoint("local", Project(tmp_path, Settings(local_model="mine", deadline_seconds=30))) as made:
        assert (made.name, made.models, made.prices) == ("local", ("mine",), None)
        assert made.worst("mine", 10**6, 10**6) == 0 and made.patience.idle == made.patience.deadline == 30


def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"local_model = 'none.gguf': there is no such file"):
        model_file(Project(tmp_path, Settings(local_model="none.gguf")))


@pytest.mark.parametrize(
    ("model", "thinking", "effort", "why"),
    [
        ("claude-opus-5-5", "disabled", "low", "claude-opus-5-5 cannot think as thinking = 'disabled' says"),
        ("claude-fable-5-2", "disabled", "low", "does not turn thinking off"),
        ("claude-sonnet-5-5", "disabled", "low", "does not turn thinking off"),
        ("claude-sonnet-5-5", "between_tools", "xhigh", "only up to anthropic_effort = 'high', not 'xhigh'"),
        ("claude-haiku-5-5", "disabled", "max", "only up to anthropic_effort = 'high', not 'max'"),
    ],
)
def test_what_a_model_refuses_is_told_before(model: str, thinking: str, effort: str, why: str) -> None:
    with pytest.raises(CannotRun, match=why):
        request_settings(model, thinking, effort)


def test_what_a_model_takes() -> None:
    assert request_settings("claude-haiku-5-5", "disabled", "high") == {
        "thinking": {"type": "disabled"}, "output_config": {"effort": "high"}
    }  # fmt: skip
    assert request_settings("claude-sonnet-5-5", "between_tools", "default") == {"thinking": {"type": "between_tools"}}
    assert request_settings("a-new-model", "default", "default") == {}
