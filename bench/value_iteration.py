"""Value iteration on slippery grids against mdpsolver and pymdptoolbox: `python -m bench.value_iteration`.

Every solver starts from the same sparse transition matrix and rewards, in the same process, on one thread, and its time
includes whatever it needs to build its own model from them: for us the checks of `MDP`, for mdpsolver the nested lists
that its interface takes, for pymdptoolbox its constructor. All stop when values are known to within a band of 0.001
(span of a sweep's change at most 0.001 (1 - gamma) / gamma). Solvers take turns, `--repeats` times each (pymdptoolbox
once: it takes long); medians are compared, like with like. Every answer is checked against policy iteration's.

mdpsolver settings: sparse lists, `postProcessing=True` (without it the values are off by a constant), `parallel=False`.
Its OpenMP mode is for machines with many idle cores: `--threads 2` tries it. Exit code 0: all bars met, 1: a bar
missed, 2: a peer is not installed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import click
import numpy as np

from experiments.kit.envs import Floats, World, open_grid
from experiments.week01_mdp.mdp import MDP
from experiments.week01_mdp.modified_policy_iteration import Config as ModifiedConfig
from experiments.week01_mdp.modified_policy_iteration import modified_policy_iteration
from experiments.week01_mdp.policy_iteration import policy_iteration
from experiments.week01_mdp.value_iteration import Config as ValueConfig
from experiments.week01_mdp.value_iteration import value_iteration

GAMMA, TOLERANCE = 0.99, 1e-3
TOOLBOX_UP_TO = 20_000  # states: its constructor takes a Python loop over all of them
INSTALL = {"mdpsolver": "pip install mdpsolver==0.10.2", "mdptoolbox": "pip install pymdptoolbox==4.0b3"}
Solve = Callable[[], tuple[Floats, float]]
"""Builds and solves; returns the values (S,) and the seconds that solving took without building."""


@dataclass(frozen=True)
class Row:
    """One solver on one grid: median seconds in all and of solving alone, and its largest error."""

    solver: str
    states: int
    seconds: float
    solving: float
    error: float


@dataclass(frozen=True)
class Bar:
    """A comparison that must hold: `slow` takes at least `least` times as long as `fast`."""

    states: int
    fast: str
    slow: str
    least: float
    ratio: float
    solving_ratio: float

    @property
    def met(self) -> bool:
        return self.ratio >= self.least


def nested_lists(world: World) -> tuple[list[list[float]], list[Any], list[Any]]:
    """Rewards [s][a], probabilities [s][a][k] and columns [s][a][k], as mdpsolver takes them."""
    P = world.transitions
    ends, data, columns = P.indptr.tolist(), P.data.tolist(), P.indices.tolist()
    S, A = world.states, world.actions
    rows = [[(ends[i], ends[i + 1]) for i in range(s, A * S, S)] for s in range(S)]
    probabilities = [[data[i:j] for i, j in row] for row in rows]
    targets = [[columns[i:j] for i, j in row] for row in rows]
    return world.rewards.T.tolist(), probabilities, targets


def solvers(world: World, threads: int) -> Iterator[tuple[str, Solve]]:
    """Every solver for this grid, by name."""

    def ours(solve: Callable[[MDP], Any]) -> Solve:
        def run() -> tuple[Floats, float]:
            mdp = MDP(world.transitions, world.rewards, GAMMA)
            start = time.perf_counter()
            values = solve(mdp).values
            return values, time.perf_counter() - start

        return run

    def theirs(algorithm: str) -> Solve:
        def run() -> tuple[Floats, float]:
            import mdpsolver

            rewards, probabilities, columns = nested_lists(world)
            model = mdpsolver.model()
            model.mdp(discount=GAMMA, rewards=rewards, tranMatProbs=probabilities, tranMatColumns=columns)
            start = time.perf_counter()
            model.solve(algorithm=algorithm, tolerance=TOLERANCE, postProcessing=True, parallel=threads > 1)
            seconds = time.perf_counter() - start
            return np.array(model.getValueVector()), seconds

        return run

    def toolbox() -> tuple[Floats, float]:
        import mdptoolbox.mdp
        from scipy import sparse

        S = world.states
        P = [sparse.csr_matrix(world.transitions[a * S : (a + 1) * S]) for a in range(world.actions)]
        model = mdptoolbox.mdp.ValueIteration(P, world.rewards.T, GAMMA, epsilon=TOLERANCE)
        start = time.perf_counter()
        model.run()
        return np.array(model.V), time.perf_counter() - start

    yield "ours vi", ours(lambda mdp: value_iteration(mdp, ValueConfig(TOLERANCE)))
    yield "ours mpi", ours(lambda mdp: modified_policy_iteration(mdp, ModifiedConfig(tolerance=TOLERANCE)))
    yield "mdpsolver vi", theirs("vi")
    yield "mdpsolver mpi", theirs("mpi")
    if world.states <= TOOLBOX_UP_TO:
        yield "pymdptoolbox vi", toolbox


def measure(world: World, repeats: int, threads: int) -> list[Row]:
    """All solvers in turn, after a warm-up of ours."""
    exact = policy_iteration(MDP(world.transitions, world.rewards, GAMMA)).values
    runs: dict[str, list[tuple[float, float]]] = {}
    errors: dict[str, float] = {}
    for turn in range(repeats):
        for name, solve in solvers(world, threads):
            if turn and name.startswith("pymdptoolbox"):
                continue
            start = time.perf_counter()
            values, solving = solve()
            runs.setdefault(name, []).append((time.perf_counter() - start, solving))
            errors[name] = max(errors.get(name, 0.0), float(np.abs(values - exact).max()))
    return [
        Row(name, world.states, median(t for t, _ in times), median(s for _, s in times), errors[name])
        for name, times in runs.items()
    ]


def bars(rows: Sequence[Row]) -> list[Bar]:
    """What must hold on one grid: like against like, and our slowest against the toolbox."""
    by_name = {row.solver: row for row in rows}
    wanted = [
        ("ours vi", "mdpsolver vi", 5.0),
        ("ours mpi", "mdpsolver mpi", 5.0),
        ("ours vi", "pymdptoolbox vi", 100.0),
    ]
    found = []
    for fast, slow, least in wanted:
        if slow in by_name:
            a, b = by_name[fast], by_name[slow]
            found.append(Bar(a.states, fast, slow, least, b.seconds / a.seconds, b.solving / a.solving))
    return found


def missing_peers() -> list[str]:
    """The peers that cannot be imported."""
    missing = []
    for name in INSTALL:
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    return missing


@click.command(help=__doc__)
@click.option("--sides", default="100,316", show_default=True, help="Sides of the square grids.")
@click.option("--repeats", default=5, show_default=True, help="Runs of each solver.")
@click.option("--threads", default=1, show_default=True, help="More than one turns on mdpsolver's OpenMP mode.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(sides: str, repeats: int, threads: int, as_json: bool) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read by mdpsolver's OpenMP runtime when it is first imported
    if missing := missing_peers():
        for name in missing:
            click.echo(f"{name} is not installed: {INSTALL[name]}", err=True)
        sys.exit(2)
    rows: list[Row] = []
    checks: list[Bar] = []
    for side in (int(part) for part in sides.split(",")):
        found = measure(open_grid(side), repeats, threads)
        rows += found
        checks += bars(found)
    wrong = [row for row in rows if row.error >= TOLERANCE]
    passed = not wrong and all(bar.met for bar in checks)
    if as_json:
        report = {"rows": [asdict(r) for r in rows], "bars": [{**asdict(b), "met": b.met} for b in checks]}
        click.echo(json.dumps({**report, "passed": passed, "threads": threads, "repeats": repeats}, indent=1))
    else:
        click.echo(f"{'solver':<18}{'states':>8}{'seconds':>10}{'solving':>10}{'max error':>12}")
        for row in rows:
            mark = "" if row.error < TOLERANCE else f"  not within {TOLERANCE}"
            click.echo(
                f"{row.solver:<18}{row.states:>8}{row.seconds:>10.3f}{row.solving:>10.3f}{row.error:>12.1e}{mark}"
            )
        click.echo()
        for bar in checks:
            verdict = "ok" if bar.met else "MISSED"
            against = f"{bar.fast} against {bar.slow}, {bar.states} states"
            beside = f"(bar {bar.least:.0f}x, {verdict}; solving alone {bar.solving_ratio:.1f}x)"
            click.echo(f"{against:<46}{bar.ratio:>8.1f}x  {beside}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
