"""Evidence: everything one post may say, gathered before a word is written.

The brief and outline of the post, the notes its outline points at (told apart into Scientist prose and `[!plain]`
passages), the facts, claims and figures of its studies, the listings, the sources and the glossary, and what the
earlier posts it builds on have published. What is missing is a finding here, before anything is drafted or paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain
from typing import Any

from experiments.kit.errors import CannotRun
from experiments.kit.files import hash_value
from experiments.kit.record import EDITIONS, Claim, Edition, FigureRecord
from pipeline.earlier import EarlierPost, read_earlier
from pipeline.finding import Finding, did_you_mean, in_order
from pipeline.listings import Listing, ListingError, cut_listing
from pipeline.markdown import parse
from pipeline.plan import OutlineSection, Post, Week, load_week, study_parts, week_numbers, written_parts
from pipeline.project import Project
from pipeline.results import ResultSet, load_result_set, topics_of
from pipeline.sources import Source, load_sources
from pipeline.vault import Vault

PLAIN = "plain"  # the callout type whose text is written for the Manager edition


@dataclass(frozen=True)
class Excerpt:
    """A passage of the notes: its titles, its Scientist prose and its plain-words prose, and where it stands."""

    title: str
    plain_title: str
    scientist: str
    plain: str
    path: str
    line: int

    def text(self, edition: Edition) -> str:
        """The passage as an edition uses it."""
        return self.scientist if edition == "scientist" else self.plain


@dataclass(frozen=True)
class Material:
    """One outline section with everything it names, resolved."""

    section: OutlineSection
    excerpts: tuple[Excerpt, ...]
    claims: tuple[Claim, ...]
    figures: tuple[FigureRecord, ...]
    listings: tuple[Listing, ...]
    sources: tuple[Source, ...]

    def heading(self, edition: Edition) -> str:
        """The section's heading in an edition."""
        return (self.section.plain_heading or self.section.heading) if edition == "manager" else self.section.heading


@dataclass(frozen=True)
class Evidence:
    """Everything one post may say. `findings` name what the outline asks for and does not exist."""

    week: Week
    post: Post
    results: ResultSet
    materials: tuple[Material, ...]
    sources: Mapping[str, Source]
    notes: str
    glossary: Mapping[str, str]
    limits: tuple[str, ...]
    findings: tuple[Finding, ...] = field(default=())
    earlier: tuple[EarlierPost, ...] = field(default=())

    @cached_property
    def hash(self) -> str:
        """Changes when anything a draft could say changes. Machine-dependent values count only through claims."""
        used = [
            [
                [m.section.id, m.section.heading, m.section.plain_heading],
                [[e.title, e.plain_title, e.scientist, e.plain] for e in m.excerpts],
                [[c.key for c in m.claims], [f.key for f in m.figures], [x.hash for x in m.listings]],
                [s.key for s in m.sources],
            ]
            for m in self.materials
        ]
        facts = {
            key: [fact.text(edition) for edition in EDITIONS]
            for key, fact in self.results.facts.items()
            if not fact.machine
        }
        claims = {key: [c.holds, c.says, c.plain] for key, c in self.results.claims.items()}
        figures = {
            key: [f.caption, f.plain, f.alt, "" if f.machine else f.data] for key, f in self.results.figures.items()
        }
        post = [self.post.slug, self.post.title, self.post.brief, dict(self.post.description), list(self.post.tags)]
        said = [[earlier.to_json() for earlier in self.earlier]] if self.earlier else []
        return hash_value([post, used, facts, claims, figures, self.limits, *said])


def open_vault(project: Project) -> Vault:
    """The project's vault. Notes are read when they are asked for."""
    return Vault.load(project.notes)


def gather(project: Project, vault: Vault, number: int, budget: str) -> tuple[list[Evidence], list[Finding]]:
    """Evidence for each post of a week, and what is wrong with the notes. Raises CannotRun without a usable week."""
    week, findings = load_week(vault, number)
    if week is None:
        raise CannotRun(f"week {number} cannot be read\n" + "\n".join(str(finding) for finding in findings))
    evidences, found = _gather_posts(project, vault, [(week, post) for post in week.posts], budget)
    return evidences, [*findings, *found]


def gather_all(project: Project, budget: str) -> tuple[list[Evidence], list[Finding]]:
    """Evidence for every post there is something to write from, of every week whose note can be used.

    A post that is only planned is left out; a note that cannot be used is a finding.
    """
    vault = open_vault(project)
    findings: list[Finding] = []
    posts: list[tuple[Week, Post]] = []
    for number in week_numbers(vault):
        week, found = load_week(vault, number)
        findings += found
        if week is None:
            findings.append(Finding("vault.week", "error", f"week {number} cannot be read"))
        else:
            posts += [(week, post) for post in week.posts if has_material(project, week, post)]
    evidences, found = _gather_posts(project, vault, posts, budget)
    return evidences, [*findings, *found]


def _gather_posts(
    project: Project, vault: Vault, posts: Sequence[tuple[Week, Post]], budget: str
) -> tuple[list[Evidence], list[Finding]]:
    """Evidence of posts, and what is wrong with the bibliography, which is read once, as each topic's results are."""
    sources, findings = load_sources(project.notes / "references.bib")
    load = cache(lambda topics, others: load_result_set(project, topics, budget, others))
    return [gather_post(project, vault, week, post, load, sources) for week, post in posts], findings


def has_material(project: Project, week: Week, post: Post) -> bool:
    """Whether a post is more than planned: it has an outline, a written part of its week's note, or a draft."""
    return bool(post.outline) or (project.drafts / post.slug).is_dir() or bool(written_parts(week.note))


def pick_post(evidences: list[Evidence], slug: str) -> Evidence:
    """The evidence of a post. Raises CannotRun with the nearest slug."""
    for evidence in evidences:
        if evidence.post.slug == slug:
            return evidence
    slugs = [evidence.post.slug for evidence in evidences]
    raise CannotRun(f"no post {slug}; {did_you_mean(slug, slugs) or 'posts are ' + (', '.join(slugs) or 'none')}")


def gather_post(
    project: Project,
    vault: Vault,
    week: Week,
    post: Post,
    load: Callable[[tuple[str, ...], tuple[str, ...]], ResultSet],
    sources: Mapping[str, Source],
) -> Evidence:
    """Evidence for one post. What its outline names and cannot be found becomes a finding."""
    findings: list[Finding] = []
    studies = post.studies or tuple(e.study for e in week.experiments if e.study)
    before = _posts_before(vault, week, post)
    others = topics_of(study for earlier, _ in before for study in earlier.studies)
    results = load(tuple(topics_of(studies)), tuple(others))
    earlier = _earlier_posts(project, week, post, before, results, findings)
    outline = post.outline or default_outline(week, results)
    materials = tuple(_material(project, vault, week, section, results, sources, findings) for section in outline)
    limits = tuple(limit for study in studies if study in results.runs for limit in results.runs[study].limits)
    expanded = vault.expand(week.note)
    findings += expanded.findings
    return Evidence(
        week,
        post,
        results,
        materials,
        sources,
        expanded.text,
        vault.glossary(),
        limits,
        tuple(in_order(findings)),
        earlier,
    )


def _posts_before(vault: Vault, week: Week, post: Post) -> list[tuple[Week, Post]]:
    """The posts that a post builds on, each with its week: all of the weeks it names, and the single ones."""
    weeks = [load_week(vault, number)[0] for number in post.earlier]
    found = [(earlier, its) for earlier in weeks if earlier is not None for its in earlier.posts]
    for slug in post.recalls:
        numbers = (number for number in reversed(week_numbers(vault)) if number < week.number)
        among = chain([week], filter(None, (load_week(vault, number)[0] for number in numbers)))
        found += next(([(one, its)] for one in among for its in one.posts if its.slug == slug != post.slug), [])
    return list({its.slug: (earlier, its) for earlier, its in found}.values())


def _earlier_posts(
    project: Project,
    week: Week,
    asking: Post,
    before: list[tuple[Week, Post]],
    results: ResultSet,
    findings: list[Finding],
) -> tuple[EarlierPost, ...]:
    """The published ones of the posts a post builds on. One that is not out yet is said; it blocks nothing."""
    found = []
    for earlier, post in before:
        said = read_earlier(project, earlier, post, results)
        if said is not None:
            found.append(said)
        else:
            here = earlier.number == week.number
            whose = f"post {post.slug}, which" if here else f"week {earlier.number}, whose post {post.slug}"
            message = f"it builds on {whose} is not published yet"
            fix = f"publish it first: forge week {earlier.number}"
            place = (week.note.file, asking.line)
            findings.append(Finding("earlier", "review", message, *place, fix=fix, key=post.slug))
    return tuple(found)


def default_outline(week: Week, results: ResultSet) -> tuple[OutlineSection, ...]:
    """For a post without an outline: the eight parts of the week's note in order, results after the code."""
    parts = study_parts(week.note)
    sections = [OutlineSection(id=part.name, heading=part.title, notes=(f"[[#{part.title}]]",)) for part in parts]
    shown = OutlineSection(
        id="results",
        heading="What the runs showed",
        claims=tuple(key for key in results.claims if "/" not in key),
        figures=tuple(key for key in results.figures if "/" not in key),
    )
    names = [section.id for section in sections]
    at = names.index("code") + 1 if "code" in names else len(sections)
    return (*sections[:at], shown, *sections[at:])


def _material(
    project: Project,
    vault: Vault,
    week: Week,
    section: OutlineSection,
    results: ResultSet,
    sources: Mapping[str, Source],
    findings: list[Finding],
) -> Material:
    """Resolve everything one outline section names."""

    def missing(kind: str, key: str, fix: str) -> None:
        message = f"section {section.id} names {kind} {key}, which does not exist"
        findings.append(Finding("outline", "error", message, week.note.file, section.line, fix=fix, key=key))

    excerpts = []
    for link in section.notes:
        target = vault.resolve(link, week.note)
        if target.problem is not None:
            findings.append(replace(target.problem, file=week.note.file, line=section.line))
        if target.note is not None and target.end > target.start:
            expanded = vault.expand(target)
            findings += expanded.findings
            path, line = expanded.place(0)
            excerpts.append(read_excerpt(expanded.text, vault.file(path), line))
    listings = []
    for ref in section.listings:
        try:
            listings.append(cut_listing(project.root, ref, results.runs))
        except ListingError as error:
            missing("the listing", ref, str(error).partition("; ")[2] or "name topic/file.py:definition")
    table: tuple[tuple[str, Iterable[str], Mapping[str, Any]], ...] = (
        ("the claim", section.claims, results.claims),
        ("the figure", section.figures, results.figures),
        ("the source", section.sources, sources),
    )
    found: dict[str, list[Any]] = {kind: [] for kind, _, _ in table}
    for kind, keys, known in table:
        for key in keys:
            if key in known:
                found[kind].append(known[key])
            else:
                missing(kind, key, did_you_mean(key, known) or f"take it out of the outline, or add {kind} {key}")
    return Material(
        section,
        tuple(excerpts),
        tuple(found["the claim"]),
        tuple(found["the figure"]),
        tuple(listings),
        tuple(found["the source"]),
    )


def read_excerpt(text: str, path: str, line: int) -> Excerpt:
    """Tell a passage of the notes apart: its heading, its Scientist prose, and its `[!plain]` callouts.

    Headings inside it become third-level ones, tags go, and diagrams that only the vault can draw are left out.
    """
    document = parse(text)
    top = [block for block in document.blocks if not block.parents]
    title = ""
    scientist: list[str] = []
    plain: list[str] = []
    plain_title = ""
    for block in top:
        source = text[block.start : block.end]
        if block.kind == "heading" and not title and not scientist:
            title = block.content
        elif block.kind == "heading":
            scientist.append(f"### {block.content}")
        elif block.kind == "callout" and block.data["type"].lower() == PLAIN:
            plain_title = plain_title or str(block.data["title"])
            lines = source.split("\n")[1:]
            plain.append("\n".join(line.removeprefix(">").removeprefix(" ") for line in lines).strip())
        elif block.kind == "fence" and block.data["lang"] == "mermaid":
            continue
        elif block.kind not in ("comment", "front_matter", "html"):
            cut = sorted((s.start, s.end) for s in document.spans_of(block) if s.kind in ("tag", "comment"))
            scientist.append(_without(source, block.start, cut).strip())
    body = "\n\n".join(part for part in scientist if part)
    return Excerpt(title, plain_title, body, "\n\n".join(part for part in plain if part), path, line)


def _without(source: str, start: int, cut: list[tuple[int, int]]) -> str:
    for first, last in reversed(cut):
        source = source[: first - start] + source[last - start :]
    return source
