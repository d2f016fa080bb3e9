"""The attention benchmark: the same inputs for all, bars that compare what they say, exit codes."""

from __future__ import annotations

import json

import pytest
import torch
from click.testing import CliRunner

from bench import attention as bench


@pytest.fixture(autouse=True)
def _keep_threads(monkeypatch):
    """The command sets these; put them back."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def row(length: int, tiled: float, naive: float, peak: int, difference: float = 1e-7) -> bench.Row:
    return bench.Row(length, {"tiled": tiled, "naive": naive, "sdpa": 1.0}, {"tiled": difference}, {"tiled": peak})


def test_all_contestants_agree_and_are_measured():
    found = bench.measure(96, repeats=1)
    assert found.seconds.keys() == found.peak.keys() == {"tiled", "naive", "sdpa"}
    assert max(found.difference.values()) <= bench.DIFFERENCE
    assert found.peak["naive"] > found.peak["sdpa"] > 0


def test_bars_compare_like_with_like():
    bars = {bar.what: bar for bar in bench.bars([row(512, 1.5, 9.0, 100), row(2048, 2.5, 5.0, 500)])}
    assert bars["times SDPA's time at 512"].met and not bars["times SDPA's time at 2,048"].met
    assert bars["times as fast as naive at 2,048"].value == 2.0
    assert "times as fast as naive at 512" not in bars and not bars["times as fast as naive at 2,048"].met
    assert bars["growth of memory a doubling to 2,048"].value == 2.5  # five times as much for two doublings
    assert bars["memory over one L x L matrix"].met


@pytest.mark.parametrize(("tiled", "difference", "code"), [(1.5, 1e-7, 0), (2.5, 1e-7, 1), (1.5, 1e-3, 1)])
def test_exit_code_follows_bars_and_differences(monkeypatch, tiled, difference, code):
    monkeypatch.setattr(bench, "measure", lambda length, repeats: row(length, tiled, 9.0, 100 * length, difference))
    result = CliRunner().invoke(bench.main, ["--lengths", "512,2048", "--json"])
    assert result.exit_code == code
    assert json.loads(result.output)["passed"] is (code == 0)
