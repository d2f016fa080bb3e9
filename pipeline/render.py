"""Rendering: a draft's roles become what the reader sees, and every use is recorded with its place.

Rendering never fails half-way: what cannot be resolved stays visible as an amber mark and is a finding. The same
function serves checks (for its findings), review (for its preview) and publishing (for its Markdown).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from experiments.kit.errors import CannotRun
from experiments.kit.record import Claim, Edition, Fact, FigureRecord
from pipeline.finding import Finding, did_you_mean
from pipeline.listings import Listing, cut_listing
from pipeline.markdown import Document, Span, parse
from pipeline.project import Project
from pipeline.results import Record, ResultSet
from pipeline.sources import Source, format_reference

ROLES = ("val", "claim", "fig", "listing", "cite", "todo")


@dataclass(frozen=True)
class Use:
    """One resolved role: what it named, what the reader sees, and where it stands in the draft."""

    role: str
    key: str
    text: str
    line: int
    column: int
    sentence: str


@dataclass
class Rendered:
    """A page body with values in place, all uses in order, and findings about roles that did not resolve."""

    markdown: str
    uses: list[Use] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    figures: dict[str, FigureRecord] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What roles resolve against."""

    project: Project
    results: ResultSet
    sources: Mapping[str, Source]
    edition: Edition
    file: str
    assets: str = "../../assets/figures"


def key_and_rest(content: str) -> tuple[str, str]:
    """`key|rest` with blanks trimmed; a `\\|` written inside a table counts as the bar."""
    key, _, rest = content.replace("\\|", "|").partition("|")
    return key.strip(), rest.strip()


def render(body: str, context: Context, first_line: int = 1, listings: Mapping[str, Listing] | None = None) -> Rendered:
    """Render a draft's body. `first_line` is the body's line in its file, for places in findings.

    `listings` are taken as they are, where given; others are cut from the code.
    """
    out = Rendered("")
    document = parse(body)
    walker = _Walker(context, document, out, first_line, listings or {})
    comments = [  # what stands between %% lines is the person's and no reader's
        Span("comment", b.start, b.end, b.line, 1, body[b.start : b.end])
        for b in document.blocks
        if b.kind == "comment"
    ]
    text = walker.replace(document, [*document.spans, *comments], 0, len(body))
    text = callouts_to_admonitions(text)
    out.markdown = text.strip() + "\n" + walker.footnotes()
    return out


class _Walker:
    """Replaces the roles of one document; keeps figure and citation numbering."""

    def __init__(
        self, context: Context, document: Document, out: Rendered, first_line: int, listings: Mapping[str, Listing]
    ) -> None:
        self.context, self.out, self.first_line, self.listings = context, out, first_line, listings
        self.cited: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self.sentences = document.sentences()
        for span in document.spans:  # figures are numbered where they stand, not where they are first mentioned
            if span.kind == "role" and span.data["name"] == "fig" and self._alone(document, span):
                self.numbers.setdefault(key_and_rest(span.data["content"])[0], len(self.numbers) + 1)

    @staticmethod
    def _alone(document: Document, span: Span) -> bool:
        start = document.text.rfind("\n", 0, span.start) + 1
        end = document.text.find("\n", span.end)
        line = document.text[start : end if end >= 0 else len(document.text)]
        return line.strip() == span.text.strip()

    def replace(
        self, document: Document, spans: Sequence[Span], start: int, end: int, around: _Place | None = None
    ) -> str:
        """The stretch of source with everything that renders replaced. `around` places text not from the draft."""
        pieces: list[str] = []
        position = start
        for span in sorted(spans, key=lambda s: (s.start, -s.end)):
            if span.start < position or not span.leaf:
                continue
            shown = self._shown(document, span, around)
            if shown is not None:
                pieces += [document.text[position : span.start], shown]
                position = span.end
        return "".join([*pieces, document.text[position:end]])

    def _shown(self, document: Document, span: Span, around: _Place | None) -> str | None:
        if span.kind in ("comment", "block_id"):
            return ""
        if span.kind == "wikilink":
            return str(span.data.get("alias") or span.data.get("heading") or span.data.get("target") or "")
        if span.kind != "role":
            return None
        place = around or _Place(
            self.first_line + span.line - 1,
            span.column,
            next((s.text for s in self.sentences if s.start <= span.start < s.end), ""),
            self._alone(document, span),
        )
        return self.role(document, span, place)

    def role(self, document: Document, span: Span, place: _Place) -> str:
        """What the reader sees in place of one role."""
        name, content = span.data["name"], span.data["content"]
        key, rest = key_and_rest(content)
        match name:
            case "val":
                return self._val(key, rest, place)
            case "claim":
                return self._claim(key, rest, place, document, span)
            case "fig":
                return self._fig(key, place)
            case "listing":
                return self._listing(key, place)
            case "cite":
                return self._cite(key, rest, place)
            case "todo":
                return self._todo(key, rest, place)
        self._find(place, "unresolved-role", f"no role {{{name}}}", did_you_mean(name, ROLES) or _role_list(), name)
        return _amber(f"{{{name}}} {content}")

    def _find(self, place: _Place, check: str, message: str, fix: str, key: str) -> None:
        self.out.findings.append(
            Finding(check, "error", message, self.context.file, place.line, place.column, place.sentence, fix, key)
        )

    def _unknown(self, noun: str, key: str, table: Mapping[str, Record], place: _Place) -> None:
        near = self.context.results.nearest(key, table)
        fix = f"did you mean '{near}'?" if near else f"list the {noun}s with `forge facts`"
        self._find(place, "unknown-key", f"no {noun} {key}", fix, key)

    def _use(self, role: str, key: str, text: str, place: _Place) -> None:
        self.out.uses.append(Use(role, key, text, place.line, place.column, place.sentence))

    def _val(self, key: str, rest: str, place: _Place) -> str:
        facts = self.context.results.facts
        fact = facts.get(key)
        if fact is None:
            self._unknown("fact", key, facts, place)
            return _amber(key)
        if rest not in ("", "unit"):
            self._find(place, "unresolved-role", f"{key} asks for {rest!r}", "after the bar a value takes `unit`", key)
        text = fact.text(self.context.edition)
        if rest == "unit":
            text = f"{text} {fact.unit}"
        self.out.facts[key] = fact
        self._use("val", key, text, place)
        return value_html(key, fact, text)

    def _claim(self, key: str, rest: str, place: _Place, document: Document, span: Span) -> str:
        claims = self.context.results.claims
        claim = claims.get(key)
        if claim is None:
            self._unknown("claim", key, claims, place)
            return _amber(rest or key)
        if not rest:
            self._find(place, "unresolved-role", f"claim {key} has no words", "write {claim}`key|words`", key)
        if not claim.holds:
            self._find(
                place,
                "false-claim",
                f"claim {key} does not hold: {claim.detail}",
                "say what the run shows instead",
                key,
            )
        self.out.claims[key] = claim
        content = span.data["content"]
        start = span.data["at"] + content.find("|") + 1
        end = span.data["at"] + len(content)
        words = self.replace(document, document.nested(start, end), start, end).strip()
        self._use("claim", key, rest, place)
        return f'<span class="kf-claim" data-key="{escape(key)}" title="{escape(claim.detail)}">{words}</span>'

    def _fig(self, key: str, place: _Place) -> str:
        figures = self.context.results.figures
        figure = figures.get(key)
        if figure is None:
            self._unknown("figure", key, figures, place)
            return _amber(key)
        number = self.numbers.get(key)
        if number is None:
            self._find(
                place, "figure-not-shown", f"figure {key} is mentioned and never shown",
                f"put {{fig}}`{key}` alone in a paragraph", key,
            )  # fmt: skip
            return _amber(key)
        self.out.figures[key] = figure
        anchor = f"fig-{key.replace('.', '-').replace('/', '-')}"
        if not place.alone:
            return f"[Figure {number}](#{anchor})"
        self._use("fig", key, f"Figure {number}", place)
        caption = figure.caption if self.context.edition == "scientist" else figure.plain
        topic = figure.study.partition("/")[0]
        stem = f"{self.context.assets}/{topic}"
        alt = self._inline(figure.alt, place, plain=True).replace("[", "(").replace("]", ")")
        size = f'width="{figure.width}" height="{figure.height}" loading="lazy"'
        return (
            f'<figure class="kf-figure" id="{anchor}" markdown>\n'
            f"![{alt}]({stem}/{asset_name(figure, 'light')}#only-light){{ {size} }}\n"
            f"![{alt}]({stem}/{asset_name(figure, 'dark')}#only-dark){{ {size} }}\n"
            f'<figcaption markdown="span">Figure {number}. {self._inline(caption, place)}</figcaption>\n'
            "</figure>"
        )

    def _inline(self, text: str, place: _Place, plain: bool = False) -> str:
        """A caption or alternative text: its roles resolved; `plain` gives text without markup."""
        document = parse(text)
        shown = self.replace(document, document.spans, 0, len(text), place)
        return re.sub(r"<[^>]+>", "", shown).replace('"', "'") if plain else shown

    def _listing(self, key: str, place: _Place) -> str:
        try:
            listing = self.listings.get(key) or cut_listing(self.context.project.root, key, self.context.results.runs)
        except CannotRun as error:
            message, _, fix = str(error).partition("; ")
            self._find(place, "unknown-key", message, fix, key)
            return _amber(key)
        if not place.alone:
            self._find(
                place, "unresolved-role", f"listing {key} stands inside a sentence", "put it alone in a paragraph", key
            )
        self.out.listings[key] = listing
        self._use("listing", key, listing.hash, place)
        title = f"{listing.file}, lines {listing.first_line}–{listing.last_line}"
        return f'``` python title="{title}"\n{listing.code}\n```'

    def _cite(self, key: str, rest: str, place: _Place) -> str:
        name, _, where = key.partition(",")
        name, where = name.strip(), where.strip()
        source = self.context.sources.get(name)
        if source is None:
            fix = did_you_mean(name, self.context.sources) or "add it to notes/references.bib"
            self._find(place, "unknown-source", f"no source {name} in notes/references.bib", fix, name)
            return _amber(key)
        self.out.sources[name] = source
        self._use("cite", name, where, place)
        label = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
        self.cited[label] = format_reference(source, where)
        if rest not in ("", "name"):
            self._find(
                place, "unresolved-role", f"{name} asks for {rest!r}", "after the bar a source takes `name`", name
            )
        return f"{source.short}[^{label}]" if rest == "name" else f"[^{label}]"

    def _todo(self, key: str, rest: str, place: _Place) -> str:
        what = f"{key} {rest}".strip()
        self._find(place, "todo", f"left open: {what}", "close the gap or take the sentence out", "")
        return _amber(f"to do: {what}")

    def footnotes(self) -> str:
        """Footnote definitions of all sources cited, in order of first mention."""
        return "".join(f"\n[^{label}]: {text}\n" for label, text in self.cited.items())


@dataclass(frozen=True)
class _Place:
    line: int
    column: int
    sentence: str
    alone: bool


def asset_name(figure: FigureRecord, theme: str) -> str:
    """File name of a published figure. It carries the hash of the bytes, so two approvals never share a file."""
    return f"{figure.key}.{figure.files[f'{theme}.svg'][:10]}.{theme}.svg"


def _role_list() -> str:
    return "roles are " + ", ".join(f"{{{role}}}" for role in ROLES)


def _amber(text: str) -> str:
    return f'<mark class="kf-unresolved">{escape(text)}</mark>'


def provenance(fact: Fact) -> str:
    """One line that says what a value is and where it came from."""
    parts = [fact.description]
    if fact.kind == "parameter":
        parts.append("set, not measured")
    elif fact.kind == "derived":
        parts.append(f"computed as {fact.statistic}")
    else:
        parts.append(fact.statistic if fact.n == 1 else f"{fact.statistic} of n = {fact.n}")
    if fact.interval is not None:
        parts.append(f"interval {fact.interval[0]:.4g} to {fact.interval[1]:.4g}")
    if fact.run:
        parts.append(f"run {fact.run}")
    if fact.place is not None:
        parts.append(f"{fact.place.file}:{fact.place.line}")
    return " · ".join(parts)


def value_html(key: str, fact: Fact, text: str) -> str:
    """A value with its provenance: machine-readable in `value`, human-readable in `title`."""
    title = escape(provenance(fact)).replace("|", "&#124;").replace("$", "&#36;")
    return (
        f'<data class="kf-value" value="{fact.value!r}" data-key="{escape(key)}" title="{title}">{escape(text)}</data>'
    )


CALLOUT = re.compile(r"> ?\[!(?P<type>[\w-]+)\](?P<fold>[+-]?)(?: +(?P<title>.*))?$")
ADMONITION = {
    "note": "note", "info": "info", "tip": "tip", "hint": "tip", "important": "tip", "success": "success",
    "check": "success", "question": "question", "help": "question", "faq": "question", "warning": "warning",
    "caution": "warning", "attention": "warning", "failure": "failure", "danger": "danger", "error": "danger",
    "bug": "bug", "example": "example", "quote": "quote", "cite": "quote", "abstract": "abstract",
    "summary": "abstract", "tldr": "abstract",
}  # fmt: skip


def callouts_to_admonitions(text: str) -> str:
    """Obsidian callouts as Material admonitions, nested ones too; fenced code is left alone."""
    out: list[str] = []
    lines = text.split("\n")
    number = 0
    fence = ""
    while number < len(lines):
        line = lines[number]
        opening = re.match(r"\s{0,3}(`{3,}|~{3,})", line)
        if fence:
            fence = "" if line.strip().startswith(fence) and not line.strip().strip(fence[0]) else fence
        elif opening:
            fence = opening.group(1)
        match = None if fence else CALLOUT.match(line)
        if match is None:
            out.append(line)
            number += 1
            continue
        inner: list[str] = []
        number += 1
        while number < len(lines) and lines[number].startswith(">"):
            inner.append(re.sub(r"^> ?", "", lines[number]))
            number += 1
        kind = ADMONITION.get(match["type"].lower(), "note")
        title = (match["title"] or match["type"].capitalize()).strip().replace('"', "'")
        marker = {"": "!!!", "-": "???", "+": "???+"}[match["fold"]]
        content = callouts_to_admonitions("\n".join(inner)).split("\n")
        if out and out[-1].strip():
            out.append("")
        out.append(f'{marker} {kind} "{title}"')
        out.append("")
        out += [f"    {row}" if row.strip() else "" for row in content]
        out.append("")
    return "\n".join(out)
