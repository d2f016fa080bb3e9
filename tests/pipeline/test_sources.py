"""References are read with accents and braces decoded; what a citation would lack is a finding with its line."""

from pathlib import Path

import pytest

from pipeline.markdown import parse
from pipeline.sources import decoded, format_reference, load_sources, parse_sources

BIB = r"""% a comment
@string{mit = "MIT Press"}

@book{sutton2018,
  author    = {Sutton, Richard S. and Barto, Andrew G.},
  title     = {Reinforcement Learning: An Introduction},
  edition   = {2},
  publisher = mit,
  year      = 2018,
  url       = {http://incompleteideas.net/book/the-book-2nd.html},
}

@article{puterman1978,
  author  = "Martin L. Puterman and Moon Chirl Shin",
  title   = {Modified Policy Iteration Algorithms for Discounted {Markov} Decision Problems},
  journal = {Management Science},
  volume  = {24},
  number  = {11},
  pages   = {1127--1137},
  year    = {1978},
  doi     = {https://doi.org/10.1287/mnsc.24.11.1127},
}

@misc{towers2024,
  author = {van der Berg, Jan and Szepesv{\'a}ri, Csaba and {Farama Foundation}},
  title = {On $\gamma$ and {\"U}ber-values \& costs},
  date = {2024-07-24},
  eprint = {2407.17032}, archiveprefix = {arXiv},
}
"""


def test_entries_are_decoded() -> None:
    sources, findings = parse_sources(BIB)
    assert findings == []
    book, article, misc = sources["sutton2018"], sources["puterman1978"], sources["towers2024"]
    assert book.authors == ("Richard S. Sutton", "Andrew G. Barto")
    assert (book.kind, book.venue, book.year, book.line) == ("book", "MIT Press", "2018", 4)
    assert article.title == "Modified Policy Iteration Algorithms for Discounted Markov Decision Problems"
    assert (article.pages, article.doi) == ("1127–1137", "10.1287/mnsc.24.11.1127")
    assert article.families == ("Puterman", "Shin")
    assert misc.authors == ("Jan van der Berg", "Csaba Szepesvári", "Farama Foundation")
    assert (misc.title, misc.year) == (r"On $\gamma$ and Über-values & costs", "2024")
    assert misc.url == "https://arxiv.org/abs/2407.17032"


def test_short_names() -> None:
    sources, _ = parse_sources(BIB)
    assert sources["sutton2018"].short == "Sutton and Barto (2018)"
    assert sources["towers2024"].short == "van der Berg et al. (2024)"


def test_references_read_well() -> None:
    sources, _ = parse_sources(BIB)
    assert format_reference(sources["sutton2018"], "ch. 4") == (
        "Richard S. Sutton and Andrew G. Barto, *Reinforcement Learning: An Introduction*, 2nd edition, MIT Press, "
        "2018, ch. 4. <http://incompleteideas.net/book/the-book-2nd.html>"
    )
    assert format_reference(sources["puterman1978"]) == (
        "Martin L. Puterman and Moon Chirl Shin, “Modified Policy Iteration Algorithms for Discounted Markov Decision "
        "Problems”, *Management Science* 24(11), pp. 1127–1137, 1978. "
        "[doi:10.1287/mnsc.24.11.1127](<https://doi.org/10.1287/mnsc.24.11.1127>)"
    )


def test_a_reference_is_markdown_even_with_odd_characters() -> None:
    bib = "@article{a, year=2001, author={A_B *C*}, title={On [x] and f_1 | 2}, doi={10.1002/(SICI)1<2>3}}"
    sources, findings = parse_sources(bib)
    assert findings == []
    document = parse(format_reference(sources["a"]))
    assert "On [x] and f_1 | 2" in document.prose(document.blocks[0])
    (link,) = [s for s in document.spans if s.kind == "link"]
    assert link.data["url"].startswith("https://doi.org/10.1002/(SICI)1")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"Szepesv{\'a}ri", "Szepesvári"),
        (r"{\'A}lvaro G{\"o}del \c{c}", "Álvaro Gödel ç"),
        ("{Markov} {D}ecision", "Markov Decision"),
        ("1--2 --- ``x''", "1–2 — “x”"),
        (r"Wiley \& Sons", "Wiley & Sons"),
        ("A~B\n  C", "A B C"),
    ],
)
def test_latex_is_decoded(text: str, plain: str) -> None:
    assert decoded(text) == plain


def test_problems_name_line_key_and_fix(tmp_path: Path) -> None:
    bib = tmp_path / "notes" / "references.bib"
    bib.parent.mkdir()
    bib.write_text(
        "@book{a, author={A}, title={T}, year={2000}}\n"
        "@book{a, author={B}, title={U}, year={2001}}\n"
        "@book{b, author={A}, titel={T}, year={soon}}\n"
        "@book{c, author={A}, title={T}, title={U}, year={2000}}\n"
        "@article{d, title={open, year=2000\n}\n"
        "@book{e, author={A}, title={T}, year={2000}}\n"
        "@misc{}\n"
    )
    sources, findings = load_sources(bib)
    assert sorted(sources) == ["a", "b", "e"]
    assert sources["a"].authors == ("A",)
    assert [(f.check, f.line, f.key) for f in findings] == [
        ("sources.duplicate-key", 2, "a"),
        ("sources.incomplete", 3, "b"),
        ("sources.year", 3, "b"),
        ("sources.duplicate-field", 4, "c"),
        ("sources.malformed", 5, "d"),
        ("sources.no-key", 8, ""),
    ]
    assert all(f.file == "notes/references.bib" and f.fix for f in findings)
    assert findings[1].fix == "the entry has another field: did you mean 'titel'?"
    assert "line 1" in findings[0].message


def test_missing_and_unreadable_files_are_findings(tmp_path: Path) -> None:
    assert load_sources(tmp_path / "no.bib")[1][0].check == "sources.missing"
    assert load_sources(tmp_path)[1][0].check == "sources.unreadable"
    (tmp_path / "x.bib").write_bytes(b"% \n@book{a, title={\xff}}")
    assert (load_sources(tmp_path / "x.bib")[1][0].check, load_sources(tmp_path / "x.bib")[1][0].line) == (
        "sources.encoding",
        2,
    )


def test_the_projects_own_references_are_sound() -> None:
    sources, findings = load_sources(Path(__file__).parents[2] / "notes" / "references.bib")
    assert [f for f in findings if f.severity != "review"] == []
    assert sources["sutton2018"].families == ("Sutton", "Barto")
    assert sources["szepesvari2010"].families == ("Szepesvári",)
