"""The glossary of the site: the terms of `notes/glossary.md` that published posts use, and where they use them.

Words that everybody uses in another sense as well count as terms only where a post emphasises them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from pipeline.checks.glossary import ORDINARY
from pipeline.site.generated import Generated, escaped, front
from pipeline.site.series import slug
from pipeline.site.shelf import Post, Shelf

PAGE = "glossary.md"
EVERYDAY = ORDINARY | {"vocabulary"}  # a post may well have one
_ASIDE = re.compile(  # front matter, code, formulas, tags, footnotes and the appendix
    r"\A---\n.*?\n---\n|^```.*?^```|\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]*`|<[^>]*>|^\[\^[^\n]*|^\?\?\? .*\Z", re.S | re.M
)


def pattern(term: str) -> str:
    """A regular expression for the term and its plural, blanks or hyphens between its words."""
    words = re.escape(term.lower()).replace(r"\ ", "[ -]")
    if words.endswith("y"):
        return rf"\b{words[:-1]}(?:y|ies)\b"
    return rf"\b{words}(?:s|es)?\b"


def plain(text: str) -> str:
    """A text in which a term's `stem` stands wherever `pattern` finds the term: quick to look through."""
    return text.lower().replace("-", " ")


def stem(term: str) -> str:
    """What all forms of a term have in common."""
    return plain(term).removesuffix("y")


def is_ordinary(term: str) -> bool:
    """Whether the term is an everyday word."""
    return term.lower() in EVERYDAY


@lru_cache(maxsize=1)
def used_terms(shelf: Shelf) -> dict[str, list[Post]]:
    """The glossary's terms that posts use, with those posts, in the glossary's order."""
    prose = [(post, text, plain(text)) for post in shelf.posts for text in [_ASIDE.sub(" ", post.text).lower()]]
    found = {}
    for term in shelf.glossary:
        use, root = _use(term), stem(term)
        if posts := [post for post, text, quick in prose if root in quick and use(text, quick)]:
            found[term] = posts
    return found


def _use(term: str) -> Callable[[str, str], bool]:
    """Whether a text in lower case uses a term, given the same text `plain`."""
    words, root = pattern(term), stem(term)
    if is_ordinary(term):
        emphasised = re.compile(rf"(?<!\*)\*{words}\*(?!\*)|\*\*{words}\*\*")
        return lambda text, quick: emphasised.search(text) is not None
    form = re.compile(words)

    def stands(text: str, quick: str) -> bool:
        at = quick.find(root)
        while at >= 0 and not form.match(text, at):
            at = quick.find(root, at + 1)
        return at >= 0

    return stands


def anchor(term: str) -> str:
    """The term's place on the glossary page."""
    return f"term-{slug(term)}"


def pages(shelf: Shelf) -> Iterator[Generated]:
    """The glossary page, where there is a term to explain."""
    used = used_terms(shelf)
    if used:
        yield Generated(PAGE, _page(shelf.glossary, used), "notes/glossary.md", ("Glossary",))


def _page(meanings: Mapping[str, str], used: Mapping[str, Sequence[Post]]) -> str:
    lines = [
        front("Glossary", "The terms that posts use, in a sentence each.", hide="[navigation]"),
        "# Glossary\n",
        "One plain sentence for each term, and the posts that use it.\n",
    ]
    for term, posts in sorted(used.items(), key=lambda item: item[0].lower()):
        meaning = meanings[term]
        lines.append(f"## {escaped(term)} {{#{anchor(term)} .kf-entry}}\n")
        lines.append(f"{escaped(meaning[:1].upper() + meaning[1:])}\n")
        by_slug: dict[str, list[Post]] = {}
        for post in posts:
            by_slug.setdefault(post.slug, []).append(post)
        places = [
            escaped(both[0].title) + " (" + ", ".join(f"[{p.edition.capitalize()}]({p.path})" for p in both) + ")"
            for both in by_slug.values()
        ]
        lines.append("In " + "; ".join(places) + "\n{ .kf-used }\n")
    return "\n".join(lines)
