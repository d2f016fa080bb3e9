"""The bibliography: every source by kind, with what cites it and what is wrong with a link of the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pipeline.bibliography import cited_keys
from pipeline.plan import KINDS
from pipeline.site.generated import Generated, front
from pipeline.site.plan_pages.prose import COMMENT, count, joined, link, plain, titled, web
from pipeline.site.plan_pages.view import BIBLIOGRAPHY, COURSE, LECTURES, OVERVIEW, ROADMAP, SPRINT, View, to
from pipeline.sources import MEDIA, Source

_NAMES = {"paper": "Papers", "book": "Books", "course": "Courses", "video": "Videos", "tool": "Tools",
          "blog": "Blogs", "dataset": "Data sets", "site": "Sites"}  # fmt: skip
_WHOLE = {
    "week": ("the plan", OVERVIEW), "session": ("the sprint", SPRINT), "cluster": ("the roadmap", ROADMAP),
    "lecture": ("the lectures", LECTURES), "course": ("the course", COURSE),
}  # fmt: skip
"""By the kind of its entries, what a document is called as a whole, and its page."""
Entries = dict[str, list[str]]
"""Numbers of the plan's entries by their kind; a document as a whole stands under its name, without any."""


def pages(view: View) -> Iterator[Generated]:
    """The page, where there is a source."""
    if view.sources:
        text = front(
            "Bibliography", "Every source of the plan and the posts, by kind, with what cites it.", hide="[navigation]"
        )
        yield Generated(BIBLIOGRAPHY, text + "\n".join(_lines(view)), "notes/references.bib", ("Bibliography",))


def _lines(view: View) -> Iterator[str]:
    groups = {medium: [s for s in view.sources.values() if s.medium == medium] for medium in MEDIA}
    groups["other"] = [source for source in view.sources.values() if source.medium not in MEDIA]
    yield "# Bibliography\n"
    yield f"{count(len(view.sources), 'source')}, each once, with the posts and the parts of the plan that name it.\n"
    listed = {medium: group for medium, group in groups.items() if group}
    yield joined(f"[{_NAMES.get(medium, 'Others')}](#{medium}) {len(group)}" for medium, group in listed.items()) + "\n"
    named, posts = entries_citing(view), posts_citing(view)
    for medium, group in listed.items():
        yield f"## {_NAMES.get(medium, 'Others')} {{#{medium}}}\n"
        for source in sorted(group, key=lambda s: ([name.casefold() for name in s.families], s.year, s.title, s.key)):
            yield from _entry(view, source, named.get(source.key, {}), posts.get(source.key, []))
        yield ""


def _entry(view: View, source: Source, named: Entries, posts: list[str]) -> Iterator[str]:
    authors = titled(", ".join(source.authors[:6]) + (" et al." if len(source.authors) > 6 else ""))
    title = web(f"*{titled(source.title)}*", source.link)
    year = f"({source.year})" if source.year else ""
    said = " ".join(part for part in (authors, year) if part)
    yield f"-   {said}{'. ' if said else ''}{title}{f'. {titled(source.venue)}' if source.venue else ''}"
    if source.remark:
        meant = view.sources.get(source.instead)
        instead = f" Meant: [{titled(meant.title)}](#{view.anchors[meant.key]})." if meant else ""
        yield f'    <span class="kf-remark">Mislabelled in the plan: {plain(source.remark)}{instead}</span>'
    by = _cited_by(view, named, posts)
    if by:
        yield f'    <span class="kf-used">Cited by {by}</span>'
    yield f"    {{ #{view.anchors[source.key]} }}"


def _cited_by(view: View, named: Entries, posts: list[str]) -> str:
    said = [f"{plain(_title(view, slug))} ({view.editions(BIBLIOGRAPHY, slug)})" for slug in posts]
    for kind in KINDS:
        if numbers := named.get(kind):
            name = "course week" if kind == "course" else kind
            links = ", ".join(view.entry(BIBLIOGRAPHY, kind, number, number) for number in numbers)
            said.append(f"{name}{'s' if len(numbers) > 1 else ''} {links}")
    said += [link(name, to(BIBLIOGRAPHY, page)) for name, page in _WHOLE.values() if name in named]
    return "; ".join(said)


def _title(view: View, slug: str) -> str:
    return next(iter(view.posts[slug].values())).title


def posts_citing(view: View) -> dict[str, list[str]]:
    """The published posts that cite each source, by slug, in the plan's order."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for post in view.shelf.posts:
        for key in view.shelf.measured.get(post.key, {}).get("sources", {}):
            found[key][post.slug] = None
    return {key: list(slugs) for key, slugs in found.items()}


def entries_citing(view: View) -> dict[str, Entries]:
    """What of the plan names each source, in its properties or in its text outside comments."""
    found: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    properties = [(resource.source, entry) for resource, _, entry in view.plan.cited() if entry is not None]
    kinds = {entry.note.path: kind for kind in KINDS for entry in view.plan.of(kind).values()}
    for key, entry in properties:
        found[key][kinds[entry.note.path]][str(entry.number)] = None
    for kind in KINDS:
        for number, entry in view.plan.of(kind).items():
            for key in cited_keys(COMMENT.sub("", entry.note.text)):
                found[key][kind][str(number)] = None
    for kind, (name, _) in _WHOLE.items():
        note = view.plan.index(kind)
        whole = [resource.source for resource, where, _ in view.plan.cited() if where.path == note.path]
        for key in (*whole, *cited_keys(COMMENT.sub("", note.text))) if view.plan.of(kind) else ():
            found[key][name] = {}
    order = {kind: [str(number) for number in view.plan.of(kind)] for kind in KINDS}
    return {
        key: {kind: sorted(numbers, key=order.get(kind, []).index) for kind, numbers in entries.items()}
        for key, entries in found.items()
    }
