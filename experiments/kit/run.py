"""Run a study: sweep its points, keep each finished one, and turn the outcomes into a results folder.

Contract: every finished point is kept under a hash of its configuration, seed, the code `measure` reaches and the
libraries it uses, so a killed run resumes and a changed caption re-runs nothing. A point that fails is tried once
more. The results folder changes only when every point is in, and `run.json` is its last file.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from experiments.kit.codehash import Code, code_of
from experiments.kit.contract import BUDGETS, THEMES, Budget, Figure, Outcome, Point, Study
from experiments.kit.environment import environment
from experiments.kit.errors import CannotRun
from experiments.kit.files import atomic_write, canonical_json, hash_value, sha256
from experiments.kit.operators import evaluate_claim, evaluate_derivation
from experiments.kit.record import EDITIONS, ROOT, Claim, Fact, FigureRecord
from experiments.kit.results import Results, Run, load_results, results_folder, save_results
from experiments.kit.track import Mirror

MEASURING = ("measure", "sweep")
RECORDING = ("facts", "derived", "claims", "figures", "TITLE", "QUESTION", "LIMITS")
NOISE = 1e-3
"""What a number of a figure's series may move by, of its column's largest, and still be the recorded one: less than a
line is wide. (Series that a study rounds move by a whole last digit.)"""
Report = Callable[[str], None]
# Numeric libraries get one thread: points run side by side, and times compare algorithms, not libraries.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class StudyError(CannotRun):
    """A study that cannot run; the message says which, why and what to do."""


@dataclass(frozen=True)
class RunReport:
    """What `run_study` did: `reasons` empty means the results were up to date and nothing ran."""

    study: str
    budget: str
    reasons: tuple[str, ...]
    computed: int = 0
    reused: int = 0
    seconds: float = 0.0
    moved: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class _Freshness:
    reasons: list[str] = field(default_factory=list)
    measuring: Code | None = None
    recording: Code | None = None


def studies(root: Path = ROOT) -> list[str]:
    """All studies, as `topic/name`, in order."""
    found = sorted(root.glob("experiments/*/*_study.py"))
    return [f"{path.parent.name}/{path.stem.removesuffix('_study')}" for path in found]


def check_study(study: str, root: Path = ROOT) -> None:
    """Raise StudyError, with the nearest name, where no such study exists."""
    known = studies(root)
    if study not in known:
        near = get_close_matches(study, known, n=1) or [k for k in known if k.split("/")[1] == study.split("/")[-1]]
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
        raise StudyError(f"no study {study}; {hint}")


def _split(study: str) -> tuple[str, str, str]:
    topic, _, name = study.partition("/")
    return topic, name, f"experiments.{topic}.{name}_study"


def _ledger(root: Path, study: str, budget: str) -> Path:
    topic, name, _ = _split(study)
    return root / ".forge" / "runs" / f"{topic}-{name}-{budget}.json"


def libraries_of(code: Code) -> dict[str, str]:
    """Installed versions of the packages the code uses ('' for one that is not installed)."""
    versions = {}
    for name in sorted(code.libraries):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = ""
    return versions


def _changes(old: Mapping[str, str], new: Mapping[str, str], what: str) -> list[str]:
    changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    if not changed:
        return []
    shown = ", ".join(key.removeprefix("experiments.") for key in changed[:3])
    return [f"{what} changed: {shown}" + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")]


def _freshness(study: str, budget: str, root: Path, here: bool, results: Results | None = None) -> _Freshness:
    topic, _, module = _split(study)
    results = results or load_results(root, topic, budget)
    state = _Freshness(measuring=code_of(module, MEASURING, root), recording=code_of(module, RECORDING, root))
    assert state.measuring is not None and state.recording is not None
    run = results.runs.get(study)
    if run is None:
        state.reasons.append(f"no {budget} run yet")
        return state
    state.reasons += [f"results folder: {problem}" for problem in results.problems]
    state.reasons += _changes(run.code, state.measuring.parts, "measured code")
    state.reasons += _changes(run.record_code, state.recording.parts, "recording code")
    state.reasons += _changes(run.libraries, libraries_of(state.measuring), "library version")
    if run.dirty and not git_state(root, sorted(state.measuring.files | state.recording.files))[1]:
        state.reasons.append("measured from uncommitted code that is committed now")
    if here and not _ledger(root, study, budget).is_file():
        state.reasons.append("not yet reproduced on this machine")
    return state


def stale_reasons(
    study: str, budget: str, root: Path = ROOT, *, here: bool = False, results: Results | None = None
) -> list[str]:
    """Why a study's results are stale, in words; empty when they are fresh. Imports no study.

    With `here`, results that came with the repository and were never run on this machine count as stale. `results`
    are the topic's, where they have been read already.
    """
    return _freshness(study, budget, root, here, results).reasons


def machine() -> str:
    """This machine in words, without names: processor, cores, memory, system."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {round(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30)} GiB"
    return f"{os.cpu_count()} cores, {model}{memory}, {platform.system()}"


def git_state(root: Path, files: Sequence[Path]) -> tuple[str | None, bool]:
    """The checked-out commit and whether any of `files` differs from it; (None, True) outside a repository."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()
        names = [str(path.relative_to(root)) for path in files]
        status = subprocess.run(
            ["git", "status", "--porcelain", "--", *names],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None, True
    return commit, bool(status)


def _measure(module: str, config: Any, seed: int) -> dict[str, Any]:
    """Run one point in whatever process this is; returns its kept form."""
    study: Study = importlib.import_module(module)
    rows: list[dict[str, float]] = []
    start = time.perf_counter()
    metrics = study.measure(config, seed, lambda row: rows.append(dict(row)))
    text = canonical_json({"metrics": metrics, "rows": rows, "seconds": time.perf_counter() - start})
    kept: dict[str, Any] = json.loads(text)
    return kept


def _try_measure(module: str, config: Any, seed: int, index: int) -> tuple[int, dict[str, Any] | None, str]:
    last = ""
    for _ in range(2):
        try:
            return index, _measure(module, config, seed), ""
        except Exception as error:
            last = f"{type(error).__name__}: {error}"
    return index, None, last


def _compute(
    module: str, points: Sequence[tuple[int, Point]], jobs: int, cluster: str | None
) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """Results as they finish. One job runs in this process; more go through joblib, or a Dask cluster."""
    if jobs == 1 and cluster is None:
        for index, point in points:
            yield _try_measure(module, point.config, point.seed, index)
        return
    import joblib

    if cluster is not None:
        try:
            from dask.distributed import Client  # type: ignore[import-not-found]
        except ImportError:
            raise StudyError("--cluster needs Dask: pip install dask distributed") from None
        client = Client(cluster)
        backend: dict[str, Any] = {"backend": "dask", "client": client}
    else:
        backend = {"backend": "loky", "n_jobs": jobs, "inner_max_num_threads": 1}
    with joblib.parallel_config(**backend):
        work = (joblib.delayed(_try_measure)(module, p.config, p.seed, i) for i, p in points)
        yield from joblib.Parallel(return_as="generator_unordered", pre_dispatch="2*n_jobs")(work)


def _outcomes(
    study: str,
    budget: Budget,
    points: Sequence[Point],
    code: Code,
    root: Path,
    timed: bool,
    options: _Options,
    mirror: Mirror,
) -> tuple[list[Outcome], int, float]:
    """All points' outcomes in sweep order, how many were computed now, and the seconds their measuring took."""
    topic, name, module = _split(study)
    folder = root / ".forge" / "points" / topic / name
    basis = hash_value({"code": code.hash, "libraries": libraries_of(code), "study": study})
    keys = [hash_value([basis, _config_json(point.config), point.seed])[:32] for point in points]
    if len(set(keys)) != len(keys):
        raise StudyError(f"{study}: sweep({budget!r}) names the same configuration and seed twice")
    kept: dict[int, dict[str, Any]] = {}
    for index, key in enumerate(keys):
        path = folder / f"{key}.json"
        if path.is_file() and not options.force:
            kept[index] = json.loads(path.read_text(encoding="utf-8"))
    todo = [(i, p) for i, p in enumerate(points) if i not in kept]
    if kept and todo:
        options.report(f"{study}: {len(kept)} of {len(points)} points are kept from before")
    jobs = 1 if timed else min(options.jobs, max(1, len(todo)))
    last = time.monotonic()
    for done, (index, result, error) in enumerate(_compute(module, todo, jobs, options.cluster), 1):
        if result is None:
            raise StudyError(
                f"{study}: point {points[index].config} seed {points[index].seed} failed twice: {error}\n"
                f"  fix: the {done - 1} finished points are kept; mend the study and run `forge run {study}` again"
            )
        atomic_write(folder / f"{keys[index]}.json", canonical_json(result))
        kept[index] = result
        for row in result["rows"] or [{"seconds": result["seconds"]}]:
            mirror.log({"point": index, "seed": points[index].seed, **row})
        if done == len(todo) or time.monotonic() - last > 2:
            last = time.monotonic()
            options.report(f"{study}: {len(kept)}/{len(points)} points")
    _write_log(root / ".forge" / "logs" / topic / f"{name}-{budget}.jsonl", points, kept)
    outcomes = [Outcome(p.config, p.seed, kept[i]["metrics"]) for i, p in enumerate(points)]
    return outcomes, len(todo), sum(kept[i]["seconds"] for i in range(len(points)))


def _config_json(config: Any) -> dict[str, Any]:
    return {"type": type(config).__name__, **asdict(config)}


def _write_log(path: Path, points: Sequence[Point], kept: Mapping[int, Mapping[str, Any]]) -> None:
    """The JSONL record: one line a logged row, or one a point that logged none."""
    lines = []
    for index, point in enumerate(points):
        base = {"point": index, "seed": point.seed, "config": _config_json(point.config)}
        for row in kept[index]["rows"] or [{}]:
            lines.append(canonical_json({**base, **row, "seconds": kept[index]["seconds"]}))
    atomic_write(path, "\n".join(lines) + "\n")


@dataclass(frozen=True)
class _Options:
    jobs: int
    cluster: str | None
    force: bool
    report: Report


def _series_csv(series: Mapping[str, Sequence[Any]], key: str) -> tuple[str, str]:
    """The series as CSV, and a hash of its values to 6 significant digits (so that noise in the last bits is none)."""
    lengths = {len(column) for column in series.values()}
    if len(lengths) > 1:
        raise StudyError(f"figure {key}: its series has columns of different lengths")

    def cell(value: Any, digits: str) -> str:
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return "" if value is None else str(value).replace(",", ";")
        number = float(value)
        return str(int(number)) if number == int(number) and abs(number) < 1e15 else format(number, digits)

    rows = list(zip(*series.values(), strict=True))
    text = "\n".join([",".join(series), *(",".join(cell(v, ".10g") for v in row) for row in rows)]) + "\n"
    data = "\n".join([",".join(series), *(",".join(cell(v, ".6g") for v in row) for row in rows)])
    return text, sha256(data)


def _only_noise(old: str, new: str) -> bool:
    """Whether two CSVs of a series tell the same: no number moved by more than `NOISE`, nothing else at all."""
    before, after = ([line.split(",") for line in text.splitlines()] for text in (old, new))
    if [len(row) for row in before] != [len(row) for row in after]:
        return False
    for one, other in zip(zip(*before, strict=True), zip(*after, strict=True), strict=True):
        moved = [(_float(x), _float(y)) for x, y in zip(one, other, strict=True) if x != y]
        bound = NOISE * (1 + 1e-9) * max((abs(x) for x in map(_float, one) if math.isfinite(x)), default=0.0)
        if any(not abs(x - y) <= bound for x, y in moved):  # nan, where one of them is no number
            return False
    return True


def _float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _draw(figure: Figure, results: Results, study: str, run: str, code: str, reproduced: bool) -> FigureRecord:
    """Draw one figure in both themes, unless the same data was drawn by the same code before.

    Another processor adds up in another order, and training makes the last bits grow. Where a run that has `reproduced`
    every value only adds noise to a recorded series, series and figure stay as they are, and what was approved with
    them need not be approved again.
    """
    text, data = _series_csv(figure.series, figure.key)
    series = f"series/{figure.key}.csv"
    path = results.folder / series
    drawn = hash_value([data, code])
    old = results.records.figures.get(figure.key)
    if old is not None and reproduced and path.is_file() and _only_noise(path.read_text(encoding="utf-8"), text):
        drawn = old.data
    else:
        atomic_write(path, text)
    record = FigureRecord(
        figure.key,
        figure.caption,
        figure.plain,
        figure.alt,
        study,
        run,
        series,
        drawn,
        {},
        figure.machine,
        place=figure.place,
    )
    folder = results.folder / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    if old is not None and old.data == drawn and old.files:
        paths = {name: folder / f"{figure.key}.{name}" for name in old.files}
        if all(path.is_file() and sha256(path.read_bytes()) == old.files[name] for name, path in paths.items()):
            return replace(record, files=old.files, width=old.width, height=old.height)
    import matplotlib as mpl

    mpl.use("Agg")
    files: dict[str, str] = {}
    width = height = 0
    for theme in THEMES:
        canvas = figure.draw(theme)
        with mpl.rc_context({"svg.hashsalt": figure.key, "svg.fonttype": "path"}):
            for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
                path = folder / f"{figure.key}.{theme}.{suffix}"
                partial = path.with_name(f".{path.name}.tmp")
                canvas.savefig(partial, format=suffix, metadata=metadata, dpi=200)
                partial.replace(path)
                files[f"{theme}.{suffix}"] = sha256(path.read_bytes())
        inches = canvas.get_size_inches()
        width, height = round(inches[0] * 96), round(inches[1] * 96)
        canvas.clear()
    return replace(record, files=files, width=width, height=height)


def _reproduced(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> bool:
    """Whether every fact that is no measured time prints as recorded."""
    return all(
        key in old and old[key].text(edition) == fact.text(edition)
        for key, fact in new.items()
        for edition in EDITIONS
        if not fact.machine
    )


def _moved(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> list[str]:
    """Facts whose printed text changed, old -> new; machine-dependent ones only beyond their tolerance."""
    lines = []
    for key, fact in new.items():
        before = old.get(key)
        if before is None or before.text("scientist") == fact.text("scientist"):
            continue
        if fact.machine and within_tolerance(before, fact):
            continue
        lines.append(f"{key}: {before.text('scientist')} -> {fact.text('scientist')}")
    return lines


def within_tolerance(old: Fact, new: Fact) -> bool:
    """Whether a machine-dependent value stayed within its stated factor of the old one."""
    factor = old.tolerance or 1.0
    if old.value == 0 or new.value / old.value <= 0:
        return old.value == new.value
    return 1 / factor <= new.value / old.value <= factor


def run_study(
    study: str,
    budget: Budget = "small",
    *,
    root: Path = ROOT,
    jobs: int | None = None,
    cluster: str | None = None,
    force: bool = False,
    here: bool = True,
    report: Report = lambda line: None,
) -> RunReport:
    """Bring a study's results at `budget` up to date. Raises StudyError where it cannot run."""
    check_study(study, root)
    if budget not in BUDGETS:
        raise StudyError(f"no budget {budget}; there are {', '.join(BUDGETS)}")
    topic, _, module = _split(study)
    results = load_results(root, topic, budget)
    state = _freshness(study, budget, root, here, results)
    assert state.measuring is not None and state.recording is not None
    reasons = [*state.reasons, *(["asked to run again"] if force else [])]
    if not reasons:
        return RunReport(study, budget, ())
    report(f"{study}: running at {budget} ({'; '.join(reasons)})")
    began = time.perf_counter()
    options = _Options(jobs or os.cpu_count() or 1, cluster, force, report)
    with environment(dict.fromkeys(THREADS, "1")):
        loaded: Study = _import(module)
        points = list(loaded.sweep(budget))
        run_id = f"{study.split('/')[1]}-{budget}-{hash_value([state.measuring.parts, state.recording.parts])[:8]}"
        config = {"study": study, "budget": budget, "points": len(points), "question": loaded.QUESTION}
        with Mirror(root / ".forge" / "wandb", run_id, config) as mirror:
            outcomes, computed, seconds = _outcomes(
                study, budget, points, state.measuring, root, loaded.TIMED, options, mirror
            )
            facts, claims = _records(loaded, outcomes, study, run_id)
            report(f"{study}: drawing figures")
            code = state.recording.hash
            recorded = results.runs.get(study)
            intact = recorded is not None and not results.problems and recorded.record_code == state.recording.parts
            reproduced = intact and _reproduced(results.records.facts, facts)
            figures = [_draw(f, results, study, run_id, code, reproduced) for f in loaded.figures(outcomes)]
            mirror.summary({key: fact.value for key, fact in facts.items()})
            for figure in figures:
                mirror.figure(figure.key, results.folder / "figures" / f"{figure.key}.light.png")
    commit, dirty = git_state(root, sorted(state.measuring.files | state.recording.files))
    before = dict(results.records.facts)
    for table in (results.records.facts, results.records.claims, results.records.figures):
        for key in [k for k, record in table.items() if record.study == study]:
            del table[key]
    _insert(results, facts, claims, figures, study)
    results.runs[study] = Run(
        id=run_id,
        study=study,
        budget=budget,
        title=loaded.TITLE,
        question=loaded.QUESTION,
        limits=tuple(loaded.LIMITS),
        points=len(points),
        seeds=len({p.seed for p in points}),
        seconds=round(seconds, 2),
        started=datetime.now(UTC).replace(microsecond=0).isoformat(),
        commit=commit,
        dirty=dirty,
        code=state.measuring.parts,
        record_code=state.recording.parts,
        libraries=libraries_of(state.measuring),
        python=platform.python_version(),
        machine=machine(),
        tracked=mirror.where,
    )
    save_results(results)
    atomic_write(_ledger(root, study, budget), canonical_json({"run": run_id}))
    warnings = [f"W&B mirror: {mirror.error}"] if mirror.error else []
    return RunReport(
        study,
        budget,
        tuple(reasons),
        computed,
        len(points) - computed,
        time.perf_counter() - began,
        tuple(_moved(before, facts)),
        tuple(warnings),
    )


def _import(module: str) -> Study:
    try:
        loaded = importlib.import_module(module)
    except Exception as error:
        raise StudyError(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, Study):
        names = (
            "TITLE",
            "QUESTION",
            "LIMITS",
            "TIMED",
            "sweep",
            "measure",
            "facts",
            "derived",
            "claims",
            "figures",
        )
        missing = [name for name in names if not hasattr(loaded, name)]
        raise StudyError(f"{module} is not a study: it lacks {', '.join(missing)} (see experiments/kit/contract.py)")
    return loaded


def _records(
    study: Study, outcomes: Sequence[Outcome], name: str, run: str
) -> tuple[dict[str, Fact], dict[str, Claim]]:
    """Facts, derived values (in order: one may build on another) and evaluated claims, stamped with study and run."""
    facts: dict[str, Fact] = {}
    for fact in study.facts(outcomes):
        if fact.key in facts:
            raise StudyError(f"{name}: fact {fact.key} is recorded twice")
        facts[fact.key] = replace(fact, study=name, run=run)
    for asked in study.derived():
        if asked.key in facts:
            raise StudyError(f"{name}: derived value {asked.key} has the key of another fact")
        facts[asked.key] = replace(evaluate_derivation(asked, facts), study=name, run=run)
    claims: dict[str, Claim] = {}
    for stated in study.claims():
        if stated.key in claims:
            raise StudyError(f"{name}: claim {stated.key} is stated twice")
        claims[stated.key] = replace(evaluate_claim(stated, facts), study=name, run=run)
    return facts, claims


def _insert(
    results: Results,
    facts: Mapping[str, Fact],
    claims: Mapping[str, Claim],
    figures: Sequence[FigureRecord],
    study: str,
) -> None:
    records = results.records
    named: list[tuple[Any, Mapping[str, Any]]] = [
        (records.facts, facts),
        (records.claims, claims),
        (records.figures, {figure.key: figure for figure in figures}),
    ]
    for table, new in named:
        for key, record in new.items():
            if key in table:
                raise StudyError(f"{study}: key {key} already belongs to study {table[key].study}")
            table[key] = record


__all__ = [
    "RunReport",
    "StudyError",
    "check_study",
    "load_results",
    "results_folder",
    "run_study",
    "stale_reasons",
    "studies",
    "within_tolerance",
]
