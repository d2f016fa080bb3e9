"""Review: what state each edition is in, and a person's decisions, bound to exactly what they saw.

`drafts/<slug>/reviews.jsonl` holds one decision a line; the last line of an edition counts. An approval holds the
hash of the source text, the snapshot the page rests on (`page.Snapshot`), the hash of the rendered page and the
version of the checks. It stands as long as the source is untouched, every printed value still prints the same
(measured times: stays within its stated tolerance), every claim holds, and no figure or listing changed.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from experiments.kit.errors import CannotRun
from experiments.kit.files import canonical_json, sha256
from experiments.kit.record import EDITIONS, Edition
from experiments.kit.run import within_tolerance
from pipeline.checks import VERSION, check_draft
from pipeline.drafts import Draft, folder_of, load_draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding, in_order
from pipeline.listings import cut_listing
from pipeline.page import Page, Snapshot, make_page, snapshot_from_json
from pipeline.project import Project
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
    snapshot: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EditionState:
    """Where one edition stands, why, and what its checks found."""

    slug: str
    edition: Edition
    state: State
    draft: Draft | None
    review: Review | None
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> list[Finding]:
        """What blocks approval, or makes an approval stale."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def to_json(self) -> dict[str, Any]:
        """Post, edition, state and findings, for scripts."""
        findings = [finding.to_json() for finding in self.findings]
        return {"post": self.slug, "edition": self.edition, "state": self.state, "findings": findings}


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


def preview_page(project: Project, evidence: Evidence, draft: Draft, blocking: int = 0) -> Page:
    """The page as it would be published now, marked as under review with the number of findings that block it."""
    today = datetime.now(UTC).date().isoformat()
    return make_page(project, evidence, draft, today, pending=blocking, has_pair=_pair(project, draft))


def _pair(project: Project, draft: Draft) -> bool:
    return all((folder_of(project, draft.slug) / f"{edition}.md").is_file() for edition in EDITIONS)


def approved_page(project: Project, evidence: Evidence, draft: Draft, review: Review) -> Page:
    """The page exactly as it was approved. Raises CannotRun where the approval's record does not read."""
    try:
        snapshot = snapshot_from_json(project, review.snapshot)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotRun(
            f"{project.relative(reviews_path(project, draft.slug))}: approval is damaged: {error}"
        ) from None
    return make_page(project, evidence, draft, review.when[:10], snapshot, has_pair=_pair(project, draft))


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
        return EditionState(slug, edition, "approved" if stands else "stale", draft, review, tuple(findings))
    errors = any(finding.severity == "error" for finding in findings)
    sent_back = review is not None and review.source == draft.hash
    state: State = "sent-back" if sent_back else "findings" if errors else "waiting"
    return EditionState(slug, edition, state, draft, review, tuple(findings))


def approval_findings(project: Project, evidence: Evidence, draft: Draft, review: Review) -> list[Finding]:
    """Why an approval no longer stands: empty when it does. Each finding names its place in the draft."""
    name = project.relative(draft.path)
    again = f"look at it with `forge review {draft.slug}` and approve it again"
    if review.source != draft.hash:
        message = f"the text changed since {review.who} approved it on {review.when[:10]}"
        return [Finding("stale-approval", "error", message, name, fix=again)]
    page = approved_page(project, evidence, draft, review)
    places = {(use.role, use.key): use for use in reversed(page.rendered.uses)}  # the first use counts
    found = []
    for role, key, message in _moved(project, evidence, page.snapshot, review, draft.edition):
        use = places.get((role, key))
        line, column, sentence = (use.line, use.column, use.sentence) if use else (None, None, "")
        found.append(Finding("moved-value", "error", message, name, line, column, sentence, again, key))
    if not found and sha256(page.text) != review.page:
        record = project.relative(reviews_path(project, draft.slug))
        message = f"the record of the {draft.edition} approval does not give the page that was approved"
        found.append(Finding("stale-approval", "error", message, record, fix=again))
    return found


def _moved(
    project: Project, evidence: Evidence, snapshot: Snapshot, review: Review, edition: Edition
) -> list[tuple[str, str, str]]:
    """(role, key, message) for everything the approved page used that is different now."""
    results = evidence.results
    moved = []
    for key, old in snapshot.facts.items():
        new = results.facts.get(key)
        if new is None:
            moved.append(("val", key, f"{key} is no longer recorded"))
        elif old.machine and not within_tolerance(old, new):
            was, now = old.text(edition), new.text(edition)
            moved.append(("val", key, f"{key} was {was} and is now {now}, beyond its factor of {old.tolerance:g}"))
        elif not old.machine and old.text(edition) != new.text(edition):
            moved.append(("val", key, f"{key} was {old.text(edition)} and is now {new.text(edition)}"))
    for key, claim in snapshot.claims.items():
        stated = results.claims.get(key)
        if stated is None:
            moved.append(("claim", key, f"claim {key} is no longer stated"))
        elif not stated.holds:
            moved.append(("claim", key, f"claim {key} no longer holds: {stated.detail}"))
        elif (stated.op, tuple(stated.of), stated.bound) != (claim.op, tuple(claim.of), claim.bound):
            moved.append(("claim", key, f"claim {key} now compares something else: {stated.detail}"))
    for key, figure in snapshot.figures.items():
        drawn = results.figures.get(key)
        if drawn is None:
            moved.append(("fig", key, f"figure {key} is no longer drawn"))
        elif not figure.machine and drawn.data != figure.data:
            moved.append(("fig", key, f"figure {key} shows other data than the one approved"))
    for ref, entry in review.snapshot.get("listings", {}).items():
        try:
            changed = cut_listing(project.root, ref, {}).hash != entry["hash"]
        except CannotRun:
            changed = True
        if changed:
            moved.append(("listing", ref, f"listing {ref} is not the code that was approved"))
    return moved


def decide(
    project: Project,
    evidence: Evidence,
    edition: Edition,
    decision: Decision,
    who: str,
    *,
    reason: str = "",
    seconds: int = 0,
    seen: str | None = None,
) -> Review:
    """Record a decision. `seen` is the source hash the person looked at.

    Raises CannotRun when there is nothing to decide on, when the file changed after it was shown, when an approval is
    blocked by findings, or when sending back names no reason.
    """
    slug = evidence.post.slug
    draft = load_draft(project, slug, edition)
    if draft is None:
        raise CannotRun(f"{slug} has no {edition} draft\n  fix: forge draft {evidence.week.number}")
    name = project.relative(draft.path)
    if seen is not None and seen != draft.hash:
        raise CannotRun(f"{name} changed while it was under review; nothing was recorded\n  fix: look at it again")
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    if decision == "sent-back":
        if not reason.strip():
            raise CannotRun("sending back needs a reason: it becomes the next draft's instruction")
        review = Review(edition, decision, who, now, draft.hash, VERSION, reason=reason.strip(), seconds=seconds)
    else:
        other = load_draft(project, slug, "manager" if edition == "scientist" else "scientist")
        errors = [f for f in check_draft(project, evidence, draft, other) if f.severity == "error"]
        if errors:
            listed = "\n".join(str(finding) for finding in errors)
            count = f"{len(errors)} finding{'s' if len(errors) != 1 else ''}"
            raise CannotRun(f"{name} cannot be approved: {count}\n{listed}")
        today = now[:10]
        page = make_page(project, evidence, draft, today, has_pair=_pair(project, draft))
        snapshot = page.snapshot.to_json()
        text = approved_text(project, evidence, draft, today, snapshot)
        review = Review(
            edition, decision, who, now, draft.hash, VERSION, sha256(text), reason.strip(), seconds, snapshot
        )
    path = reviews_path(project, slug)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    transaction = Transaction(project)
    transaction.write(path, before + canonical_json(asdict(review)) + "\n")
    transaction.commit()
    return review


def approved_text(project: Project, evidence: Evidence, draft: Draft, date: str, snapshot: Mapping[str, Any]) -> str:
    """The page's text as the recorded snapshot will give it again."""
    read = snapshot_from_json(project, json.loads(canonical_json(snapshot)))
    return make_page(project, evidence, draft, date, read, has_pair=_pair(project, draft)).text


def text_changes(project: Project, state: EditionState) -> str:
    """A unified diff from the last approved text, or from what the writer last produced, to the draft; '' if none."""
    if state.draft is None:
        return ""
    base = folder_of(project, state.slug) / "base" / f"{state.edition}.md"
    old = base.read_text(encoding="utf-8") if base.is_file() else ""
    lines = difflib.unified_diff(
        old.splitlines(), state.draft.text.splitlines(), "as drafted", "as it stands", lineterm="", n=1
    )
    return "\n".join(lines)
