"""Policy evaluation: what is every state worth if this policy is followed for ever?

Idea (Sutton & Barto 2018, section 4.1, eq. 4.4): V_pi is the fixed point of V = r_pi + gamma * P_pi V, which is a system
of S linear equations. Three ways to solve it, because no one of them suits every size:

    evaluate_by_sweeps    the book's iterative policy evaluation: gains the factor gamma a sweep
    evaluate_by_solving   sparse LU: exact, but on large grids the factors fill in (minutes at 100,000 states)
    evaluate_by_krylov    BiCGSTAB (van der Vorst 1992): a few dozen products instead of thousands of sweeps

Departures from the book: sweeps update all states at once, and stop by a bound on the distance to V_pi instead of by
the size of the change. Terminal states are left out of the systems, so that they stay regular without discounting
as long as the policy is proper, i.e. reaches a terminal state from everywhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from experiments.week01_mdp.mdp import MDP, Mixed, Policy, Values, under


def policy_sweeps(mdp: MDP, policy: Policy | Mixed, V: Values | None = None) -> Iterator[Values]:
    """r + gamma P V, again and again, without end. From V = 0 the k-th is the expected return of k steps."""
    P, r = under(mdp, policy)
    P = mdp.gamma * P
    V = np.zeros(mdp.S) if V is None else V
    while True:
        V = P @ V
        V += r
        yield V


def evaluate_by_sweeps(
    mdp: MDP, policy: Policy | Mixed, tolerance: float = 1e-3, V: Values | None = None, max_sweeps: int = 1_000_000
) -> tuple[Values, int]:
    """Values within `tolerance` of V_pi, and the sweeps it took. Without discounting: until no value moves by more.

    Raises RuntimeError where `max_sweeps` do not suffice, as for an improper policy without discounting.
    """
    V = np.zeros(mdp.S) if V is None else V
    k = mdp.gamma / (1 - mdp.gamma) if mdp.gamma < 1 else 1.0
    for sweep, TV in enumerate(policy_sweeps(mdp, policy, V), 1):
        moved = float(np.abs(TV - V).max())
        V = TV
        if k * moved <= tolerance:
            return V, sweep
        if sweep == max_sweeps or not np.isfinite(moved):
            break
    raise RuntimeError(f"policy evaluation: {sweep} sweeps, and values still move by {moved:.3g} (an improper policy?)")


def evaluate_by_solving(mdp: MDP, policy: Policy | Mixed) -> Values:
    """V_pi by sparse LU. Raises RuntimeError for an improper policy without discounting."""
    system, r, live = _system(mdp, policy)
    V = np.zeros(mdp.S)
    with warnings.catch_warnings():
        warnings.simplefilter("error", linalg.MatrixRankWarning)
        try:
            V[live] = linalg.spsolve(system.tocsc(), r)
        except linalg.MatrixRankWarning:
            raise RuntimeError("policy evaluation: the policy never ends and nothing is discounted") from None
    return V


def evaluate_by_krylov(
    mdp: MDP, policy: Policy | Mixed, tolerance: float, V: Values | None = None
) -> tuple[Values, int]:
    """Values within `tolerance` of V_pi in every state, and the matrix products it took. Needs gamma < 1.

    A residual below (1 - gamma) * tolerance proves the distance. Where BiCGSTAB stalls, sweeps finish the job.
    """
    system, r, live = _system(mdp, policy)
    products = 0

    def product(x: Values) -> Values:
        nonlocal products
        products += 1
        return np.asarray(system @ x)

    counted = linalg.LinearOperator(system.shape, matvec=product, dtype=np.float64)
    guess = None if V is None else V[live]
    V = np.zeros(mdp.S)
    V[live], _ = linalg.bicgstab(counted, r, x0=guess, rtol=0.0, atol=(1 - mdp.gamma) * tolerance)
    if np.abs(r - product(V[live])).max() <= (1 - mdp.gamma) * tolerance:
        return V, products
    V, more = evaluate_by_sweeps(mdp, policy, tolerance, V if np.isfinite(V).all() else None)
    return V, products + more


def _system(mdp: MDP, policy: Policy | Mixed) -> tuple[sparse.csr_array, Values, np.ndarray]:
    """(I - gamma P_pi, r_pi) over the states that are not terminal, and the mask (S,) of those."""
    P, r = under(mdp, policy)
    live = ~mdp.terminal
    system = sparse.eye_array(mdp.S, format="csr") - mdp.gamma * P
    if not live.all():
        system, r = system[live][:, live], r[live]
    return system, r, live
