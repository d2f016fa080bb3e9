"""The data file of a published page: every value, claim, figure, listing, run and source it rests on, as JSON.

Readers download it; the site build reads it for the values' popovers, the links into the code and the citation data.
It is a function of the approved page and of the series its figures draw, so a changed file is told like a changed page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.kit.files import sha256
from experiments.kit.record import Claim, Edition, Fact, FigureRecord
from pipeline.page import Page
from pipeline.project import Project
from pipeline.sources import Source


def data_path(project: Project, slug: str, edition: Edition) -> Path:
    """Where a page's data file is published."""
    return project.site / "assets" / "data" / edition / f"{slug}.json"


def series_path(project: Project, figure: FigureRecord, data: bytes) -> Path:
    """Where a figure's series is published. The name carries the hash of the bytes."""
    topic = figure.study.partition("/")[0]
    return project.site / "assets" / "series" / topic / f"{figure.key}.{sha256(data)[:10]}.csv"


def data_text(page: Page, series: Mapping[str, str]) -> str:
    """The data file. `series` maps figure keys to the published CSV files, by their path below `site/`."""
    held = page.snapshot
    return (
        json.dumps(
            {
                "post": page.slug,
                "edition": page.edition,
                "facts": {key: _fact(fact, page.edition) for key, fact in held.facts.items()},
                "claims": {key: _claim(claim) for key, claim in held.claims.items()},
                "figures": {key: _figure(figure, series.get(key, "")) for key, figure in held.figures.items()},
                "listings": {
                    key: {"file": x.file, "first_line": x.first_line, "last_line": x.last_line, "hash": x.hash}
                    for key, x in held.listings.items()
                },
                "runs": {
                    name: {
                        "id": run.id, "study": run.study, "title": run.title, "question": run.question,
                        "limits": list(run.limits), "budget": run.budget, "points": run.points, "seeds": run.seeds,
                        "seconds": run.seconds, "started": run.started, "commit": run.commit, "dirty": run.dirty,
                        "libraries": dict(run.libraries), "python": run.python, "machine": run.machine,
                    }
                    for name, run in held.runs.items()
                },
                "sources": {key: _source(source) for key, source in page.rendered.sources.items()},
            },
            ensure_ascii=False,
            indent=1,
            sort_keys=True,
        )
        + "\n"
    )  # fmt: skip


def _fact(fact: Fact, edition: Edition) -> dict[str, Any]:
    return {
        "text": fact.text(edition), "value": fact.value, "unit": fact.unit, "description": fact.description,
        "kind": fact.kind, "statistic": fact.statistic, "n": fact.n, "seeds": list(fact.seeds),
        "values": list(fact.values), "interval": list(fact.interval) if fact.interval else None,
        "machine": fact.machine, "tolerance": fact.tolerance, "op": fact.op, "of": list(fact.of),
        "study": fact.study, "run": fact.run, "file": fact.place.file if fact.place else "",
        "line": fact.place.line if fact.place else 0,
    }  # fmt: skip


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "op": claim.op, "of": list(claim.of), "bound": claim.bound, "holds": claim.holds, "detail": claim.detail,
        "study": claim.study, "run": claim.run,
    }  # fmt: skip


def _figure(figure: FigureRecord, series: str) -> dict[str, Any]:
    return {"alt": figure.alt, "study": figure.study, "run": figure.run, "machine": figure.machine, "series": series}


def _source(source: Source) -> dict[str, Any]:
    return {
        "kind": source.kind, "authors": list(source.authors), "title": source.title, "year": source.year,
        "venue": source.venue, "doi": source.doi, "url": source.url,
    }  # fmt: skip
