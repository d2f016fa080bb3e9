"""What the checks would not pass is left out of the offline writer's draft: there is nobody to send a finding to.

The notes are their author's, who types numbers and compares freely there; a page may not. So

- where a draft takes longer to read than it may, passages of the notes end earlier, the longest ones first;
- a sentence with a finding is left out, with its whole paragraph where it cannot be cut out of it (it runs on in a
  formula or a list);
- a term that nobody explains is explained behind its paragraph, in the glossary's words.

It is the evidence that changes, and the draft is composed from it anew, so what stands around the notes fits them. Each
thing left out is said in a line: its author may bind it to a fact or a source and put it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from experiments.kit.record import Edition
from pipeline.evidence import Evidence, Excerpt
from pipeline.finding import Finding
from pipeline.markdown import parse

ROUNDS = 12
"""Times a draft is looked at again. Each round leaves something out, and what it leaves may show little that is new."""
SENTENCE_END = re.compile(r"[.!?…][\"'”’)*_`]*\Z")
EXPLANATION = re.compile(r"By .* I mean ")
LEAD = 60  # words that a post has at least before its first section

Passages = Mapping[tuple[int, int], Sequence[str]]
"""By the numbers of a section and of its excerpt: the parts of the notes' text, each of which stands or goes whole."""


def fitted(
    evidence: Evidence,
    edition: Edition,
    opening: str,
    compose: Callable[[Evidence], str],
    check: Callable[[str], list[Finding]],
) -> tuple[str, tuple[str, ...]]:
    """The body of a draft that `check` passes, as far as leaving out can bring it there, and what was left out.

    `opening` is the id of the section that is the lead, of which enough stays to be one.
    """
    passages: Passages = {
        (m, e): parts_of(excerpt.text(edition))
        for m, material in enumerate(evidence.materials)
        for e, excerpt in enumerate(material.excerpts)
    }
    leads = {place for place in passages if evidence.materials[place[0]].section.id == opening}

    def body_of(these: Passages) -> str:
        return compose(_with(evidence, edition, these))

    body, said = body_of(passages), []
    for _ in range(ROUNDS):
        errors = [finding for finding in check(body) if finding.severity == "error"]
        changed = passages
        if _too_long(errors):
            changed = _shortened(passages, leads, lambda these: _too_long(check(body_of(these))))
            before, after = (sum(map(_words, these.values())) for these in (passages, changed))
            said += [f"{before - after} of {before} words of the notes left out, to keep to the length"]
        if changed == passages:
            for finding in errors:
                changed, line = _mended(changed, finding, _place(body, finding), evidence.glossary)
                said += [line] if line else []
        if changed == passages:
            break
        passages = changed
        body = body_of(passages)
    return body, tuple(said)


def parts_of(text: str) -> tuple[str, ...]:
    """A passage's paragraphs; what runs on (into a formula, a list, the next line of an argument) stays in one part."""
    parts: list[str] = []
    runs_on = False
    for block in (block for block in parse(text).blocks if not block.parents):
        raw = text[block.start : block.end].strip("\n")
        follows = block.kind in ("math", "fence", "code", "list", "table") or raw[:1].islower()
        if parts and (runs_on or follows):
            parts[-1] += f"\n\n{raw}"
        else:
            parts.append(raw)
        if block.kind == "math":
            runs_on = raw.removesuffix("$$").rstrip().endswith((",", ";", ":"))
        else:
            runs_on = block.kind == "heading" or (block.kind == "paragraph" and not _ends(raw) and raw[:2] != "![")
    return tuple(parts)


def _ends(text: str) -> bool:
    """Whether a paragraph or a displayed formula ends its sentence."""
    return SENTENCE_END.search(text.strip().removesuffix("$$").rstrip()) is not None


def _with(evidence: Evidence, edition: Edition, passages: Passages) -> Evidence:
    """The evidence with other notes in an edition."""

    def told(excerpt: Excerpt, parts: Sequence[str]) -> Excerpt:
        text = "\n\n".join(parts)
        return replace(excerpt, scientist=text) if edition == "scientist" else replace(excerpt, plain=text)

    materials = tuple(
        replace(material, excerpts=tuple(told(excerpt, passages[m, e]) for e, excerpt in enumerate(material.excerpts)))
        for m, material in enumerate(evidence.materials)
    )
    return replace(evidence, materials=materials)


def _too_long(findings: Sequence[Finding]) -> bool:
    return any(finding.check == "length" and finding.severity == "error" for finding in findings)


def _shortened(
    passages: Passages, leads: Collection[tuple[int, int]], too_long: Callable[[Passages], bool]
) -> Passages:
    """The fewest ends of passages left out that make it short enough, whole parts first, then sentences; all that can
    be left out where that is not enough. A lead stays one."""
    steps: list[Passages] = [passages]
    for shorter in (_without_last_part, _without_last_sentence):
        while True:
            tried = {place: shorter(parts) for place, parts in passages.items()}
            least = {place: LEAD if place in leads else 1 for place in passages}
            left = {place: _words(passages[place]) for place, parts in tried.items() if _words(parts) >= least[place]}
            if not left:
                break
            longest = max(left, key=lambda place: (left[place], place))
            passages = {**passages, longest: tried[longest]}
            steps.append(passages)
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if too_long(steps[middle]) else (low, middle)
    return steps[low]


def _words(parts: Sequence[str]) -> int:
    return sum(len(part.split()) for part in parts)


def _without_last_part(parts: Sequence[str]) -> Sequence[str]:
    return parts[:-1]


def _without_last_sentence(parts: Sequence[str]) -> Sequence[str]:
    """The parts without the end of the last one, where that is a paragraph of several sentences; nothing otherwise."""
    said = parse(parts[-1]).sentences() if parts and "\n" not in parts[-1] else []
    if len(said) < 2 or EXPLANATION.match(said[-1].text):
        return ()
    return (*parts[:-1], parts[-1][: said[-1].start].rstrip())


def _place(body: str, finding: Finding) -> str:
    """The sentence that a finding is in, as it was written, or the block (a formula, an image) where it is in none."""
    if finding.line is None or finding.column is None:
        return ""
    document = parse(body)
    lines = body.split("\n")
    offset = sum(len(line) + 1 for line in lines[: finding.line - 1]) + finding.column - 1
    places = [(said.start, said.end) for said in document.sentences()]
    places += [(block.start, block.end) for block in document.blocks if not block.parents]
    return next((body[start:end].strip("\n") for start, end in places if start <= offset < end), "")


def _mended(passages: Passages, finding: Finding, written: str, glossary: Mapping[str, str]) -> tuple[Passages, str]:
    """The passages without what a finding is about, and a line that says so; the same where the notes do not say it."""
    if not written:
        return passages, ""
    sentence = re.compile(r"\s+".join(map(re.escape, written.split())))
    for place, parts in passages.items():
        for number, part in enumerate(parts):
            match = sentence.search(part)
            if match is None:
                continue
            explained = _explained(part, finding, glossary)
            rest = explained or _cut(part, match)
            new = (*parts[:number], *((rest,) if rest else ()), *parts[number + 1 :])
            line = "" if explained else f"left out: {' '.join(written.split())} ({finding.check}: {finding.message})"
            return {**passages, place: new}, line
    return passages, ""


def _explained(part: str, finding: Finding, glossary: Mapping[str, str]) -> str:
    """The part with the glossary's words on a term that nobody explains; '' where that is not what is wrong."""
    if finding.check != "unexplained-term" or finding.key not in glossary:
        return ""
    words = f"By *{finding.key}* I mean {glossary[finding.key].rstrip('.')}."
    return f"{part} {words}" if words not in part and _ends(part) and "\n" not in part else ""


def _cut(part: str, match: re.Match[str]) -> str:
    """The part without a sentence; '' where it cannot stand without it."""
    whole = _ends(match[0]) and not match[0][:1].islower()
    first = part.rfind("\n", 0, match.start()) + 1
    last = end if (end := part.find("\n", match.end())) != -1 else len(part)
    before, after = part[first : match.start()], part[match.end() : last]
    alone = not re.sub(r"[-*+>\d.\s]", "", before) and not after.strip()
    if not whole or part[first:last].lstrip().startswith("|") or (alone and "$$" in part):
        return ""
    joined = f"{before.rstrip()} {after.lstrip()}" if before.strip() else before + after.lstrip()
    rest = part[:first] + (part[last + 1 :] if alone else joined + part[last:])
    rest = re.sub(r"\n{3,}", "\n\n", rest).strip("\n")
    return rest if _ends(rest) or not _ends(part) else ""  # nothing is left hanging: "as follows:"
