"""The policy benchmark: the script of the peer runs as a script, the median decides, exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from bench import policy as bench


@pytest.fixture(autouse=True)
def _keep_threads(monkeypatch):
    """The command sets these; put them back."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_cleanrl_runs_as_a_script_in_its_own_folder(tmp_path, capsys):
    (tmp_path / "cleanrl").mkdir()
    script = tmp_path / "cleanrl" / "ppo.py"
    script.write_text(
        "import os, sys\nif __name__ == '__main__':\n    print(os.path.basename(__file__), sys.argv)\n"
        "    open('ran', 'w').write(' '.join(sys.argv[1:]))\n    sum(i * i for i in range(10**6))\n"
    )
    argv, here = list(sys.argv), Path.cwd()
    assert bench.cleanrl(tmp_path)(2048) > 0
    assert (tmp_path / "ran").read_text() == "--total-timesteps 2048 --no-cuda --seed 0"
    assert (sys.argv, Path.cwd(), capsys.readouterr().out) == (argv, here, "")


def test_ours_counts_steps_a_second():
    assert bench.ours(epochs=1)(512) > 0


@pytest.mark.parametrize(("ratios", "code"), [((1.4, 1.6, 3.0), 0), ((1.4, 1.4, 3.0), 1)])
def test_the_median_turn_decides(monkeypatch, ratios, code):
    pytest.importorskip("stable_baselines3")
    speeds = iter([1.0, *ratios])  # the first is the warm-up
    monkeypatch.setattr(bench, "ours", lambda **settings: lambda steps: next(speeds))
    monkeypatch.setattr(bench, "stable_baselines", lambda steps: 1.0)
    result = CliRunner().invoke(bench.main, ["--repeats", "3", "--json"])
    assert result.exit_code == code
    assert json.loads(result.output)["passed"] is (code == 0)


def test_one_seed_may_miss_the_full_return(monkeypatch):
    pytest.importorskip("stable_baselines3")
    monkeypatch.setattr(bench, "race", lambda *_: bench.Bar("peer", 2.0, 1.0, 2.0, (2.0,), 1.5))
    for missed, code in ((1, 0), (2, 1)):
        monkeypatch.setattr(bench, "returns", lambda seeds, missed=missed: [500.0] * (seeds - missed) + [99.0] * missed)
        assert CliRunner().invoke(bench.main, ["--seeds", "5"]).exit_code == code
