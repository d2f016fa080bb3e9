"""What the commands about the plan share: the plan read once, the day they look from, entries by kind and number."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from experiments.kit.errors import CannotRun
from experiments.kit.files import atomic_write
from pipeline.cli.common import COLOURS, say, spans
from pipeline.finding import Finding, did_you_mean
from pipeline.plan import KINDS, Entry, Plan, load_plan
from pipeline.progress import Progress, read_published
from pipeline.project import Project
from pipeline.sources import Source, load_sources
from pipeline.vault import Note, Vault

MARK = {"done": "green", "published": "green", "in-progress": "cyan", "planned": None, "overdue": "red"}


@dataclass(frozen=True)
class Planning:
    """The project's plan, seen on a day."""

    project: Project
    vault: Vault
    plan: Plan
    findings: tuple[Finding, ...]
    on: datetime.date

    @cached_property
    def progress(self) -> Progress:
        """How far everything is."""
        return Progress(self.plan, read_published(self.project.site), self.on)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The bibliography by key."""
        return load_sources(self.project.notes / "references.bib")[0]

    def rewritten(self, note: Note, text: str) -> tuple[Path, bytes]:
        """Where a changed note is written, and the bytes. Raises CannotRun where other bytes would change with it.

        A note that is no UTF-8 was read with some bytes replaced, and one that somebody saved since is another note.
        """
        path = (self.vault.root / note.path).resolve()  # a link stays one
        if note.trouble:
            raise CannotRun("nothing was changed: " + "\n".join(map(str, note.trouble)))
        if path.read_bytes() != note.text.encode("utf-8"):
            raise CannotRun(f"{note.file} was changed meanwhile; nothing was written\n  fix: run it again")
        return path, text.encode("utf-8")

    def write(self, note: Note, text: str) -> None:
        """Replace a note of the vault, byte for byte as given. Raises CannotRun as `rewritten` does."""
        atomic_write(*self.rewritten(note, text))

    def entry(self, kind: str, number: str) -> Entry:
        """The entry of a kind by its number as typed. Raises CannotRun: why its note is no use, or what there is."""
        table = self.plan.of(kind)
        for known, entry in table.items():
            if number.lstrip("0") == str(known):
                return entry
        stem = re.compile(rf"(?:.*/)?{FOLDERS[kind]}/{STEMS[kind]}\.md".replace("N", re.escape(number.lstrip("0"))))
        files = {file for path, file in self.plan.left_out.items() if stem.fullmatch(path)}
        if files:
            own = [str(f) for f in self.findings if f.severity == "error" and f.file in files]
            raise CannotRun("\n".join([f"{NAMES[kind]} {number} cannot be used", *own]))
        there = f"there are {spans(table)}" if table else f"{self.vault.prefix}/{FOLDERS[kind]}/ has none yet"
        raise CannotRun(f"no {NAMES[kind]} {number}; {there}")


FOLDERS = {"week": "plan", "session": "sprint", "cluster": "roadmap", "lecture": "lectures", "course": "course"}
STEMS = {
    "week": "week-0*N",
    "session": "session-0*N",
    "cluster": "N(?:-.*)?",
    "lecture": "0*N(?:-.*)?",
    "course": "week-0*N",
}
"""What the name of an entry's note is, its number being N."""
NAMES = {"week": "week", "session": "session", "cluster": "cluster", "lecture": "lecture", "course": "course week"}


def planning(project: Project, on: datetime.date | None = None) -> Planning:
    """The plan of a project. Bad notes are left out; their findings come along."""
    vault = Vault.load(project.notes)
    plan, findings = load_plan(vault)
    return Planning(project, vault, plan, tuple(findings), on or datetime.date.today())


def kind_of(word: str, kinds: tuple[str, ...] = KINDS) -> str:
    """One of the kinds of entry. Raises CannotRun with the nearest."""
    if word in kinds:
        return word
    raise CannotRun(f"no kind {word!r}; {did_you_mean(word, kinds) or 'kinds are ' + ', '.join(kinds)}")


def marked(state: str, width: int = 0) -> str:
    """A status in its colour, padded before it is coloured."""
    return click.style(f"{state:<{width}}", fg=MARK.get(state))


def say_troubles(made: Planning) -> None:
    """How many findings the notes have, and where to read them; nothing where all is well."""
    errors = sum(finding.severity == "error" for finding in made.findings)
    if errors:
        files = len({finding.file for finding in made.findings if finding.severity == "error"})
        text = f"{errors} thing{'s' if errors > 1 else ''} to mend in {files} note{'s' if files > 1 else ''}"
        say(click.style(f"{text}: forge vault check", fg=COLOURS["error"]))


def asked(question: str, given: str | None, check: Callable[[str], str] = str.strip, default: str | None = None) -> str:
    """What was given as an option, or what the person answers; `check` raises ValueError to ask again.

    Where nobody answers (the input has ended), the default is taken; without one, CannotRun says what is missing.
    """
    while True:
        try:
            value = given if given is not None else click.prompt(question, default=default, show_default=bool(default))
        except click.Abort:
            if sys.stdin.isatty():
                raise
            if default is None:
                raise CannotRun(f"{question.partition(' (')[0]} is missing; nothing was written") from None
            value = default
        try:
            return check(value)
        except ValueError as error:
            if given is not None:
                raise CannotRun(str(error)) from None
            click.echo(f"  {error}", err=True)
