"""Several files changed as one: all of them or none, also when the process is killed in the middle.

New contents are staged under `.forge/journal/`; a manifest, written last, is the point of no return. Applying it is
a row of atomic renames that can be repeated. `recover` finishes a manifest that a kill left behind and discards a
stage without one. `locked` keeps a second command from writing at the same time.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from experiments.kit.errors import CannotRun
from experiments.kit.files import atomic_write, canonical_json
from pipeline.project import Project

try:
    import fcntl
except ImportError:  # not a POSIX system: no lock, everything else the same
    fcntl = None  # type: ignore[assignment]


class Transaction:
    """Collect writes and deletions, then `commit()`. Nothing outside the stage changes before that."""

    def __init__(self, project: Project) -> None:
        self._root = project.root
        self._journal = project.scratch / "journal"
        self._writes: dict[Path, bytes] = {}
        self._deletes: set[Path] = set()

    def write(self, path: Path, data: bytes | str) -> None:
        """Plan to replace `path`."""
        self._writes[path] = data.encode() if isinstance(data, str) else data
        self._deletes.discard(path)

    def delete(self, path: Path) -> None:
        """Plan to remove `path`; one that is not there is no error."""
        self._deletes.add(path)
        self._writes.pop(path, None)

    def commit(self) -> None:
        """Do all of it. Raises OSError (a full disk, say) before anything changed."""
        if not self._writes and not self._deletes:
            return
        self._journal.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(dir=self._journal))
        try:
            names = {}
            for number, (path, data) in enumerate(sorted(self._writes.items())):
                atomic_write(stage / str(number), data)
                names[str(number)] = str(path.relative_to(self._root))
            deletes = sorted(str(path.relative_to(self._root)) for path in self._deletes)
            atomic_write(stage / "manifest.json", canonical_json({"writes": names, "deletes": deletes}))
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        _apply(stage, self._root)


def _apply(stage: Path, root: Path) -> None:
    manifest = json.loads((stage / "manifest.json").read_text(encoding="utf-8"))
    for number, name in manifest["writes"].items():
        if (stage / number).exists():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (stage / number).replace(target)
    for name in manifest["deletes"]:
        (root / name).unlink(missing_ok=True)
    (stage / "manifest.json").unlink()
    shutil.rmtree(stage, ignore_errors=True)


def recover(project: Project) -> bool:
    """Finish what a killed command had decided to write. Returns whether there was anything to finish."""
    journal = project.scratch / "journal"
    finished = False
    for stage in sorted(journal.iterdir()) if journal.is_dir() else []:
        if (stage / "manifest.json").is_file():
            _apply(stage, project.root)
            finished = True
        else:
            shutil.rmtree(stage, ignore_errors=True)
    return finished


@contextlib.contextmanager
def locked(project: Project) -> Iterator[None]:
    """Hold the project for writing, finishing an interrupted command first. Raises CannotRun if another holds it."""
    project.scratch.mkdir(exist_ok=True)
    with (project.scratch / "lock").open("a+") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                holder = lock.read().strip() or "another process"
                raise CannotRun(
                    f"another forge command is writing ({holder}); nothing was changed\n"
                    "  fix: wait for it to finish, then run this again"
                ) from None
            with contextlib.suppress(OSError):  # a full disk: the name of the holder is a courtesy
                lock.truncate(0)
                os.write(lock.fileno(), f"process {os.getpid()}".encode())
        recover(project)
        yield
