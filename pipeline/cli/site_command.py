"""`forge site`: build what is published, or serve a preview that also holds what is pending."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.common import count_of, finish, project, say, show_findings
from pipeline.project import Project


@click.group()
def command() -> None:
    """Build the site into public/, or serve a preview with pending drafts, marked as such.

    \b
    Examples:
      forge site build
      forge site serve
    """


@command.command()
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Another folder than public/.")
def build(out: Path | None) -> None:
    """Build what is published, strictly: a warning, a dead link or a request to another host fails it.

    \b
    Example:
      forge site build
    """
    from pipeline.site import build as build_site

    here = project()
    result = build_site(here.root, out=out)
    show_findings(result.findings)
    if result.ok:
        say(f"{count_of(result.pages, 'page')} in {here.relative(result.out)}, {result.seconds:.1f} s")
    finish(result.findings)


@command.command()
@click.option("--port", type=int, default=8000, show_default=True, help="0 takes any free port.")
def serve(port: int) -> None:
    """Serve a preview on this machine: published posts and pending drafts; rebuilt when something changes.

    \b
    Example:
      forge site serve --port 8001
    """
    serve_preview(project(), port)


def serve_preview(here: Project, port: int) -> None:
    """Serve the preview until interrupted."""
    from pipeline.preview import preview_now
    from pipeline.site.serve import serve as serve_folder

    level = here.settings.budget
    raise SystemExit(serve_folder(here.root, lambda: preview_now(here, level), port=port, say=say))
