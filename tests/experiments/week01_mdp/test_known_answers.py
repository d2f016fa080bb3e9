"""The exact values of the books and of Gymnasium's tables."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from experiments.kit import envs
from experiments.week01_mdp.mdp import MDP, greedy, mdp_of, soften, uniform
from experiments.week01_mdp.modified_policy_iteration import modified_policy_iteration
from experiments.week01_mdp.policy_evaluation import evaluate_by_solving, evaluate_by_sweeps, policy_sweeps
from experiments.week01_mdp.policy_iteration import policy_iteration
from experiments.week01_mdp.value_iteration import Config as ValueConfig
from experiments.week01_mdp.value_iteration import sweeps, value_iteration

RANDOM_4X4 = [[0, -14, -20, -22], [-14, -18, -20, -20], [-20, -20, -18, -14], [-22, -20, -14, 0]]
RANDOM_5X5 = [
    [3.3, 8.8, 4.4, 5.3, 1.5],
    [1.5, 3.0, 2.3, 1.9, 0.5],
    [0.1, 0.7, 0.7, 0.4, -0.4],
    [-1.0, -0.4, -0.4, -0.6, -1.2],
    [-1.9, -1.3, -1.2, -1.4, -2.0],
]
OPTIMAL_5X5 = [
    [22.0, 24.4, 22.0, 19.4, 17.5],
    [19.8, 22.0, 19.8, 17.8, 16.0],
    [17.8, 19.8, 17.8, 16.0, 14.4],
    [16.0, 17.8, 16.0, 14.4, 13.0],
    [14.4, 16.0, 14.4, 13.0, 11.7],
]


def nth(iterates, n):
    return next(islice(iterates, n - 1, None))


def test_example_4_1_random_policy():
    mdp = mdp_of(envs.gridworld4(), 1.0)
    exact = evaluate_by_solving(mdp, uniform(mdp))
    np.testing.assert_allclose(exact.reshape(4, 4), RANDOM_4X4, atol=1e-9)
    swept, _ = evaluate_by_sweeps(mdp, uniform(mdp), 1e-10)
    np.testing.assert_allclose(swept, exact, atol=1e-7)


def test_figure_4_1_greedy_policy_is_optimal_after_three_sweeps():
    mdp = mdp_of(envs.gridworld4(), 1.0)
    third = nth(policy_sweeps(mdp, uniform(mdp)), 3)
    np.testing.assert_allclose(third.reshape(4, 4)[0], [0, -2.4375, -2.9375, -3], atol=1e-4)  # the book's k = 3
    values = evaluate_by_solving(mdp, greedy(mdp, third))
    np.testing.assert_allclose(values, policy_iteration(mdp).values)


def test_example_3_5_random_policy():
    mdp = mdp_of(envs.gridworld5(), 0.9)
    np.testing.assert_allclose(evaluate_by_solving(mdp, uniform(mdp)).reshape(5, 5), RANDOM_5X5, atol=0.051)


@pytest.mark.parametrize("solve", [value_iteration, policy_iteration, modified_policy_iteration])
def test_example_3_8_optimal_values(solve):
    values = solve(mdp_of(envs.gridworld5(), 0.9)).values
    np.testing.assert_allclose(values.reshape(5, 5), OPTIMAL_5X5, atol=0.051)


def test_state_a_pays_ten_every_fifth_step():
    values = policy_iteration(mdp_of(envs.gridworld5(), 0.9)).values
    assert values[1] == pytest.approx(10 / (1 - 0.9**5), abs=1e-10)
    assert values[1] == pytest.approx(24.419428, abs=1e-6)


def test_frozenlake_4x4():
    world = envs.frozenlake(4)
    endless = mdp_of(world, 1.0)
    assert policy_iteration(endless).values[0] == pytest.approx(14 / 17, abs=1e-10)
    assert nth(sweeps(endless), 100)[0] == pytest.approx(0.74419, abs=5e-6)
    patient = policy_iteration(mdp_of(world, 0.99))
    assert patient.values[0] == pytest.approx(0.542026, abs=5e-7)
    assert nth(policy_sweeps(endless, patient.policy), 100)[0] == pytest.approx(0.74016, abs=5e-6)
    assert policy_iteration(mdp_of(world, 0.9)).values[0] == pytest.approx(0.068891, abs=5e-7)


def test_frozenlake_8x8_can_be_crossed_for_certain():
    endless = mdp_of(envs.frozenlake(8), 1.0)
    assert policy_iteration(endless).values[0] == pytest.approx(1.0, abs=1e-9)
    assert nth(sweeps(endless), 200)[0] < 0.92


def test_cliff_shortest_path():
    world = envs.cliff()
    mdp = mdp_of(world, 1.0)
    for solution in (policy_iteration(mdp), value_iteration(mdp, ValueConfig(1e-9)), modified_policy_iteration(mdp)):
        assert solution.values[world.start] == pytest.approx(-13)


def test_cliff_agrees_with_gymnasium_cell_by_cell():
    gymnasium = pytest.importorskip("gymnasium")
    table = gymnasium.make("CliffWalking-v1").unwrapped.P
    P, R, terminal = envs.tables(table)
    theirs = policy_iteration(MDP(P, R, 1.0)).values
    world = envs.cliff()
    ours = policy_iteration(mdp_of(world, 1.0)).values
    reachable = world.cells.ravel() >= 0
    np.testing.assert_allclose(ours, theirs[reachable], atol=1e-9)
    assert np.flatnonzero(terminal).tolist() == [47]


def test_cliff_best_soft_policy_takes_the_second_row():
    world = envs.cliff()
    soft = soften(mdp_of(world, 1.0), 0.1)
    best = policy_iteration(soft)
    assert best.values[world.start] == pytest.approx(-20.7077, abs=5e-5)
    path = [world.start]
    while not world.terminal[path[-1]]:
        row = world.transitions[[best.policy[path[-1]] * world.states + path[-1]]]
        path.append(int(row.indices[0]))
    assert len(path) - 1 == 15
    assert {int(np.argwhere(world.cells == s)[0][0]) for s in path[2:-2]} == {1}


def test_cliff_soft_around_the_shortest_path():
    world = envs.cliff()
    mdp = mdp_of(world, 1.0)
    shortest = greedy(mdp, policy_iteration(mdp).values)
    careless = evaluate_by_solving(soften(mdp, 0.1), shortest)
    assert careless[world.start] == pytest.approx(-45.8033, abs=5e-5)


def test_windy_shortest_path():
    world = envs.windy()
    assert policy_iteration(mdp_of(world, 1.0)).values[world.start] == pytest.approx(-15)
