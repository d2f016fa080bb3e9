"""`forge why`: from a sentence or a key back to claim, fact, run, commit and line of code."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from experiments.kit.errors import CannotRun
from pipeline.cli.why_command import command
from pipeline.evidence import gather_all
from pipeline.project import Project
from pipeline.publish import publish
from pipeline.why import Link, flat, passages, why
from tests.toy_project import approve_both, write_results


def walk(link: Link) -> list[tuple[str, str]]:
    return [(link.kind, link.name), *(step for inner in link.of for step in walk(inner))]


@pytest.fixture
def published(drafted: Project) -> Project:
    approve_both(drafted)
    publish(drafted, gather_all(drafted, "small")[0])
    return drafted


def test_a_fact_leads_to_its_run_commit_and_line(project: Project) -> None:
    (chain,) = why(project, "coin.many", "small")
    assert walk(chain) == [
        ("fact", "coin.many"),
        ("run", "coin-small-0000"),
        ("commit", "c" * 40),
        ("code", "experiments/toy/coin_study.py:20"),
    ]
    assert chain.says == "98.0 heads, heads in many throws"
    assert list(chain.lines())[-1].startswith("    code experiments/toy/coin_study.py:20: ")


def test_a_derived_value_and_a_claim_lead_to_their_facts(project: Project) -> None:
    (derived,) = why(project, "coin.times", "small")
    assert [name for kind, name in walk(derived) if kind == "fact"] == ["coin.times", "coin.many", "coin.few"]
    (claimed,) = why(project, "coin.more", "small")
    assert claimed.says == "holds, less: coin.few = 4, coin.many = 98"
    assert [step for step in walk(claimed) if step[0] in ("fact", "commit")] == [
        ("fact", "coin.few"),
        ("commit", "c" * 40),
        ("fact", "coin.many"),
        ("commit", "c" * 40),
    ]


def test_a_published_sentence_leads_to_its_claim(published: Project) -> None:
    (chain,) = why(published, "the long series shows 98.0 heads", "small")
    assert chain.kind == "page" and chain.name.startswith("site/scientist/posts/coin-post.md:")
    assert chain.says == '"The long series shows 98.0 heads against 4."'
    assert walk(chain)[1] == ("claim", "coin.more") and ("fact", "coin.few") in walk(chain)
    line = int(chain.name.rpartition(":")[2])
    page = (published.site / "scientist" / "posts" / "coin-post.md").read_text().splitlines()
    assert any("coin.more" in row for row in page[line - 1 : line + 2])


def test_both_editions_are_found_and_drafts_where_nothing_is_published(drafted: Project) -> None:
    chains = why(drafted, "as many heads", "small")
    assert [chain.kind for chain in chains] == ["draft"] and "manager.md" in chains[0].name
    line = int(chains[0].name.rpartition(":")[2])
    text = (drafted.drafts / "coin-post" / "manager.md").read_text().splitlines()
    assert "{val}`coin.times`" in text[line - 1]


def test_a_sentence_without_a_role_leads_to_the_notes(published: Project) -> None:
    (chain,) = why(published, "A fair coin forgets", "small")
    assert walk(chain)[1][0] == "note" and walk(chain)[1][1].startswith("notes/plan/week-01.md:")
    assert walk(why(published, "We threw fair coins only", "small")[0])[1] == ("limit", "toy/coin")


def test_a_cited_sentence_names_its_source(published: Project) -> None:
    path = published.site / "scientist" / "posts" / "coin-post.md"
    assert "[^feller1968]" in path.read_text()
    steps = [
        step
        for passage in passages(path.read_text(), "page", "x", "scientist")
        for step in passage.uses
        if step[0] == "source"
    ]
    assert ("source", "feller1968", "") in steps


def test_a_sentence_as_the_draft_writes_it(drafted: Project) -> None:
    chains = why(drafted, "The long series shows {val}`coin.many` heads against {val}`coin.few`.", "small")
    assert [chain.name for chain in chains] == ["coin.many", "coin.few"]


def test_a_page_that_says_something_else_than_the_run_now(published: Project) -> None:
    write_results(published.root, many=97.0)
    page = published.site / "scientist" / "posts" / "coin-post.md"
    value = '<data class="kf-value" data-key="coin.many">98.0</data>'
    page.write_text(page.read_text().replace("A fair coin forgets.", f"It shows {value} again."))
    chains = why(published, "It shows 98.0 again", "small")
    assert "the page says 98.0, the run now says 97.0" in chains[0].of[0].says


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("coin.meny", "did you mean coin.many?"),
        ("The lung series shos 98.0 heads agianst 4", "The long series shows 98.0 heads against 4."),
        ("zebra", "give a key"),
    ],
)
def test_near_misses_are_named(published: Project, asked: str, hint: str) -> None:
    with pytest.raises(CannotRun) as error:
        why(published, asked, "small")
    assert hint in str(error.value)


def test_flat_ignores_typography() -> None:
    assert flat("“A *bold* move” &amp; −2") == flat('"a bold move" & -2')


def test_the_command_prints_a_chain_and_json(published: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(published.root)
    done = CliRunner().invoke(command, ["coin.more"], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.output.startswith("claim coin.more: holds") and "\n    run coin-small-0000: toy/coin" in done.output
    loaded = json.loads(CliRunner().invoke(command, ["--json", "98.0", "heads", "against", "4"]).output)
    assert loaded[0]["kind"] == "page" and loaded[0]["of"][0]["name"] == "coin.more"
    assert "Examples:" in CliRunner().invoke(command, ["--help"]).output
