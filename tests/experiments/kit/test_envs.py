"""Environments: their tables are what the books and Gymnasium say, and mazes keep their promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from experiments.kit import envs
from tests.timing import cpu_seconds

SMALL = [
    envs.gridworld4,
    envs.gridworld5,
    envs.cliff,
    envs.windy,
    lambda: envs.frozenlake(4),
    lambda: envs.frozenlake(8),
]


@pytest.mark.parametrize("build", SMALL)
def test_small_worlds_are_well_formed(build):
    world = build()
    S, A = world.states, world.actions
    assert world.transitions.shape == (A * S, S) and world.rewards.shape == (A, S) == (4, S)
    np.testing.assert_allclose(world.transitions.sum(axis=1), 1)
    assert (world.rewards[:, world.terminal] == 0).all()
    for a in range(A):
        stay = world.transitions[a * S : (a + 1) * S].diagonal()
        assert (stay[world.terminal] == 1).all()
    assert sorted(world.cells[world.cells >= 0]) == list(range(S))
    assert sorted(world.moves) == sorted(envs.COMPASS)


def where_to(world: envs.World, state: int, action: int) -> dict[int, float]:
    row = world.transitions[[action * world.states + state]]
    return dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))


def test_gridworld5_jumps_and_bumps():
    world = envs.gridworld5()
    for action in range(4):
        assert where_to(world, 1, action) == {21: 1.0} and world.rewards[action, 1] == 10
        assert where_to(world, 3, action) == {13: 1.0} and world.rewards[action, 3] == 5
    assert where_to(world, 0, 0) == {0: 1.0} and world.rewards[0, 0] == -1
    assert where_to(world, 12, 1) == {13: 1.0} and world.rewards[1, 12] == 0


def test_cliff_falls_back_to_the_start():
    world = envs.cliff()
    right = 1
    assert world.start == 36
    assert where_to(world, 36, right) == {36: 1.0} and world.rewards[right, 36] == -100
    above_cliff, down = int(world.cells[2, 5]), 2
    assert where_to(world, above_cliff, down) == {36: 1.0}
    assert world.states == 38


def test_windy_pushes_up_from_the_column_left():
    world = envs.windy()
    state = int(world.cells[3, 6])
    assert where_to(world, state, 1) == {int(world.cells[1, 7]): 1.0}
    assert where_to(world, int(world.cells[0, 6]), 2) == {int(world.cells[0, 6]): 1.0}


def test_frozenlake_is_gymnasiums_table():
    gymnasium = pytest.importorskip("gymnasium")
    table = gymnasium.make("FrozenLake-v1", map_name="4x4", is_slippery=True).unwrapped.P
    world = envs.frozenlake(4)
    for s in range(16):
        for a in range(4):
            if world.terminal[s]:
                continue
            expected: dict[int, float] = {}
            for p, t, _, _ in table[s][a]:
                expected[t] = expected.get(t, 0) + p
            assert where_to(world, s, a) == pytest.approx(expected)
            assert world.rewards[a, s] == pytest.approx(sum(p * r for p, _, r, _ in table[s][a]))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(2, 300), st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.sampled_from([0.0, 0.2, 0.35]), st.integers(0, 50),
    st.booleans(),
)  # fmt: skip
def test_mazes_have_exactly_the_states_asked_for_and_all_reach_the_goal(states, slip, walls, seed, ends):
    world = envs.maze(states, slip, walls, seed, ends=ends)
    assert world.states == states and (world.cells >= 0).sum() == states
    np.testing.assert_allclose(world.transitions.sum(axis=1), 1)
    goal = int(world.cells[-1, -1])
    assert goal >= 0 and world.marks[world.cells.shape[0] - 1, world.cells.shape[1] - 1] == "G"
    assert world.terminal.sum() == (1 if ends else 0)
    if ends:
        assert world.terminal[goal]
    union = sum(world.transitions[a * states : (a + 1) * states] for a in range(4))
    reached = csgraph.breadth_first_order(union.T.tocsr(), goal, return_predecessors=False)
    assert len(reached) == states


def test_maze_moves_and_slips():
    world = envs.maze(400, slip=0.2, seed=1)
    H, W = world.cells.shape
    inside = [
        (r, c)
        for r in range(1, H - 1)
        for c in range(1, W - 1)
        if (world.cells[r - 1 : r + 2, c - 1 : c + 2] >= 0).all()
    ]
    r, c = inside[0]
    s = int(world.cells[r, c])
    up, right, left = (int(world.cells[r + dr, c + dc]) for dr, dc in (envs.UP, envs.RIGHT, envs.LEFT))
    assert where_to(world, s, 0) == pytest.approx({up: 0.8, right: 0.1, left: 0.1})
    walled = next((r, c) for r in range(1, H) for c in range(W) if world.cells[r, c] >= 0 and world.cells[r - 1, c] < 0)
    s = int(world.cells[walled])
    assert where_to(world, s, 0)[s] >= 0.8 - 1e-12  # into the wall: stays


def test_courier_is_paid_and_sent_back():
    world = envs.maze(200, seed=3, ends=False)
    goal = int(world.cells[-1, -1])
    for action in range(4):
        assert where_to(world, goal, action) == {world.start: 1.0}
    assert world.rewards.sum() == 4 and (world.rewards[:, goal] == 1).all()


def test_mazes_depend_on_the_seed_alone():
    a, b, c = envs.maze(300, seed=5), envs.maze(300, seed=5), envs.maze(300, seed=6)
    assert (a.transitions != b.transitions).nnz == 0
    assert a.cells.shape != c.cells.shape or (a.cells != c.cells).any()


def test_large_mazes_are_built_quickly():
    assert min(cpu_seconds(lambda seed=seed: envs.maze(100_000, seed=seed)) for seed in range(3)) < 1.0


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="slip"):
        envs.maze(100, slip=1.5)
    with pytest.raises(ValueError, match="at least 2 states"):
        envs.maze(1)
    with pytest.raises(ValueError, match="walls"):
        envs.maze(100, walls=0.9)


def test_open_grid_has_no_walls():
    world = envs.open_grid(12)
    assert world.states == 144 and (world.cells >= 0).all() and world.name == "open_grid"
