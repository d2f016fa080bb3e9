"""Every study at a glance, from its recorded run: `python -m bench.studies > docs/studies.md`.

For each study the question, what was found (the first of its claims that rests on an interval, in the order of the
code), what it expected in vain, and what its limits leave unshown. Nothing is typed here: sentences, values and
intervals are the run's own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from experiments.kit.record import Claim, Fact
from experiments.kit.results import Results, load_results
from pipeline.checks.directions import KEY_IN

ROOT = Path(__file__).resolve().parents[1]
VALUE = re.compile(KEY_IN)
BUDGET = "small"


def overview(root: Path = ROOT) -> str:
    """The page, topic by topic in the order of their folders."""
    lines = [
        "# What each study asked and found",
        "",
        f"Made by `python -m bench.studies` from the runs at `{BUDGET}` budget, which a test holds",
        "it to. A value's interval stands in brackets behind it; how it was made is in the post's appendix and in",
        "`forge facts KEY`.",
    ]
    for folder in sorted(root.glob(f"experiments/week*/results/{BUDGET}")):
        results = load_results(root, folder.parents[1].name, BUDGET)
        lines += ["", f"## {results.topic}"]
        for study in sorted(results.runs):
            lines += ["", *_study(results, study)]
    return "\n".join([*lines, ""])


def _study(results: Results, study: str) -> Iterator[str]:
    run = results.runs[study]
    claims = [claim for claim in results.records.claims.values() if claim.study == study]
    claims.sort(key=lambda claim: claim.place.line if claim.place else 0)
    true = [claim for claim in claims if claim.holds]
    shown = next((claim for claim in true if _has_interval(claim, results)), true[0] if true else None)
    yield f"### {run.title}"
    yield ""
    yield f"*{run.question}* (`{study}`, {run.points} points, {run.seeds} {'seed' if run.seeds == 1 else 'seeds'})"
    yield ""
    if shown is not None:
        yield f"**Found:** {_said(shown, results)} {len(true)} of {len(claims)} claims hold."
    for claim in claims:
        if not claim.holds:
            yield f"\n**Not borne out:** {_said(claim, results)}"
    yield ""
    yield "**Not shown:** " + " ".join(run.limits)


def _has_interval(claim: Claim, results: Results) -> bool:
    return any(results.records.facts[key].interval for key in VALUE.findall(claim.says) if key in results.records.facts)


def _said(claim: Claim, results: Results) -> str:
    return VALUE.sub(lambda match: _value(results.records.facts[match[1]]), claim.says)


def _value(fact: Fact) -> str:
    """A value as the Scientist edition prints it, with its interval."""
    text = fact.text("scientist")
    if fact.interval is None or fact.interval[0] == fact.interval[1]:
        return text
    return f"{text} [{fact.interval[0]:.4g}, {fact.interval[1]:.4g}]"


if __name__ == "__main__":
    sys.stdout.write(overview())
