"""Links resolve as in Obsidian, embeds stand in place, comments never come through, and every problem has its place."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.finding import Finding
from pipeline.vault import Note, Vault

ROOT = Path(__file__).parents[1] / "fixtures" / "vault"


@pytest.fixture
def vault() -> Vault:
    return Vault.load(ROOT)


def write(root: Path, notes: dict[str, str]) -> Vault:
    for name, text in notes.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return Vault.load(root)


def by_check(findings: list[Finding], check: str) -> list[Finding]:
    return [f for f in findings if f.check == check]


# Resolving


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("[[mdp]]", "topics/mdp.md"),
        ("[[MDP]]", "topics/mdp.md"),
        ("[[mdp.md]]", "topics/mdp.md"),
        ("[[topics/mdp]]", "topics/mdp.md"),
        ("[[../topics/mdp|x]]", "topics/mdp.md"),
        ("[[./week-01]]", "plan/week-01.md"),
        ("[[Markov Decision Process]]", "topics/mdp.md"),
        ("[[mixed case NÄME]]", "topics/Mixed Case Näme.md"),
        ("[[mixed case na\u0308me]]", "topics/Mixed Case Näme.md"),
        ("mdp#Policy", "topics/mdp.md"),
    ],
)
def test_links_find_their_note(vault: Vault, link: str, path: str) -> None:
    target = vault.resolve(link, "plan/week-01.md")
    assert target.problem is None
    assert target.note is not None and target.note.path == path


def test_headings_and_blocks_are_stretches_of_their_note(vault: Vault) -> None:
    def cut(link: str) -> str:
        target = vault.resolve(link, "plan/week-01.md")
        assert target.note is not None and target.problem is None
        return target.note.text[target.start : target.end].strip()

    assert cut("[[mdp#value OF a state]]").startswith("## Value of a state\n\nThe value")
    assert cut("[[mdp#MDP#Policy]]").startswith("## Policy\n\nA rule. ^short")
    assert cut("[[mdp#^key-idea]]") == "It is **defined** by a recursion. ^key-idea"
    assert cut("[[lists#^second]]") == "- second item\n  with a second line ^second"
    assert cut("[[#Formulas]]").startswith("## Formulas")
    assert cut("[[windows#^W]]") == "A line ^w"


def test_a_file_that_is_no_note_is_named(vault: Vault) -> None:
    target = vault.resolve("[[map.png]]")
    assert (target.note, target.file, target.problem) == (None, "assets/map.png", None)


@pytest.mark.parametrize(
    ("link", "check", "fix"),
    [
        ("[[mdpp]]", "vault.missing-note", "did you mean 'mdp'?"),
        ("[[Markov decission process]]", "vault.missing-note", "did you mean 'Markov decision process'?"),
        ("[[zzzzzz]]", "vault.missing-note", "write vault/zzzzzz.md or correct the link"),
        ("[[mapp.png]]", "vault.missing-note", "did you mean 'map.png'?"),
        ("[[mdp#Polcy]]", "vault.missing-heading", "did you mean 'Policy'?"),
        ("[[mdp#MDP#Code]]", "vault.missing-heading", ""),
        ("[[mdp#^key-ide]]", "vault.missing-block", "did you mean 'key-idea'?"),
    ],
)
def test_missing_targets_suggest_the_nearest(vault: Vault, link: str, check: str, fix: str) -> None:
    problem = vault.resolve(link, "plan/week-01.md").problem
    assert problem is not None
    assert (problem.check, problem.severity) == (check, "error")
    assert problem.fix.startswith(fix) and problem.fix


def test_twins_are_ambiguous_except_in_their_own_folder(vault: Vault) -> None:
    problem = vault.resolve("[[twin]]", "c/uses-twin.md").problem
    assert problem is not None and problem.check == "vault.ambiguous-link"
    assert "a/twin, b/twin" in problem.message
    near = vault.resolve("[[twin]]", "b/twin.md")
    assert near.problem is None and near.note is not None and near.note.path == "b/twin.md"
    assert vault.resolve("[[a/twin]]", "c/uses-twin.md").problem is None


# Expanding


def test_a_note_expands_as_a_reader_would_see_it(vault: Vault) -> None:
    assert (
        vault.expand("plan/week-01.md").text
        == """\
# Week one

Start from the process, see Code and missing note. **Marked** text goes on.

## Value of a state

The value[^mdp-v] is what an agent expects.

It is **defined** by a recursion.

[^mdp-v]: A number for each state.

> [!note] A callout
> It is **defined** by a recursion.

- - second item
    with a second line

Inline A rule. in a sentence, and ![[map.png|300]].

## Code

```python
x = "[[mdp]] %%kept%% ==kept== ^kept"
```

Uses `[[mdp]]` and a footnote[^1].

## Formulas

$a == b$ and **strong mark inside**.

[^1]: Written at the end, with mdp."""
    )


def test_comments_are_gone_from_everything(vault: Vault) -> None:
    for note in vault.all_notes():
        text = vault.expand(note).text
        assert "private" not in text and "A block" not in text and "hidden" not in text


def test_sections_and_blocks_expand_alone(vault: Vault) -> None:
    assert vault.expand("topics/mdp.md", "#Policy").text == "## Policy\n\nA rule.\n\nThe end."
    assert vault.expand("topics/mdp.md", "^short").text == "A rule."
    target = vault.resolve("[[mdp#^key-idea]]")
    assert vault.expand(target).text == "It is **defined** by a recursion."


def test_a_section_takes_its_footnotes_along(vault: Vault) -> None:
    expanded = vault.expand("plan/week-01.md", "Code")
    assert expanded.text.endswith("a footnote[^1].\n\n[^1]: Written at the end, with mdp.")
    assert expanded.place(expanded.text.index("Written"))[1] == 35


def test_links_can_be_written_by_the_caller(vault: Vault) -> None:
    def write(parts: object, note: Note | None) -> str:
        return f"<{note.path if note else 'nothing'}>"

    text = vault.expand("plan/week-01.md", "^intro", link=write).text
    assert text == "Start from <topics/mdp.md>, see <plan/week-01.md> and <nothing>. **Marked** text goes on."


def test_every_line_knows_where_it_stands(vault: Vault) -> None:
    expanded = vault.expand("plan/week-01.md")
    assert "".join(segment.text for segment in expanded.segments) == expanded.text
    for word, note in [
        ("Start from", "plan/week-01.md"),
        ("is what an agent", "topics/mdp.md"),
        ("by a recursion", "topics/mdp.md"),
        ("A number for", "topics/mdp.md"),
        ("with a second", "topics/lists.md"),
        ("A rule", "topics/mdp.md"),
        ("in a sentence", "plan/week-01.md"),
        ("Uses `[[mdp", "plan/week-01.md"),
        ("strong mark", "plan/week-01.md"),
    ]:
        path, line = expanded.place(expanded.text.index(word))
        assert path == note
        source = vault.note(path).text.split("\n")[line - 1]
        assert word.split()[0] in source, (word, line, source)


def test_windows_notes_expand_with_plain_line_ends(vault: Vault) -> None:
    assert vault.expand("topics/windows.md").text == "# Windows\n\nA line"


def test_embeds_inside_marks_keep_the_marks(tmp_path: Path) -> None:
    vault = write(tmp_path, {"a.md": "> q\n> ![[b]]\n\n1. ![[b]]\n   more\n\nmid ![[b]] end\n", "b.md": "one\n\ntwo\n"})
    assert vault.expand("a.md").text == (
        "> q\n> one\n>\n> two\n\n1. one\n\n   two\n   more\n\nmid\n\none\n\ntwo\n\nend"
    )


def test_a_block_within_a_quote_leaves_its_marks_behind(tmp_path: Path) -> None:
    vault = write(tmp_path, {"a.md": "![[b#^x]]", "b.md": "> > - first\n> >   second ^x\n"})
    assert vault.expand("a.md").text == "- first\n  second"


def test_marks_become_strong_only_where_that_holds(tmp_path: Path) -> None:
    vault = write(tmp_path, {"a.md": "==a== **b ==c== d** ==e **f** g== ==*h*==\n"})
    assert vault.expand("a.md").text == "**a** **b c d** e **f** g ***h***"


def test_comments_over_paragraphs_and_lists_go(tmp_path: Path) -> None:
    text = (
        "a %%x\n\nsecret one\n\n- secret two %% b\n\n- c\n  %%\n  secret\n  %%\n- d\n\n%% secret to the end\n\nsecret\n"
    )
    expanded = write(tmp_path, {"a.md": text}).expand("a.md").text
    assert "secret" not in expanded
    assert [word for word in expanded.split() if word != "-"] == ["a", "b", "c", "d"]


def test_footnotes_follow_footnotes_and_hide_comments(tmp_path: Path) -> None:
    note = "# A\n\nx[^1]\n\n# B\n\n[^1]: one %%secret%%[^2]\n\n[^2]: two[^1] [[b|link]]\n\n[^3]: unused\n"
    vault = write(tmp_path, {"a.md": note})
    assert vault.expand("a.md", "A").text == "# A\n\nx[^1]\n\n[^1]: one [^2]\n\n[^2]: two[^1] link"


# Findings


def test_a_cycle_of_embeds_ends_and_is_named(vault: Vault) -> None:
    expanded = vault.expand("broken/cycle-a.md")
    assert expanded.text == "# A\n\n# B\n\ntext"
    (finding,) = expanded.findings
    assert (finding.check, finding.place) == ("vault.embed-cycle", "vault/broken/cycle-b.md:5:1")
    assert "broken/cycle-a.md → broken/cycle-b.md → broken/cycle-a.md" in finding.message


def test_a_note_may_embed_another_part_of_itself(tmp_path: Path) -> None:
    vault = write(tmp_path, {"a.md": "# A\n\nx\n\n# B\n\n![[#A]]\n", "b.md": "# A\n\n![[#A]]\n"})
    assert vault.expand("a.md").findings == ()
    assert vault.expand("a.md").text == "# A\n\nx\n\n# B\n\n# A\n\nx"
    assert vault.expand("b.md").findings[0].check == "vault.embed-cycle"


def test_embeds_that_multiply_end(tmp_path: Path) -> None:
    notes = {f"n{i}.md": f"![[n{i + 1}]]\n\n![[n{i + 1}]]\n" for i in range(30)} | {"n30.md": "x"}
    started = time.process_time()
    findings = write(tmp_path, notes).expand("n0.md").findings
    assert by_check(list(findings), "vault.too-many-embeds")
    assert time.process_time() - started < 2


def test_check_reports_each_problem_at_its_place(vault: Vault) -> None:
    found = {(f.check, f.severity, f.place) for f in vault.check()}
    assert found == {
        ("vault.missing-note", "warning", "vault/plan/week-01.md:12:51"),
        ("vault.ambiguous-link", "warning", "vault/c/uses-twin.md:1:1"),
        ("vault.ambiguous-link", "error", "vault/c/uses-twin.md:1:14"),
        ("vault.embed-cycle", "error", "vault/broken/cycle-a.md:3:1"),
        ("vault.embed-cycle", "error", "vault/broken/cycle-b.md:5:1"),
        ("yaml.malformed", "error", "vault/broken/yaml.md:2"),
        ("yaml.duplicate-key", "error", "vault/broken/duplicate.md:3:1"),
        ("vault.duplicate-block", "error", "vault/broken/duplicate.md:7"),
        ("vault.missing-footnote", "warning", "vault/broken/duplicate.md:9:5"),
        ("vault.open-comment", "error", "vault/broken/duplicate.md:9:17"),
        ("vault.missing-heading", "error", "vault/broken/duplicate.md:11:1"),
        ("vault.missing-block", "error", "vault/broken/duplicate.md:11:26"),
        ("vault.missing-note", "error", "vault/broken/duplicate.md:11:45"),
        ("vault.open-properties", "error", "vault/broken/open.md:1"),
        ("vault.encoding", "error", "vault/broken/latin.md:3"),
    }
    assert all(f.fix for f in vault.check())


def test_check_can_look_at_a_part(vault: Vault) -> None:
    assert {f.file for f in vault.check(["plan"])} == {"vault/plan/week-01.md"}
    assert vault.check(["topics/mdp.md"]) == []
    part = Vault.load(ROOT, subset=["plan", "a"])
    assert {f.check for f in part.check()} == {"vault.missing-note"}
    assert part.resolve("[[mdp]]").problem is None, "links lead out of the subset"


def test_the_rest_works_when_some_notes_do_not(vault: Vault) -> None:
    assert vault.expand("broken/yaml.md").text == "# Works\n\nBody with mdp."
    assert vault.expand("broken/empty.md").text == ""
    assert "na\ufffdve" in vault.expand("broken/latin.md").text


def test_unreadable_and_huge_files_are_findings(tmp_path: Path) -> None:
    vault = write(tmp_path, {"big.md": "x" * 2_100_000, "wide.md": "", "nul.md": "a\x00b [[big]]"})
    (tmp_path / "wide.md").write_bytes("# W\n".encode("utf-16"))
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    vault = Vault.load(tmp_path)
    assert {(f.check, Path(f.file or "").name) for f in vault.check()} == {
        ("vault.too-large", "big.md"), ("vault.encoding", "wide.md"), ("vault.unreadable", "gone.md"),
    }  # fmt: skip
    assert vault.expand("wide.md").text == "# W"


def test_a_note_that_is_not_there_is_an_empty_note(vault: Vault) -> None:
    assert vault.expand("plan/week-99.md").text == ""
    assert vault.note("plan/week-99.md").findings[0].check == "vault.unreadable"


def test_glossary(tmp_path: Path) -> None:
    vault = write(
        tmp_path, {"glossary.md": "Intro.\n\n**Policy**: what to *do* in a state. ^policy\n\n**Two words** – x.\n"}
    )
    assert vault.glossary() == {"Policy": "what to do in a state.", "Two words": "x."}
    assert Vault.load(ROOT).glossary() == {}


PIECES = ["![[b]]", "![[b#H]]", "![[a]]", "![[b#^i]]", "[[b|x]]", "%%", "%% c %%", "==m==", "**s**", "> ", "- ", "\t"]
PIECES += ["\n", "\n\n", "\r\n", "word", "[^1]", "[^1]: n", "`%%`", "```\n", " ^i", "# H\n", "| a |\n|---|\n"]
SOUP = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@settings(max_examples=200, deadline=None)
@given(SOUP, SOUP)
def test_any_two_notes_expand(a: str, b: str) -> None:
    notes = {path: Note(path, f"v/{path}", text) for path, text in (("a.md", a), ("b.md", b))}
    vault = Vault(ROOT, "v", tuple(notes), (), ("",), notes)
    expanded = vault.expand("a.md")
    assert "".join(segment.text for segment in expanded.segments) == expanded.text
    assert "\r" not in expanded.text
    for segment in expanded.segments:
        assert 1 <= segment.line <= vault.note(segment.note).text.count("\n") + 1
    assert all(f.line and f.fix for f in [*expanded.findings, *vault.check()])


PLAIN = ["> ", "- ", "\n", "\n\n", "word ", "==m== ", "**s** ", "[[b|x]] ", "# H\n", "| a |\n|---|\n", "1. ", "^[n] ",
         "![x](y)"]  # fmt: skip
PROSE = st.lists(st.sampled_from(PLAIN), max_size=8).map("".join)


@settings(max_examples=300, deadline=None)
@given(PROSE, PROSE, PROSE, PROSE)
def test_no_comment_ever_comes_through(before: str, one: str, two: str, after: str) -> None:
    text = f"{before}%%{one}secret{two}%%{after}"
    vault = Vault(ROOT, "v", ("a.md",), (), ("",), {"a.md": Note("a.md", "v/a.md", text)})
    assert "secret" not in vault.expand("a.md").text
    assert not any("secret" in sentence.text for sentence in vault.note("a.md").document.sentences())


# Templates


def test_a_templates_placeholders_are_told_apart_from_dead_links(tmp_path: Path) -> None:
    text = "---\ncreated: {{date}}\n---\n[[{{title}}]] ![[{{date:YYYY}}]] [[<% tp.file.title %>]] [[gone]]\n"
    (tmp_path / "daily.md").write_text(text)
    found = [(f.check, f.severity, f.line) for f in Vault.load(tmp_path).check()]
    assert found == [
        ("yaml.placeholder", "warning", 2), ("vault.placeholder", "review", 4), ("vault.placeholder", "review", 4),
        ("vault.placeholder", "review", 4), ("vault.missing-note", "warning", 4),
    ]  # fmt: skip


@pytest.mark.parametrize("wide", ["utf-16", "utf-32"])
def test_wide_characters_are_read_and_named(tmp_path: Path, wide: str) -> None:
    (tmp_path / "a.md").write_bytes("# Ä\n[[b]]".encode(wide))
    first, second = Vault.load(tmp_path).check()
    assert (first.check, first.message) == ("vault.encoding", f"is {wide.upper()}, not UTF-8")
    assert second.message == "there is no note 'b'"


# Speed


def test_five_hundred_notes_load_and_check_in_two_seconds(tmp_path: Path) -> None:
    for i in range(500):
        links = " ".join(f"[[note {(i * 7 + k) % 500}|n{k}]] and [[note {(i + k) % 500}#Part {k}]]," for k in range(5))
        prose = (
            "The value of a state, $V(s)$, is what an agent expects to collect under its **policy**, `code` aside. " * 4
        )
        parts = "".join(f"## Part {k}\n\n{prose} ^b{k}\n\n> [!note] N\n> ==x== %%y%%\n\n" for k in range(5))
        front = f"---\naliases: [alias {i}]\ntags: [a, b]\n---\n"
        embed = f"![[note {i + 1}#^b1]]\n" if i < 499 else ""
        text = f"{front}# Note {i}\n\n{links}\n\n{embed}\n{parts}"
        assert 380 < len(text.split()) < 480
        (tmp_path / f"note {i}.md").write_text(text)
    (tmp_path / "last.md").write_text("[[alias 17]] [[alias 999]]")
    started = time.process_time()  # one thread; what else runs on the machine is not counted
    findings = Vault.load(tmp_path).check()
    seconds = time.process_time() - started
    assert [(f.check, f.fix) for f in findings] == [("vault.missing-note", "did you mean 'alias 99'?")]
    assert seconds < 2.0


def test_importing_the_vault_is_quick(tmp_path: Path) -> None:
    """Beside the libraries it stands on, in one run, from compiled modules as an installed program has them."""
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}

    def seconds(modules: str) -> float:
        code = f"import time; t = time.process_time(); import {modules}; print(time.process_time() - t)"
        run = [sys.executable, "-c", code]
        return min(float(subprocess.check_output(run, cwd=ROOT.parents[2], env=env)) for _ in range(4))

    assert seconds("pipeline.vault") < 3.5 * seconds("yaml, markdown_it, dataclasses")
