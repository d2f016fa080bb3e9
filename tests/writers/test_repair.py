"""Repair turns: what is sent back, what of the answer is taken, what is left marked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.finding import Finding
from pipeline.project import Project
from pipeline.writers.parts import Body, Paragraph, cleaned, code_span, labelled, split_answer, todo
from pipeline.writers.repair import faults, marked
from tests.toy_project import the_post
from tests.writers.driving import drive, scripted, writing_of
from tests.writers.test_stages import LEAD, OUTLINE, SECTIONS, faulty

BAD = "A fair coin gave 98 heads."
GOOD = "A fair coin gave {val}`coin.many` heads."


def test_a_finding_goes_back_with_its_sentence_and_the_replacement_is_taken(project: Project) -> None:
    mended = f"=== throws.1\n\n{GOOD} In {{fig}}`coin.heads` one can see how the heads come in."
    written, calls = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({**faulty(BAD), "repair": mended}),
    )
    asked = calls[-1].prompt.request
    assert calls[-1].what == "coin-post, scientist: repair 1 of 3 (throws.1)"
    assert "typed-number" in asked and '"A fair coin gave 98 heads."' in asked and "Fix: name the fact" in asked
    assert LEAD not in asked, "only the paragraphs with findings are sent"
    assert GOOD in written.body and "98" not in written.body and "todo" not in written.body
    assert "1 findings before repair, 0 after 1 repair turn" in written.notes[-1]


def test_a_repair_touches_no_other_paragraph(project: Project) -> None:
    answer = (
        f"=== opening.1\n\nMine now.\n\n=== throws.1\n\n{GOOD} See {{fig}}`coin.heads`.\n\n=== limits.1\n\nNo limits."
    )
    written, _ = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({**faulty(BAD), "repair": answer}),
    )
    before, _ = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({"outline": OUTLINE, "sections": SECTIONS}),
    )
    old, new = before.body.split("\n\n"), written.body.split("\n\n")
    assert [n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [2]
    assert "Mine now" not in written.body and "None." not in written.body


@pytest.mark.parametrize("worse", ["It gave 98 heads and then 97.", "It gave 97 heads.", "<b>It</b> won."])
def test_a_repair_that_is_no_better_is_discarded_told_and_marked(project: Project, worse: str) -> None:
    project = replace(project, settings=replace(project.settings, repair_turns=2))
    written, calls = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"),
        scripted({**faulty(BAD), "repair": f"=== throws.1\n\n{worse}"}),
    )
    assert [call.what.partition("repair ")[2][:6] for call in calls[2:]] == ["1 of 2", "2 of 2"]
    assert "was not taken" not in calls[2].prompt.request and worse in calls[3].prompt.request
    assert BAD in written.body and worse not in written.body
    assert "{todo}`the paragraph above still has findings (typed-number: number typed into prose: 98)`" in written.body
    assert "1 after 2 repair turns (typed-number 1)" in written.notes[-1]


def test_a_repair_that_breaks_another_paragraph_is_discarded(project: Project) -> None:
    """The first paragraph mentions the figure; taking the mention's figure away is fine, showing one twice is not ours
    to judge, but a replacement that hides the next paragraph in a fence would leave its figure unshown."""
    answer = "=== throws.1\n\nA fair coin is in {fig}`coin.heads`.\n\n```\nopen"
    written, _ = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"), scripted({**faulty(BAD), "repair": answer})
    )
    assert BAD in written.body and "```" not in written.body


def test_no_turns_allowed_means_marked_at_once(project: Project) -> None:
    project = replace(project, settings=replace(project.settings, repair_turns=0))
    written, calls = drive(writing_of(project, the_post(project), "scientist", "anthropic"), scripted(faulty(BAD)))
    assert len(calls) == 2 and "{todo}`the paragraph above" in written.body


def test_a_gap_the_model_left_open_stays_and_is_no_fault(project: Project) -> None:
    written, calls = drive(
        writing_of(project, the_post(project), "scientist", "anthropic"), scripted(faulty("{todo}`the p-value`"))
    )
    assert len(calls) == 2 and "{todo}`the p-value`" in written.body


def test_dangerous_text_is_cut_out_of_the_draft() -> None:
    body = Body(
        (("opening", "", (Paragraph("opening.1", "Hi <script>alert(1)</script>"), Paragraph("opening.2", "Ok."))),)
    )
    finding = Finding("raw-html", "error", "raw HTML: <script>", line=1)
    left, total = faults(body, lambda body: [finding])
    assert (list(left), total) == (["opening.1"], 1)
    assert marked(body, left).text == (
        "{todo}`a paragraph of the model was cut out (raw-html: raw HTML: <script>)`\n\nOk.\n"
    )


def test_lines_find_their_paragraphs() -> None:
    body = Body((
        ("opening", "", (Paragraph("opening.1", "a\nb"),)),
        ("next", "Next", (Paragraph("next.1", "c"), Paragraph("next.2", ""), Paragraph("next.3", "d"))),
    ))  # fmt: skip
    assert body.text == "a\nb\n\n## Next {#next}\n\nc\n\nd\n"
    found = [body.at(line) for line in range(1, 10)]
    assert [p.label if p else "" for p in found] == ["opening.1"] * 2 + ["", "", "", "next.1", "", "next.3", ""]
    assert [body.line_of(p) for p in body.paragraphs] == [1, 6, None, 8]


def test_pieces_of_an_answer() -> None:
    text = "Sure!\n=== a\n\nOne.\n\n```\n=== b\n```\n\n**=== b ===**\nTwo.\n=== c\nThree.\n=== a\nAgain."
    assert split_answer(text, ["a", "b"]) == {"a": "One.\n\n```\n=== b\n```", "b": "Two."}
    assert split_answer("## Title {#a}\n\nOne.", ["a", "b"]) == {"a": "One."}
    assert split_answer("Only this.", ["a"], bare=True) == {"a": "Only this."}
    assert split_answer("Only this.", ["a"]) == split_answer("Only this.", ["a", "b"], bare=True) == {}
    echoed = "<<DATA-0123456789abcdef notes>>\nOne.\n<<end of DATA-0123456789abcdef>>"
    assert split_answer(echoed, ["a"], bare=True) == {"a": "One."}


def test_labels_and_todos() -> None:
    assert [p.label for p in labelled("a", "One.\n\n```\nx\n\ny\n```\n\nTwo.")] == ["a.1", "a.2", "a.3"]
    assert cleaned("# T {#x}\n\n#### Deep\n\ntext") == "### T\n\n#### Deep\n\ntext"
    assert code_span("a `b` c") == "``a `b` c``" and code_span("`b`") == "`` `b` ``"
    assert todo("x\n\ny") == "{todo}`x y`"
