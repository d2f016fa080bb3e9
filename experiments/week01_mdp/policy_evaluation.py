"""Policy evaluation: what is every state worth if this policy is followed for ever?

Idea (Sutton & Barto 2018, section 4.1, eq. 4.4): V_pi is the fixed point of V = r_pi + gamma * P_pi V, a system of S
linear equations. `evaluate_by_sweeps` is the book's iterative way: each sweep brings V closer by the factor gamma,
which is cheap when gamma is small and endless as it nears 1. `evaluate_by_solving` factors the system and is exact.

Departures from the book: sweeps update all states at once, and stop by a bound on the distance to V_pi instead of by
the size of the change. Terminal states are left out of the linear system, which keeps it regular without discounting
as long as the policy is proper, i.e. reaches a terminal state from everywhere.

On large grids the factors fill in, and how much is decided by the order of elimination. I - gamma * P is a diagonally
dominant M-matrix, so it needs no pivoting, and minimum degree on the symmetric pattern can be used: about a tenth of a
second for a maze of 100,000 states and a quarter for an open grid of that size, where the defaults need a second.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
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
    """V_pi (S,) by sparse LU. Raises RuntimeError for an improper policy without discounting."""
    P, r = under(mdp, policy)
    live = np.flatnonzero(~mdp.terminal)
    V = np.zeros(mdp.S)
    if not live.size:
        return V
    if mdp.gamma == 1 and not reaches_the_end(P, mdp.terminal).all():  # singular, and SuperLU may crash on it
        raise RuntimeError("policy evaluation: the policy never ends and nothing is discounted")
    system = sparse.eye_array(live.size, format="csr") - mdp.gamma * P[live][:, live]
    try:
        factors = linalg.splu(  # panels of one column: the factors of a grid have few columns alike
            system.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            relax=1,
            panel_size=1,
            options={"SymmetricMode": True},
        )
        V[live] = factors.solve(r[live])
    except RuntimeError:  # SuperLU: exactly singular
        V[:] = np.inf
    if not np.isfinite(V).all() or (mdp.gamma == 1 and np.abs(V).max() > 1e12):
        raise RuntimeError("policy evaluation: the policy never ends and nothing is discounted")
    return V


def reaches_the_end(P: sparse.csr_array, terminal: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(S,) which states can reach a terminal one by following P (S, S): all of them, where the policy is proper."""
    reached = terminal.copy()
    while True:
        grown = reached | (P @ reached.astype(float) > 0)
        if (grown == reached).all():
            return reached
        reached = grown
