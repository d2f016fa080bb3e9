"""The benchmark against peers: fair inputs, correct answers, exit codes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bench import value_iteration as bench
from experiments.kit.envs import open_grid


@pytest.fixture(autouse=True)
def _keep_threads(monkeypatch):
    """The command sets this variable; put it back."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_nested_lists_hold_the_same_process():
    world = open_grid(7)
    rewards, probabilities, columns = bench.nested_lists(world)
    assert np.array(rewards).shape == (49, 4)
    for s in range(49):
        for a in range(4):
            row = world.transitions[[a * 49 + s]]
            assert columns[s][a] == row.indices.tolist() and probabilities[s][a] == row.data.tolist()
            assert rewards[s][a] == world.rewards[a, s]


@pytest.mark.filterwarnings("ignore:Comparing a sparse matrix")
def test_every_solver_gives_the_same_values():
    pytest.importorskip("mdpsolver")
    pytest.importorskip("mdptoolbox")
    rows = bench.measure(open_grid(12), repeats=1, threads=1)
    assert {row.solver for row in rows} == {"ours vi", "ours mpi", "mdpsolver vi", "mdpsolver mpi", "pymdptoolbox vi"}
    for row in rows:
        assert row.error < bench.TOLERANCE and row.seconds >= row.solving > 0, row


def test_bars_compare_like_with_like():
    rows = [
        bench.Row(name, 100, t, t / 2, 0.0) for name, t in [("ours vi", 1.0), ("ours mpi", 2.0), ("mdpsolver vi", 4.0)]
    ]
    (bar,) = bench.bars(rows)
    assert (bar.fast, bar.slow, bar.ratio, bar.met) == ("ours vi", "mdpsolver vi", 4.0, False)


def test_missing_peer_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(bench, "INSTALL", {"no_such_peer": "pip install no-such-peer==1.0"})
    result = CliRunner().invoke(bench.main, [])
    assert result.exit_code == 2
    assert "no_such_peer is not installed: pip install no-such-peer==1.0" in result.output


@pytest.mark.parametrize(("error", "seconds", "code"), [(0.0, 10.0, 0), (0.0, 2.0, 1), (0.5, 10.0, 1)])
def test_exit_code_follows_bars_and_errors(monkeypatch, error, seconds, code):
    rows = [bench.Row("ours vi", 4, 1.0, 1.0, 0.0), bench.Row("mdpsolver vi", 4, seconds, seconds, error)]
    monkeypatch.setattr(bench, "INSTALL", {})
    monkeypatch.setattr(bench, "measure", lambda world, repeats, threads: rows)
    result = CliRunner().invoke(bench.main, ["--sides", "2", "--json"])
    assert result.exit_code == code
    assert json.loads(result.output)["passed"] is (code == 0)
