"""The runner: keeps finished points, re-runs what changed and nothing else, and writes a folder that checks out."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import experiments
from experiments.kit.results import load_results, results_folder
from experiments.kit.run import StudyError, run_study, stale_reasons, studies

SOURCE = Path(__file__).with_name("toy_study.py.txt")
KIT = Path(experiments.__file__).parent / "kit"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with one toy study, importable as `experiments.toy.coin_study`; yields its file."""
    topic = tmp_path / "experiments" / "toy"
    topic.mkdir(parents=True)
    shutil.copytree(KIT, tmp_path / "experiments" / "kit", ignore=shutil.ignore_patterns("__pycache__"))
    (topic / "__init__.py").write_text("")
    file = topic / "coin_study.py"
    file.write_text(SOURCE.read_text())
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path / "experiments")])
    monkeypatch.setenv("WANDB_MODE", "disabled")
    # A file rewritten within a second, at the same length, would be taken for its compiled form.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    yield file
    forget()


def forget() -> None:
    for name in [n for n in sys.modules if n.startswith("experiments.toy")]:
        del sys.modules[name]


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    forget()


def run(file: Path, **options: object) -> tuple[int, int, tuple[str, ...]]:
    done = run_study("toy/coin", "smoke", root=file.parents[2], jobs=1, **options)  # type: ignore[arg-type]
    return done.computed, done.reused, done.reasons


def test_first_run_measures_every_point_and_second_none(toy: Path) -> None:
    assert run(toy) == (6, 0, ("no smoke run yet",))
    assert run(toy) == (0, 0, ())
    loaded = load_results(toy.parents[2], "toy", "smoke")
    assert loaded.problems == []
    assert set(loaded.records.facts) == {"toy.seeds", "toy.n10", "toy.n20"}
    fact = loaded.records.facts["toy.n10"]
    assert fact.n == 3 and fact.value == pytest.approx(sum(fact.values) / 3)
    assert fact.place is not None and fact.place.file.endswith("coin_study.py") and fact.place.function == "facts"
    assert loaded.runs["toy/coin"].limits == ("Only fair coins were flipped.",)


def test_editing_a_caption_or_docstring_measures_nothing_again(toy: Path) -> None:
    run(toy)
    rewrite(toy, '"""Count heads."""', '"""Count the heads, twice if need be."""\n    # a comment')
    assert run(toy) == (0, 0, ())
    rewrite(toy, '"Heads.", "Heads."', '"All heads.", "Heads."')
    computed, reused, reasons = run(toy)
    assert (computed, reused) == (0, 6)
    assert reasons == ("recording code changed: toy.coin_study:figures",)
    assert load_results(toy.parents[2], "toy", "smoke").records.figures["toy"].caption == "All heads."


def test_editing_a_helper_measures_again_and_says_which(toy: Path) -> None:
    run(toy)
    rewrite(toy, "rng.random() < 0.5", "rng.random() < 0.9")
    computed, reused, reasons = run(toy)
    assert (computed, reused) == (6, 0)
    assert reasons == ("measured code changed: toy.coin_study:flip",)


def test_a_failed_point_keeps_the_others_and_names_itself(toy: Path) -> None:
    rewrite(toy, "(10, 20) if", "(10, 13) if")
    with pytest.raises(StudyError, match=r"Config\(flips=13\) seed 0 failed twice: RuntimeError: thirteen"):
        run(toy)
    rewrite(toy, "config.flips == 13", "config.flips == -1")
    rewrite(toy, "config.flips == -1", "config.flips == 13")
    rewrite(toy, "(10, 13) if", "(10, 20) if")
    computed, reused, _ = run(toy)
    assert computed + reused == 6
    assert len(list((toy.parents[2] / ".forge" / "points" / "toy" / "coin").glob("*.json"))) >= 6


def test_edited_facts_are_noticed_and_mended(toy: Path) -> None:
    run(toy)
    facts = results_folder(toy.parents[2], "toy", "smoke") / "facts.json"
    good = facts.read_text()
    facts.write_text(good.replace('"n": 3', '"n": 300'))
    reasons = stale_reasons("toy/coin", "smoke", toy.parents[2])
    assert reasons == ["results folder: facts.json does not match run.json: the run was interrupted or edited by hand"]
    run(toy)
    assert facts.read_text() == good


def test_an_edited_series_is_mended_however_small_the_edit(toy: Path) -> None:
    run(toy)
    series = results_folder(toy.parents[2], "toy", "smoke") / "series" / "toy.csv"
    good = series.read_text()
    head, first, *rest = good.splitlines()
    series.write_text("\n".join([head, str(float(first) * (1 + 1e-6)), *rest]) + "\n")
    run(toy)
    assert series.read_text() == good


def test_results_from_elsewhere_are_reproduced_once(toy: Path) -> None:
    run(toy)
    shutil.rmtree(toy.parents[2] / ".forge")
    assert stale_reasons("toy/coin", "smoke", toy.parents[2]) == []
    assert run(toy) == (6, 0, ("not yet reproduced on this machine",))


def measured_elsewhere(file: Path, factor: float) -> None:
    """The kept points as another processor would have measured them."""
    for path in (file.parents[2] / ".forge" / "points" / "toy" / "coin").glob("*.json"):
        point = json.loads(path.read_text())
        point["metrics"] = {name: value * factor for name, value in point["metrics"].items()}
        path.write_text(json.dumps(point))
    shutil.rmtree(file.parents[2] / ".forge" / "runs")


@pytest.mark.parametrize(("factor", "stays"), [(1 + 2e-6, True), (1.01, False)])
def test_a_figure_and_its_series_stay_where_another_processor_only_adds_noise(
    toy: Path, factor: float, stays: bool
) -> None:
    def drawn() -> tuple[bytes, str, bytes, float]:
        records = load_results(toy.parents[2], "toy", "smoke")
        assert records.problems == []
        figure = records.records.figures["toy"]
        series, picture = (folder / figure.series).read_bytes(), (folder / "figures" / "toy.light.svg").read_bytes()
        return series, figure.data, picture, records.records.facts["toy.n20"].value

    run(toy)
    folder = results_folder(toy.parents[2], "toy", "smoke")
    *before, value = drawn()
    measured_elsewhere(toy, factor)
    assert run(toy) == (0, 6, ("not yet reproduced on this machine",))
    *after, moved = drawn()
    assert (after == before) is stays and moved == pytest.approx(value * factor)


def test_facts_json_has_one_entry_a_line_in_canonical_order(toy: Path) -> None:
    run(toy)
    lines = (results_folder(toy.parents[2], "toy", "smoke") / "facts.json").read_text().splitlines()
    keys = [next(iter(json.loads("{" + line.rstrip(",") + "}"))) for line in lines[1:-1]]
    assert keys == sorted(keys) == ["toy.n10", "toy.n20", "toy.seeds"]


def test_two_processes_give_what_one_gives(toy: Path) -> None:
    run(toy)
    folder = results_folder(toy.parents[2], "toy", "smoke")
    alone = (folder / "facts.json").read_bytes()
    figure = (folder / "figures" / "toy.light.svg").read_bytes()
    run(toy, force=True)
    assert (folder / "facts.json").read_bytes() == alone
    assert (folder / "figures" / "toy.light.svg").read_bytes() == figure


def test_unknown_study_gets_the_nearest_name(root: Path) -> None:
    with pytest.raises(StudyError, match="did you mean week01_mdp/gridworlds"):
        run_study("week01_mdp/gridworld", "smoke", root=root)
    assert "week01_mdp/gridworlds" in studies(root)
