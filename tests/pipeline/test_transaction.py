"""Several files as one: a kill leaves all old or, after the next command, all new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.kit.errors import CannotRun
from pipeline.project import Project, Settings
from pipeline.transaction import Transaction, locked, recover

KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline import transaction
from pipeline.project import Project, Settings

root, at = Path(sys.argv[1]), int(sys.argv[2])
steps = 0
real = Path.replace
def replace(self, target):
    global steps
    steps += 1
    if steps == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
Path.replace = replace
change = transaction.Transaction(Project(root, Settings()))
for name in "abc":
    change.write(root / name, "new " + name)
change.delete(root / "d")
change.commit()
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in "abcd":
        (tmp_path / name).write_text(f"old {name}")
    return Project(tmp_path, Settings())


def contents(project: Project) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(project.root.iterdir()) if p.is_file()}


OLD = {name: f"old {name}" for name in "abcd"}
NEW = {name: f"new {name}" for name in "abc"}


def test_commit_does_all(project: Project) -> None:
    change = Transaction(project)
    for name in "abc":
        change.write(project.root / name, f"new {name}")
    change.delete(project.root / "d")
    assert contents(project) == OLD
    change.commit()
    assert contents(project) == NEW


@pytest.mark.parametrize("at", range(1, 8))
def test_a_kill_at_any_rename_leaves_all_or_nothing(project: Project, root: Path, at: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(project.root), str(at)], cwd=root, timeout=60)
    assert done.returncode == -signal.SIGKILL
    recover(project)
    assert contents(project) in (OLD, NEW)
    assert not list((project.scratch / "journal").iterdir())
    if at > 4:  # the manifest, fourth of the staged files, is the point of no return
        assert contents(project) == NEW


def test_a_disk_that_fails_before_the_manifest_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Transaction(project)
    change.write(project.root / "a", "new a")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        change.commit()
    assert contents(project) == OLD


def test_a_second_writer_is_told(project: Project, root: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pipeline.project import Project, Settings;"
        "from pipeline.transaction import locked\n"
        "with locked(Project(Path(sys.argv[1]), Settings())): pass"
    )
    with locked(project):
        other = subprocess.run(
            [sys.executable, "-c", script, str(project.root)], cwd=root, capture_output=True, text=True, timeout=60
        )
    assert other.returncode != 0
    assert "another forge command is writing" in other.stderr
    with pytest.raises(CannotRun), locked(project), locked(project):
        pass
