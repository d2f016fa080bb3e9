"""Status: how far the plan is, and for each week what is done, stale and waiting, with the next step as a command.

Everything here is computed from the notes, results, drafts and reviews; nothing is typed in. Each week's answer is kept
under a hash of what it was computed from, the notes it read among them, so that asking again costs reading files, and
an edit costs the weeks it concerns.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.kit.files import canonical_json, write_if_changed
from experiments.kit.record import EDITIONS
from pipeline.project import Project

if TYPE_CHECKING:
    from pipeline.evidence import Evidence
    from pipeline.vault import Vault


@dataclass
class WeekStatus:
    """One week: its studies (reasons why stale; none means fresh), its editions, the next step."""

    number: int
    title: str
    studies: dict[str, list[str]] = field(default_factory=dict)
    editions: list[dict[str, Any]] = field(default_factory=list)
    next: str = ""

    @property
    def planned(self) -> bool:
        """Whether the week is only planned: nothing drafted, no study written."""
        written = any(NOT_WRITTEN not in reasons for reasons in self.studies.values())
        return not written and all(edition["state"] == "missing" for edition in self.editions)


@dataclass
class Dashboard:
    """How far the plan is on a day. `rows` are (what, done, all, under way); `overdue` and `next` are (date, what)."""

    rows: list[tuple[str, int, int, int]] = field(default_factory=list)
    place: str = ""
    overdue: list[tuple[str, str]] = field(default_factory=list)
    next: tuple[str, str] | None = None
    errors: int = 0


NOT_WRITTEN = "not written yet"
KINDS = (
    ("week", "weeks"), ("cluster", "clusters"), ("session", "sessions"), ("lecture", "lectures"),
    ("course", "course weeks"),
)  # fmt: skip


def project_status(project: Project, budget: str) -> list[WeekStatus]:
    """All weeks that have posts, computed or taken from the kept answers."""
    return _Kept(project, budget).weeks()


def plan_dashboard(project: Project, on: datetime.date) -> Dashboard | None:
    """How far the plan is on a day, computed or kept; None for a vault that holds weeks and nothing else of a plan."""
    stamp = _stamp(project.root, ["notes/**/*.md", "site/*/posts/*.md", "pipeline/**/*.py"])
    digest = hashlib.sha256(stamp + on.isoformat().encode()).hexdigest()
    path = project.scratch / "dashboard.json"
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
        if answer["hash"] == digest:
            return Dashboard(**answer["dashboard"]) if answer["dashboard"] else None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    made = _dashboard(project, on)
    write_if_changed(path, canonical_json({"hash": digest, "dashboard": asdict(made) if made else None}))
    return made


def _dashboard(project: Project, on: datetime.date) -> Dashboard | None:
    from pipeline.agenda import place
    from pipeline.plan import load_plan
    from pipeline.progress import Progress, read_published
    from pipeline.vault import Vault

    plan, findings = load_plan(Vault.load(project.notes))
    progress = Progress(plan, read_published(project.site), on)
    if plan.schedule.start is None and not (plan.clusters or plan.sessions or plan.lectures or plan.course_weeks):
        return None
    rows = []
    for kind, name in KINDS:
        counts = progress.statuses(kind)
        if plan.of(kind):
            rows.append((name, counts["done"], sum(counts.values()), counts["in-progress"]))
    rows += [(f"posts, {edition}", *progress.posts(edition), 0) for edition in EDITIONS]
    overdue = [(due.date.isoformat(), due.what) for due in progress.overdue()]
    coming = next(((due.date.isoformat(), due.what) for due in progress.due() if due.date >= on), None)
    errors = sum(finding.severity == "error" for finding in findings)
    return Dashboard(rows, place(progress), overdue, coming, errors)


class _Kept:
    """The weeks' answers, kept in scratch: each with the notes it read and the hash of all it rests on."""

    def __init__(self, project: Project, budget: str) -> None:
        self.project = project
        self.budget = budget
        self.path = project.scratch / "status.json"
        try:
            answers = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            answers = {}
        self.answers: dict[str, Any] = answers if isinstance(answers, dict) else {}

    def weeks(self) -> list[WeekStatus]:
        """All weeks in order; what had to be computed is kept."""
        from pipeline.plan import week_numbers
        from pipeline.vault import Vault

        vault = Vault.load(self.project.notes)
        patterns = ["notes/*.bib", f"experiments/*/results/{self.budget}/*.json", "experiments/**/*.py"]
        patterns += ["pipeline/**/*.py", "site/*/posts/*.md", "pyproject.toml"]
        common = _stamp(self.project.root, patterns) + json.dumps([self.budget, vault.notes]).encode()
        found, answers = [], {}
        for number in week_numbers(vault):
            kept: Any = self.answers.get(str(number))
            week: WeekStatus | None = None
            try:
                stands = kept["hash"] == self._digest(common, kept["notes"], kept["posts"])
                week = WeekStatus(**kept["week"]) if stands and kept["week"] else None
            except (KeyError, TypeError):  # nothing kept, or kept by another version
                stands = False
            if not stands:
                vault.asked.clear()
                week = self._compute(vault, number)
                notes, posts = sorted(vault.asked), [edition["post"] for edition in week.editions] if week else []
                kept = {"hash": self._digest(common, notes, posts), "notes": notes, "posts": posts}
                kept["week"] = asdict(week) if week else None
            answers[str(number)] = kept
            found += [week] if week else []
        write_if_changed(self.path, json.dumps(answers, ensure_ascii=False))  # in order: studies keep theirs
        return found

    def _digest(self, common: bytes, notes: Iterable[str], posts: Iterable[str]) -> str:
        """A hash of what is common to all weeks, of some notes, and of some posts' drafts."""
        total = hashlib.sha256(common)
        for note in notes:
            path = self.project.notes / note
            total.update(note.encode() + b"\0" + (path.read_bytes() if path.is_file() else b""))
        total.update(_stamp(self.project.root, [f"drafts/{slug}/**/*.*" for slug in sorted(set(posts))]))
        return total.hexdigest()

    def _compute(self, vault: Vault, number: int) -> WeekStatus | None:
        # Only a changed project pays for these imports.
        from pipeline.evidence import gather, has_material
        from pipeline.plan import load_week

        week = load_week(vault, number)[0]
        if week is None or not week.posts:
            return None
        made = WeekStatus(number, week.title)
        for study in week.studies:
            made.studies[study] = _stale(self.project, study, self.budget)
        if any(has_material(self.project, week, post) for post in week.posts):
            evidences, _ = gather(self.project, vault, number, self.budget)
            for evidence in evidences:
                made.editions += _editions(self.project, evidence)
            made.next = _next(made)
        else:
            made.editions = [_missing(post.slug, post.title, edition) for post in week.posts for edition in EDITIONS]
            waiting = [study for study, reasons in made.studies.items() if reasons and NOT_WRITTEN not in reasons]
            made.next = f"forge run {' '.join(waiting)}" if waiting else ""
        return made


def _stale(project: Project, study: str, budget: str) -> list[str]:
    from experiments.kit.run import stale_reasons

    folder, _, name = study.partition("/")
    if not (project.root / "experiments" / folder / f"{name}_study.py").is_file():
        return [NOT_WRITTEN]
    try:
        return stale_reasons(study, budget, project.root)
    except (FileNotFoundError, SyntaxError) as error:
        return [str(error)]


def _editions(project: Project, evidence: Evidence) -> list[dict[str, Any]]:
    from pipeline.publish import page_path
    from pipeline.review import edition_state

    rows = []
    for edition in EDITIONS:
        state = edition_state(project, evidence, edition)
        path = page_path(project, state.slug, edition)
        published = path.is_file()
        rows.append(
            {
                "post": state.slug,
                "title": evidence.post.title,
                "edition": edition,
                "state": "published" if state.state == "approved" and published else state.state,
                "errors": len(state.errors),
                "notes": len(state.findings) - len(state.errors),
                "reason": state.summary or (state.errors[0].message if state.errors else ""),
            }
        )
    return rows


def _missing(slug: str, title: str, edition: str) -> dict[str, Any]:
    empty: Mapping[str, Any] = {"state": "missing", "errors": 0, "notes": 0, "reason": ""}
    return {"post": slug, "title": title, "edition": edition, **empty}


def _next(week: WeekStatus) -> str:
    states = {edition["state"] for edition in week.editions}
    if any(week.studies.values()) or "missing" in states:
        return f"forge week {week.number}"
    if "sent-back" in states:
        return f"forge draft {week.number}"
    for edition in week.editions:
        if edition["state"] == "findings":
            return f"forge check drafts/{edition['post']}/{edition['edition']}.md"
    for edition in week.editions:
        if edition["state"] in ("waiting", "stale"):
            return f"forge review {edition['post']}"
    return "forge publish" if "approved" in states else ""


def _stamp(root: Path, patterns: Iterable[str]) -> bytes:
    """A hash of the names and bytes of all files that match."""
    total = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                total.update(str(path.relative_to(root)).encode() + b"\0")
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.digest()
