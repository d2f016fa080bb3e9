"""Statistics against SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from experiments.kit import stats


def test_iqm_is_the_mean_of_the_middle_half():
    assert stats.iqm([100, 1, 2, 3, 4, 5, 6, -100]) == pytest.approx(np.mean([2, 3, 4, 5]))
    assert stats.iqm([7]) == 7


def test_interval_agrees_with_scipys_bootstrap():
    x = np.random.default_rng(0).normal(5, 2, 40)
    ours = stats.estimate(x, resamples=20_000)
    theirs = scipy_stats.bootstrap(
        (x,), lambda v, axis: scipy_stats.trim_mean(v, 0.25, axis=axis), method="percentile", n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert ours.value == pytest.approx(stats.iqm(x))
    assert ours.interval == pytest.approx((theirs.low, theirs.high), abs=0.05)


def test_interval_is_deterministic_and_contains_the_centre():
    x = [1.0, 2.0, 4.0, 8.0, 9.0]
    a, b = stats.estimate(x), stats.estimate(x)
    assert a == b and a.interval[0] <= a.value <= a.interval[1]
    assert "5 seeds" in a.statistic and "95%" in a.statistic


def test_equal_values_have_a_point_interval():
    assert stats.estimate([3.0, 3.0, 3.0]).interval == (3.0, 3.0)


def test_resampling_is_stratified_by_task():
    """A task that never varies adds nothing to the width, however different its level is."""
    rng = np.random.default_rng(2)
    noisy = rng.normal(0, 1, 30)
    steady = np.full(30, 1000.0)
    both = stats.estimate(np.stack([noisy, steady], axis=1))
    assert both.value == pytest.approx(stats.iqm(np.concatenate([noisy, steady])))
    one_by_one = np.random.default_rng(0).integers(0, 30, (500, 30, 2))
    values = [stats.iqm(np.stack([noisy[i[:, 0]], steady[i[:, 1]]])) for i in one_by_one]
    assert both.interval[0] == pytest.approx(np.quantile(values, 0.025), abs=25)


def test_paired_difference_sees_what_unpaired_noise_hides():
    rng = np.random.default_rng(3)
    maze = rng.normal(0, 100, 12)
    a, b = maze + 1 + rng.normal(0, 0.1, 12), maze
    assert stats.paired_difference(a, b).excludes_zero
    assert not stats.paired_difference(maze, maze[::-1]).excludes_zero
    with pytest.raises(ValueError, match="shape"):
        stats.paired_difference([1, 2], [1, 2, 3])


def test_probability_of_improvement():
    assert stats.probability_of_improvement([2, 3], [0, 1]) == 1
    assert stats.probability_of_improvement([0, 1], [2, 3]) == 0
    assert stats.probability_of_improvement([1, 1], [1, 1]) == 0.5


def test_geometric_mean():
    assert stats.geometric_mean([1, 100]) == pytest.approx(10)
    with pytest.raises(ValueError, match="positive"):
        stats.geometric_mean([1, 0])


def test_one_run_has_no_interval():
    with pytest.raises(ValueError, match="two runs"):
        stats.estimate([1.0])
