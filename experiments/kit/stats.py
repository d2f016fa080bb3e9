"""Statistics over seeds: a robust centre, an interval by resampling seeds, and paired comparisons.

Contract: plain functions on arrays, deterministic for a given `seed` of the resampling. Scores are (runs,) or, for
several tasks, (runs, tasks); resampling is stratified, so every task keeps its number of runs. The interquartile mean
and the intervals follow Agarwal et al. 2021 (rliable's definitions); percentile intervals from few seeds are somewhat
too narrow, so every study shows its points as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Scores = npt.ArrayLike
Statistic = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


def iqm(scores: Scores) -> float:
    """Interquartile mean: the mean of the middle half of all scores."""
    return float(stats.trim_mean(np.asarray(scores, dtype=np.float64).ravel(), 0.25))


@dataclass(frozen=True)
class Estimate:
    """A centre, a (low, high) interval of confidence `level` around it, and how both were made, in words."""

    value: float
    interval: tuple[float, float]
    statistic: str

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero; if not, say "no difference shown"."""
        return self.interval[0] > 0 or self.interval[1] < 0


def estimate(scores: Scores, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0) -> Estimate:
    """Interquartile mean with a stratified percentile bootstrap interval. Raises ValueError without two runs."""
    x = np.asarray(scores, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    runs, tasks = x.shape
    if runs < 2:
        raise ValueError("an interval needs at least two runs")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, runs, size=(resamples, runs, tasks))
    resampled = x[picks, np.arange(tasks)].reshape(resamples, -1)  # (resamples, runs * tasks)
    centres = stats.trim_mean(resampled, 0.25, axis=1)
    low, high = np.quantile(centres, [(1 - level) / 2, (1 + level) / 2])
    words = f"interquartile mean over {runs} seeds, {level:.0%} bootstrap interval"
    return Estimate(iqm(x), (float(low), float(high)), words)


def paired_difference(a: Scores, b: Scores, **options: float | int) -> Estimate:
    """The estimate of a - b, run by run: element i of both must come from the same seed."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"paired scores differ in shape: {x.shape} and {y.shape}")
    return estimate(x - y, **options)  # type: ignore[arg-type]


def probability_of_improvement(a: Scores, b: Scores) -> float:
    """The chance that a random run of a beats a random run of b (ties count half): the Mann-Whitney statistic."""
    x, y = (np.asarray(v, dtype=np.float64).ravel() for v in (a, b))
    return float(stats.mannwhitneyu(x, y).statistic / (x.size * y.size))


def geometric_mean(values: Sequence[float]) -> float:
    """The mean that suits ratios. Raises ValueError for values that are not positive."""
    if min(values) <= 0:
        raise ValueError("a geometric mean needs positive values")
    return float(stats.gmean(values))
