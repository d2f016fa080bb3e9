"""Review: what state each edition is in, and a person's decisions, bound to exactly what they saw.

`drafts/<slug>/reviews.jsonl` holds one decision a line; the last line of an edition counts. An approval holds the
hash of the source text, the snapshot the page rests on (`page.Snapshot`), the hash of the rendered page, the version
of the checks, the sentences of the review queue that the person confirmed, a mark of every sentence with the keys it
rests on, and the sentences that were re-opened before it; `approved/<edition>.md` keeps the text it was given for, so
that the next review can show what changed. It stands as long as the source is untouched, every printed value still
prints the same (measured times: stays within its stated tolerance), every claim holds, and no figure or listing
changed. What changed re-opens the sentences it touches (`reopened.py`), and only those need a second look.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from experiments.kit.errors import CannotRun
from experiments.kit.files import canonical_json, sha256
from experiments.kit.record import EDITIONS, Edition
from pipeline.checks import VERSION, check_draft
from pipeline.drafts import Draft, folder_of, load_draft, read_draft, split_front
from pipeline.evidence import Evidence
from pipeline.finding import Finding, in_order
from pipeline.page import Page, Snapshot, make_page, snapshot_from_json
from pipeline.progress import read_published
from pipeline.project import Project
from pipeline.reopened import Moved, Reopened, marks, moved, pieces_of, reopened
from pipeline.transaction import Transaction

Decision = Literal["approved", "sent-back"]
State = Literal["missing", "findings", "waiting", "sent-back", "stale", "approved"]


@dataclass(frozen=True)
class Review:
    """One decision on one edition."""

    edition: Edition
    decision: Decision
    who: str
    when: str
    source: str
    checks: str
    page: str = ""
    reason: str = ""
    seconds: int = 0
    confirmed: Sequence[str] = ()
    sentences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reopened: Sequence[Mapping[str, Any]] = ()
    snapshot: Mapping[str, Any] = field(default_factory=dict)
    first: str = ""  # when an earlier approval was published first; '' where none was


@dataclass(frozen=True)
class EditionState:
    """Where one edition stands, why, and what its checks found."""

    slug: str
    edition: Edition
    state: State
    draft: Draft | None
    review: Review | None
    findings: tuple[Finding, ...] = ()
    reopened: tuple[Reopened, ...] = ()

    @property
    def errors(self) -> list[Finding]:
        """What blocks approval, or makes an approval stale."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def queue(self) -> list[Finding]:
        """The sentences a person has to decide on, where the state was asked for with its queue."""
        return [finding for finding in self.findings if finding.severity == "review"]

    def to_json(self) -> dict[str, Any]:
        """Post, edition, state, findings and re-opened sentences, for scripts."""
        return {
            "post": self.slug,
            "edition": self.edition,
            "state": self.state,
            "findings": [finding.to_json() for finding in self.findings],
            "reopened": [sentence.to_json() for sentence in self.reopened],
        }

    @property
    def summary(self) -> str:
        """`2 of 143 sentences re-opened: 98.0 -> 97.0`; empty where the last approval stands or there was none."""
        if not self.reopened or self.draft is None:
            return ""
        first = next((s for s in self.reopened if s.messages), self.reopened[0])
        what = first.messages[0] if first.messages else f"{first.why} at line {first.line}" if first.line else first.why
        more = f" and {len(self.reopened) - 1} more" if len(self.reopened) > 1 else ""
        return f"{len(self.reopened)} of {len(pieces_of(self.draft))} sentences re-opened: {what}{more}"


def reviews_path(project: Project, slug: str) -> Path:
    """Where a post's decisions are kept."""
    return folder_of(project, slug) / "reviews.jsonl"


def load_reviews(project: Project, slug: str) -> list[Review]:
    """All decisions on a post, oldest first. Raises CannotRun naming the line that cannot be read."""
    path = reviews_path(project, slug)
    reviews = []
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        try:
            reviews.append(Review(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise CannotRun(
                f"{project.relative(path)}:{number}: not a review: {error}\n  fix: restore the line from git, or "
                "delete it and approve again"
            ) from None
    return reviews


def last_review(project: Project, slug: str, edition: Edition) -> Review | None:
    """The decision that counts for an edition."""
    return next((r for r in reversed(load_reviews(project, slug)) if r.edition == edition), None)


def queued(finding: Finding) -> str:
    """What an entry of the review queue is known by: its sentence, or its message where it has none."""
    return " ".join((finding.sentence or finding.message).split())


def last_approved(project: Project, slug: str, edition: Edition) -> tuple[Review | None, str | None]:
    """The last approval of an edition, standing or not, and the text it was given for, where that was kept."""
    given = (r for r in reversed(load_reviews(project, slug)) if r.edition == edition and r.decision == "approved")
    review = next(given, None)
    if review is None:
        return None, None
    for path in (approved_path(project, slug, edition), folder_of(project, slug) / f"{edition}.md"):
        if path.is_file():
            text = read_draft(project, path, slug, edition).text
            if sha256(text) == review.source:
                return review, text
    return review, None


def approved_path(project: Project, slug: str, edition: Edition) -> Path:
    """Where the text of the last approval is kept."""
    return folder_of(project, slug) / "approved" / f"{edition}.md"


def preview_page(project: Project, evidence: Evidence, draft: Draft, blocking: int = 0) -> Page:
    """The page as it would be published now, marked as under review with the number of findings that block it."""
    today = datetime.now(UTC).date().isoformat()
    return make_page(project, evidence, draft, today, pending=blocking, has_pair=_pair(project, draft))


def _pair(project: Project, draft: Draft) -> bool:
    return all((folder_of(project, draft.slug) / f"{edition}.md").is_file() for edition in EDITIONS)


def approved_page(project: Project, evidence: Evidence, draft: Draft, review: Review) -> Page:
    """The page exactly as it was approved. Raises CannotRun where the approval's record does not read."""
    snapshot = _snapshot(project, draft, review)
    has_pair = _pair(project, draft)
    return make_page(project, evidence, draft, review.when[:10], snapshot, has_pair=has_pair, first=review.first)


def _snapshot(project: Project, draft: Draft, review: Review) -> Snapshot:
    try:
        return snapshot_from_json(project, review.snapshot)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotRun(
            f"{project.relative(reviews_path(project, draft.slug))}: approval is damaged: {error}"
        ) from None


def edition_state(project: Project, evidence: Evidence, edition: Edition, queue: bool = False) -> EditionState:
    """Where an edition stands now; `queue` adds the sentences for a person to look at."""
    slug = evidence.post.slug
    draft = load_draft(project, slug, edition)
    if draft is None:
        return EditionState(slug, edition, "missing", None, None)
    review = last_review(project, slug, edition)
    other = load_draft(project, slug, "manager" if edition == "scientist" else "scientist")
    findings = check_draft(project, evidence, draft, other, queue)
    if review is not None and review.decision == "approved":
        findings = in_order([*approval_findings(project, evidence, draft, review), *findings])
        stands = not any(finding.severity == "error" for finding in findings)
        again = () if stands else tuple(_reopened(project, evidence, draft, review))
        state: State = "approved" if stands else "stale"
        return EditionState(slug, edition, state, draft, review, tuple(findings), again)
    errors = any(finding.severity == "error" for finding in findings)
    sent_back = review is not None and review.source == draft.hash
    state = "sent-back" if sent_back else "findings" if errors else "waiting"
    return EditionState(slug, edition, state, draft, review, tuple(findings))


def approval_findings(project: Project, evidence: Evidence, draft: Draft, review: Review) -> list[Finding]:
    """Why an approval no longer stands: empty when it does. Each finding names its place in the draft."""
    name = project.relative(draft.path)
    again = f"look at it with `forge review {draft.slug}` and approve it again"
    page = approved_page(project, evidence, draft, review)
    found = []
    if review.source != draft.hash:
        again_ = [piece for piece in _reopened(project, evidence, draft, review) if piece.why != "value"]
        first = next((piece for piece in again_ if piece.line is not None), None)
        message = f"the text changed since {review.who} approved it on {review.when[:10]}"
        line, sentence = (first.line, first.sentence) if first else (None, "")
        found.append(Finding("stale-approval", "error", message, name, line, None, sentence, again))
    for change in _moved(project, evidence, draft, review):
        uses = [use for use in page.rendered.uses if (use.role, use.key) == (change.role, change.key)]
        for use in uses:
            place = (use.line, use.column, use.sentence)
            found.append(Finding("moved-value", "error", change.message, name, *place, again, change.key))
        if not uses and review.source == draft.hash:
            found.append(Finding("moved-value", "error", change.message, name, fix=again, key=change.key))
    for study, run in page.snapshot.runs.items():
        if run.dirty:
            message = f"{study} was measured from code that was not committed when {review.who} approved it"
            fix = f"commit experiments/, then `forge run {study}` stamps the commit; approve again"
            found.append(Finding("dirty-results", "error", message, name, fix=fix, key=study))
    if not found and sha256(page.text) != review.page:
        record = project.relative(reviews_path(project, draft.slug))
        message = f"the record of the {draft.edition} approval does not give the page that was approved"
        found.append(Finding("stale-approval", "error", message, record, fix=again))
    return found


def _moved(project: Project, evidence: Evidence, draft: Draft, review: Review) -> list[Moved]:
    snapshot = _snapshot(project, draft, review)
    return moved(project, evidence, draft, snapshot, review.snapshot.get("listings", {}))


def _reopened(project: Project, evidence: Evidence, draft: Draft, review: Review) -> list[Reopened]:
    """The sentences that the last approval does not cover as they stand."""
    given, text = last_approved(project, draft.slug, draft.edition)
    before = None
    if given is not None and given.when == review.when and text is not None:
        _, body, line = split_front(text, project.relative(draft.path))
        before = replace(draft, text=text, body=body, body_line=line)
    snapshot = _snapshot(project, draft, review)
    changed = moved(project, evidence, draft, snapshot, review.snapshot.get("listings", {}))
    return reopened(project, evidence, draft, snapshot, changed, review.sentences, before)


def decide(
    project: Project,
    evidence: Evidence,
    edition: Edition,
    decision: Decision,
    who: str,
    *,
    reason: str = "",
    seconds: int = 0,
    seen: EditionState | None = None,
    confirmed: Collection[str] = (),
) -> Review:
    """Record a decision. `seen` is what the person looked at, `confirmed` the entries of the review queue (`queued`)
    they decided need no backing.

    Raises CannotRun when there is nothing to decide on, when the file changed or somebody else decided after it was
    shown, when an approval is blocked by findings or leaves an entry of the queue undecided, or when sending back names
    no reason.
    """
    slug = evidence.post.slug
    draft = load_draft(project, slug, edition)
    if draft is None:
        raise CannotRun(f"{slug} has no {edition} draft\n  fix: forge draft {evidence.week.number}")
    name = project.relative(draft.path)
    if seen is not None:
        _still_as(seen, draft, last_review(project, slug, edition), name)
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    if decision == "sent-back":
        if not reason.strip():
            raise CannotRun("sending back needs a reason: it becomes the next draft's instruction")
        review = Review(edition, decision, who, now, draft.hash, VERSION, reason=reason.strip(), seconds=seconds)
    else:
        other = load_draft(project, slug, "manager" if edition == "scientist" else "scientist")
        findings = check_draft(project, evidence, draft, other, queue=True)
        # Uncommitted code is no obstacle while drafting; what it measured must not be approved.
        errors = [finding for finding in findings if finding.severity == "error" or finding.check == "dirty-results"]
        if errors:
            listed = "\n".join(str(finding) for finding in errors)
            count = f"{len(errors)} finding{'s' if len(errors) != 1 else ''}"
            raise CannotRun(f"{name} cannot be approved: {count}\n{listed}")
        queue = [finding for finding in findings if finding.severity == "review"]
        given, _ = last_approved(project, slug, edition)
        known = {*confirmed, *(given.confirmed if given is not None else ())}  # a sentence once read stays read
        undecided = [finding for finding in queue if queued(finding) not in known]
        if undecided:
            listed = "\n".join(f"{finding.place}: {queued(finding)}" for finding in undecided)
            count = f"{len(undecided)} sentence{'s' if len(undecided) != 1 else ''}"
            raise CannotRun(
                f"{name} cannot be approved: {count} of the review queue undecided\n{listed}\n"
                "  fix: back each one with a role or, having looked at it, confirm that it needs none "
                "(in `forge review`, or with --queue-read)"
            )
        today = now[:10]
        page = make_page(project, evidence, draft, today, has_pair=_pair(project, draft))
        snapshot = page.snapshot.to_json()
        first = read_published(project.site).pages.get((slug, edition), "")
        text = approved_text(project, evidence, draft, today, snapshot, first)
        looked_at = tuple(dict.fromkeys(queued(finding) for finding in queue))
        again = _reopened(project, evidence, draft, given) if given is not None else []
        review = Review(
            edition, decision, who, now, draft.hash, VERSION, sha256(text), reason.strip(), seconds, looked_at,
            marks(draft), [sentence.to_json() for sentence in again], snapshot, first,
        )  # fmt: skip
    path = reviews_path(project, slug)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    transaction = Transaction(project)
    transaction.write(path, before + canonical_json(asdict(review)) + "\n")
    if decision == "approved":
        transaction.write(approved_path(project, slug, edition), draft.text)
    transaction.commit()
    return review


def _still_as(seen: EditionState, draft: Draft, last: Review | None, name: str) -> None:
    """Raises CannotRun where the draft or the decision that counts is not the one a person looked at."""
    told = []
    if seen.draft is None or seen.draft.hash != draft.hash:
        told.append(f"{name} changed while it was under review")
    if last is not None and last != seen.review:
        told.append(f"meanwhile {name} was {last.decision.replace('-', ' ')} by {last.who}")
    if told:
        raise CannotRun(f"{'; '.join(told)}; nothing was recorded\n  fix: look at it again")


def approved_text(
    project: Project, evidence: Evidence, draft: Draft, date: str, snapshot: Mapping[str, Any], first: str
) -> str:
    """The page's text as the recorded snapshot will give it again."""
    read = snapshot_from_json(project, json.loads(canonical_json(snapshot)))
    return make_page(project, evidence, draft, date, read, has_pair=_pair(project, draft), first=first).text


def text_changes(project: Project, state: EditionState) -> str:
    """A unified diff from the last approved text, or from what the writer last produced, to the draft; '' if none."""
    if state.draft is None:
        return ""
    what, old = text_before(project, state.slug, state.edition)
    lines = difflib.unified_diff(
        old.splitlines(), state.draft.text.splitlines(), what, "as it stands", lineterm="", n=1
    )
    return "\n".join(lines)


def text_before(project: Project, slug: str, edition: Edition) -> tuple[str, str]:
    """What the draft is compared with, named: the last approved text, else what the writer last produced."""
    review, text = last_approved(project, slug, edition)
    if review is not None and text is not None:
        return f"approved by {review.who} on {review.when[:10]}", text
    base = folder_of(project, slug) / "base" / f"{edition}.md"
    return "as drafted", base.read_text(encoding="utf-8") if base.is_file() else ""
