"""Publish: approved editions become plain Markdown in `site/`, and nothing else does.

`publish` writes each approved edition's page and its figures in one transaction and removes figures no page shows any
more. `verify_site` proves, for CI, that every page and figure in `site/` is one that a person approved: a hand-edited,
unapproved or stale page fails by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from experiments.kit.files import sha256
from experiments.kit.record import EDITIONS, Edition, FigureRecord
from pipeline.drafts import load_draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding
from pipeline.page import Page
from pipeline.project import Project
from pipeline.render import asset_name
from pipeline.review import EditionState, approved_page, edition_state, last_review
from pipeline.transaction import Transaction

ASSET = re.compile(r"\]\(\.\./\.\./(assets/figures/[^)#\s]+)")


@dataclass(frozen=True)
class Published:
    """What publishing did with one edition: `published`, `unchanged` or `refused`, and why."""

    slug: str
    edition: Edition
    outcome: str
    findings: tuple[Finding, ...] = ()


def page_path(project: Project, slug: str, edition: Edition) -> Path:
    """Where an edition is published."""
    return project.site / edition / "posts" / f"{slug}.md"


def publish(project: Project, evidences: Iterable[Evidence]) -> list[Published]:
    """Publish what is approved; refuse the rest, saying which and why. Refusals never touch a published page."""
    done = []
    transaction = Transaction(project)
    pages: list[Page] = []
    for evidence in evidences:
        for edition in EDITIONS:
            state = edition_state(project, evidence, edition)
            if state.state != "approved":
                done.append(Published(state.slug, edition, "refused", tuple(refusal(project, state))))
                continue
            assert state.draft is not None and state.review is not None
            page = approved_page(project, evidence, state.draft, state.review)
            lost = _stage_figures(project, evidence, page, transaction)
            if lost:
                done.append(Published(state.slug, edition, "refused", tuple(lost)))
                continue
            pages.append(page)
            path = page_path(project, page.slug, edition)
            same = path.is_file() and path.read_text(encoding="utf-8") == page.text
            if not same:
                transaction.write(path, page.text)
            done.append(Published(state.slug, edition, "unchanged" if same else "published"))
    _drop_unused_figures(project, pages, transaction)
    transaction.commit()
    return done


def refusal(project: Project, state: EditionState) -> list[Finding]:
    """Why an edition that is not approved is not published, in findings that name the place."""
    name = f"drafts/{state.slug}/{state.edition}.md"
    if state.state == "missing":
        return [Finding("unapproved", "error", "there is no draft", name, fix="forge draft")]
    if state.state == "sent-back":
        assert state.review is not None
        message = f"sent back by {state.review.who}: {state.review.reason}"
        return [Finding("unapproved", "error", message, name, fix="re-draft it, or edit it and approve")]
    if state.errors:
        return state.errors
    return [Finding("unapproved", "error", "nobody approved it", name, fix=f"forge review {state.slug}")]


def _stage_figures(project: Project, evidence: Evidence, page: Page, transaction: Transaction) -> list[Finding]:
    """Plan to write the page's figures: exactly the bytes that were approved, from `site/` or the results folder."""
    lost = []
    for key, figure in page.snapshot.figures.items():
        folder = evidence.results.folder_of(figure).folder
        for theme in ("light", "dark"):
            target = asset_path(project, figure, theme)
            digest = figure.files[f"{theme}.svg"]
            if target.is_file() and sha256(target.read_bytes()) == digest:
                continue
            source = folder / "figures" / f"{figure.key}.{theme}.svg"
            if source.is_file() and sha256(source.read_bytes()) == digest:
                transaction.write(target, source.read_bytes())
            else:
                message = f"figure {key} was drawn anew since it was approved"
                name = f"drafts/{page.slug}/{page.edition}.md"
                lost.append(Finding("figure-changed", "error", message, name, fix="approve it again", key=key))
                break
    return lost


def asset_path(project: Project, figure: FigureRecord, theme: str) -> Path:
    """Where a published figure lies."""
    return project.site / "assets" / "figures" / figure.study.partition("/")[0] / asset_name(figure, theme)


def published_pages(project: Project) -> list[Path]:
    """All pages of posts in `site/`."""
    return sorted(path for edition in EDITIONS for path in (project.site / edition / "posts").glob("**/*.md"))


def _drop_unused_figures(project: Project, pages: Iterable[Page], transaction: Transaction) -> None:
    """Plan to remove figures that no page shows once this transaction is done."""
    fresh = {page_path(project, page.slug, page.edition): page.text for page in pages}
    texts = [fresh.get(path) or path.read_text(encoding="utf-8") for path in {*published_pages(project), *fresh}]
    used = {project.site / name for text in texts for name in ASSET.findall(text)}
    for path in (project.site / "assets" / "figures").glob("*/*"):
        if path not in used:
            transaction.delete(path)


def verify_site(project: Project, evidences: Iterable[Evidence]) -> list[Finding]:
    """Every page and figure under `site/` against the approvals. Empty when all of it was approved as it stands."""
    known = {evidence.post.slug: evidence for evidence in evidences}
    found: list[Finding] = []
    expected: dict[Path, str] = {}
    for path in published_pages(project):
        name = project.relative(path)
        edition: Edition = "scientist" if path.is_relative_to(project.site / "scientist") else "manager"
        evidence = known.get(path.stem)
        draft = load_draft(project, path.stem, edition) if evidence else None
        review = last_review(project, path.stem, edition) if draft else None
        if evidence is None or draft is None or review is None or review.decision != "approved":
            found.append(
                Finding(
                    "unapproved-page", "error", "no approval covers this page", name, fix="forge publish, or delete it"
                )
            )
            continue
        state = edition_state(project, evidence, edition)
        if state.state != "approved":
            found += [*state.errors, Finding("stale-page", "error", "its approval no longer stands", name)]
            continue
        page = approved_page(project, evidence, draft, review)
        if path.read_text(encoding="utf-8") != page.text:
            line = _first_difference(path.read_text(encoding="utf-8"), page.text)
            message = "differs from the page that was approved: it was edited by hand"
            fix = "edit the draft and approve it, then `forge publish` writes this file"
            found.append(Finding("edited-page", "error", message, name, line, fix=fix))
        for figure in page.snapshot.figures.values():
            for theme in ("light", "dark"):
                expected[asset_path(project, figure, theme)] = figure.files[f"{theme}.svg"]
    for path in sorted((project.site / "assets" / "figures").glob("*/*")):
        if path not in expected:
            found.append(Finding("unapproved-figure", "error", "no approved page shows it", project.relative(path)))
        elif sha256(path.read_bytes()) != expected[path]:
            found.append(Finding("edited-figure", "error", "not the figure that was approved", project.relative(path)))
    for path in expected:
        if not path.is_file():
            found.append(Finding("missing-figure", "error", "an approved page shows it", project.relative(path)))
    return found


def _first_difference(a: str, b: str) -> int:
    for number, (x, y) in enumerate(zip(a.split("\n"), b.split("\n"), strict=False), 1):
        if x != y:
            return number
    return min(a.count("\n"), b.count("\n")) + 1
