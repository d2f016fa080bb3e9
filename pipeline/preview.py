"""The preview: the site as it would look with the pending drafts in it, clearly marked, and never in `public/`.

Built into `.forge/preview/` only when something it shows changed; `index.html` there opens from the file system.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.kit.record import EDITIONS
from pipeline import site
from pipeline.evidence import Evidence, gather_all
from pipeline.finding import Finding
from pipeline.measured import data_path, data_text, series_path
from pipeline.project import Project
from pipeline.publish import asset_path, page_path
from pipeline.review import EditionState, edition_state, preview_page

Assets = dict[str, Path | bytes]
"""Files beside the pages, by their path under `site/`: where they lie, or what they hold."""


@dataclass(frozen=True)
class Preview:
    """Where the preview is, and whether it had to be built."""

    index: Path
    built: bool
    findings: tuple[Finding, ...] = ()


def pending_pages(
    project: Project, evidences: Sequence[Evidence], states: Sequence[EditionState]
) -> tuple[dict[str, str], Assets]:
    """`draft_pages` of the editions that are not approved as they stand."""
    return draft_pages(project, evidences, [state for state in states if state.state != "approved"])


def draft_pages(
    project: Project, evidences: Sequence[Evidence], states: Sequence[EditionState]
) -> tuple[dict[str, str], Assets]:
    """Pages of the editions that have a draft, and their figures, series and data, by their path under `site/`."""
    by_slug = {evidence.post.slug: evidence for evidence in evidences}
    pages: dict[str, str] = {}
    assets: Assets = {}
    for state in states:
        if state.draft is None:
            continue
        evidence = by_slug[state.slug]
        page = preview_page(project, evidence, state.draft, len(state.errors))
        pages[str(page_path(project, state.slug, state.edition).relative_to(project.site))] = page.text
        series = {}
        for key, figure in page.snapshot.figures.items():
            folder = evidence.results.folder_of(figure).folder
            if (drawn := folder / figure.series).is_file():
                path = series_path(project, figure, drawn.read_bytes())
                series[key] = path.relative_to(project.site).as_posix()
                assets[series[key]] = drawn
            for theme in ("light", "dark"):
                name = str(asset_path(project, figure, theme).relative_to(project.site))
                assets[name] = folder / "figures" / f"{figure.key}.{theme}.svg"
        data = data_path(project, state.slug, state.edition).relative_to(project.site).as_posix()
        assets[data] = data_text(page, series).encode()
    return pages, assets


def build_preview(
    project: Project,
    evidences: Sequence[Evidence],
    states: Sequence[EditionState],
    report: Callable[[str], None] = lambda line: None,
) -> Preview:
    """Build the preview unless the last one shows exactly this."""
    pages, assets = pending_pages(project, evidences, states)
    out = project.scratch / "preview"
    stamp = project.scratch / "preview.hash"
    digest = pages_digest(project, pages, assets)
    if stamp.is_file() and stamp.read_text() == digest and (out / "index.html").is_file():
        return Preview(out / "index.html", False)
    report("building the preview")
    stamp.unlink(missing_ok=True)
    result = site.preview(project.root, pages, assets, out)
    if result.ok:
        stamp.write_text(digest)
    return Preview(out / "index.html", True, tuple(result.findings))


def preview_now(project: Project, budget: str) -> site.BuildResult:
    """Build the preview of everything pending, whatever was built before: for the server's reloads."""
    evidences, _ = gather_all(project, budget)
    states = [edition_state(project, evidence, edition) for evidence in evidences for edition in EDITIONS]
    pages, assets = pending_pages(project, evidences, states)
    (project.scratch / "preview.hash").unlink(missing_ok=True)
    return site.preview(project.root, pages, assets, project.scratch / "preview")


def pages_digest(project: Project, pages: dict[str, str], assets: Assets) -> str:
    """A hash of everything the preview is made from."""
    total = hashlib.sha256()
    made = {name: data for name, data in assets.items() if isinstance(data, bytes)}
    for name, data in sorted({**{name: text.encode() for name, text in pages.items()}, **made}.items()):
        total.update(name.encode() + b"\0" + data + b"\0")
    sources = [project.root / "mkdocs.yml", project.notes / "glossary.md"]
    sources += [asset for asset in assets.values() if isinstance(asset, Path)]
    for folder in (project.site, project.root / "pipeline" / "theme", project.notes / "plan"):
        sources += [path for path in folder.rglob("*") if path.is_file()]
    for path in sorted(sources):
        total.update(str(path.relative_to(project.root)).encode())
        total.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"missing")
    return total.hexdigest()
