"""The docs tree that is built: what is published, what the build makes from notes, and nothing else.

Sources are linked into a scratch folder (copied where the file system cannot), so generated pages never lie in `site/`.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS
from pipeline.site import code, plan_pages, series, terms
from pipeline.site.generated import Generated
from pipeline.site.shelf import DATA, Shelf


def lay_out(site: Path, docs: Path, names: Iterable[str] | None = None) -> None:
    """Put the files of `site` (or those named) into `docs`."""
    if names is None:
        names = (path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    for name in names:
        _place(site / name, docs / name)


def lay_out_preview(
    site: Path, docs: Path, pages: Mapping[str, str], assets: Mapping[str, Path | bytes], recent: int
) -> None:
    """A preview's sources: the site's own pages, its newest posts, and the pages and files handed in."""
    for name in (*pages, *assets):
        if posixpath.normpath(name) != name or name.startswith(("/", "..")):
            raise CannotRun(f"not a path below site/: {name}")
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    texts = {name: (site / name).read_text(encoding="utf-8") for name in names if is_post(name)}
    pinned = " ".join(pages.values())
    dated = sorted(texts, key=lambda name: (_date_in(texts[name]), name), reverse=True)
    kept = {name for name in dated if PurePosixPath(name).name in pinned} | set(dated[:recent])
    kept |= {_other_edition(name) for name in kept} & set(texts)
    figures = " ".join([pinned, *(texts[name] for name in kept)])
    lay_out(site, docs, (n for n in names if _wanted(n, kept, figures) and n not in pages and n not in assets))
    for name, source in assets.items():
        if isinstance(source, Path):
            _place(source, docs / name)
        else:
            (docs / name).parent.mkdir(parents=True, exist_ok=True)
            (docs / name).write_bytes(source)
    for name, text in pages.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")


def _wanted(name: str, posts: set[str], figures: str) -> bool:
    if is_post(name):
        return name in posts
    if name.startswith("assets/figures/"):
        return name in figures
    if name.startswith(f"{DATA}/"):
        edition, slug = PurePosixPath(name).parts[-2:]
        return f"{edition}/posts/{PurePosixPath(slug).stem}.md" in posts
    return True


def generate(shelf: Shelf, docs: Path) -> list[Generated]:
    """Write the pages that the build makes into `docs`; returns them. A page of the person's own wins.

    A new kind of page is one more module with a `pages(shelf)`, named here.
    """
    made = [*series.pages(shelf), *plan_pages.pages(shelf), *terms.pages(shelf), *code.pages(shelf)]
    made = [page for page in made if not (docs / page.path).exists()]
    for page in made:
        (docs / page.path).parent.mkdir(parents=True, exist_ok=True)
        (docs / page.path).write_text(page.text, encoding="utf-8")
    return made


def is_post(name: str) -> bool:
    """Whether a path below the docs folder is a post."""
    parts = PurePosixPath(name).parts
    return len(parts) == 3 and parts[0] in EDITIONS and parts[1] == "posts" and name.endswith(".md")


def _other_edition(name: str) -> str:
    edition, _, rest = name.partition("/")
    return f"{'manager' if edition == 'scientist' else 'scientist'}/{rest}"


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _date_in(text: str) -> str:
    found = re.search(r"^date:\s*(?:created:\s*)?['\"]?([\dT: -]+)", text, re.M)
    return found[1] if found else ""
