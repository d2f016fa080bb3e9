"""Pages that the build makes: Markdown in the scratch docs tree, from notes and published posts, never committed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Generated:
    """One page: where it goes below the docs folder, its Markdown, and the file a person would edit to change it.

    `nav` holds the titles down to the page, such as ("Plan", "Roadmap"); a page without is reached by links only. A
    section the navigation does not have yet comes to stand before the last one.
    """

    path: str
    text: str
    origin: str
    nav: tuple[str, ...] = ()


Nav = list[Any]  # as MkDocs has it: strings, and mappings of a title to a path or to another such list


def with_generated(nav: Nav, pages: Iterable[Generated]) -> Nav:
    """The navigation with the pages that ask for a place in it. `nav` itself stays as it is."""
    out = [dict(entry) if isinstance(entry, dict) else entry for entry in nav]
    for page in pages:
        if page.nav:
            out = _placed(out, page.nav, page.path, True)
    return out


def _placed(nav: Nav, titles: tuple[str, ...], path: str, top: bool) -> Nav:
    title, *rest = titles
    if not rest:
        at = len(nav) - 1 if top and nav else len(nav)
        return [*nav[:at], {title: path}, *nav[at:]]
    for number, entry in enumerate(nav):
        if isinstance(entry, dict) and isinstance(entry.get(title), list):
            inner = _placed(list(entry[title]), tuple(rest), path, False)
            return [*nav[:number], {**entry, title: inner}, *nav[number + 1 :]]
    at = len(nav) - 1 if top and nav else len(nav)
    return [*nav[:at], {title: _placed([], tuple(rest), path, False)}, *nav[at:]]


def front(title: str, description: str, **more: str) -> str:
    """The front matter of a generated page, kept out of the search (posts answer better). Values are YAML already."""
    lines = ["---", f"title: {quoted(title)}", f"description: {quoted(description)}", "search: {exclude: true}"]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in more.items()), "---", "", ""])


def quoted(text: str) -> str:
    """A YAML string in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    """Plain text as Markdown that shows it unchanged."""
    out = text.replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]{}#" else "&#36;" if sign == "$" else sign for sign in out)
