"""What the review page can do: save a text, merge, open an editor, decide, and remember what is not on disk yet.

Nothing typed is ever dropped: a text that could not be saved stays in the page, with the reason. A save or a decision
names what the person looked at and is refused, with the difference, if that is no longer what lies there.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.kit.contract import Budget
from experiments.kit.errors import CannotRun
from experiments.kit.files import hash_value, sha256
from experiments.kit.record import EDITIONS, Edition
from pipeline.drafts import compose, load_draft, split_front
from pipeline.evidence import Evidence, gather, gather_all, open_vault, pick_post
from pipeline.merge import Keep, conflicts, merge, merge_properties, settle
from pipeline.plan import load_week, week_numbers
from pipeline.project import Project
from pipeline.review import Decision, decide, edition_state, last_review, preview_page, queued, reviews_path
from pipeline.review_app.packet import Packet, Sheet, decision_key, make_packet
from pipeline.review_app.seen import Seen, moved, seen
from pipeline.review_app.worddiff import Passage, passages
from pipeline.transaction import Transaction, locked

PATIENCE = 3.0
"""Seconds to wait for another forge command that is writing, before telling the person."""
REMEMBERED = 200


@dataclass(frozen=True)
class Unsaved:
    """A text that is in the page and not on disk, the text it began from, and why it was not saved, if tried."""

    text: str
    began: str
    why: str = ""


class Refused(Exception):
    """Why nothing was recorded, and what is different from what the person saw."""

    def __init__(
        self, message: str, moved: Sequence[tuple[str, str, str]] = (), changes: Sequence[Passage] = ()
    ) -> None:
        super().__init__(message)
        self.moved, self.changes = moved, changes


@dataclass
class Memory:
    """What one server knows of a post beyond the files: ticks, queue decisions, unsaved texts, active seconds."""

    ticks: set[str] = field(default_factory=set)
    queue: dict[str, str] = field(default_factory=dict)
    reasons: dict[Edition, str] = field(default_factory=dict)
    unsaved: dict[Edition, Unsaved] = field(default_factory=dict)
    seconds: float = 0.0


class Desk:
    """One server's desk: a project, a reviewer, and what is lying on it."""

    def __init__(self, project: Project, budget: Budget, who: str) -> None:
        self.project, self.budget, self.who = project, budget, who
        self.editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
        self.began = time.monotonic()
        self._memory: dict[str, Memory] = {}
        self._shown: OrderedDict[str, Seen] = OrderedDict()
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._writing = threading.RLock()

    # ---- looking ----

    def packet(self, slug: str) -> Packet:
        """The post as it stands; what it shows is remembered, so that a later refusal can say what changed."""
        packet = make_packet(self.project, self.evidence(slug))
        for sheet in packet.sheets.values():
            _remember(self._texts, sheet.hash, sheet.text)
            if sheet.seen is not None:
                _remember(self._shown, sheet.seen.token, sheet.seen)
            held = self.memory(slug).unsaved.get(sheet.edition)
            if held is not None and held.text == sheet.text:
                del self.memory(slug).unsaved[sheet.edition]
        return packet

    def evidence(self, slug: str) -> Evidence:
        """The evidence of a post, of its week alone. Raises CannotRun where there is none of that name."""
        vault = open_vault(self.project)
        for number in week_numbers(vault):
            week, _ = load_week(vault, number)
            if week is not None and any(post.slug == slug for post in week.posts):
                return pick_post(gather(self.project, vault, number, self.budget)[0], slug)
        return pick_post(gather_all(self.project, self.budget)[0], slug)  # which names the nearest

    def memory(self, slug: str) -> Memory:
        """What is known of a post beyond its files."""
        return self._memory.setdefault(slug, Memory())

    def stamp(self, slug: str) -> str:
        """Changes when a file that the page of a post shows changes: drafts, decisions, records of the runs.

        Raises CannotRun where no post has drafts under that name.
        """
        self.known(slug)
        paths = [self.project.drafts / slug / f"{edition}.md" for edition in EDITIONS]
        paths += [reviews_path(self.project, slug)]
        paths += sorted(self.project.root.glob(f"experiments/*/results/{self.budget}/*.json"))
        return hash_value([[path.name, _when(path)] for path in paths])[:20]

    def known(self, slug: str) -> str:
        """A name under which there are drafts. Raises CannotRun otherwise: no path is made of anything else."""
        if not any(folder.name == slug for folder in self.project.drafts.glob("*/")):
            raise CannotRun(f"no post {slug}")
        return slug

    # ---- remembering ----

    def keep(self, slug: str, form: Mapping[str, str]) -> None:
        """Remember ticks, queue decisions, reasons, unsaved texts and time from a posted form."""
        memory = self.memory(slug)
        memory.ticks = {name.removeprefix("tick-") for name in form if name.startswith("tick-")}
        memory.queue |= {name.removeprefix("queue-"): form[name] for name in form if name.startswith("queue-")}
        try:
            active = float(form.get("active", "0") or 0)
        except ValueError:
            active = 0.0
        if active > 0:  # not for a NaN either
            memory.seconds = min(memory.seconds + active, time.monotonic() - self.began)
        for edition in EDITIONS:
            if f"reason-{edition}" in form:
                memory.reasons[edition] = form[f"reason-{edition}"].replace("\r\n", "\n")
            text, base = form.get(f"text-{edition}"), form.get(f"base-{edition}", "")
            if text is None:
                continue
            text = text.replace("\r\n", "\n")
            began = self._texts.get(base)
            if sha256(text) == base:
                memory.unsaved.pop(edition, None)
            else:
                before = memory.unsaved.get(edition)
                why = before.why if before is not None and before.text == text else ""
                memory.unsaved[edition] = Unsaved(text, began if began is not None else "", why)

    # ---- writing ----

    def save(self, slug: str, edition: Edition, text: str, base: str) -> None:
        """Write an edition's source, if what lies there is still what `base` hashes. Raises Refused and keeps the text.

        A text whose front matter cannot be read is not written: no page could show it.
        """
        path = self._path(slug, edition)
        began = self._texts.get(base, "")

        def refuse(why: str, changes: Sequence[Passage] = ()) -> Refused:
            self.memory(slug).unsaved[edition] = Unsaved(text, began, why)
            return Refused(f"{self.project.relative(path)} was not saved: {why}", changes=changes)

        try:
            split_front(text, self.project.relative(path))
            with self._writing, _patiently(self.project):
                now = _read(path)
                if sha256(now) != base:
                    _remember(self._texts, sha256(now), now)
                    raise refuse("it changed on disk since you began; both texts are below", passages(now, text))
                if now != text:
                    transaction = Transaction(self.project)
                    transaction.write(path, text)
                    transaction.commit()
        except (OSError, CannotRun) as error:
            raise refuse(_why(error)) from None
        self.memory(slug).unsaved.pop(edition, None)

    def merged(self, slug: str, edition: Edition) -> int:
        """Put the unsaved text and the one on disk together, by paragraph, unsaved. Returns the conflicts."""
        mine = self.memory(slug).unsaved.get(edition)
        if mine is None:
            return 0
        theirs = _read(self._path(slug, edition))
        _remember(self._texts, sha256(theirs), theirs)
        both = _put_together(mine.began, mine.text, theirs)
        self.memory(slug).unsaved[edition] = Unsaved(both, theirs)
        return len(conflicts(both))

    def settle(self, slug: str, edition: Edition, number: int, keep: Keep, base: str) -> None:
        """Settle one place that a new draft and the person both changed. Raises Refused as `save` does."""
        if edition in self.memory(slug).unsaved:
            raise Refused(f"the {edition} text in this page is not saved; save it or drop it first")
        try:
            text = settle(_read(self._path(slug, edition)), number, keep)
        except IndexError:
            raise Refused("that place is settled already") from None
        self.save(slug, edition, text, base)

    def drop(self, slug: str, edition: Edition) -> None:
        """Forget an unsaved text."""
        self.memory(slug).unsaved.pop(edition, None)

    def open_editor(self, slug: str, edition: Edition) -> None:
        """Start the person's editor on an edition; the page notices what it writes. Raises Refused."""
        path = self._path(slug, edition)
        if not self.editor:
            raise Refused("no editor is set; set EDITOR and start forge review again")
        terminal = sys.stdin is not None and sys.stdin.isatty()
        try:
            subprocess.Popen([*shlex.split(self.editor), str(path)], stdin=None if terminal else subprocess.DEVNULL)
        except (OSError, ValueError) as error:
            raise Refused(f"{self.editor} could not be started: {error}") from None

    def decide(self, slug: str, edition: Edition, decision: Decision, token: str, reason: str) -> None:
        """Record a decision on what `token` names. Raises Refused with the difference where that is gone."""
        memory = self.memory(slug)
        if edition in memory.unsaved:
            raise Refused(f"the {edition} text in this page is not saved; save it or drop it first")
        try:
            with self._writing, _patiently(self.project):
                evidence = self.evidence(slug)
                self._unchanged(evidence, edition, token)
                state = edition_state(self.project, evidence, edition, queue=True)
                entries = {decision_key(edition, finding): queued(finding) for finding in state.queue}
                fine = [entry for key, entry in entries.items() if memory.queue.get(key) == "fine"]
                if decision == "sent-back":
                    asked = [entry for key, entry in entries.items() if memory.queue.get(key) == "back"]
                    reason = "\n".join([reason, *(f"Back this or say it otherwise: {entry}" for entry in asked)])
                decide(
                    self.project, evidence, edition, decision, self.who, reason=reason,
                    seconds=round(memory.seconds), seen=state, confirmed=fine,
                )  # fmt: skip
        except (OSError, CannotRun) as error:
            raise Refused(
                f"{_why(error)}; nothing was recorded" if isinstance(error, OSError) else _why(error)
            ) from None
        memory.seconds = 0.0
        memory.reasons.pop(edition, None)

    def _unchanged(self, evidence: Evidence, edition: Edition, token: str) -> None:
        slug = evidence.post.slug
        draft = load_draft(self.project, slug, edition)
        if draft is None:
            raise Refused(f"the {edition} draft is gone; nothing was recorded")
        now = seen(draft, preview_page(self.project, evidence, draft), last_review(self.project, slug, edition))
        if now.token == token:
            return
        then = self._shown.get(token)
        if then is None:
            raise Refused("this page is older than the server remembers; nothing was recorded, look at it again")
        told = []
        if then.decision != now.decision:
            told.append(f"meanwhile it was {now.decision}")
        if then.text != now.text:
            told.append("the text changed")
        if then.printed != now.printed:
            told.append("what it prints changed")
        message = (
            f"The {edition} edition is not what you saw: {', '.join(told)}. Nothing was recorded; look at it again."
        )
        raise Refused(message, moved(then.printed, now.printed), passages(then.text, now.text))

    def _path(self, slug: str, edition: Edition) -> Path:
        """The source of an edition of a post that has drafts."""
        return self.project.drafts / self.known(slug) / f"{edition}.md"


@contextlib.contextmanager
def _patiently(project: Project) -> Iterator[None]:
    """`locked`, waiting a moment for another command to finish."""
    until = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(locked(project))
                break
            except CannotRun:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield


def _read(path: Path) -> str:
    """A source as `drafts.read_draft` takes it, "" where it is gone."""
    return path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n") if path.is_file() else ""


def _put_together(began: str, mine: str, theirs: str) -> str:
    """Two texts that began from one: properties by key, the rest by paragraph, conflicts marked in place."""
    try:
        parts = [split_front(text, "") for text in (began, mine, theirs)]
    except CannotRun:  # properties that cannot be read are paragraphs like any other
        return merge(began, mine, theirs).text
    bodies = [body.strip() + "\n" for _, body, _ in parts]
    body = merge(bodies[0], bodies[1], bodies[2]).text
    if parts[1][0] == parts[2][0]:
        return theirs[: len(theirs) - len(parts[2][1])] + "\n" + body
    return compose(merge_properties(parts[0][0], parts[1][0], parts[2][0])[0], body)


def _when(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size]


def _why(error: OSError | CannotRun) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _remember(table: OrderedDict[str, Any], key: str, value: object) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > REMEMBERED:
        table.popitem(last=False)


def sheet_text(sheet: Sheet, memory: Memory) -> str:
    """What stands in an edition's text field: the unsaved text, else the one on disk."""
    held = memory.unsaved.get(sheet.edition)
    return held.text if held is not None else sheet.text


def base_hash(sheet: Sheet, memory: Memory) -> str:
    """The hash of the text that the one in the field began from."""
    held = memory.unsaved.get(sheet.edition)
    return sha256(held.began) if held is not None else sheet.hash
