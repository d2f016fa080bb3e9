"""MkDocs, run inside this process, silently, one build at a time; whatever goes wrong comes back in the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.kit.environment import environment
from pipeline.project import Settings, read_settings
from pipeline.site import code, terms
from pipeline.site.about import Imprint, about_posts
from pipeline.site.generated import Generated, with_generated
from pipeline.site.halves import two_halves
from pipeline.site.lean import lean
from pipeline.site.mkdocs_log import captured_log, record_of
from pipeline.site.shelf import Shelf, newest_first

_building = threading.RLock()  # MkDocs' settings and log are the process's


def run_mkdocs(
    docs: Path,
    out: Path,
    shelf: Shelf,
    made: Sequence[Generated],
    variables: Mapping[str, str],
    options: Mapping[str, Any],
) -> tuple[Any, list[logging.LogRecord]]:
    """Build `docs` into `out`. Returns MkDocs' configuration (None if it did not finish) and what it logged."""
    kept = shelf.root / ".forge" / "templates"
    with (
        _building,
        environment({"NO_MKDOCS_2_WARNING": "1", **variables}),
        captured_log() as log,
        lean(kept),
        two_halves(docs.parent, log),
    ):
        return _run(docs, out, shelf, made, log, options), log


def _run(
    docs: Path,
    out: Path,
    shelf: Shelf,
    made: Sequence[Generated],
    log: list[logging.LogRecord],
    options: Mapping[str, Any],
) -> Any:
    """MkDocs' own `build`, without its exits."""
    from mkdocs.commands.build import build as mkdocs_build
    from mkdocs.config import load_config
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.exceptions import MkDocsException

    # MkDocs keeps plugins that have a start or an end for the next build of the process; nothing of a preview may
    # reach the build of what is published, so every build gets new ones.
    options_by_name: dict[str, Any] = dict(MkDocsConfig._schema)
    options_by_name["plugins"].plugin_cache.clear()
    try:
        config = load_config(
            str(shelf.root / "mkdocs.yml"),
            docs_dir=str(docs),
            site_dir=str(out),
            strict=False,
            not_in_nav="\n".join(f"/{page.path}" for page in made if not page.nav),
            **options,
        )
        config.site_author = config.site_author or author_of(shelf.root)
        config.nav = with_generated(config.nav or [], made)
        config.mdx_configs["pipeline.site.prose"] = prose_options(shelf, made)
        config.extra["posts"] = about_posts(
            shelf, docs, Imprint(config.site_name, config.site_author, config.site_url or "")
        )
        config.extra["feeds"] = sorted({post.edition for post in shelf.posts})
        config.extra["generated"] = [page.path for page in made]
        _in_plan_order(config, shelf)
        config.plugins.on_startup(command="build", dirty=False)
        try:
            mkdocs_build(config)
        finally:
            config.plugins.on_shutdown()
    except (MkDocsException, SystemExit) as error:
        if not any(record.levelno >= logging.ERROR for record in log):
            log.append(record_of(f"{error}"))
        return None
    except Exception as error:  # a template or plugin that fails: the person gets a finding, not a traceback
        log.append(record_of(f"{type(error).__name__}: {error}"))
        return None
    return config


def _in_plan_order(config: Any, shelf: Shelf) -> None:
    """Let Material's lists, which sort by date, show the posts of one day in the plan's order, last first."""
    place = {post.path: at for at, post in enumerate(newest_first(shelf.posts))}
    for plugin in config.plugins.values():
        if hasattr(plugin, "_resolve_posts"):
            plugin._resolve_posts = partial(_ordered, plugin._resolve_posts, place)


def _ordered(resolve: Callable[..., Iterable[Any]], place: Mapping[str, int], *given: Any) -> list[Any]:
    return sorted(resolve(*given), key=lambda post: place.get(post.file.src_uri, len(place)))


def prose_options(shelf: Shelf, made: Sequence[Generated]) -> dict[str, Any]:
    """What the Markdown extension needs to know; it links only to pages that were made."""
    used = terms.used_terms(shelf) if any(page.path == terms.PAGE for page in made) else {}
    return {
        "code": code.files(shelf),
        "terms": {term: shelf.glossary[term] for term in used},
        "glossary": terms.PAGE if used else "",
    }


def author_of(root: Path) -> str:
    """The name set in `[tool.forge]`, empty where none is."""
    author = read_settings(root).author
    return "" if author == Settings.author else author
