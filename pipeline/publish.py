"""Publish: approved editions become plain Markdown in `site/`, and nothing else does.

`publish` writes each approved edition's page and its companions (figures, their series, the data file, the social card)
in one transaction and removes companions no page has any more. `verify_site` proves, for CI, that every page and file
in `site/` is one that a person approved: a hand-edited, unapproved or stale one fails by name. What is no post is
approved apart (`own_pages`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from experiments.kit.files import sha256
from experiments.kit.record import EDITIONS, Edition, FigureRecord
from pipeline.cards import draw_card, same_picture
from pipeline.drafts import load_draft
from pipeline.evidence import Evidence
from pipeline.finding import Finding
from pipeline.measured import data_path, data_text, series_path
from pipeline.own_pages import COMPANIONS, NOTHING, check_own
from pipeline.page import Page
from pipeline.project import Project
from pipeline.render import asset_name
from pipeline.review import EditionState, approved_page, edition_state, last_review
from pipeline.transaction import Transaction

FIGURE = re.compile(r"\]\(\.\./\.\./(assets/figures/[^)#\s]+)")


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
    kept: set[Path] = set()
    for evidence in evidences:
        for edition in EDITIONS:
            state = edition_state(project, evidence, edition)
            if state.state != "approved":
                done.append(Published(state.slug, edition, "refused", tuple(refusal(project, state))))
                continue
            assert state.draft is not None and state.review is not None
            page = approved_page(project, evidence, state.draft, state.review)
            files = companions(project, evidence, page)
            lost = list(_lost(files, page))
            if lost:
                done.append(Published(state.slug, edition, "refused", tuple(lost)))
                continue
            pages.append(page)
            page_file = Companion(page_path(project, page.slug, edition), page.text.encode())
            changed = [each for each in (page_file, *files) if not each.stands()]
            for each in changed:
                assert each.data is not None
                transaction.write(each.path, each.data)
            kept.update(each.path for each in files)
            done.append(Published(state.slug, edition, "published" if changed else "unchanged"))
    for path in _unused(project, pages, kept):
        transaction.delete(path)
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


@dataclass(frozen=True)
class Companion:
    """A file that belongs to a page. `data` is None where the bytes that were approved are nowhere to be had."""

    path: Path
    data: bytes | None
    key: str = ""

    def stands(self) -> bool:
        """Whether the published file is this one. Of a card the pixels count, not how they are packed."""
        if self.data is None or not self.path.is_file():
            return False
        there = self.path.read_bytes()
        return there == self.data or (self.path.parts[-3] == "cards" and same_picture(there, self.data))


def companions(project: Project, evidence: Evidence, page: Page) -> list[Companion]:
    """All files of a page beside its Markdown: exactly the bytes that were approved, or made from nothing else."""
    files, series = [], {}
    published = _published_series(project, page)
    for key, figure in page.snapshot.figures.items():
        folder = evidence.results.folder_of(figure).folder
        for theme in ("light", "dark"):
            target = asset_path(project, figure, theme)
            source = folder / "figures" / f"{figure.key}.{theme}.svg"
            files.append(Companion(target, _approved(figure.files[f"{theme}.svg"], target, source), key))
        now = evidence.results.figures.get(key)
        drawn = folder / figure.series
        if now is not None and now.data == figure.data and drawn.is_file():
            path = series_path(project, figure, drawn.read_bytes())
            files.append(Companion(path, drawn.read_bytes()))
        elif (kept := published.get(key)) is not None:  # the figure was drawn anew since; this is what was published
            path = kept
            files.append(Companion(path, path.read_bytes()))
        else:
            continue
        series[key] = path.relative_to(project.site).as_posix()
    files.append(Companion(data_path(project, page.slug, page.edition), data_text(page, series).encode()))
    return [*files, *_card(project, evidence, page)]


def _approved(digest: str, *places: Path) -> bytes | None:
    """The bytes with this hash, from the first place that has them."""
    for path in places:
        if path.is_file() and sha256(data := path.read_bytes()) == digest:
            return data
    return None


def _published_series(project: Project, page: Page) -> dict[str, Path]:
    """The series that the page's published data file names, where they are what their name says."""
    try:
        data = json.loads(data_path(project, page.slug, page.edition).read_text(encoding="utf-8"))
        named = {key: project.site / str(entry["series"]) for key, entry in data["figures"].items() if entry["series"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none yet, or edited by hand: none is known
        return {}
    return {k: p for k, p in named.items() if p.is_file() and sha256(p.read_bytes())[:10] == p.name.split(".")[-2]}


def _card(project: Project, evidence: Evidence, page: Page) -> Iterator[Companion]:
    """The social card, and the bitmap of the figure on it, from which it can be drawn again anywhere."""
    folder = project.site / "assets" / "cards" / page.edition
    first = next((use.key for use in page.rendered.uses if use.role == "fig"), None)
    figure = page.snapshot.figures[first] if first is not None else None
    bitmap = None
    if figure is not None and "light.png" in figure.files:
        target = folder / f"{page.slug}.figure.png"
        source = evidence.results.folder_of(figure).folder / "figures" / f"{figure.key}.light.png"
        bitmap = _approved(figure.files["light.png"], target, source)
        if bitmap is not None:
            yield Companion(target, bitmap)
    title = str(yaml.safe_load(page.text.split("---\n")[1])["title"])  # as the page itself shows it
    card = draw_card(title, page.edition, evidence.week.number, project.settings.site_name, bitmap)
    yield Companion(folder / f"{page.slug}.png", card)


def _lost(files: Iterable[Companion], page: Page) -> Iterator[Finding]:
    """Findings about figures whose approved bytes are gone."""
    name = f"drafts/{page.slug}/{page.edition}.md"
    for key in dict.fromkeys(each.key for each in files if each.data is None):
        message = f"figure {key} was drawn anew since it was approved"
        yield Finding("figure-changed", "error", message, name, fix="approve it again", key=key)


def asset_path(project: Project, figure: FigureRecord, theme: str) -> Path:
    """Where a published figure lies."""
    return project.site / "assets" / "figures" / figure.study.partition("/")[0] / asset_name(figure, theme)


def published_pages(project: Project) -> list[Path]:
    """All pages of posts in `site/`."""
    return sorted(path for edition in EDITIONS for path in (project.site / edition / "posts").glob("*.md"))


def _unused(project: Project, pages: Iterable[Page], kept: set[Path]) -> Iterator[Path]:
    """Companions that no page has once this transaction is done; `kept` are those of the `pages` it writes."""
    fresh = {page_path(project, page.slug, page.edition) for page in pages}
    used = set(kept).union(*(_named_by(project, path) for path in set(published_pages(project)) - fresh))
    for path in _present(project):
        if path not in used and path.parents[3] == project.site:  # what lies elsewhere was not written by `publish`
            yield path


def _named_by(project: Project, page: Path) -> set[Path]:
    """The companions that a published page has, going by what it and its data file name."""
    edition, slug = page.parent.parent.name, page.stem
    named = {project.site / name for name in FIGURE.findall(page.read_text(encoding="utf-8"))}
    data = project.site / "assets" / "data" / edition / f"{slug}.json"
    if data.is_file():
        named |= {data, *(project.site / name for name in re.findall(r'"(assets/series/[^"]+)"', data.read_text()))}
    return named | {project.site / "assets" / "cards" / edition / f"{slug}{kind}.png" for kind in ("", ".figure")}


def _present(project: Project) -> list[Path]:
    """All companions in `site/`, and whatever else lies where they do."""
    return [path for folder in COMPANIONS for path in _files(project.site / folder)]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NOTHING)


def verify_site(project: Project, evidences: Iterable[Evidence]) -> list[Finding]:
    """Everything under `site/` against the approvals. Empty when all was approved as it stands."""
    known = {evidence.post.slug: evidence for evidence in evidences}
    found: list[Finding] = []
    expected: dict[Path, Companion] = {}
    lapsed: set[Path] = set()  # companions of pages that are reported themselves
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
            lapsed |= _named_by(project, path)
            continue
        state = edition_state(project, evidence, edition)
        if state.state != "approved":
            found += [*state.errors, Finding("stale-page", "error", "its approval no longer stands", name)]
            lapsed |= _named_by(project, path)
            continue
        page = approved_page(project, evidence, draft, review)
        if path.read_text(encoding="utf-8") != page.text:
            line = _first_difference(path.read_text(encoding="utf-8"), page.text)
            message = "differs from the page that was approved: it was edited by hand"
            fix = "edit the draft and approve it, then `forge publish` writes this file"
            found.append(Finding("edited-page", "error", message, name, line, fix=fix))
        expected.update({each.path: each for each in companions(project, evidence, page)})
    for path in _present(project):
        kind = _kind(project, path)
        if path not in expected and path not in lapsed:
            message = f"no approved page {'shows' if kind == 'figure' else 'has'} it"
            found.append(Finding(f"unapproved-{kind}", "error", message, project.relative(path), fix="delete it"))
        elif path not in expected:
            continue
        elif not expected[path].stands():
            found.append(
                Finding(f"edited-{kind}", "error", f"not the {kind} that was approved", project.relative(path))
            )
    for path in expected:
        if not path.is_file():
            kind = _kind(project, path)
            fix = "forge publish writes it"
            found.append(
                Finding(f"missing-{kind}", "error", "belongs to an approved page", project.relative(path), fix=fix)
            )
    for edition in EDITIONS:
        for path in _files(project.site / edition / "posts"):
            if path not in published_pages(project):
                message = "no page of a post, and the site would publish it"
                found.append(Finding("unapproved-file", "error", message, project.relative(path), fix="delete it"))
    return [*found, *check_own(project)]


def _kind(project: Project, path: Path) -> str:
    return "figure" if path.is_relative_to(project.site / "assets" / "figures") else "file"


def _first_difference(a: str, b: str) -> int:
    for number, (x, y) in enumerate(zip(a.split("\n"), b.split("\n"), strict=False), 1):
        if x != y:
            return number
    return min(a.count("\n"), b.count("\n")) + 1
