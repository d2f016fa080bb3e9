"""What theory promises, on random processes; and what each algorithm does with what it cannot solve."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from experiments.kit import envs
from experiments.week01_mdp.mdp import MDP, greedy, lookahead, mdp_of, soften, under, uniform
from experiments.week01_mdp.modified_policy_iteration import Config as ModifiedConfig
from experiments.week01_mdp.modified_policy_iteration import modified_policy_iteration
from experiments.week01_mdp.policy_evaluation import evaluate_by_solving, evaluate_by_sweeps, policy_sweeps
from experiments.week01_mdp.policy_iteration import Config as PolicyConfig
from experiments.week01_mdp.policy_iteration import improve, policy_iteration
from experiments.week01_mdp.value_iteration import Config as ValueConfig
from experiments.week01_mdp.value_iteration import macqueen_bounds, sweeps, value_iteration


def random_mdp(seed: int, states: int, actions: int, gamma: float, *, ties: bool = False) -> MDP:
    """Sparse random transitions; with `ties`, actions come in identical pairs and rewards are whole numbers."""
    rng = np.random.default_rng(seed)
    P = rng.random((actions * states, states)) * (rng.random((actions * states, states)) < 0.4)
    P[np.arange(actions * states), rng.integers(0, states, actions * states)] += 0.1
    R = rng.normal(size=(actions, states))
    if ties:
        R = np.round(R)
        half = actions // 2
        P[half * states :][: half * states] = P[: half * states]
        R[half:][:half] = R[:half]
    return MDP(sparse.csr_array(P / P.sum(axis=1, keepdims=True)), R, gamma)


processes = st.builds(
    random_mdp,
    st.integers(0, 10_000),
    st.integers(1, 12),
    st.integers(1, 5),
    st.sampled_from([0.3, 0.8, 0.95, 0.99]),
    ties=st.booleans(),
)
quick = settings(max_examples=40, deadline=None)


@quick
@given(processes)
def test_all_methods_agree(mdp):
    exact = policy_iteration(mdp)
    assert exact.error < 1e-6
    others = [
        value_iteration(mdp, ValueConfig(1e-6)),
        modified_policy_iteration(mdp, ModifiedConfig(7, 1e-6)),
        policy_iteration(mdp, PolicyConfig("sweeps", 1e-6 * (1 - mdp.gamma))),
    ]
    for found in others:
        np.testing.assert_allclose(found.values, exact.values, atol=2e-5)
        # the policy is as good as its values say
        np.testing.assert_allclose(evaluate_by_solving(mdp, found.policy), exact.values, atol=1e-4)


@quick
@given(processes)
def test_solution_satisfies_the_bellman_equation_of_every_policy(mdp):
    """Brute force: no deterministic policy of a small process does better anywhere."""
    best = policy_iteration(mdp).values
    rng = np.random.default_rng(0)
    for _ in range(20):
        policy = rng.integers(0, mdp.A, mdp.S)
        assert (evaluate_by_solving(mdp, policy) <= best + 1e-8).all()


@quick
@given(processes, st.integers(0, 1000))
def test_optimality_operator_contracts(mdp, seed):
    rng = np.random.default_rng(seed)
    V, U = rng.normal(size=(2, mdp.S)) * 10
    TV, TU = next(sweeps(mdp, V)), next(sweeps(mdp, U))
    assert np.abs(TV - TU).max() <= mdp.gamma * np.abs(V - U).max() + 1e-12


@quick
@given(processes, st.integers(0, 1000))
def test_macqueen_bounds_enclose_the_optimum(mdp, seed):
    V = np.random.default_rng(seed).normal(size=mdp.S) * 5
    best = policy_iteration(mdp).values
    for TV in islice(sweeps(mdp, V), 5):
        low, high = macqueen_bounds(mdp, V, TV)
        assert (TV + low <= best + 1e-7).all() and (best <= TV + high + 1e-7).all()
        V = TV


@quick
@given(processes)
def test_reported_error_is_an_upper_bound(mdp):
    best = policy_iteration(mdp).values
    for found in (value_iteration(mdp), modified_policy_iteration(mdp)):
        assert np.abs(found.values - best).max() <= found.error + 1e-9
        assert found.error <= 0.5e-3 + 1e-12


@quick
@given(processes)
def test_greedy_improvement_never_hurts(mdp):
    policy = np.zeros(mdp.S, dtype=np.int64)
    V = evaluate_by_solving(mdp, policy)
    for _ in range(4):
        policy, residual = improve(mdp, V, policy, 1e-10)
        better = evaluate_by_solving(mdp, policy)
        assert (better >= V - 1e-8).all()
        assert np.abs(better - V).max() <= residual / (1 - mdp.gamma) + 1e-8
        V = better


@quick
@given(processes)
def test_evaluation_by_sweeps_and_by_solving(mdp):
    mixed = np.random.default_rng(1).dirichlet(np.ones(mdp.A), mdp.S).T
    for policy in (uniform(mdp), mixed, np.arange(mdp.S) % mdp.A):
        exact = evaluate_by_solving(mdp, policy)
        P, r = under(mdp, policy)
        np.testing.assert_allclose(P @ exact * mdp.gamma + r, exact, atol=1e-9)
        swept, _ = evaluate_by_sweeps(mdp, policy, 1e-5)
        assert np.abs(swept - exact).max() <= 1e-5 + 1e-9


def test_under_mixes_by_hand():
    mdp = random_mdp(3, 5, 3, 0.9)
    mixed = np.random.default_rng(0).dirichlet(np.ones(3), 5).T
    P, r = under(mdp, mixed)
    dense = mdp.P.toarray().reshape(3, 5, 5)
    np.testing.assert_allclose(P.toarray(), np.einsum("as,ast->st", mixed, dense))
    np.testing.assert_allclose(r, np.einsum("as,as->s", mixed, mdp.R))


def test_soften_is_a_mixture_of_the_action_and_chance():
    mdp = random_mdp(4, 6, 3, 0.9)
    soft = soften(mdp, 0.2)
    policy = np.array([0, 1, 2, 0, 1, 2])
    mixed = np.full((3, 6), 0.2 / 3)
    mixed[policy, np.arange(6)] += 0.8
    np.testing.assert_allclose(evaluate_by_solving(soft, policy), evaluate_by_solving(mdp, mixed))


def test_modified_policy_iteration_without_evaluation_is_value_iteration():
    mdp = random_mdp(5, 20, 4, 0.95)
    by_values, modified = value_iteration(mdp), modified_policy_iteration(mdp, ModifiedConfig(m=0))
    assert modified.rounds == by_values.sweeps and modified.backups == by_values.backups
    np.testing.assert_array_equal(modified.values, by_values.values)


def test_backups_count_lookaheads():
    mdp = random_mdp(6, 10, 3, 0.9)
    found = modified_policy_iteration(mdp, ModifiedConfig(m=4))
    assert found.backups == found.rounds * 30 + (found.rounds - 1) * 4 * 10
    swept = policy_iteration(mdp, PolicyConfig("sweeps", 1e-3))
    assert swept.backups == 30 * swept.rounds + 10 * swept.sweeps + 20 * first_evaluation(mdp)


def first_evaluation(mdp: MDP) -> int:
    """Sweeps of the random policy, which looks at every action."""
    return evaluate_by_sweeps(mdp, uniform(mdp), 1e-3)[1]


def test_policy_iteration_settles_where_all_actions_tie():
    """The trap of the textbook version: with every action equal, only the margin makes it stop."""
    world = envs.open_grid(20)
    same = MDP(sparse.vstack([world.transitions[:400]] * 4, format="csr"), np.ones((4, 400)), 0.99)
    found = policy_iteration(same)
    assert found.rounds <= 3
    np.testing.assert_allclose(found.values, 100)
    assert policy_iteration(mdp_of(world, 0.99)).rounds < 50


def test_vi_iterates_are_finite_horizon_values():
    """The k-th sweep from zero is the best return of k steps: brute force over all action sequences of a tiny chain."""
    mdp = random_mdp(7, 3, 2, 1.0)
    third = list(islice(sweeps(mdp), 3))[-1]

    def best(state: int, left: int) -> float:
        if left == 0:
            return 0.0
        rows = [mdp.P[[a * 3 + state]].toarray()[0] for a in range(2)]
        return max(mdp.R[a, state] + sum(p * best(t, left - 1) for t, p in enumerate(rows[a])) for a in range(2))

    np.testing.assert_allclose(third, [best(s, 3) for s in range(3)])


def test_policy_sweeps_converge_monotonically_for_costs():
    mdp = mdp_of(envs.gridworld4(), 1.0)
    for old, new in islice(pairwise(policy_sweeps(mdp, uniform(mdp))), 50):
        assert (new <= old + 1e-12).all()


def test_improper_policies_are_refused():
    mdp = mdp_of(envs.gridworld4(), 1.0)
    always_up = np.zeros(mdp.S, dtype=np.int64)
    with pytest.raises(RuntimeError, match="never ends"):
        evaluate_by_solving(mdp, always_up)
    with pytest.raises(RuntimeError, match="improper"):
        evaluate_by_sweeps(mdp, always_up, max_sweeps=1000)


def test_too_few_sweeps_are_reported():
    mdp = random_mdp(8, 10, 2, 0.99)
    with pytest.raises(RuntimeError, match="3 sweeps leave a band"):
        value_iteration(mdp, ValueConfig(1e-9, max_sweeps=3))
    with pytest.raises(RuntimeError, match="2 rounds leave a band"):
        modified_policy_iteration(mdp, ModifiedConfig(1, 1e-9, max_rounds=2))
    with pytest.raises(RuntimeError, match="still improving after 1 rounds"):
        policy_iteration(mdp, PolicyConfig(max_rounds=1))


@pytest.mark.parametrize(
    ("P", "R", "gamma", "words"),
    [
        (np.eye(2), [[0, 0], [0, 0]], 0.9, r"P is \(2, 2\), but rewards \(2, 2\) need \(4, 2\)"),
        (np.eye(2), [[0, 0]], 1.5, "discount is 1.5"),
        (np.eye(2), [[0, 0]], 0.0, "discount is 0.0"),
        (np.eye(2), [[0, np.nan]], 0.9, "not a finite number"),
        ([[1.5, -0.5], [0, 1]], [[0, 0]], 0.9, "negative"),
        ([[0.5, 0.5], [0.5, 0.4]], [[0, 0]], 0.9, "action 0 in state 1 do not sum to one"),
    ],
)
def test_what_is_no_decision_process(P, R, gamma, words):
    with pytest.raises(ValueError, match=words):
        MDP(sparse.csr_array(np.array(P, dtype=float)), np.array(R, dtype=float), gamma)


def test_terminal_states_are_absorbing_and_unpaid():
    mdp = mdp_of(envs.frozenlake(4), 0.99)
    assert np.flatnonzero(mdp.terminal).tolist() == [5, 7, 11, 12, 15]
    assert not mdp_of(envs.gridworld5(), 0.9).terminal.any()
    assert (value_iteration(mdp).values[mdp.terminal] == 0).all()


def test_greedy_takes_the_first_of_equals():
    mdp = mdp_of(envs.gridworld4(), 1.0)
    assert (greedy(mdp, np.zeros(16)) == 0).all()
    assert lookahead(mdp, np.zeros(16)).shape == (4, 16)


def test_a_process_of_terminal_states_is_worth_nothing():
    over = MDP(sparse.csr_array(np.tile(np.eye(3), (2, 1))), np.zeros((2, 3)), 0.9)
    for solve in (value_iteration, policy_iteration, modified_policy_iteration):
        assert (solve(over).values == 0).all()


def test_large_rewards_are_no_sign_of_an_improper_policy():
    rich = MDP(sparse.csr_array(np.eye(2)), np.full((1, 2), 1e13), 0.5)
    np.testing.assert_allclose(policy_iteration(rich).values, 2e13)


@pytest.mark.parametrize("seed", range(3))
def test_rounding_does_not_choose_between_ties(monkeypatch, seed):
    """Values that differ in their last digits, as between processors, give the same policies and rounds."""
    mdp = mdp_of(envs.maze(1000, slip=0.2, seed=seed, ends=True), 0.9)
    expected = policy_iteration(mdp)
    rng = np.random.default_rng(seed)

    def shaken(mdp, policy):
        V = evaluate_by_solving(mdp, policy)
        return V * (1 + 3e-13 * rng.standard_normal(V.shape))

    monkeypatch.setattr("experiments.week01_mdp.policy_iteration.evaluate_by_solving", shaken)
    for _ in range(3):
        found = policy_iteration(mdp)
        assert found.rounds == expected.rounds and (found.policy == expected.policy).all()
