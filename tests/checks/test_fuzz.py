"""Property tests: no text makes checks or renderer fail, roles render to what they name, canonical JSON holds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.kit.errors import CannotRun
from experiments.kit.files import canonical_json, hash_value, json_lines_object
from pipeline.checks import check_draft
from pipeline.cli.check_command import command
from pipeline.drafts import read_draft
from pipeline.project import Project
from pipeline.render import Context, render
from tests.toy_project import the_post

IN_A_PROJECT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PIECES = (
    "---\n", "title: x\n", "derived: {g: {op: ratio, of: [coin.many, coin.few]}}\n", "derived: [\n", "claims: 3\n",
    "\n\n",
    "{val}`coin.many`", "{val}`g|unit`", "{val}`", "{claim}`coin.more|many {val}`x` `",
    "{claim}``coin.more|a {val}`coin.few` b``",
    "{fig}`coin.heads`", "{listing}`toy/coin_study.py:flip`", "{listing}`../../etc/passwd:x`",
    "{cite}`feller1968, ch. 3`",
    "{todo}`conflict: your text`", "{todo}`conflict: end`", "{todo}``", "{nope}`x`", "`", "``", "```", "~~~\n", "$$",
    "$x$", "<b>",
    "<script>", "&#49;", "&#x110000;", "| a | b |\n| - | - |\n", "> [!note] a\n", "- [ ] ", "[^1]", "[^1]: ",
    "![a](b)", "[[x|y]]",
    "# ", "## H {#h}\n", "%%", "\u200b", "\u00ad", "\ufeff", "\r\n", "\x00", "one hundred times ", "faster than ",
    "et al. (2023) ",
)  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=14).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(text=TEXT)
@settings(IN_A_PROJECT, max_examples=300)
def test_any_markdown_is_checked_without_failing(drafted: Project, text: str) -> None:
    path = drafted.root / "fuzz.md"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for edition in ("scientist", "manager"):
        try:
            draft = read_draft(drafted, path, "coin-post", edition)  # type: ignore[arg-type]
        except CannotRun as refused:
            assert str(refused).startswith("fuzz.md")
            continue
        for finding in check_draft(drafted, the_post(drafted), draft, None):
            assert finding.message and (finding.line is None or finding.line >= 1)


@given(raw=st.one_of(st.binary(max_size=200), TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))))
@settings(IN_A_PROJECT, max_examples=60)
def test_the_command_ends_with_0_1_or_2_on_any_bytes(drafted: Project, raw: bytes) -> None:
    path = drafted.root / "fuzz.md"
    path.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(drafted.root)
        done = CliRunner().invoke(command, [str(path), "--post", "coin-post", "--edition", "manager", "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        assert isinstance(done.exception, CannotRun), done.exception
    else:
        assert done.exit_code in (0, 1) and isinstance(json.loads(done.output), list)


@given(before=st.text(max_size=20), after=st.text(max_size=20), ticks=st.integers(1, 3))
@settings(IN_A_PROJECT, max_examples=300)
def test_a_role_renders_to_its_value_wherever_it_stands(project: Project, before: str, after: str, ticks: int) -> None:
    evidence = the_post(project)
    context = Context(project, evidence.results, evidence.sources, "scientist", "x.md")
    safe = [
        text.translate(dict.fromkeys(map(ord, "`{}<>[]$%&\\|!#*_~=^\r\n\x00"), " ")).strip() for text in (before, after)
    ]
    body = f"Text {safe[0]} {{val}}{'`' * ticks}coin.many{'`' * ticks} {safe[1]} end.\n"
    made = render(body, context)
    assert [(use.role, use.key, use.text) for use in made.uses] == [("val", "coin.many", "98.0")]
    assert ">98.0</data>" in made.markdown and made.findings == []


@given(value=JSON)
@settings(max_examples=500)
def test_canonical_json_reads_back_and_depends_on_the_value_only(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value and canonical_json(json.loads(text)) == text
    assert hash_value(value) == hash_value(json.loads(json.dumps(value)))


@given(entries=st.dictionaries(st.text(max_size=8), JSON, max_size=5))
@settings(max_examples=300)
def test_records_stand_one_a_line_in_order(entries: dict[str, object]) -> None:
    text = json_lines_object(entries)
    assert json.loads(text) == entries and text == json_lines_object(dict(reversed(entries.items())))
    assert text.count("\n") == max(len(entries), 1) + 2


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_canonical_json_refuses_what_is_no_number(number: float) -> None:
    with pytest.raises(ValueError):
        canonical_json({"x": number})


def test_a_file_that_is_no_text_is_refused_in_words(drafted: Project, tmp_path: Path) -> None:
    path = drafted.root / "fuzz.md"
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(CannotRun, match="not UTF-8"):
        read_draft(drafted, path, "coin-post", "manager")
