"""A post that builds on an earlier week gets what that week's published posts stated, and nothing else."""

from __future__ import annotations

from pipeline.evidence import Evidence, gather, gather_all, open_vault
from pipeline.project import Project
from pipeline.prompt import build_prompt
from pipeline.publish import publish
from tests.toy_project import approve_both, the_post

SECOND = """---
type: week
week: 2
title: "Dice"
experiments: [{text: "Throw dice", study: "toy/coin"}]
posts:
  - slug: dice-post
    title: "What a die knows"
    brief: "Refer to week 1."
    earlier: [1]
---

## Intuition

A die has six sides, and each of them is as likely as the next one.
"""


def add_second(project: Project, text: str = SECOND) -> None:
    (project.notes / "plan" / "week-02.md").write_text(text)


def second(project: Project) -> Evidence:
    (evidence,) = gather(project, open_vault(project), 2, "small")[0]
    return evidence


def test_before_it_is_published_that_is_said_and_blocks_nothing(project: Project) -> None:
    add_second(project)
    evidence = second(project)
    assert evidence.earlier == ()
    (found,) = evidence.findings
    assert (found.check, found.severity, found.place) == ("earlier", "review", "notes/plan/week-02.md:7")
    assert "week 1, whose post coin-post is not published yet" in found.message
    assert found.fix == "publish it first: forge week 1"


def test_what_was_published_is_evidence(drafted: Project) -> None:
    before = the_post(drafted).hash
    approve_both(drafted)
    publish(drafted, [the_post(drafted)])
    add_second(drafted)
    (said,) = second(drafted).earlier
    assert (said.week, said.slug, said.title) == (1, "coin-post", "What a coin knows")
    assert "What the throws say" in said.headings
    assert said.claims == {"toy/coin.more": "The long series shows 98.0 heads against 4."}
    assert said.facts["toy/coin.many"] == "98.0"
    assert second(drafted).findings == ()
    prompt = build_prompt(second(drafted), "scientist", drafted.settings).text
    assert "claim toy/coin.more: The long series shows 98.0 heads against 4." in prompt
    (first,) = gather(drafted, open_vault(drafted), 1, "small")[0]
    assert first.hash == before, "a post that builds on nothing is as it was"


def test_a_changed_statement_makes_the_later_post_stale(drafted: Project) -> None:
    approve_both(drafted)
    publish(drafted, [the_post(drafted)])
    add_second(drafted)
    before = second(drafted).hash
    page = drafted.site / "scientist" / "posts" / "coin-post.md"
    page.write_text(page.read_text().replace("## What the throws say", "## What they say"))
    assert second(drafted).hash != before


def test_posts_that_are_only_planned_are_not_gathered(project: Project) -> None:
    add_second(
        project, SECOND.replace("A die has six sides, and each of them is as likely as the next one.", "%% - %%")
    )
    evidences, findings = gather_all(project, "small")
    assert [evidence.post.slug for evidence in evidences] == ["coin-post"] and findings == []
    (project.drafts / "dice-post").mkdir(parents=True)
    assert [evidence.post.slug for evidence in gather_all(project, "small")[0]] == ["coin-post", "dice-post"]


def test_the_default_outline_names_each_record_once(project: Project) -> None:
    add_second(project)
    results = second(project).materials[-1]
    assert [claim.key for claim in results.claims] == ["coin.false", "coin.more"]


def test_a_single_post_is_evidence_and_so_is_one_of_the_same_week(drafted: Project) -> None:
    approve_both(drafted)
    publish(drafted, [the_post(drafted)])
    add_second(drafted, SECOND.replace("earlier: [1]", "earlier: [coin-post]"))
    assert [said.slug for said in second(drafted).earlier] == ["coin-post"]
    more = '  - {slug: more-dice, title: "More", brief: "Refer to the first post.", earlier: [dice-post, coin-post]}\n'
    add_second(drafted, SECOND.replace("earlier: [1]\n", f"earlier: [1]\n{more}"))
    evidences, _ = gather(drafted, open_vault(drafted), 2, "small")
    assert [said.slug for said in evidences[1].earlier] == ["coin-post"]
    assert [f.message for f in evidences[1].findings] == ["it builds on post dice-post, which is not published yet"]
