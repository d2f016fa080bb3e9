"""The code that published posts rest on, as pages: whole files, with an address for each line that is named.

Shown are files named by a published value or listing, as they stand in the repository. `forge publish --check` keeps
them true: an approval lapses when the code that measured, or a listing, changes. The text is not highlighted: a large
file's colours would take Python-Markdown longer than a whole post.
"""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from pipeline.site.generated import Generated, escaped, front
from pipeline.site.shelf import Shelf


def page_of(file: str) -> str:
    """Where a file's page lies below the docs folder."""
    return f"code/{PurePosixPath(file).with_suffix('').as_posix().removeprefix('experiments/')}.md"


@lru_cache(maxsize=1)
def files(shelf: Shelf) -> dict[str, str]:
    """The pages of the files that posts name, by file; only files that are there."""
    return {file: page_of(file) for file in sorted(_named_lines(shelf)) if (shelf.root / file).is_file()}


def _named_lines(shelf: Shelf) -> dict[str, set[int]]:
    """The lines that values and listings name, by file."""
    named: dict[str, set[int]] = defaultdict(set)
    for data in shelf.measured.values():
        entries = [*data.get("facts", {}).values(), *data.get("listings", {}).values()]
        for entry in entries:
            if str(entry.get("file", "")).endswith(".py"):
                named[entry["file"]].add(int(entry.get("line") or entry.get("first_line") or 1))
    return named


def pages(shelf: Shelf) -> Iterator[Generated]:
    """One page a file."""
    named = _named_lines(shelf)
    for file, path in files(shelf).items():
        lines = (shelf.root / file).read_text(encoding="utf-8").split("\n")
        head = front(file, f"The source of {file}, as it stands in the repository.", hide="[navigation, toc]")
        yield Generated(path, f"{head}# {escaped(file)} {{.kf-path}}\n\n{_source(lines, named[file])}\n", file)


def _source(lines: list[str], named: set[int]) -> str:
    """The text beside its line numbers; each named line has an id (`L12`)."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    # A fence in a docstring would be taken for one of the page's own.
    rows = [html.escape(line, quote=False).replace("`", "&#96;") for line in lines]
    for line in sorted(named):
        at = min(line, len(rows)) - 1
        if at >= 0:
            rows[at] = f'<span id="L{line}">{rows[at] or " "}</span>'
    numbers = "\n".join(map(str, range(1, len(rows) + 1)))
    box = '<div class="highlight kf-source" role="region" aria-label="Source code" tabindex="0">'
    text = "\n".join(rows)
    return f'{box}<pre class="kf-numbers" aria-hidden="true">{numbers}</pre><pre><code>{text}</code></pre></div>'
