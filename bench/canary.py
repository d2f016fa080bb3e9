"""The canary: the tree that MkDocs builds, built by Zensical, and what differs. It points; it stops nothing.

    python -m bench.canary            (`.ci/canary` installs Zensical first)

Both build the same scratch docs tree with the same configuration, theme and Markdown extensions. Feeds are
cut from either's pages by the same code. Compared are the files that come out, what the pages of posts hold, and what
they would load from elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from pipeline import site
from pipeline.site import tree
from pipeline.site.about import Imprint, about_posts
from pipeline.site.builder import author_of, prose_options
from pipeline.site.feeds import write_feeds
from pipeline.site.generated import Generated, with_generated
from pipeline.site.scan import scan_external, scan_links
from pipeline.site.shelf import Shelf, fill_shelf

REPO = Path(__file__).parents[1]
HELD = {
    "switch": 'class="kf-switch"',
    "formulas": 'class="katex-mathml"',
    "values": 'class="kf-value"',
    "origins": 'class="kf-origin"',
    "figures": 'class="kf-figure"',
    "sources": 'class="footnote"',
    "citation": 'name="citation_title"',
}


def configuration(shelf: Shelf, docs: Path, made: list[Generated]) -> dict[str, Any]:
    """mkdocs.yml with the generated pages in it, as one file that any builder reads."""

    class Loader(yaml.SafeLoader):
        """YAML with the `!ENV` of mkdocs.yml, which gives its default here."""

    Loader.add_constructor("!ENV", lambda loader, node: loader.construct_sequence(node)[-1])
    config: dict[str, Any] = yaml.load((shelf.root / "mkdocs.yml").read_text(encoding="utf-8"), Loader)
    author = author_of(shelf.root)
    config |= {"docs_dir": "docs", "site_dir": "out", "site_author": author, "strict": False}
    config["nav"] = with_generated(config["nav"], made)
    config["theme"]["custom_dir"] = str(shelf.root / "pipeline" / "theme")
    config["extra"] |= {
        "posts": about_posts(shelf, docs, Imprint(config["site_name"], author)),
        "generated": [page.path for page in made],
        "feeds": sorted({post.edition for post in shelf.posts}),
    }
    ours = {"pipeline.site.prose": prose_options(shelf, made)}
    config["markdown_extensions"] = [
        {entry: ours[entry]} if isinstance(entry, str) and entry in ours else entry
        for entry in config["markdown_extensions"]
    ]
    return config


def build_with_zensical(folder: Path) -> Path:
    """Lay the tree out in `folder` and build it. Raises SystemExit with what Zensical said."""
    docs = folder / "docs"
    docs.mkdir()
    tree.lay_out(REPO / "site", docs)
    shelf = fill_shelf(REPO, docs, whole=True)
    made = tree.generate(shelf, docs)
    text = yaml.safe_dump(json.loads(json.dumps(configuration(shelf, docs, made))), sort_keys=False)
    (folder / "mkdocs.yml").write_text(text, encoding="utf-8")
    paths = os.pathsep.join([str(REPO / ".forge" / "zensical"), str(REPO)])
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "-f", "mkdocs.yml"],
        cwd=folder, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    if done.returncode or not (folder / "out" / "index.html").is_file():
        raise SystemExit(f"Zensical did not build the tree:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    write_feeds(folder / "out", shelf.posts, site_url="", title=shelf.root.name, author="")
    return folder / "out"


def files(folder: Path) -> set[str]:
    """What a build left, builders' own scripts and styles aside (they carry a hash in their names)."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in names if not re.match(r"assets/(javascripts|stylesheets|images)/|search/", name)}


def compare(ours: Path, theirs: Path) -> list[str]:
    """Differences in words; empty where there is none."""
    found = [f"only MkDocs: {name}" for name in sorted(files(ours) - files(theirs))]
    found += [f"only Zensical: {name}" for name in sorted(files(theirs) - files(ours))]
    for page in sorted((REPO / "site").glob("*/posts/*.md")):
        name = f"{page.parent.parent.name}/{page.stem}/index.html"
        if (theirs / name).is_file():
            one, other = ((folder / name).read_text(encoding="utf-8") for folder in (ours, theirs))
            found += [
                f"{name}: {one.count(mark)} {what} with MkDocs, {other.count(mark)} with Zensical"
                for what, mark in HELD.items()
                if one.count(mark) != other.count(mark)
            ]
    scanned = [*scan_external(theirs), *scan_links(theirs)]
    return found + [f"Zensical: {finding.file}: {finding.message}" for finding in scanned]


def main() -> None:
    """Build with both, print what differs; 1 where something does."""
    with tempfile.TemporaryDirectory(dir=REPO / ".forge") as folder:
        result = site.build(REPO, out=Path(folder) / "mkdocs")
        if not result.ok:
            raise SystemExit(site.describe(result))
        differences = compare(result.out, build_with_zensical(Path(folder)))
    print("\n".join(differences) or "Zensical builds the same pages")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
