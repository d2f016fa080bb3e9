"""PPO on CartPole against Stable-Baselines3 and CleanRL: `python -m bench.policy`.

Same hyperparameters, one process, one thread, no evaluation while timed. Runs take turns, `--repeats` times after
a warm-up; a ratio is taken within each turn and the median over turns is compared with the bar. Seconds are this
process's own processor time, which on one thread and an idle machine is the clock's and on a busy one leaves other
work out. Steps of ours that Gymnasium spends on restarting a copy do not count as steps; the peers count them.

Against Stable-Baselines3: the settings of rl-baselines3-zoo (8 copies, 32 steps, 20 epochs over one batch of 256).
Against CleanRL: its own defaults (4 copies, 128 steps, 4 epochs of 4 minibatches). CleanRL is no library: give the
folder of a checkout with `--cleanrl`; its `ppo.py` runs as it stands, tracking off.
`--seeds 5` also trains that many seeds for 100,000 steps and demands the full 500 on all but one of them.

Exit code 0: all bars met, 1: a bar missed, 2: the peer is not installed.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from statistics import median

import click

INSTALL = "pip install -c constraints.txt -e '.[peers]'"
SB3_BAR, CLEANRL_BAR, RETURN_BAR = 1.5, 1.6, 500.0
Race = Callable[[int], float]
"""Trains for about this many steps; returns steps a second of processor time."""


@dataclass(frozen=True)
class Bar:
    """Ours over a peer's steps a second: the median over turns beside the least it must be."""

    peer: str
    ours: float
    theirs: float
    ratio: float
    ratios: tuple[float, ...]
    least: float

    @property
    def met(self) -> bool:
        return self.ratio >= self.least


def ours(**settings: float) -> Race:
    """Our PPO with these settings."""
    from experiments.week04_policy import ppo

    def run(steps: int) -> float:
        config = ppo.Config(steps=steps, evaluations=0, **settings)  # type: ignore[arg-type]
        start = time.process_time()
        curve = ppo.train(config, 0, lambda row: None)
        return curve.spent / (time.process_time() - start)

    return run


def stable_baselines(steps: int) -> float:
    """Stable-Baselines3 with rl-baselines3-zoo's settings for CartPole."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    start = time.process_time()
    model = PPO(
        "MlpPolicy", make_vec_env("CartPole-v1", 8, seed=0), n_steps=32, batch_size=256, n_epochs=20,
        gae_lambda=0.8, gamma=0.98, ent_coef=0.0, learning_rate=lambda left: 1e-3 * left,
        clip_range=lambda left: 0.2 * left, device="cpu", seed=0,
    )  # fmt: skip
    model.learn(steps)
    return model.num_timesteps / (time.process_time() - start)


def cleanrl(folder: Path) -> Race:
    """CleanRL's `ppo.py`, executed as a script with its own defaults."""
    script = str((folder / "cleanrl" / "ppo.py").resolve())

    def run(steps: int) -> float:
        before, home = sys.argv, Path.cwd()
        sys.argv = ["ppo.py", "--total-timesteps", str(steps), "--no-cuda", "--seed", "0"]
        start = time.process_time()
        try:
            os.chdir(folder)  # it writes its TensorBoard log into the current folder
            with redirect_stdout(StringIO()):
                runpy.run_path(script, run_name="__main__")
        finally:
            sys.argv = before
            os.chdir(home)
        return steps / (time.process_time() - start)

    return run


CLEANRL_SETTINGS = {
    "copies": 4, "window": 128, "batch": 128, "epochs": 4, "gamma": 0.99, "lam": 0.95, "rate": 2.5e-4, "entropy": 0.01,
}  # fmt: skip


def race(peer: str, mine: Race, theirs: Race, steps: int, repeats: int, least: float) -> Bar:
    """Both in turn, after a warm-up."""
    mine(2048), theirs(2048)
    pairs = [(mine(steps), theirs(steps)) for _ in range(repeats)]
    ratios = tuple(a / b for a, b in pairs)
    return Bar(peer, median(a for a, _ in pairs), median(b for _, b in pairs), median(ratios), ratios, least)


def returns(seeds: int) -> list[float]:
    """Evaluation return of our PPO after 100,000 steps, seed by seed."""
    from experiments.week04_policy import ppo

    return [ppo.train(ppo.Config(evaluations=1), seed, lambda row: None).returns[-1] for seed in range(seeds)]


@click.command(help=__doc__)
@click.option("--steps", default=20_480, show_default=True, help="Steps of each timed run.")
@click.option("--repeats", default=5, show_default=True, help="Turns.")
@click.option("--seeds", default=0, show_default=True, help="Seeds to train fully; 0 leaves this out.")
@click.option("--cleanrl", "checkout", type=click.Path(exists=True, path_type=Path), help="A checkout of CleanRL.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(steps: int, repeats: int, seeds: int, checkout: Path | None, as_json: bool) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    try:
        import stable_baselines3  # noqa: F401
    except ImportError:
        click.echo(f"stable_baselines3 is not installed: {INSTALL}", err=True)
        sys.exit(2)
    found = [race("Stable-Baselines3", ours(), stable_baselines, steps, repeats, SB3_BAR)]
    if checkout:
        found.append(race("CleanRL", ours(**CLEANRL_SETTINGS), cleanrl(checkout), steps, repeats, CLEANRL_BAR))
    reached = returns(seeds) if seeds else []
    full = sum(value >= RETURN_BAR for value in reached)
    passed = all(bar.met for bar in found) and full >= len(reached) - 1
    if as_json:
        bars = [{**asdict(bar), "met": bar.met} for bar in found]
        click.echo(json.dumps({"bars": bars, "returns": reached, "passed": passed, "repeats": repeats}, indent=1))
    else:
        click.echo(f"{'PPO on CartPole against':<26}{'ours/s':>9}{'theirs/s':>10}{'ratio':>8}")
        for bar in found:
            verdict = "ok" if bar.met else "MISSED"
            low, high = min(bar.ratios), max(bar.ratios)
            click.echo(
                f"{bar.peer:<26}{bar.ours:>9,.0f}{bar.theirs:>10,.0f}{bar.ratio:>7.2f}x  "
                f"(bar {bar.least:.1f}x, {verdict}; turns {low:.2f} to {high:.2f})"
            )
        if reached:
            click.echo(f"return after 100,000 steps: {full} of {len(reached)} seeds at 500: {reached}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
