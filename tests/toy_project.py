"""A small project on disk: one week, one post, one toy study with real records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.kit.codehash import code_of
from experiments.kit.files import sha256
from experiments.kit.operators import evaluate_claim, evaluate_derivation
from experiments.kit.record import EDITIONS, FigureRecord, Place, claim, derive, fact
from experiments.kit.results import Results, Run, results_folder, save_results
from pipeline.drafting import draft_posts
from pipeline.evidence import Evidence, gather_all
from pipeline.project import Project, find_project
from pipeline.review import decide, edition_state, queued
from pipeline.transaction import locked

STUDY = '''"""Coins."""

TITLE = "Coins"
QUESTION = "How many heads?"
LIMITS = ("We threw fair coins only, and a few of them fell off the table.",)


def flip(rng):
    """One throw."""
    return rng.random() < 0.5


def sweep(budget):
    return []


def measure(config, seed, log):
    return flip(seed)


def facts(outcomes):
    return []


def derived():
    return []


def claims():
    return []


def figures(outcomes):
    return []
'''
NOTE = """---
type: week
week: 1
title: "Coins"
phase: "Start"
topics: [coins]
core_papers: [{source: feller1968, where: "ch. 3"}]
experiments:
  - {text: "Throw coins", study: "toy/coin"}
wandb: [heads]
tags: [coins]
posts:
  - slug: coin-post
    title: "What a coin knows"
    brief: "Start with a bet."
    description: {scientist: "Coins, exactly.", manager: "Coins, plainly."}
    tags: [coins]
    outline:
      - id: opening
        heading: "Opening"
        notes: ["[[#A bet]]"]
      - id: throws
        heading: "What the throws say"
        plain_heading: "What happened"
        notes: ["[[#Throwing]]"]
        claims: [coin.more]
        figures: [coin.heads]
        listings: ["toy/coin_study.py:flip"]
        sources: [feller1968]
---

## A bet

A bet on a coin is the smallest decision there is, and still it holds the whole subject: something unknown, a price to
pay, and a moment at which one has to say yes or no without knowing how it will end. My first bet
went wrong. %%secret remark%%

> [!plain] A bet is a choice
> A bet on a coin is a small choice. You do not know how it will end. You still have to say yes or no. Most choices at
> work are like that, and the coin lets us look at one of them in peace and without fear. That is all this is about.

## Throwing

A fair coin forgets. The mean of the throws settles near $p$, and how near depends on their number.

> [!plain] Coins forget
> A coin does not remember. If you throw it often, the share of heads settles down.
"""
BIB = """@book{feller1968,
  author = {Feller, William},
  title = {An Introduction to Probability Theory and Its Applications},
  publisher = {Wiley},
  year = {1968}
}
"""


def write_results(root: Path, many: float = 98.0) -> None:
    """The toy study's records, as a run would leave them."""
    place = Place("experiments/toy/coin_study.py", 20, "facts")
    folder = results_folder(root, "toy", "small")
    run = "coin-small-0000"
    facts = {
        made.key: replace(made, study="toy/coin", run=run, place=place)
        for made in (
            fact("coin.few", 4, "heads", "heads in few throws", fmt="d", better="higher"),
            fact("coin.many", many, "heads", "heads in many throws", fmt=".1f", plain_fmt=".0f", better="higher"),
            fact("coin.seconds", 2.0, "s", "time of a throw", fmt=".1f", better="lower", machine=True, tolerance=3.0),
        )
    }
    ratio = derive("coin.times", "ratio", "coin.many", "coin.few", description="many over few", fmt=".1f")
    facts["coin.times"] = replace(evaluate_derivation(ratio, facts), study="toy/coin", run=run, place=place)
    stated = [
        claim("coin.more", "less", "coin.few", "coin.many",
              says="The long series shows {val}`coin.many` heads against {val}`coin.few`.",
              plain="The long series has {val}`coin.times` as many heads."),
        claim("coin.false", "less", "coin.many", "coin.few", says="Fewer heads came.", plain="Fewer heads came."),
    ]  # fmt: skip
    claims = {c.key: replace(evaluate_claim(c, facts), study="toy/coin", run=run) for c in stated}
    files = {}
    for name in ("light.svg", "dark.svg", "light.png", "dark.png"):
        path = folder / "figures" / f"coin.heads.{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<svg xmlns='http://www.w3.org/2000/svg'><title>{name}</title></svg>")
        files[name] = sha256(path.read_bytes())
    (folder / "series").mkdir(exist_ok=True)
    (folder / "series" / "coin.heads.csv").write_text("heads\n4\n98\n")
    figure = FigureRecord(
        "coin.heads", "Heads in {val}`coin.many` throws.", "Heads, drawn.", "A line that rises.", "toy/coin", run,
        "series/coin.heads.csv", "d" * 64, files, width=400, height=300, place=place,
    )  # fmt: skip
    names = ("facts", "derived", "claims", "figures", "TITLE", "QUESTION", "LIMITS")
    record = Run(
        id=run, study="toy/coin", budget="small", title="Coins", question="How many heads?",
        limits=("We threw fair coins only, and a few of them fell off the table.",),
        points=2, seeds=1, seconds=1.0, started="2026-11-21T00:00:00+00:00",
        commit="c" * 40, dirty=False, code=code_of("experiments.toy.coin_study", ("measure", "sweep"), root).parts,
        record_code=code_of("experiments.toy.coin_study", names, root).parts, libraries={}, python="3.11.7",
        machine="2 cores",
    )  # fmt: skip
    results = Results("toy", "small", folder, {"toy/coin": record})
    results.records.facts, results.records.claims = facts, claims
    results.records.figures = {"coin.heads": figure}
    save_results(results)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """The small project, not yet drafted."""
    (tmp_path / "experiments" / "toy").mkdir(parents=True)
    (tmp_path / "experiments" / "toy" / "coin_study.py").write_text(STUDY)
    (tmp_path / "notes" / "plan").mkdir(parents=True)
    (tmp_path / "notes" / "plan" / "week-01.md").write_text(NOTE)
    (tmp_path / "notes" / "references.bib").write_text(BIB)
    (tmp_path / "notes" / "glossary.md").write_text("**Coin**: a round piece of metal. ^coin\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: Toy\n")
    (tmp_path / "site").mkdir()
    write_results(tmp_path)
    yield find_project(tmp_path)


@pytest.fixture
def drafted(project: Project) -> Project:
    """The small project with its post drafted by the offline writer."""
    with locked(project):
        draft_posts(project, [the_post(project)], "offline", lambda line: None)
    return project


def the_post(project: Project) -> Evidence:
    """The evidence of the only post."""
    evidences, findings = gather_all(project, "small")
    assert [str(finding) for finding in findings] == []
    assert len(evidences) == 1 and evidences[0].findings == ()
    return evidences[0]


def approve_both(project: Project) -> None:
    """Ada approves both editions as they stand, having looked at every sentence of the review queue."""
    evidence = the_post(project)
    for edition in EDITIONS:
        queue = edition_state(project, evidence, edition, queue=True).queue
        decide(project, evidence, edition, "approved", "Ada", confirmed=[queued(finding) for finding in queue])
