"""Places are exact for any text; what Obsidian writes and roles are recognised; code stays code."""

import re
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import markdown
from pipeline.markdown import INLINE, TIES, Block, Document, Span, parse, skim, slug

FRAGMENTS = """
[[note]] [[a|b]] [[n#H|x]] [[n#^b]] ![[e]] ![[e#H]] [[ ]] %% %%c%% == ==m== ^id ^[note] [^1] [^1]: #tag # ## --- ***
$x$ $$ $ ` `` ``` ~~~ {val}`k` {claim}``k|w`` {val} | |---| \\| \\ \\\\ > >> - + 1. 10)
[ ] [x] [!note] [!tip]- ~~ ~ * **
_ __ <b> </b> <!-- --> <http://x.y> https://a.b/c) [l](u) [l](u "t") [l][r] [r]: ![i](u) & &amp; &#35; {#id} ( ) . ! ?
e.g. 0.5 word Word, \u00e9 \ufffc \ue000 \ufeff \x00
"""
BLANKS = ["\n", "\n", "\n\n", "\r", "\r\n", " ", " ", "    ", "\t", "\x0b", "\x0c", "\u2028", "> ", "- "]
SOUP = st.lists(
    st.one_of(
        st.sampled_from(FRAGMENTS.split() + BLANKS * 2),
        st.text(max_size=6),
    ),
    max_size=40,
).map("".join)


def kinds(text: str, *only: str) -> list[tuple[str, str]]:
    return [(s.kind, s.text) for s in parse(text).spans if not only or s.kind in only]


def one(text: str, kind: str) -> Span:
    (span,) = [s for s in parse(text).spans if s.kind == kind]
    return span


def block(document: Document, kind: str) -> Block:
    (found,) = [b for b in document.blocks if b.kind == kind]
    return found


# Invariants


def check_places(text: str) -> None:
    document = parse(text)
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    for span in document.spans:
        assert text[span.start : span.end] == span.text != ""
        assert document.position(span.start) == (span.line, span.column)
        assert lines[span.line - 1][span.column - 1 :].startswith(re.split(r"[\r\n]", span.text)[0])
    for found in document.blocks:
        assert 0 <= found.start <= found.end <= len(text)
        assert 1 <= found.line <= found.end_line <= len(lines)
        assert all(parent < found.index for parent in found.parents)
        if found.kind in INLINE:
            leaves = [s for s in document.spans_of(found) if s.leaf]
            check_leaves(text, leaves)
            if found.kind in ("paragraph", "table_cell") and leaves:
                assert not (text[found.start : leaves[0].start] + text[leaves[-1].end : found.end]).strip()
    for sentence in document.sentences():
        assert sentence.spans and sentence.text.strip() == sentence.text != ""
        for span in sentence.spans:
            assert text[span.start : span.end] == span.text
            assert sentence.start <= span.start < span.end <= sentence.end


def check_leaves(text: str, leaves: list[Span]) -> None:
    """One leaf follows the other; only what starts a line of a quote or list may lie between."""
    for before, after in pairwise(leaves):
        assert before.end <= after.start
        gap = text[before.end : after.start]
        assert not gap.strip(" \t>"), (before, after)
        assert not gap or before.text[-1] in "\r\n" or before.kind == "comment" or text[before.end - 1] in "\r\n"


@settings(max_examples=600, deadline=None)
@given(SOUP)
@example("> a\n> ^q\n\n%% x\n\n- y %% z")
@example("|a|b|\n|-|-|\n|`x\\|y` \\|z|\\||\n")
@example("a %% b\r\n\r\nc %% d")
@example("\ufeff---\r\na: 1\r\n---\r\n**x** {val}`k`\r\n")
@example("-\t\tcode\n-\tx\n\ty\n")
def test_every_span_is_where_it_says(text: str) -> None:
    check_places(text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_parses(text: str) -> None:
    check_places(text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["word", "Two", "e.g.", "{val}`a.b`", "`c`", "$x$", "*em*", "[[n]]", "0.5", "\n"]), min_size=1
    )
)
def test_leaves_cover_a_paragraph(words: list[str]) -> None:
    text = " ".join(words).strip()
    text = re.sub(r" *\n[ \n]*", "\n", text)
    if text:
        leaves = [s for s in parse(text).spans if s.leaf]
        assert "".join(s.text for s in leaves) == text


# Inline content


@pytest.mark.parametrize(
    ("text", "target", "heading", "name", "alias"),
    [
        ("[[MDP]]", "MDP", "", "", ""),
        ("[[plan/MDP|the *plan*]]", "plan/MDP", "", "", "the *plan*"),
        ("[[MDP#Value iteration]]", "MDP", "Value iteration", "", ""),
        ("[[#Value iteration]]", "", "Value iteration", "", ""),
        ("[[MDP#^key-idea|this]]", "MDP", "", "key-idea", "this"),
        ("[[MDP\\|a]]", "MDP", "", "", "a"),
    ],
)
def test_wikilink_parts(text: str, target: str, heading: str, name: str, alias: str) -> None:
    span = one(f"See {text} now.", "wikilink")
    assert span.data == {"target": target, "heading": heading, "block": name, "alias": alias}
    assert (span.text, span.column) == (text, 5)
    assert one(f"!{text}", "embed").data == span.data


@pytest.mark.parametrize(
    ("text", "name", "content"),
    [
        ("{val}`vi.sweeps`", "val", "vi.sweeps"),
        ("{val}`vi.sweeps|unit`", "val", "vi.sweeps|unit"),
        ("{claim}``k|after {val}`v` sweeps``", "claim", "k|after {val}`v` sweeps"),
        ("{claim}``k|needs {val}`v` ``", "claim", "k|needs {val}`v` "),
        ("{claim}``k|needs {val}`v```", "claim", "k|needs {val}`v`"),
        ("{cite}`` sutton2018, ch. 4 ``", "cite", "sutton2018, ch. 4"),
        ("{listing}`week01_mdp/value_iteration.py:sweep`", "listing", "week01_mdp/value_iteration.py:sweep"),
        ("{todo}`two\nlines`", "todo", "two lines"),
    ],
)
def test_role(text: str, name: str, content: str) -> None:
    source = f"It took *{text}* then."
    role = one(source, "role")
    assert (role.text, role.data["name"], role.data["content"]) == (text, name, content)
    assert source[role.data["at"] :].startswith(content[:3])


@pytest.mark.parametrize(
    "text",
    ["`{val}`", "`` {val}`k` ``", "    {val}`k`", "```\n{val}`k`\n```", "$\\{val}`k`$", "$${val}`k`$$", "%%{val}`k`%%"],
)
def test_code_mathematics_and_comments_hold_no_role(text: str) -> None:
    assert kinds(text, "role") == []


@pytest.mark.parametrize("text", ["{val} `k`", "{val}`k", "\\{val}`k`", "{val}k", "{ val}`k`", "{claim}``k`"])
def test_what_is_nearly_a_role_stays_text_or_code(text: str) -> None:
    assert kinds(text, "role") == []


def test_words_of_a_claim_can_be_read_in_place() -> None:
    text = "> - so {claim}``pi.fewer|needs {val}`k` or 14 sweeps`` it is"
    role = one(text, "role")
    start = role.data["at"] + len("pi.fewer|")
    inner = parse(text).nested(start, role.data["at"] + len(role.data["content"]))
    assert [(s.kind, s.text) for s in inner] == [("text", "needs "), ("role", "{val}`k`"), ("text", " or 14 sweeps")]
    assert all(text[s.start : s.end] == s.text for s in inner)


@pytest.mark.parametrize("text", ["$V(s)$", "$$V$$", "$\\$5$", "$a\\\\b$"])
def test_inline_mathematics(text: str) -> None:
    assert kinds(f"So {text} is") == [("text", "So "), ("math", text), ("text", " is")]


@pytest.mark.parametrize("text", ["costs $5 and $6", "US$5 or $ 6 $", "a \\$b$ c", "$5-$6"])
def test_prices_are_no_mathematics(text: str) -> None:
    assert kinds(text, "math") == []


def test_marks_and_emphasis_are_markers_only_in_pairs() -> None:
    found = kinds("==a *b*== **c** ~~d~~ x == y 2*3 a_b_c ***e***", "marker")
    assert [text for _, text in found] == ["==", "*", "*", "==", "**", "**", "~~", "~~", "*", "**", "**", "*"]


def test_tags_need_a_space_and_a_letter() -> None:
    assert kinds("#rl and a#b, #2026, #week/01 `#c` https://a.b/#d", "tag") == [("tag", "#rl"), ("tag", "#week/01")]
    assert block(parse("# Title"), "heading").content == "Title"


def test_links_give_their_parts() -> None:
    document = parse(
        'See [the *book*](http://a.b/c "T 2") and [r][ref], <http://x.y>, https://z.w/a_b).\n\n[ref]: http://r.s\n'
    )
    link, ref = [s for s in document.spans if s.kind == "link"]
    assert (link.data["url"], ref.data["url"], link.leaf) == ("http://a.b/c", "http://r.s", False)
    urls = [(s.text, s.data["url"], s.data["shown"]) for s in document.spans if s.kind == "link_url"]
    assert urls == [
        ("http://a.b/c", "http://a.b/c", False),
        ("<http://x.y>", "http://x.y", True),
        ("https://z.w/a_b", "https://z.w/a_b", True),
    ]
    assert [s.text for s in document.spans if s.inside == ("link",)][:4] == ["[", "the ", "*", "book"]
    assert block(document, "reference").data == {"label": "ref", "url": "http://r.s"}


def test_image_html_escape_and_entity() -> None:
    assert one("![two *words*](a.png)", "image").data == {"alt": "two *words*", "url": "a.png"}
    assert kinds("a <b>c</b> \\* &amp;") == [
        ("text", "a "), ("html", "<b>"), ("text", "c"), ("html", "</b>"), ("text", " "), ("escape", "\\*"),
        ("text", " "), ("entity", "&amp;"),
    ]  # fmt: skip


def test_footnotes_named_and_in_place() -> None:
    document = parse("A[^1] b^[see {val}`k`. Twice.] c.\n\n[^1]: The note.\n    Its *second* line.\n")
    assert one(document.text, "footnote_ref").data == {"label": "1"}
    assert block(document, "footnote").data == {"label": "1"}
    assert [s.text for s in document.sentences()] == [
        "A b c.", "see {val}`k`.", "Twice.", "The note.", "Its second line.",
    ]  # fmt: skip


# Comments


def test_comments_within_a_paragraph() -> None:
    assert kinds("a %%b *c*%% d") == [("text", "a "), ("comment", "%%b *c*%%"), ("text", " d")]
    assert kinds("a %%b\nc%% d")[1] == ("comment", "%%b\nc%%")


def test_comment_block_hides_blank_lines_and_fences() -> None:
    document = parse("a\n%%\nb\n\n```\nc\n%%\n\nd")
    assert (block(document, "comment").line, block(document, "comment").end_line) == (2, 7)
    assert [s.text for s in document.sentences()] == ["a", "d"]


def test_comment_over_paragraphs_hides_all_between() -> None:
    document = parse("a %% b\n\n# c\n\nd %% e")
    assert [s.text for s in document.sentences()] == ["a", "e"]
    assert block(document, "comment").start == 2
    assert [s.data["closed"] for s in document.spans if s.kind == "comment"] == [True, True]


def test_comment_without_end_hides_its_paragraph_or_all_from_its_line() -> None:
    document = parse("100%% sure. Secret\n\nb")
    assert [s.text for s in document.sentences()] == ["100", "b"]
    assert one(document.text, "comment").data == {"closed": False}
    assert [s.text for s in parse("a\n\n%% b\n\nc\n\n- d").sentences()] == ["a"]


def test_percent_signs_in_code_open_nothing() -> None:
    document = parse("a %% b\n\n```python\n%%timeit\n```\n\n`%%` c")
    assert block(document, "fence").content == "%%timeit\n"
    assert document.sentences()[-1].text == "`%%` c"


# Blocks


def test_headings_have_ids_and_sections_form_a_tree() -> None:
    document = parse("# A *b*\n\nx\n\n## The set-up {#setup}\n\n### Deep `c`\n\n## A b\n\ny\n\n# A b\n\n> # quoted\n")
    outline = [(s.title, s.id, s.level) for top in document.sections() for s in top.walk()]
    assert outline == [
        ("A b", "a-b", 1), ("The set-up", "setup", 2), ("Deep `c`", "deep-c", 3), ("A b", "a-b_1", 2),
        ("A b", "a-b_2", 1),
    ]  # fmt: skip
    setup = document.sections()[0].children[0]
    assert document.text[setup.start : setup.end].startswith("## The set-up")
    assert document.text[setup.body : setup.end].strip() == "### Deep `c`"


def test_slug() -> None:
    assert slug("What's new: Value-iteration, 2 ways?") == "whats-new-value-iteration-2-ways"


def test_callouts_folded_and_nested() -> None:
    document = parse("> [!Warning]- Mind the *gap*\n> text\n>\n> > [!tip]\n> > inner\n\n> plain\n")
    outer, inner = [b for b in document.blocks if b.kind == "callout"]
    assert outer.data == {"type": "warning", "title": "Mind the *gap*", "folded": "-"}
    assert inner.data == {"type": "tip", "title": "Tip", "folded": None}
    assert inner.parents == (outer.index,)
    assert [s.text for s in document.sentences()] == ["Mind the gap", "text", "inner", "plain"]
    assert block(document, "quote").line == 7


def test_tasks() -> None:
    document = parse("- [ ] open `x`\n- [x] done\n- [link] none\n- [1] none\n")
    assert [(b.kind, b.data.get("checked")) for b in document.blocks if b.kind in ("task", "list_item")] == [
        ("task", False), ("task", True), ("list_item", None), ("list_item", None),
    ]  # fmt: skip
    assert document.sentences()[0].text == "open `x`"


def test_table_cells_keep_their_places() -> None:
    text = "| a | b |\n|:--|--:|\n| [[n\\|t]] x \\| y | {val}`k\\|unit` |\n| 1 |\n"
    document = parse(text)
    cells = [
        (b.data["column"], b.data["header"], text[b.start : b.end]) for b in document.blocks if b.kind == "table_cell"
    ]
    assert cells == [
        (0, True, "a"), (1, True, "b"), (0, False, "[[n\\|t]] x \\| y"), (1, False, "{val}`k\\|unit`"), (0, False, "1"),
        (1, False, ""),
    ]  # fmt: skip
    assert one(text, "wikilink").data["alias"] == "t"
    assert one(text, "role").data["content"] == "k|unit"
    assert [s.text for s in document.sentences()][2:] == ["t x | y", "{val}`k\\|unit`", "1"]


def test_cells_beyond_the_columns_are_known() -> None:
    document = parse("- | a |\n  |---|\n  | 1 | {val}`k` %%x%% | z |\n")
    assert kinds(document.text, "role", "comment") == [("role", "{val}`k`"), ("comment", "%%x%%")]
    assert [b.data["column"] for b in document.blocks if b.kind == "table_cell"] == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("para ^x", "paragraph", 1),
        ("> quote\n\n^x", "quote", 1),
        ("> quote\n^x", "quote", 1),
        ("```\ncode\n```\n\n^x", "fence", 1),
        ("| a |\n|---|\n| 1 |\n\n^x", "table", 1),
        ("| a |\n|---|\n| 1 |\n^x", "table", 1),
        ("- one ^x\n  - two", "list_item", 1),
        ("- one\n- two\n\n^x", "list", 1),
        ("# Head ^x", "heading", 1),
        ("$$\na\n$$\n\n^x", "math", 1),
        ("p\n\n> [!note] t\n> b\n\n^x", "callout", 3),
    ],
)
def test_block_ids_name_their_block(text: str, kind: str, line: int) -> None:
    (named,) = [b for b in parse(text).blocks if b.block_id == "x"]
    assert (named.kind, named.line) == (kind, line)


def test_block_id_only_at_the_end() -> None:
    assert [b.block_id for b in parse("x ^a b\n\n`x ^a`\n\ny^2").blocks] == ["", "", ""]


def test_fences_math_html_and_code_are_whole() -> None:
    document = parse(
        "```mermaid\ngraph TD; A[[x]] --> B\n```\n\n    {val}`k`\n\n$$\na\n- b\n$$\n\n<div>\n{val}`k`\n</div>\n\n---\n"
    )
    assert [(b.kind, b.content) for b in document.blocks] == [
        ("fence", "graph TD; A[[x]] --> B\n"), ("code", "{val}`k`\n"), ("math", "a\n- b"),
        ("html", "<div>\n{val}`k`\n</div>\n"), ("thematic_break", ""),
    ]  # fmt: skip
    assert document.blocks[0].data == {"info": "mermaid", "lang": "mermaid"}
    assert document.spans == ()


def test_display_mathematics_may_follow_text_directly() -> None:
    assert [b.kind for b in parse("text\n$$\na\n- b\n$$\nmore").blocks] == ["paragraph", "math", "paragraph"]


def test_front_matter_is_data() -> None:
    document = parse("---\ntitle: A 1\ntags: [x]\n---\n\n# T\n")
    assert document.front == {"title": "A 1", "tags": ["x"]}
    assert document.front_lines == (1, 4)
    assert block(document, "heading").line == 6
    assert parse("---\na: [\n---\n").front == {}
    assert parse("a\n---\nb\n").front_lines is None


def test_windows_line_ends_and_byte_order_mark_keep_places() -> None:
    text = "\ufeff---\r\ntitle: x\r\n---\r\n# A\r\n\r\nb {val}`k`\r\n"
    document = parse(text)
    role = one(text, "role")
    assert (role.line, role.column, text[role.start : role.end]) == (6, 3, "{val}`k`")
    assert document.front == {"title": "x"}
    assert all(document.source.given(document.source.normal(s.start)) == s.start for s in document.spans)


# Sentences


@pytest.mark.parametrize(
    "parts",
    [
        ["It works, e.g. here.", "So does i.e. that."],
        ["As S. Barto and R. S. Sutton show, it holds.", "See Fig. 3 and Eq. 4.1 there."],
        ["The discount is 0.95 today.", "It was 0.9."],
        ["It took {val}`k`.", "{val}`b` sweeps remain."],
        ["Wait... then go.", "Well…", "Next?", "Yes!", 'He said "stop."', "Then left."],
        ["Use `a. B` or $x. Y$ now.", "`code` begins this."],
        ["See {cite}`sutton2018, ch. 4`.", "(In brackets.)", "3 follow."],
        ["Bellman et al. Proved nothing here, cf. Puterman.", "Done etc.", "The end."],
        ["Take plan B.", "The rest is easy."],
        ["As in no. 3 of it.", "I said no.", "But so did I.", "Fine."],
    ],
)
def test_sentences_end_where_they_end(parts: list[str]) -> None:
    assert [s.text for s in parse(" ".join(parts)).sentences()] == parts


def test_sentence_places_and_spans() -> None:
    text = "- One.  **Two** has\n  [[n|three]] %%no%%words.[^1] `4`\n\n[^1]: x"
    sentences = parse(text).sentences()
    assert [s.text for s in sentences] == ["One.", "Two has three words.", "`4`", "x"]
    two = sentences[1]
    assert (two.line, two.column, text[two.start : two.end]) == (1, 9, "**Two** has\n  [[n|three]] %%no%%words.[^1]")
    assert [(s.kind, s.text) for s in two.spans][:3] == [("marker", "**"), ("text", "Two"), ("marker", "**")]
    assert sentences[0].spans[0].text == "One."


def test_headings_and_cells_are_their_own_sentences() -> None:
    found = parse("# One. Two\n\nText without end\n\n| a | b |\n|---|---|\n").sentences()
    assert [(s.text, s.block.kind) for s in found] == [
        ("One.", "heading"), ("Two", "heading"), ("Text without end", "paragraph"), ("a", "table_cell"),
        ("b", "table_cell"),
    ]  # fmt: skip


# Skimming, and rules by first characters


@settings(max_examples=600, deadline=None)
@given(SOUP)
@example("![^x\\]: [[a]]\n")
def test_skimming_finds_the_ties_and_blocks_that_parsing_finds(text: str) -> None:
    whole, part = parse(text), skim(text)
    assert [s for s in part.spans if s.kind in TIES] == [s for s in whole.spans if s.kind in TIES]
    assert [replace(b, spans=(0, 0)) for b in part.blocks] == [replace(b, spans=(0, 0)) for b in whole.blocks]


@settings(max_examples=600, deadline=None)
@given(SOUP)
def test_rules_by_first_character_miss_no_block(text: str) -> None:
    every = markdown._parser(markdown._RULES)
    blocks = every.block
    assert isinstance(blocks, markdown._Blocks)
    blocks.first, blocks.anywhere = {}, blocks.ruler.getRules("")
    assert markdown._whole(text, every) == parse(text)


# Speed

PARAGRAPH = (
    "The value of a state, $V(s)$, is what [[mdp|an agent]] collects when it follows a **policy**; see "
    "{cite}`sutton2018`. It needs {val}`vi.sweeps` sweeps, e.g. on `FrozenLake`, and {claim}`pi.fewer|policy "
    "iteration needs fewer`[^1]. %%x%%\n\n"
)
SECTION = (
    f"## Heading\n\n{PARAGRAPH * 9}> [!note] T\n> {PARAGRAPH}\n- a `b`\n- c\n\n```python\nx = 1\n```\n\n$$\na\n$$\n\n"
)


def test_a_long_note_parses_in_sixty_milliseconds() -> None:
    text = SECTION * 10
    assert len(text.split()) > 3000
    times = []
    for _ in range(3):
        start = time.process_time()
        parse(text)
        times.append(time.process_time() - start)
    assert min(times) < 0.060


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "*" * 5000,
        ">" * 5000,
        "- " * 1000,
        "a %% b\n\n" * 500,
        "{a}`" * 5000,
        "|a" * 2000 + "\n" + "|-" * 2000,
    ],
)
def test_hostile_text_does_not_take_long(text: str) -> None:
    start = time.process_time()
    parse(text)
    assert time.process_time() - start < 2
