"""Code listings: a function or class cut from the file that ran, bound to the hash under which it ran.

A listing is named `topic/file.py:name`, such as `week01_mdp/value_iteration.py:value_iteration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from experiments.kit.codehash import code_of, code_span, definitions_of
from experiments.kit.errors import CannotRun
from experiments.kit.results import Run


class ListingError(CannotRun):
    """A listing that cannot be cut; the message has the nearest name."""


@dataclass(frozen=True)
class Listing:
    """A definition's source text. `ran` says whether exactly this code is among what a run executed."""

    ref: str
    file: str
    name: str
    code: str
    first_line: int
    last_line: int
    hash: str
    ran: bool


def cut_listing(root: Path, ref: str, runs: Mapping[str, Run]) -> Listing:
    """Cut `topic/file.py:name` from `experiments/`. Raises ListingError with the nearest file or name."""
    where, _, name = ref.partition(":")
    path = (root / "experiments" / where).resolve()
    experiments = (root / "experiments").resolve()
    if not path.is_relative_to(experiments) or not path.is_file() or path.suffix != ".py":
        known = [str(p.relative_to(experiments)) for p in experiments.glob("*/*.py")]
        near = get_close_matches(where, known, n=1)
        raise ListingError(f"no file experiments/{where}" + (f"; did you mean {near[0]}:{name}?" if near else ""))
    names = definitions_of(path)
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {where}:{near[0]}?" if near else f"it defines {', '.join(names)}"
        raise ListingError(f"experiments/{where} defines no {name or '(name missing)'}; {hint}")
    first, last = code_span(path, name)
    code = "\n".join(path.read_text(encoding="utf-8").splitlines()[first - 1 : last])
    module = "experiments." + where.removesuffix(".py").replace("/", ".")
    digest = code_of(module, [name], root).parts[f"{module}:{name}"]
    ran = any(run.code.get(f"{module}:{name}") == digest for run in runs.values())
    return Listing(ref, f"experiments/{where}", name, code, first, last, digest, ran)
