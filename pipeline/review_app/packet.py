"""The packet: everything the review page shows of one post, computed anew each time from what lies on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.kit.errors import CannotRun
from experiments.kit.files import sha256
from experiments.kit.record import EDITIONS, Edition
from pipeline.asked import with_asked
from pipeline.evidence import Evidence
from pipeline.finding import SEVERITIES, Finding
from pipeline.merge import Conflict, conflicts
from pipeline.page import Page, Snapshot, snapshot_from_json
from pipeline.project import Project
from pipeline.render import Context
from pipeline.reopened import Reopened, as_read
from pipeline.review import EditionState, edition_state, last_approved, preview_page, queued, text_before
from pipeline.review_app.checklist import Item, checklist
from pipeline.review_app.seen import Seen, seen
from pipeline.review_app.values import ClaimRow, Row, claim_rows, value_rows
from pipeline.review_app.worddiff import Passage, Piece, passages, word_diff

LAPSED = ("stale-approval", "moved-value")
"""Findings that say why an earlier approval does not hold; approving again is what mends them."""


@dataclass(frozen=True)
class Note:
    """A finding on the page. `anchor` is its id in the built page, "" where it has no line; `key` names a decision.

    An entry of the queue `reads` as the page prints it; `settled` says who confirmed it in an earlier approval, which
    still holds.
    """

    finding: Finding
    anchor: str
    key: str
    settled: str = ""
    reads: str = ""


@dataclass(frozen=True)
class Again:
    """A sentence the last approval no longer covers: what it read and reads, by words, and why."""

    sentence: Reopened
    anchor: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Sheet:
    """One edition. `problem` says why it cannot be read or rendered; `text` is its source all the same."""

    edition: Edition
    name: str
    text: str
    state: EditionState | None
    page: Page | None
    seen: Seen | None
    findings: tuple[Note, ...] = ()
    queue: tuple[Note, ...] = ()
    reopened: tuple[Again, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    before: str = ""
    changes: tuple[Passage, ...] = ()
    problem: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of the source as shown."""
        return sha256(self.text)

    @property
    def errors(self) -> int:
        """How many findings block it. That an earlier approval lapsed is no obstacle to a new one."""
        blocking = [note for note in self.findings if note.finding.severity == "error"]
        return sum(note.finding.check not in LAPSED for note in blocking) + bool(self.problem)

    @property
    def undecided(self) -> int:
        """How many entries of the queue no earlier approval settled."""
        return sum(not note.settled for note in self.queue)


@dataclass(frozen=True)
class Packet:
    """One post under review."""

    evidence: Evidence
    sheets: Mapping[Edition, Sheet]
    values: list[Row] = field(default_factory=list)
    claims: list[ClaimRow] = field(default_factory=list)
    checklist: list[Item] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """Reading time of both editions."""
        return sum(sheet.page.minutes for sheet in self.sheets.values() if sheet.page)


def make_packet(project: Project, evidence: Evidence) -> Packet:
    """Check and render both editions and lay everything out."""
    sheets = {edition: _sheet(project, evidence, edition) for edition in EDITIONS}
    pages = {edition: sheet.page for edition, sheet in sheets.items() if sheet.page is not None}
    approved = {edition: shot for edition in pages if (shot := _approved(project, evidence.post.slug, edition))}
    values, claims = value_rows(pages, approved), claim_rows(pages, approved)
    changed = any(sheet.changes for sheet in sheets.values())
    return Packet(evidence, sheets, values, claims, checklist(pages, values, claims, evidence.limits, changed))


def _approved(project: Project, slug: str, edition: Edition) -> Snapshot | None:
    review, _ = last_approved(project, slug, edition)
    try:
        return snapshot_from_json(project, review.snapshot) if review else None
    except (KeyError, TypeError, ValueError):  # a damaged record is a finding of the state; here it is no comparison
        return None


def _sheet(project: Project, evidence: Evidence, edition: Edition) -> Sheet:
    slug = evidence.post.slug
    path = project.drafts / slug / f"{edition}.md"
    name = project.relative(path)
    try:
        state = edition_state(project, evidence, edition, queue=True)
        if state.draft is None:
            problem = f"no {edition} draft yet; write one with: forge draft {evidence.week.number}"
            return Sheet(edition, name, "", state, None, None, problem=problem)
        page = preview_page(project, evidence, state.draft, len(state.errors))
    except CannotRun as error:
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n") if path.is_file() else ""
        return Sheet(edition, name, text, None, None, None, problem=str(error))
    before, old = text_before(project, slug, edition)
    approval, _ = last_approved(project, slug, edition)
    confirmed = set(approval.confirmed) if approval is not None else set()
    settled = f"{approval.who} on {approval.when[:10]}" if approval is not None else ""
    context = Context(project, with_asked(evidence, state.draft, name)[0].results, evidence.sources, edition, name)
    notes = [
        Note(
            finding,
            _anchor(finding.line, finding.column),
            decision_key(edition, finding),
            settled if queued(finding) in confirmed else "",
            as_read(finding.sentence or finding.message, context) if finding.severity == "review" else "",
        )
        for finding in state.findings
    ]
    # An approval from before sentences were marked knows nothing of them; then its findings say all there is to say.
    reopened = state.reopened if state.review is not None and state.review.sentences else ()
    lapsed = LAPSED if reopened else ()  # told sentence by sentence instead
    grave = sorted(
        (note for note in notes if note.finding.severity != "review" and note.finding.check not in lapsed),
        key=lambda note: SEVERITIES.index(note.finding.severity),
    )
    queue: dict[str, Note] = {}
    for note in notes:
        if note.finding.severity == "review":
            queue.setdefault(note.key, note)  # a sentence that stands twice is asked once
    return Sheet(
        edition, name, state.draft.text, state, page, seen(state.draft, page, state.review),
        tuple(grave), tuple(sorted(queue.values(), key=lambda note: bool(note.settled))),
        tuple(Again(s, _anchor(s.line), word_diff(s.old, s.new)) for s in reopened),
        tuple(conflicts(state.draft.text)), before, tuple(passages(old, state.draft.text)),
    )  # fmt: skip


def _anchor(line: int | None, column: int | None = None) -> str:
    return f"kf-{line}-{column or 1}" if line else ""


def decision_key(edition: Edition, finding: Finding) -> str:
    """What the decision on an entry of the queue is kept under: its words, so that it survives edits elsewhere."""
    return sha256(f"{edition} {queued(finding)}")[:20]
