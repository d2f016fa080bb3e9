"""Environments as tables: the gridworlds of Sutton & Barto, Gymnasium's FrozenLake, and random slippery mazes.

Contract: an environment is a `World`, plain arrays and nothing that acts. It holds what happens, never what to do
about it: discounts, values and policies belong to the weeks. A terminal state is absorbing and pays nothing, so every
row of the transition matrix sums to one. Small worlds are written in Gymnasium's own table format and go through one
function; mazes are built by array operations alone (100,000 states in about a tenth of a second).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Table = Mapping[int, Mapping[int, Sequence[tuple[float, int, float, bool]]]]
"""Gymnasium's `env.unwrapped.P`: state -> action -> [(probability, next state, reward, ends there), ...]."""

UP, RIGHT, DOWN, LEFT = (-1, 0), (0, 1), (1, 0), (0, -1)
COMPASS = (UP, RIGHT, DOWN, LEFT)


@dataclass(frozen=True)
class World:
    """A finite world with S states and A actions, laid out on a grid.

    `transitions` is (A*S, S): row a*S + s holds P(s' | s, a). `rewards` is (A, S): the expected reward of a in s.
    `terminal` is (S,) of bool. `cells` is (H, W): the state in each cell of the drawing, -1 where there is none.
    `start` is the state an episode begins in, None where the source names none. `moves` gives each action's (row,
    column) direction, for arrows; `marks` the letter drawn in a cell, by (row, column).
    """

    name: str
    transitions: sparse.csr_array
    rewards: Floats
    terminal: npt.NDArray[np.bool_]
    cells: Ints
    start: int | None = None
    moves: tuple[tuple[int, int], ...] = COMPASS
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @property
    def states(self) -> int:
        """Number of states, terminal ones included."""
        return int(self.rewards.shape[1])

    @property
    def actions(self) -> int:
        """Number of actions, the same in every state."""
        return int(self.rewards.shape[0])


def tables(table: Table) -> tuple[sparse.csr_array, Floats, npt.NDArray[np.bool_]]:
    """Transitions (A*S, S), expected rewards (A, S) and terminal states (S,) of a Gymnasium table.

    A state that any transition *ends* in is terminal and made absorbing with reward 0, whatever the table says can be
    done there (CliffWalking's table lets its goal be left again).
    """
    S, A = len(table), len(table[0])
    rows = [(a * S + s, s2, p, p * r, end) for s in table for a in table[s] for p, s2, r, end in table[s][a]]
    row, column = (np.array([entry[i] for entry in rows], dtype=np.int64) for i in (0, 1))
    p, pr = (np.array([entry[i] for entry in rows], dtype=np.float64) for i in (2, 3))
    terminal = np.zeros(S, dtype=np.bool_)
    terminal[column[np.array([entry[4] for entry in rows], dtype=np.bool_)]] = True
    stays = terminal[row % S]
    p, pr, column = p[~stays], pr[~stays], column[~stays]
    rewards = np.bincount(row[~stays], weights=pr, minlength=A * S).astype(np.float64).reshape(A, S)
    absorbing = (np.arange(A)[:, None] * S + np.flatnonzero(terminal)).ravel()
    transitions = sparse.csr_array(
        (
            np.concatenate([p, np.ones(absorbing.size)]),
            (np.concatenate([row[~stays], absorbing]), np.concatenate([column, absorbing % S])),
        ),
        shape=(A * S, S),
    )
    return transitions, rewards, terminal


Step = Callable[[int, int, tuple[int, int]], tuple[int, int, float]]
"""(row, column, direction) -> (row, column, reward): a deterministic move. It may return a cell off the grid."""


def _grid(name: str, layout: Sequence[str], step: Step) -> World:
    """A deterministic world drawn as text: `T` and `G` are terminal, `S` the start, `C` no state at all."""
    shape = len(layout), len(layout[0])
    letters = {(r, c): layout[r][c] for r in range(shape[0]) for c in range(shape[1])}
    states = [cell for cell, letter in letters.items() if letter != "C"]
    number = {cell: s for s, cell in enumerate(states)}
    table: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for cell, s in number.items():
        table[s] = {}
        for a, move in enumerate(COMPASS):
            row, column, reward = step(*cell, move)
            table[s][a] = [(1.0, number[row, column], reward, letters[row, column] in "TG")]
    cells = np.array([[number.get((r, c), -1) for c in range(shape[1])] for r in range(shape[0])])
    start = next((number[cell] for cell, letter in letters.items() if letter == "S"), None)
    marks = {cell: letter for cell, letter in letters.items() if letter not in ".C"}
    return World(name, *tables(table), cells, start, marks=marks)


def _clip(row: int, column: int, shape: tuple[int, int]) -> tuple[int, int]:
    return min(max(row, 0), shape[0] - 1), min(max(column, 0), shape[1] - 1)


def gridworld4() -> World:
    """Sutton & Barto (2018) Example 4.1: 4x4, reward -1 a step until either shaded corner."""

    def step(row: int, column: int, move: tuple[int, int]) -> tuple[int, int, float]:
        return *_clip(row + move[0], column + move[1], (4, 4)), -1.0

    return _grid("gridworld4", ["T...", "....", "....", "...T"], step)


def gridworld5() -> World:
    """Sutton & Barto (2018) Example 3.5: 5x5, never ends. A pays 10 and jumps down 4, B pays 5 and jumps down 2,
    bumping into the edge costs 1."""
    jumps = {(0, 1): (4, 1, 10.0), (0, 3): (2, 3, 5.0)}

    def step(row: int, column: int, move: tuple[int, int]) -> tuple[int, int, float]:
        if (row, column) in jumps:
            return jumps[row, column]
        cell = _clip(row + move[0], column + move[1], (5, 5))
        return *cell, -1.0 if cell == (row, column) else 0.0

    return _grid("gridworld5", [".A.B.", ".....", ".....", ".....", "....."], step)


def cliff() -> World:
    """Sutton & Barto (2018) Example 6.6: 4x12, reward -1 a step; stepping off the edge costs 100 and starts over."""
    layout = ["............"] * 3 + ["SCCCCCCCCCCG"]

    def step(row: int, column: int, move: tuple[int, int]) -> tuple[int, int, float]:
        row, column = _clip(row + move[0], column + move[1], (4, 12))
        return (3, 0, -100.0) if layout[row][column] == "C" else (row, column, -1.0)

    return _grid("cliff", layout, step)


def windy() -> World:
    """Sutton & Barto (2018) Example 6.5: 7x10, reward -1 a step, a crosswind pushes up by column."""
    wind = (0, 0, 0, 1, 1, 1, 2, 2, 1, 0)
    layout = [".........."] * 3 + ["S......G.."] + [".........."] * 3

    def step(row: int, column: int, move: tuple[int, int]) -> tuple[int, int, float]:
        return *_clip(row + move[0] - wind[column], column + move[1], (7, 10)), -1.0

    return _grid("windy", layout, step)


def frozenlake(size: int) -> World:
    """Gymnasium's slippery FrozenLake-v1 of side 4 or 8, from its own transition table: reward 1 at the goal only."""
    import gymnasium

    env = gymnasium.make("FrozenLake-v1", map_name=f"{size}x{size}", is_slippery=True).unwrapped
    layout = [[letter.decode() for letter in row] for row in env.desc]
    marks = {(r, c): letter for r, row in enumerate(layout) for c, letter in enumerate(row) if letter != "F"}
    transitions, rewards, terminal = tables(env.P)
    cells = np.arange(size * size).reshape(size, size)
    moves = (LEFT, DOWN, RIGHT, UP)  # Gymnasium's order
    return World(f"frozenlake{size}", transitions, rewards, terminal, cells, 0, moves, marks)


def maze(states: int, slip: float = 0.2, walls: float = 0.25, seed: int = 0, *, ends: bool = True) -> World:
    """A random maze of exactly `states` cells, all connected to the goal in the corner.

    An errand ends at the goal and pays -1 a step until then. With `ends=False` it is a courier's round instead: steps
    are free, the goal pays 1 and its next step leads back to the start, for ever. The start is the cell farthest away.

    A move goes where it was aimed with probability 1 - slip and to each side of that with slip/2; into a wall it stays
    put. Every cell is a wall with probability `walls`; cells cut off from the goal, and the farthest ones beyond
    `states`, become walls too. Raises ValueError on a bad argument.
    """
    if states < 2 or not 0 <= slip <= 1 or not 0 <= walls <= 0.35:
        raise ValueError(f"maze({states=}, {slip=}, {walls=}): at least 2 states, slip in [0, 1], walls in [0, 0.35]")
    free, near_first = _carve(states, walls, np.random.default_rng(seed))
    cells = np.full(free.shape, -1)
    cells[free] = np.arange(states)  # row by row, so that neighbours lie close together in memory
    goal, start = int(cells.flat[near_first[0]]), int(cells.flat[near_first[-1]])
    inside = np.pad(cells, 1, constant_values=-1)
    height, width = free.shape
    target = np.empty((4, states), dtype=np.int32)  # (A, S): where each action lands if it does not slip
    for a, (dr, dc) in enumerate(COMPASS):
        there = inside[1 + dr : 1 + dr + height, 1 + dc : 1 + dc + width][free]
        target[a] = np.where(there < 0, np.arange(states), there)
    target[:, goal] = goal if ends else start
    outcomes = [(0, 1 - slip), (1, slip / 2), (-1, slip / 2)] if slip else [(0, 1.0)]
    columns = np.stack([np.roll(target, -turn, axis=0) for turn, _ in outcomes], axis=-1)  # (A, S, K)
    K = len(outcomes)
    transitions = sparse.csr_array(
        (
            np.tile([p for _, p in outcomes], 4 * states),
            columns.ravel(),
            np.arange(4 * states + 1, dtype=np.int32) * K,
        ),
        shape=(4 * states, states),
    )
    transitions.sum_duplicates()
    rewards = np.full((4, states), -1.0 if ends else 0.0)
    rewards[:, goal] = 0.0 if ends else 1.0
    marks = {(int(r), int(c)): letter for letter, s in (("S", start), ("G", goal)) for r, c in np.argwhere(cells == s)}
    terminal = (np.arange(states) == goal) & ends
    return World("maze" if ends else "courier", transitions, rewards, terminal, cells, start, marks=marks)


def _carve(states: int, walls: float, rng: np.random.Generator) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Free cells (H, W) of a maze with exactly `states` of them, and their flat positions, nearest the goal first."""
    side = int(np.ceil(np.sqrt(states / (1 - walls))))
    while True:
        free = rng.random((side, side)) >= walls
        free[-1, -1] = True  # the goal
        reached = _outward(free)
        if len(reached) >= states:
            kept = reached[:states]
            free = np.zeros(side * side, dtype=np.bool_)
            free[kept] = True
            return free.reshape(side, side), kept
        side += 1 + side // 100


def _outward(free: npt.NDArray[np.bool_]) -> Ints:
    """Flat positions of the cells reachable from the last one, breadth first."""
    index = np.arange(free.size).reshape(free.shape)
    across = free[:, 1:] & free[:, :-1]
    along = free[1:] & free[:-1]
    a = np.concatenate([index[:, 1:][across], index[1:][along]])
    b = np.concatenate([index[:, :-1][across], index[:-1][along]])
    edges = sparse.csr_array((np.ones(a.size, dtype=np.int8), (a, b)), shape=(free.size, free.size))
    order, _ = csgraph.breadth_first_order(edges, free.size - 1, directed=False)
    return np.asarray(order, dtype=np.int64)


def open_grid(side: int, slip: float = 0.2) -> World:
    """The slippery grid without walls that benchmarks use: `maze` with side * side states and nothing in the way."""
    return replace(maze(side * side, slip, walls=0.0), name="open_grid")
