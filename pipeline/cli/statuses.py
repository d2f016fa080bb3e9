"""What `forge start` and `forge done` share: one property of one note is rewritten."""

from __future__ import annotations

from experiments.kit.errors import CannotRun
from pipeline.cli.planning import NAMES, Planning
from pipeline.plan import Week
from pipeline.properties import set_value
from pipeline.transaction import locked


def set_status(made: Planning, kind: str, number: str, status: str) -> str:
    """Write the status of an entry; the answer in words. Raises CannotRun for weeks, whose status is computed."""
    entry = made.entry(kind, number)
    if isinstance(entry, Week):
        out = sum(made.progress.published.editions(post.slug) for post in entry.posts)
        raise CannotRun(
            f"how far week {entry.number} is follows from its posts ({out} of {2 * len(entry.posts)} editions are "
            f"published); nothing is set by hand\n  fix: forge week {entry.number}"
        )
    name = f"{NAMES[kind]} {entry.number}, {entry.title}"
    before = "planned" if entry.status == "planned" else entry.status
    if entry.note.properties.data.get("status") == status:
        return f"{name}: {status} already"
    with locked(made.project):
        made.write(entry.note, set_value(entry.note.text, ("status",), status, entry.note.file))
    return f"{name}: {before} → {status} ({entry.note.file})"
