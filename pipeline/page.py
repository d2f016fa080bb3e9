"""A page: one edition as plain Markdown that any MkDocs-compatible builder accepts, and what it rests on.

A page is determined by the draft's text and a *snapshot*: the facts, claims, figures, listings and runs it used, as
they were when a person approved it (or as they are now, for a preview). So an approved page can be made again, byte
for byte, on another machine, whatever was measured there since.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from html import escape
from typing import Any

import yaml

from experiments.kit.errors import CannotRun
from experiments.kit.record import (
    Claim,
    Edition,
    Fact,
    FigureRecord,
    claim_from_json,
    fact_from_json,
    figure_from_json,
    to_json,
)
from experiments.kit.results import Run
from pipeline.asked import studies_behind, with_asked
from pipeline.drafts import Draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding
from pipeline.listings import Listing, cut_listing
from pipeline.markdown import parse
from pipeline.project import Project
from pipeline.render import Context, Rendered, provenance, render
from pipeline.results import ResultSet

OTHER: Mapping[Edition, Edition] = {"scientist": "manager", "manager": "scientist"}


@dataclass(frozen=True)
class Snapshot:
    """What a page rests on, by key."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    figures: Mapping[str, FigureRecord] = field(default_factory=dict)
    listings: Mapping[str, Listing] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; listings without their code, which stays in the repository under its hash."""
        return {
            "facts": {key: to_json(fact) for key, fact in sorted(self.facts.items())},
            "claims": {key: to_json(claim) for key, claim in sorted(self.claims.items())},
            "figures": {key: to_json(figure) for key, figure in sorted(self.figures.items())},
            "listings": {key: {**asdict(x), "code": ""} for key, x in sorted(self.listings.items())},
            "runs": {
                key: {k: v for k, v in asdict(run).items() if k not in ("code", "record_code")}
                for key, run in sorted(self.runs.items())
            },
        }


def snapshot_from_json(project: Project, data: Mapping[str, Any]) -> Snapshot:
    """Inverse of `Snapshot.to_json`; listings take their code from the repository as it is now.

    Raises KeyError, TypeError or ValueError on a record that was tampered with.
    """
    listings = {}
    for ref, entry in data.get("listings", {}).items():
        try:
            code = cut_listing(project.root, ref, {}).code
        except CannotRun:  # gone since: the review says so, with its place
            code = ""
        listings[ref] = replace(Listing(**entry), code=code)
    return Snapshot(
        {key: fact_from_json(key, entry) for key, entry in data.get("facts", {}).items()},
        {key: claim_from_json(key, entry) for key, entry in data.get("claims", {}).items()},
        {key: figure_from_json(key, entry) for key, entry in data.get("figures", {}).items()},
        listings,
        {
            key: Run(**{**entry, "limits": tuple(entry["limits"]), "code": {}, "record_code": {}})
            for key, entry in data.get("runs", {}).items()
        },
    )


@dataclass(frozen=True)
class Page:
    """A finished page: its text, what it used, and findings about what did not resolve."""

    slug: str
    edition: Edition
    text: str
    rendered: Rendered
    snapshot: Snapshot
    minutes: int
    words: int

    @property
    def findings(self) -> list[Finding]:
        """Findings of the rendering."""
        return self.rendered.findings


@lru_cache(maxsize=256)
def count_words(body: str) -> int:
    """Words of prose a reader reads: roles count as one word, code and formulas as none."""
    return sum(len(sentence.text.split()) for sentence in parse(body).sentences())


def make_page(
    project: Project,
    evidence: Evidence,
    draft: Draft,
    date: str,
    snapshot: Snapshot | None = None,
    pending: int | None = None,
    has_pair: bool = True,
    first: str = "",
) -> Page:
    """Render a draft into a page. With a snapshot, values come from it; `pending` marks a page under review
    and says how many findings block it. `first` is the day it was published first, where that was another one."""
    name = project.relative(draft.path)
    results = with_asked(evidence, draft, name)[0].results
    if snapshot is not None:
        results = overlaid(results, snapshot)
    context = Context(project, results, evidence.sources, draft.edition, name)
    rendered = render(draft.body, context, draft.body_line, snapshot.listings if snapshot else None)
    used = {figure.study for figure in rendered.figures.values()}
    used = used.union(
        *(studies_behind(fact, results.facts) for fact in rendered.facts.values()),
        *(studies_behind(claim, results.facts) for claim in rendered.claims.values()),
    )
    runs = (snapshot.runs if snapshot else None) or {k: r for k, r in results.runs.items() if k in used}
    words = count_words(draft.body)
    minutes = max(1, math.ceil(words / project.settings.words_per_minute))
    updated = datetime.date.fromisoformat(date)
    created = datetime.date.fromisoformat(first) if first else updated
    front = {
        "title": str(draft.front.get("title") or evidence.post.title),
        "slug": draft.slug,
        "date": {"created": created, "updated": updated} if created != updated else updated,
        "description": str(draft.front.get("description") or evidence.post.description.get(draft.edition, "")),
        "tags": list(draft.front.get("tags") or evidence.post.tags),
        "authors": ["author"],
        "edition": draft.edition,
        "pair": draft.slug if has_pair else "",
        "week": evidence.week.number,
        "readtime": minutes,
        "template": "post.html",
    }
    if pending is not None:
        front |= {"review": "pending", "findings": pending}
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=110)
    made = Snapshot(rendered.facts, rendered.claims, rendered.figures, rendered.listings, runs)
    body = with_excerpt_mark(rendered.markdown.rstrip())
    text = f"---\n{head}---\n\n{body}\n\n{appendix(rendered, runs, draft.edition)}"
    return Page(draft.slug, draft.edition, text, rendered, made, minutes, words)


def overlaid(results: ResultSet, snapshot: Snapshot) -> ResultSet:
    """The results as they were for what a snapshot holds."""
    return replace(
        results,
        facts={**results.facts, **snapshot.facts},
        claims={**results.claims, **snapshot.claims},
        figures={**results.figures, **snapshot.figures},
    )


def with_excerpt_mark(body: str) -> str:
    """The body with Material's mark behind the lead: what lists and feeds show of the post."""
    heading = next((b.start for b in parse(body).blocks if b.kind == "heading"), None)
    cut = heading if heading else len(body)
    return f"{body[:cut].rstrip()}\n\n<!-- more -->\n\n{body[cut:]}"


def appendix(rendered: Rendered, runs: Mapping[str, Run], edition: Edition) -> str:
    """The "How this was measured" section: the runs, and every value the page prints."""
    if not rendered.facts and not rendered.claims:
        return ""
    lines = ['??? abstract "How this was measured"', ""]
    body = []
    for name, run in runs.items():
        commit = f"commit `{run.commit[:10]}`" if run.commit else "no commit"
        libraries = ", ".join(f"{library} {version}" for library, version in run.libraries.items())
        body.append(
            f"**{run.title}** (`{name}`, budget {run.budget}): {run.question} "
            f"Run `{run.id}` of {run.started[:10]}, {commit}: {run.points} points, {run.seeds} seed"
            f"{'s' if run.seeds != 1 else ''}, Python {run.python}, {libraries}; times were measured on "
            f"{run.machine}. "
            f"Reproduce it with `forge run {name} --budget {run.budget} --again`."
        )
        body.append("")
    body += ["| value | what it is | how it was obtained |", "| ---: | --- | --- |"]
    for key, fact in sorted(rendered.facts.items()):
        what, _, how = provenance(fact).partition(" · ")
        cells = [fact.text(edition), f"{what} (`{key}`)", how]
        body.append("| " + " | ".join(escape(cell, quote=False).replace("|", "&#124;") for cell in cells) + " |")
    lines += [f"    {line}" if line else "" for line in body]
    return "\n".join(lines) + "\n"
