"""Every study at the smoke budget: sound records, drawable figures, sentences that bind every value."""

from __future__ import annotations

import re

import pytest

from experiments.kit.contract import THEMES, Study
from experiments.kit.record import EDITIONS
from experiments.kit.run import studies
from tests.experiments.studies import Ran, smoke

ROLE = re.compile(r"\{val\}`([^`]+)`")
NUMBERS = re.compile(r"\b(two|three|four|five|six|seven|ten|hundred|thousand|half|twice|double)\b", re.I)
# A study of the topic records more facts than the first number and at least as many claims as the second.
ENOUGH = {"week01_mdp": (100, 12), "week02_tokens": (50, 7), "week03_attention": (10, 4), "week04_policy": (20, 5)}
# Names that hold a number without stating one.
NAMES = {"week02_tokens": re.compile(r"GPT-2|bzip2|UTF-8|half English|half of the (training )?text")}


@pytest.fixture(params=studies())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ran(name: str) -> Ran:
    return smoke(name)


def test_is_a_study(name: str, ran: Ran) -> None:
    facts, claims = ENOUGH[name.partition("/")[0]]
    assert isinstance(ran.study, Study)
    assert len(ran.facts) > facts and len(ran.claims) >= claims
    assert all(limit[0].isupper() and limit.endswith(".") for limit in ran.study.LIMITS)


def test_every_fact_prints_in_both_editions_and_knows_its_line(name: str, ran: Ran) -> None:
    for fact in ran.facts.values():
        assert all(fact.text(edition) for edition in EDITIONS)
        assert fact.place is not None and fact.place.file == f"experiments/{name}_study.py", fact.key
        assert fact.place.function not in ("_exact", "_over_seeds", "over_seeds"), fact.key


def test_sentences_bind_every_value(name: str, ran: Ran) -> None:
    """Well-formed sentences, only known keys, no digit and no spelled number outside a role."""
    texts = [(c.key, text) for c in ran.claims.values() for text in (c.says, c.plain)]
    texts += [(f.key, text) for f in ran.study.figures(ran.outcomes) for text in (f.caption, f.plain, f.alt)]
    allowed = NAMES.get(name.partition("/")[0])
    for key, text in texts:
        assert set(ROLE.findall(text)) <= ran.facts.keys(), (key, text)
        prose = ROLE.sub("V", text)
        prose = allowed.sub("N", prose) if allowed else prose
        assert not re.search(r"\d", prose), (key, prose)
        assert not NUMBERS.search(prose), (key, prose)
        assert (prose[0].isupper() or text.startswith("{val}")) and prose.endswith("."), (key, prose)


def test_claims_are_distinct_and_evaluated(ran: Ran) -> None:
    claims = ran.claims.values()
    assert all(c.holds is not None and c.detail for c in claims)
    assert len({c.says for c in claims}) == len(claims) == len({c.plain for c in claims})


def test_figures_draw_in_both_themes_and_carry_their_data(ran: Ran) -> None:
    for figure in ran.study.figures(ran.outcomes):
        lengths = {len(column) for column in figure.series.values()}
        assert len(lengths) == 1 and lengths.pop() > 0, figure.key
        for theme in THEMES:
            canvas = figure.draw(theme)
            assert canvas.axes and all(axes.has_data() for axes in canvas.axes), figure.key
