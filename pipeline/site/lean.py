"""Work that Material does for every post and this theme never shows, left out while a build runs. It changes no page.

- Lists show titles and descriptions, so the whole post is not converted again for each list it stands in
  (half of the time of a large build).
- The search index holds prose and headings: formulas, code, tables and the appendix are not parsed for it.
- Templates are compiled once and kept (`.forge/templates`), not for every build.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

from pipeline.site import mathml

_UNSEARCHED = re.compile(
    r'<details[^>]*\bid="how-this-was-measured".*?</details>|<div class="[^"]*\bhighlight\b.*?</div>'
    r'|<table\b.*?</table>|<a class="headerlink".*?</a>|<sup\b.*?</sup>',
    re.S,
)
_INLINE = re.compile(r"</?(?:a|b|code|data|em|i|mark|span|strong)\b[^>]*>")


@contextlib.contextmanager
def lean_material(kept: Path) -> Iterator[None]:
    """Material with these shortcuts, and as it was afterwards; `kept` is a folder for compiled templates."""
    from jinja2 import FileSystemBytecodeCache
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

    kept.mkdir(parents=True, exist_ok=True)
    cache = FileSystemBytecodeCache(str(kept))
    plain = Theme.get_env

    def with_cache(self: Any) -> Any:
        environment = plain(self)
        environment.bytecode_cache = cache
        return environment

    changed = (
        (blog, "Excerpt", Entry),
        (SearchIndex, "add_entry_from_context", indexed),
        (Theme, "get_env", with_cache),
    )
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changed]
    for owner, name, value in changed:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
