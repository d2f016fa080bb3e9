"""Work that shows on no page, left out while a build runs. It changes no page.

- Material's lists show titles and descriptions, so the whole post is not converted again for each list it stands in
  (half of the time of a large build).
- The search index holds prose and headings: formulas, code, tables and the appendix are not parsed for it.
- Markdown's inline patterns are not tried on text that holds none of the signs they start with.
- Templates are compiled once and kept (`.forge/templates`), not for every build.
- Python looks for garbage less often: a build makes little of it and frees all at its end.
- Of the theme's files its 14,000 icons are not listed to be left out again; templates take them by name.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path
from typing import Any

from pipeline.site import mathml

_UNSEARCHED = re.compile(
    r'<details[^>]*\bid="how-this-was-measured".*?</details>|<div class="[^"]*\bhighlight\b.*?</div>'
    r'|<table\b.*?</table>|<a class="headerlink".*?</a>|<sup\b.*?</sup>',
    re.S,
)
SIGNS = {
    "backtick": "`", "arithmatex-inline": "$\\", "escape": "\\", "footnote": "[", "reference": "[", "link": "[",
    "image_link": "!", "image_reference": "!", "short_reference": "[", "short_image_ref": "!", "autolink": "<",
    "automail": "<", "linebreak": "\n", "html": "<", "entity": "&", "delimiter": "*_=",
}  # fmt: skip
"""By the name of an inline pattern, signs of which every match holds one. A pattern not named here is always tried."""
_INLINE = re.compile(r"</?(?:a|b|code|data|em|i|mark|span|strong)\b[^>]*>")


@contextlib.contextmanager
def lean(kept: Path) -> Iterator[None]:
    """Builds with these shortcuts meanwhile; `kept` is a folder for compiled templates."""
    from jinja2 import FileSystemBytecodeCache
    from markdown.treeprocessors import InlineProcessor
    from markdown.util import AtomicString
    from material.plugins.blog import plugin as blog
    from material.plugins.blog.structure import Excerpt
    from material.plugins.search.plugin import SearchIndex
    from mkdocs.structure.toc import get_toc
    from mkdocs.theme import Theme

    class Entry(Excerpt):  # type: ignore[misc]
        """A post in a list: its front matter, without its text."""

        def __init__(self, post: Any, config: Any, files: Any) -> None:
            self.file, self.post = copy(post.file), post
            self._set_canonical_url(config.site_url)
            self.config, self.meta = post.config, post.meta
            self.authors: list[Any] = []
            self.categories: list[Any] = []
            self.more, self.content, self.toc = None, "", get_toc([])

        def render(self, page: Any, separator: str) -> None:
            """Nothing to convert."""

    whole = SearchIndex.add_entry_from_context

    def indexed(self: Any, page: Any) -> None:
        content = page.content
        page.content = _INLINE.sub("", _UNSEARCHED.sub("", mathml.without(content)))
        try:
            whole(self, page)
        finally:
            page.content = content

    processor: Any = InlineProcessor
    apply = processor._InlineProcessor__applyPattern

    def inline(self: Any, data: str, at: int = 0) -> str:
        """Python-Markdown's own loop over the patterns, past those that cannot match."""
        if isinstance(data, AtomicString):
            return data
        patterns = _known_patterns(self)
        start = 0
        while at < len(patterns):
            pattern, signs = patterns[at]
            if signs and not any(sign in data for sign in signs):
                at, start = at + 1, 0
                continue
            data, matched, start = apply(self, pattern, data, at, start)
            if not matched:
                at += 1
        return data

    kept.mkdir(parents=True, exist_ok=True)
    cache = FileSystemBytecodeCache(str(kept))
    plain = Theme.get_env

    def with_cache(self: Any) -> Any:
        environment: Any = plain(self)
        environment.bytecode_cache = cache

        def listed(extensions: Any = None, filter_func: Any = None) -> list[str]:
            return list(filter(filter_func, _theme_files(self.dirs)))

        environment.list_templates = listed
        return environment

    changed = (
        (blog, "Excerpt", Entry),
        (SearchIndex, "add_entry_from_context", indexed),
        (Theme, "get_env", with_cache),
        (InlineProcessor, "_InlineProcessor__handleInline", inline),
    )
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changed]
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    for owner, name, value in changed:
        setattr(owner, name, value)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        for owner, name, value in before:
            setattr(owner, name, value)


def _theme_files(folders: Iterable[str]) -> list[str]:
    """The files of a theme's folders by their path, in Jinja's order, without hidden ones: MkDocs leaves those out."""
    found = set()
    for folder in folders:
        for path, below, names in os.walk(folder):
            below[:] = [name for name in below if not name.startswith(".")]
            found |= {Path(path, name).relative_to(folder).as_posix() for name in names}
    return sorted(found)


def _known_patterns(processor: Any) -> list[tuple[Any, str]]:
    """The inline patterns of a page in their order, each with its signs; kept with the processor, one for each page."""
    held: list[tuple[Any, str]] | None = getattr(processor, "_kf_patterns", None)
    if held is None or len(held) != len(processor.inlinePatterns):
        registry = processor.inlinePatterns
        registry._sort()
        held = [(registry[entry.name], SIGNS.get(entry.name, "")) for entry in registry._priority]
        processor._kf_patterns = held
    return held
