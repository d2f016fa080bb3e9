"""What leaves this machine: looked through for secrets before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from experiments.kit.errors import CannotRun
from pipeline.project import Project
from pipeline.secrets import find_secrets, redact
from pipeline.writers.endpoint import Fields

LOOKED_THROUGH = (".md", ".bib", ".py", ".json", ".csv", ".toml")


def refuse_secrets(project: Project, request: Fields, what: str) -> None:
    """Raises CannotRun where a request holds a secret, naming the file and line it came from where it is found."""
    told: list[str] = []
    for text in texts(request):
        for secret in find_secrets(text):
            value = text[secret.start : secret.end]
            places = [f"{place}: " for place in _places(project, value)] or [""]
            told += [f"  {place}{secret.kind} ({secret.shown})" for place in places]
    if told:
        found = "\n".join(dict.fromkeys(told))
        raise CannotRun(
            f"{redact(what)}: nothing was sent, because the text holds a secret\n{found}\n"
            "  fix: revoke it where it was issued, take it out of the notes, and run this again"
        )


def texts(request: Fields) -> Iterator[str]:
    """Every text of a request."""
    yield from (block["text"] for block in request["system"])
    yield from (message["content"] for message in request["messages"])


def _places(project: Project, value: str) -> Iterator[str]:
    """Where in the project a text stands, as file:line."""
    for folder in (project.notes, project.root / "experiments", project.drafts):
        for path in sorted(folder.rglob("*")):
            if path.suffix in LOOKED_THROUGH and path.is_file():
                yield from _lines(project, path, value)


def _lines(project: Project, path: Path, value: str) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    at = text.find(value)
    while at >= 0:
        yield f"{project.relative(path)}:{text.count(chr(10), 0, at) + 1}"
        at = text.find(value, at + len(value))
