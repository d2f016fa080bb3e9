"""Why a sentence may be published: the way back from it, or from a key, to claim, fact, run, commit and line of code.

A sentence is looked up in the published pages (`site/<edition>/posts/`) and in the drafts as they render now; the
roles it holds, or the claim it stands in, say what it rests on. A sentence without a role rests on the notes, and the
passage it was taken from is named where it stands there word for word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from html import unescape
from pathlib import PurePosixPath
from typing import Any

from experiments.kit.errors import CannotRun
from experiments.kit.record import EDITIONS, SYMBOL_UNITS, Claim, Edition, Fact, FigureRecord, Place
from pipeline import sentences
from pipeline.asked import evaluate, with_asked
from pipeline.drafts import draft_slugs, load_draft, split_front
from pipeline.evidence import Evidence, gather_all
from pipeline.page import OTHER
from pipeline.project import Project
from pipeline.render import Context, render
from pipeline.results import ResultSet, load_result_set, topics_of


@dataclass(frozen=True)
class Link:
    """One step of the way back. `kind`: page, draft, note, limit, claim, fact, figure, source, run, commit, code."""

    kind: str
    name: str
    says: str = ""
    of: tuple[Link, ...] = ()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The chain as indented lines."""
        says = f": {self.says}" if self.says else ""
        yield f"{'  ' * depth}{self.kind} {self.name}{says}"
        for link in self.of:
            yield from link.lines(depth + 1)

    def to_json(self) -> dict[str, Any]:
        """The chain as nested objects."""
        return {"kind": self.kind, "name": self.name, "says": self.says, "of": [x.to_json() for x in self.of]}


@dataclass(frozen=True)
class Passage:
    """A sentence as the reader sees it, where it stands, and what it uses: (role, key, shown text) in order."""

    kind: str
    file: str
    line: int
    text: str
    uses: tuple[tuple[str, str, str], ...]
    edition: Edition
    sources: Mapping[str, str] = field(default_factory=dict)


def why(project: Project, asked: str, budget: str) -> list[Link]:
    """The chains behind a key, or behind every place that holds a sentence. Raises CannotRun with the nearest one."""
    from experiments.kit.run import studies

    results = load_result_set(project, topics_of(studies(project.root)), budget)
    wanted = asked.strip()
    if _known(wanted, results):
        return [_record(wanted, results, project)]
    keys = [key for key in re.findall(r"\{(?:val|claim|fig)\}`{1,2}([\w./]+)", wanted) if _known(key, results)]
    if keys:  # a sentence as the draft writes it
        return [_record(key, results, project) for key in dict.fromkeys(keys)]
    evidences = gather_all(project, budget)[0]
    asking = _asking(project, evidences, results)
    named = [Link("draft", f"drafts/{slug}/{edition}.md", "asks for it", (_record(wanted, made, project),))
             for (slug, edition), made in asking.items() if _known(wanted, made)]  # fmt: skip
    if named:
        return named
    if re.fullmatch(r"[\w/]+(\.\w+)+", wanted):
        near = _nearest(wanted, [], results)
        fix = f"did you mean {near}?" if near else "`forge facts` lists the keys"
        raise CannotRun(f"no fact, claim or figure {wanted}\n  fix: {fix}")
    known = [*_published(project), *_drafted(project, evidences)]
    needle = flat(wanted)
    found = [passage for passage in known if needle and needle in flat(passage.text)]
    if found:
        return [
            _passage(passage, asking.get((slug_of(passage), passage.edition), results), evidences, project)
            for passage in _once(found)
        ]
    near = _nearest(wanted, known, results)
    hint = f'did you mean\n  forge why "{near}"' if near else "give a key (`forge facts`), or words of one sentence"
    raise CannotRun(f'no key, published sentence or draft has "{_short(wanted)}"\n  fix: {hint}')


def _asking(
    project: Project, evidences: Iterable[Evidence], results: ResultSet
) -> dict[tuple[str, Edition], ResultSet]:
    """The results of every drafted edition that asks for more, with what it asks for among them."""
    found: dict[tuple[str, Edition], ResultSet] = {}
    for evidence in evidences:
        for edition in EDITIONS:
            draft = load_draft(project, evidence.post.slug, edition)
            if draft is None:
                continue
            asked = evaluate(evidence.results, draft, project.relative(draft.path))
            if asked.facts or asked.claims:
                facts, claims = {**results.facts, **asked.facts}, {**results.claims, **asked.claims}
                found[draft.slug, edition] = replace(results, facts=facts, claims=claims)
    return found


def slug_of(passage: Passage) -> str:
    """The post a passage belongs to."""
    path = PurePosixPath(passage.file)
    return path.stem if passage.kind == "page" else path.parent.name


def flat(text: str) -> str:
    """Text for comparison: case, typographic signs, emphasis and white space made one."""
    text = re.sub(r"[“”„]", '"', re.sub(r"[‘’]", "'", unescape(text))).replace("−", "-").replace("–", "-")
    return " ".join(re.sub(r"[*_]{1,3}", "", text).split()).lower().strip(' ."')


def _short(text: str, width: int = 100) -> str:
    one = " ".join(text.split())
    return one if len(one) <= width else one[: width - 1] + "…"


def _known(key: str, results: ResultSet) -> bool:
    return key in results.facts or key in results.claims or key in results.figures


def _once(found: Iterable[Passage]) -> list[Passage]:
    """Published places first; a draft that reads the same as its page is the page's source and not said twice."""
    kept: dict[tuple[str, Edition], Passage] = {}
    for passage in found:
        kept.setdefault((flat(passage.text), passage.edition), passage)
    return list(kept.values())


def _nearest(asked: str, known: list[Passage], results: ResultSet) -> str:
    keys = [*results.facts, *results.claims, *results.figures]
    if " " not in asked:
        near = get_close_matches(asked, keys, n=1, cutoff=0.5)
        return near[0] if near else ""
    texts = {flat(passage.text): passage.text for passage in known}
    close = get_close_matches(flat(asked), texts, n=1, cutoff=0.5)
    if not close:  # a few words of a long sentence: the one that shares most of them
        words = set(flat(asked).split())
        ranked = max(texts, key=lambda text: len(words & set(text.split())), default="")
        close = [ranked] if words and len(words & set(ranked.split())) >= 0.6 * len(words) else []
    return _short(texts[close[0]], 160) if close else ""


# --- Sentences -----------------------------------------------------------------------------------------------------

TAG = re.compile(r"<(?P<end>/)?(?P<name>data|span|mark|figure|figcaption)\b(?P<attrs>[^>]*)>|<[^>]+>")
KEY_OF = re.compile(r'data-key="([^"]*)"')
MARK = re.compile(r"\[\^(?P<note>[\w-]+)\]|!?\[(?P<text>[^\]]*)\]\((?P<url>[^)]*)\)(?:\{[^}]*\})?")
FIGURE = re.compile(r"fig-([\w-]+)")


def passages(markdown: str, kind: str, file: str, edition: Edition, first_line: int = 1) -> Iterator[Passage]:
    """The sentences of a rendered page with the keys inside them, or of the claim around them."""
    notes = dict(re.findall(r"(?m)^\[\^([\w-]+)\]:\s+(.*)$", markdown))
    at = 0
    for block in re.split(r"\n\s*\n", markdown):
        start = markdown.index(block, at)
        at = start + len(block)
        if not block.strip() or block.lstrip().startswith(("```", "[^", "$$")):
            continue
        text, uses = _readable(block)
        for begin, end in sentences.split(text):
            inside = [
                (role, key, text[max(low, begin) : min(high, end)] if role == "fact" else "")
                for role, key, low, high in uses
                if (low < end and high > begin) or (low == high and begin <= low <= end)
            ]
            line = first_line + markdown.count("\n", 0, start)
            unique = tuple(dict.fromkeys(inside))
            yield Passage(kind, file, line, _tidy(text[begin:end]), unique, edition, notes)


def _tidy(text: str) -> str:
    """One line, without the blank that a footnote mark leaves before a comma."""
    return re.sub(r"\s+(?=[.,;:!?](?:\s|$))", "", " ".join(text.split()))


def _readable(block: str) -> tuple[str, list[tuple[str, str, int, int]]]:
    """A block's text without markup, and (role, key, start, end) of what stands in it."""
    out: list[str] = []
    uses: list[tuple[str, str, int, int]] = []
    opened: list[tuple[str, str, str, int]] = []  # (tag, role, key, start)
    length = at = 0

    def add(text: str) -> None:
        nonlocal length
        out.append(text)
        length += len(text)

    for match in re.finditer(f"{TAG.pattern}|{MARK.pattern}", block):
        add(unescape(block[at : match.start()]))
        at = match.end()
        if match["note"]:
            uses.append(("source", match["note"], length, length))
        elif match["url"] is not None:
            target = FIGURE.match(match["url"].removeprefix("#"))
            begin = length
            add("" if match[0].startswith("!") else match["text"])
            if target:
                uses.append(("figure", target[1], begin, length))
        elif match["end"]:
            number = next((n for n in reversed(range(len(opened))) if opened[n][0] == match["name"]), -1)
            if number >= 0:
                _, role, key, begin = opened.pop(number)
                uses += [(role, key, begin, length)] if key else []
        elif match["name"]:
            role = {"data": "fact", "span": "claim", "figure": "figure"}.get(match["name"], "")
            named = FIGURE.search(match["attrs"]) if role == "figure" else KEY_OF.search(match["attrs"])
            opened.append((match["name"], role, unescape(named[1]) if named and role else "", length))
    add(unescape(block[at:]))
    uses.sort(key=lambda use: (use[2], -use[3]))
    return re.sub(r"^[#>\s]+", lambda m: " " * len(m[0]), "".join(out)), uses


def _published(project: Project) -> Iterator[Passage]:
    for edition in OTHER:
        for path in sorted((project.site / edition / "posts").glob("*.md")):
            name = project.relative(path)
            _, body, line = split_front(path.read_text(encoding="utf-8"), name)
            body, _, after = body.partition('\n??? abstract "How this was measured"')
            notes = "\n\n".join(re.findall(r"(?m)^\[\^[\w-]+\]: .*$", after))
            yield from passages(f"{body}\n\n{notes}", "page", name, edition, line)


def _drafted(project: Project, evidences: Iterable[Evidence]) -> Iterator[Passage]:
    by_slug = {evidence.post.slug: evidence for evidence in evidences}
    for slug in draft_slugs(project):
        for edition in EDITIONS:
            draft = load_draft(project, slug, edition)
            if draft is None or slug not in by_slug:
                continue
            evidence, name = by_slug[slug], project.relative(draft.path)
            context = Context(project, with_asked(evidence, draft, name)[0].results, evidence.sources, edition, name)
            rendered = render(draft.body, context, draft.body_line)
            lines = {use.key: use.line for use in reversed(rendered.uses)}
            for passage in passages(rendered.markdown, "draft", name, edition):
                line = next((lines[key] for _, key, _ in passage.uses if key in lines), 0)
                line = line or _line_in(draft.text, passage.text)
                yield Passage("draft", name, line, passage.text, passage.uses, edition, passage.sources)


def _line_in(text: str, sentence: str) -> int:
    """The line of a source on which a sentence begins, by its first words; 1 where that fails."""
    at = text.find(" ".join(sentence.split()[:5]))
    return text.count("\n", 0, max(at, 0)) + 1


# --- The way back --------------------------------------------------------------------------------------------------


def _passage(passage: Passage, results: ResultSet, evidences: list[Evidence], project: Project) -> Link:
    of: list[Link] = []
    claimed = {key for role, key, _ in passage.uses if role == "claim"}
    covered = {key for claim in claimed if claim in results.claims for key in results.claims[claim].of}
    for role, key, shown in passage.uses:
        if role == "source":
            of.append(Link("source", key, re.sub(r"[*_]|\[|\]\([^)]*\)", "", passage.sources.get(key, ""))))
        elif role == "figure":
            figure = next((k for k in results.figures if k.replace(".", "-").replace("/", "-") == key), None)
            of += [_record(figure, results, project)] if figure else []
        elif role == "fact" and key in covered:
            continue  # the claim names it
        elif _known(key, results):
            of.append(_record(key, results, project, shown, passage.edition))
        else:
            of.append(Link(role, key, "no result has this key any more"))
    if not any(link.kind != "source" for link in of):
        of += _notes(passage, evidences)
    place = f"{passage.file}:{passage.line}"
    return Link(passage.kind, place, f'"{_short(passage.text, 300)}"', tuple(of))


def _notes(passage: Passage, evidences: list[Evidence]) -> list[Link]:
    for evidence in evidences:
        for material in evidence.materials:
            for excerpt in material.excerpts:
                text = excerpt.text(passage.edition)
                if flat(passage.text) in flat(re.sub(r"\{cite\}`[^`]*`|\[\[|\]\]", "", text)):
                    return [Link("note", f"{excerpt.path}:{excerpt.line}", f"in the passage “{excerpt.title}”")]
        for limit in evidence.limits:
            if flat(passage.text) == flat(limit):
                study = next(name for name, run in evidence.results.runs.items() if limit in run.limits)
                return [Link("limit", study, "stated by the study")]
    return [
        Link("nothing", "", "it holds no role and is not in the notes word for word: the writer or a person wrote it")
    ]


def _record(key: str, results: ResultSet, project: Project, shown: str = "", edition: Edition = "scientist") -> Link:
    """A claim, fact or figure with everything behind it."""
    if key in results.claims:
        claim = results.claims[key]
        state = "holds" if claim.holds else "does NOT hold"
        facts = tuple(_record(of, results, project) for of in claim.of if of in results.facts)
        return Link("claim", key, f"{state}, {claim.detail}", (*facts, *_code(claim.place, project)))
    if key in results.facts:
        fact = results.facts[key]
        value = fact.text("scientist")
        bare = fact.unit in SYMBOL_UNITS or fact.unit == "fraction"
        says = f"{value if bare else f'{value} {fact.unit}'}, {fact.description}"
        if shown and flat(shown) not in (flat(fact.text(edition)), flat(f"{fact.text(edition)} {fact.unit}")):
            says += f"; the page says {shown}, the run now says {fact.text(edition)}"
        if fact.kind == "derived":
            inputs = tuple(_record(of, results, project) for of in fact.of if of in results.facts)
            return Link("fact", key, f"{says}; the {fact.op} of", (*inputs, *_code(fact.place, project)))
        says += f"; {fact.statistic}" if fact.n > 1 else ""
        return Link("fact", key, says, _run(fact, results, project))
    figure = results.figures[key]
    return Link("figure", key, f"drawn from {figure.series}", _run(figure, results, project))


def _run(record: Fact | Claim | FigureRecord, results: ResultSet, project: Project) -> tuple[Link, ...]:
    run = results.runs.get(record.study)
    code = _code(record.place, project)
    if run is None:
        return code
    dirty = " with uncommitted changes" if run.dirty else ""
    commit = Link("commit", run.commit or "none", dirty.strip())
    says = f"{record.study}, {run.started[:10]}, {run.points} points, {run.seeds} seeds, {run.machine}"
    return (Link("run", run.id, says, (commit, *code)),)


def _code(place: Place | None, project: Project) -> tuple[Link, ...]:
    """The line that made a record, as it reads now."""
    if place is None:
        return ()
    path = project.root / place.file
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    line = lines[place.line - 1].strip() if place.line <= len(lines) else "(no longer there)"
    return (Link("code", f"{place.file}:{place.line}", f"{_short(line, 90)}  (in {place.function})"),)
