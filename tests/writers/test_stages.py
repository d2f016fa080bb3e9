"""The Anthropic writer's stages on the toy project: what is asked, what of an answer is taken, what is marked."""

from __future__ import annotations

import pytest

from pipeline.checks import check_draft
from pipeline.drafting import draft_posts
from pipeline.drafts import load_draft, load_state
from pipeline.project import Project
from pipeline.prompt import PROMPT_VERSION
from pipeline.transaction import locked
from pipeline.writers.outline import plan_of_post, read_plan
from tests.toy_project import the_post
from tests.writers.driving import drive, scripted, writing_of
from tests.writers.messages_server import Reply, Server

OUTLINE = """Here is the plan.

section: opening
says: a bet is a decision
section: throws
says: what the long series shows
facts: coin.few, coin.many
claims: coin.more, fewer
figures: coin.heads
listings: toy/coin_study.py:flip
cites: feller1968

derived: gap = difference of coin.many, coin.few; format = .0f
claim: fewer = less of coin.few, coin.many
"""
LEAD = (
    "A bet on a coin is the smallest decision there is, and it holds the whole subject: something unknown, a price to "
    "pay, and a moment at which one has to say yes or no. I want to know what a coin can tell about that, and so I let "
    "a program throw it."
)
THROWS = """A fair coin forgets. In {fig}`coin.heads` one can see how the heads come in.

{fig}`coin.heads`

{claim}``fewer|The short series gives fewer heads: {val}`coin.few` against {val}`coin.many`.`` The gap is
{val}`gap|unit`.

{listing}`toy/coin_study.py:flip`

Long ago somebody wrote all this down {cite}`feller1968`."""
SECTIONS = f"=== opening\n\n{LEAD}\n\n=== throws\n\n{THROWS}\n"


def faulty(text: str) -> dict[str, str | list[str]]:
    return {"outline": OUTLINE, "sections": SECTIONS.replace("A fair coin forgets.", text)}


def test_outline_sections_and_what_the_plan_asked_for(project: Project) -> None:
    evidence = the_post(project)
    lines: list[str] = []
    written, calls = drive(
        writing_of(project, evidence, "scientist", "anthropic", lines),
        scripted({"outline": OUTLINE, "sections": SECTIONS}),
    )
    assert [call.what for call in calls] == ["coin-post, scientist: outline", "coin-post, scientist: 2 sections"]
    assert written.front["derived"] == {"gap": {"op": "difference", "of": ["coin.many", "coin.few"], "format": ".0f"}}
    assert written.front["claims"] == {"fewer": {"op": "less", "of": ["coin.few", "coin.many"]}}
    assert written.body.startswith(LEAD)
    assert "## What the throws say {#throws}\n\nA fair coin forgets." in written.body
    assert (
        "## What these runs do not show {#limits}" in written.body
        and "We threw fair coins only, and a few of them fell off the table." in written.body
    )
    assert "{val}`gap`: difference of coin.many, coin.few, prints 94 (heads)" in calls[1].prompt.request
    assert written.prompt_version == PROMPT_VERSION
    assert "0 findings before repair" in written.notes[-1]


def test_the_draft_has_no_errors_and_its_values_print(
    project: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    manager = f"=== opening\n{LEAD}\n=== throws\n{{claim}}``coin.more|The long series shows more heads.``"
    server.queue = [Reply(OUTLINE), Reply(SECTIONS), Reply("section: opening\n\nsection: throws"), Reply(manager)]
    evidence = the_post(project)
    with locked(project):
        draft_posts(project, [evidence], "anthropic", lambda line: None)
    scientist, plain = (load_draft(project, "coin-post", edition) for edition in ("scientist", "manager"))
    assert scientist is not None and plain is not None
    findings = [*check_draft(project, evidence, scientist, None), *check_draft(project, evidence, plain, scientist)]
    # The Manager edition states coin.more, which this Scientist edition states under a name of its own.
    assert [str(f) for f in findings if f.severity == "error"] == []
    assert load_state(project, "coin-post")["manager"]["prompt_version"] == PROMPT_VERSION
    stable = {request["system"][0]["text"] for request in server.seen}
    assert len(stable) == 1, "one prefix for both editions and all turns"


def test_unknown_keys_and_operators_are_asked_again(project: Project) -> None:
    bad = OUTLINE.replace("claims: coin.more", "claims: coin.mroe").replace("difference of", "diference of")
    written, calls = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({"outline": [bad, OUTLINE], "sections": SECTIONS}),
    )
    assert [call.what.partition(": ")[2] for call in calls] == ["outline", "outline again", "2 sections"]
    ((answered, asked),) = calls[1].prompt.turns
    assert answered == bad
    assert "claims coin.mroe is not in the evidence (did you mean 'coin.more'?)" in asked
    assert "gap: no operator 'diference'" in asked and "did you mean 'difference'?" in asked
    assert "gap" in written.front["derived"]


def test_what_stays_wrong_in_an_outline_is_left_out_and_said(project: Project) -> None:
    bad = OUTLINE.replace("less of coin.few, coin.many", "less of coin.many, coin.few").replace(
        "section: throws", "section: trows"
    )
    lines: list[str] = []
    body = SECTIONS.replace("{claim}``fewer|", "{claim}``coin.more|").replace(" The gap is\n{val}`gap|unit`.", "")
    written, _ = drive(
        writing_of(project, the_post(project), "scientist", "anthropic", lines),
        scripted({"outline": bad, "sections": body}),
    )
    assert "claims" not in written.front
    assert any("claim fewer does not hold" in line for line in lines) and any(
        "no section trows" in n for n in written.notes
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("figures: coin.tails", "section throws: figures coin.tails is not in the evidence"),
        ("claims: coin.false", "section throws: claims coin.false does not hold"),
        ("listings: ../../etc/passwd:x", "is not in the evidence"),
        ("factz: coin.few", "no field factz"),
        ("derived: gap is what I want", "cannot be read"),
        ("derived: coin.few = count of coin.many", "already the key of a recorded result"),
        ("derived: odd = difference of coin.many, coin.seconds", "needs one unit"),
        ("derived: title = difference of coin.many, coin.few; budget_usd = 9", "no option 'budget_usd'"),
        ("claim: big = above of coin.many; bound = lots", "is no number"),
        ("section: limits", "no section limits"),
        ("section: opening", "section opening stands twice"),
    ],
)
def test_every_mistake_in_an_outline_is_a_finding(project: Project, line: str, message: str) -> None:
    plan, findings = read_plan(f"section: opening\nsection: throws\n{line}", the_post(project), "scientist")
    assert len(findings) == 1 and message in findings[0].message and findings[0].line == 3
    assert plan.asked == {} and all(not part.uses for part in plan.parts)


def test_the_order_of_the_sections_and_missing_ones_are_findings(project: Project) -> None:
    evidence = the_post(project)
    assert "another order" in read_plan("section: throws\nsection: opening", evidence, "scientist")[1][0].message
    assert "no plan for throws" in read_plan("section: opening", evidence, "scientist")[1][0].message
    assert read_plan(plan_of_post(evidence).text, evidence, "scientist")[1] == []
    managers = read_plan(OUTLINE, evidence, "manager")[1]
    assert any("only what the Scientist edition shows" in finding.message for finding in managers)


def test_a_missing_section_is_asked_for_and_then_marked(project: Project) -> None:
    only = SECTIONS.partition("=== throws")[0]
    written, calls = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({"outline": OUTLINE, "2 sections": only, "missing": f"=== throws\n\n{THROWS}"}),
    )
    assert calls[-1].what.endswith("missing sections throws") and "A fair coin forgets." in written.body
    written, _ = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({"outline": OUTLINE, "2 sections": only, "missing": "I would rather not."}),
    )
    assert "{todo}`the model wrote nothing for section throws`" in written.body


def test_front_matter_headings_and_frames_of_an_answer_are_not_taken(project: Project) -> None:
    answer = (
        f"```markdown\n---\ntitle: Mine\ntags: [x]\n---\n{SECTIONS}\n## Extra {{#limits}}\n\nMore.\n\nBig\n===\n```"
    )
    written, _ = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({"outline": OUTLINE, "sections": answer}),
    )
    assert written.front["title"] == "What a coin knows" and written.front["tags"] == ["coins"]
    assert "title: Mine" not in written.body and written.body.count("{#limits}") == 1
    assert "### Extra\n" in written.body and "### Big" in written.body
