"""Evidence: everything one post may say, gathered before a word is written.

The brief and outline of the post, the notes its outline points at (told apart into Scientist prose and `[!plain]`
passages), the facts, claims and figures of its studies, the listings, the sources and the glossary. What is missing is
a finding here, before anything is drafted or paid for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from experiments.kit.files import hash_value
from experiments.kit.record import EDITIONS, Claim, Edition, FigureRecord
from pipeline.finding import Finding, did_you_mean
from pipeline.listings import Listing, ListingError, cut_listing
from pipeline.markdown import parse
from pipeline.plan import OutlineSection, Post, Week, load_week, study_parts
from pipeline.project import CannotRun, Project
from pipeline.results import ResultSet, load_result_set, topics_of
from pipeline.sources import Source, load_sources
from pipeline.vault import Vault

PLAIN = "plain"  # the callout type whose text is written for the Manager edition


@dataclass(frozen=True)
class Excerpt:
    """A passage of the notes: its Scientist prose and its plain-words prose, and where it stands."""

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

    @cached_property
    def hash(self) -> str:
        """Changes when anything a draft could say changes. Machine-dependent values count only through claims."""
        used = [
            [m.section.id, m.section.heading, m.section.plain_heading, [[e.scientist, e.plain] for e in m.excerpts]]
            + [[c.key for c in m.claims], [f.key for f in m.figures], [x.hash for x in m.listings]]
            + [[s.key for s in m.sources]]
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
        return hash_value([post, used, facts, claims, figures, self.limits])


def gather(project: Project, vault: Vault, number: int, budget: str) -> tuple[list[Evidence], list[Finding]]:
    """Evidence for each post of a week, and what is wrong with the notes. Raises CannotRun without a usable week."""
    week, findings = load_week(vault, number)
    if week is None:
        raise CannotRun(f"week {number} cannot be read:\n" + "\n".join(str(finding) for finding in findings))
    sources, source_findings = load_sources(project.notes / "references.bib")
    findings = [*findings, *source_findings]
    studies = [e.study for e in week.experiments if e.study]
    return [
        gather_post(project, vault, week, post, budget, sources, post.studies or tuple(studies)) for post in week.posts
    ], findings


def gather_post(
    project: Project,
    vault: Vault,
    week: Week,
    post: Post,
    budget: str,
    sources: Mapping[str, Source],
    studies: tuple[str, ...],
) -> Evidence:
    """Evidence for one post."""
    findings: list[Finding] = []
    results = load_result_set(project, topics_of(studies), budget)
    outline = post.outline or default_outline(vault, week)
    materials = tuple(_material(project, vault, week, post, section, results, sources, findings) for section in outline)
    expanded = vault.expand(week.note)
    findings += expanded.findings
    limits = tuple(limit for study in studies if study in results.runs for limit in results.runs[study].limits)
    return Evidence(week, post, results, materials, sources, expanded.text, vault.glossary(), limits, tuple(findings))
