"""Copies of control tasks: the physics are Gymnasium's, episodes end and restart as promised."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from experiments.kit import control
from experiments.kit.control import PHYSICS, Copies


@pytest.mark.parametrize("name", PHYSICS)
def test_physics_are_gymnasiums_step_by_step(name):
    physics, env = PHYSICS[name], gymnasium.make(name).unwrapped
    rng = np.random.default_rng(0)
    for _ in range(20):
        env.reset(seed=int(rng.integers(1000)))
        start = rng.uniform(-1, 1, physics.start(rng, 1).shape) * 2.5
        env.state, state = start[:, 0].copy(), start
        for _ in range(40):
            action = rng.integers(physics.actions, size=1) if physics.actions else rng.uniform(-3, 3, (1, 1))
            expected = env.step(int(action[0]) if physics.actions else action[0])
            state, rewards, terminated = physics.step(state, action)
            np.testing.assert_allclose(physics.observe(state)[0], expected[0], atol=2e-5)
            np.testing.assert_allclose(rewards[0], expected[1], atol=1e-9)
            assert terminated[0] == expected[2]
            if terminated[0]:
                break


@pytest.mark.parametrize("name", [*PHYSICS, "CartPole-v1", "MountainCar-v0"])
def test_a_finished_copy_starts_afresh_in_a_row_that_does_not_count(name):
    copies = Copies(name, 3)
    rng = np.random.default_rng(1)
    before = copies.reset(seed=4)
    assert before.shape == (3, copies.observed) and before.dtype == np.float32
    ended, seen = np.zeros(3, dtype=bool), 0
    for _ in range(550):
        action = rng.integers(copies.actions, size=3) if copies.actions else rng.normal(size=(3, copies.size))
        step = copies.step(action)
        assert (step.valid == ~ended).all()
        assert (step.rewards[~step.valid] == 0).all()
        assert not (step.terminated & step.truncated).any()
        assert not (step.terminated | step.truncated)[~step.valid].any()
        ended = step.terminated | step.truncated
        seen += int((~step.valid).sum())
    assert seen > 0


def lasts(name: str, action) -> list[tuple[int, bool, bool]]:
    """(steps counted, terminated, truncated) of the first episodes of one copy."""
    copies = Copies(name, 1)
    copies.reset(seed=0)
    found, steps = [], 0
    for _ in range(1300):
        step = copies.step(action)
        steps += int(step.valid[0])
        if step.terminated[0] or step.truncated[0]:
            found.append((steps, bool(step.terminated[0]), bool(step.truncated[0])))
            steps = 0
    return found


def test_the_time_limit_truncates_and_does_not_terminate():
    assert lasts("Pendulum-v1", np.zeros((1, 1)))[:3] == [(200, False, True)] * 3
    assert lasts("Acrobot-v1", np.array([1]))[:2] == [(500, False, True)] * 2
    assert lasts("MountainCar-v0", np.array([1]))[:3] == [(200, False, True)] * 3


def test_falling_terminates():
    ends = lasts("CartPole-v1", np.array([0]))
    assert len(ends) > 50 and all(e[1] and not e[2] for e in ends) and all(8 <= e[0] <= 11 for e in ends)


def test_the_observation_of_a_truncated_row_is_the_one_reached():
    """Not the first of the next episode: that would bootstrap from the wrong state."""
    copies, env = Copies("MountainCar-v0", 1), gymnasium.make("MountainCar-v0")
    a, b = copies.reset(seed=3)[0], env.reset(seed=3)[0]
    np.testing.assert_allclose(a, b)
    for t in range(200):
        step = copies.step(np.array([t % 3]))
        expected = env.step(t % 3)
        np.testing.assert_allclose(step.observations[0], expected[0])
    assert step.truncated[0] and expected[3]


def test_a_seed_repeats_everything():
    def trace(seed: int) -> np.ndarray:
        copies = Copies("Pendulum-v1", 2)
        rows = [copies.reset(seed=seed)]
        rows += [copies.step(np.ones((2, 1))).observations for _ in range(230)]
        return np.stack(rows)

    assert (trace(5) == trace(5)).all() and (trace(5) != trace(6)).any()


def test_another_way_of_restarting_is_refused(monkeypatch):
    made = control._gymnasium("MountainCar-v0", 1)
    made.metadata = {**made.metadata, "autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}
    monkeypatch.setattr(control, "_gymnasium", lambda name, copies: made)
    with pytest.raises(ValueError, match="NextStep"):
        Copies("MountainCar-v0", 1)
