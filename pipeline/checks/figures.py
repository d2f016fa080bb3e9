"""Figures: the files must be the ones the run drew, with an alternative text."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.kit.files import sha256
from pipeline.checks.subject import Subject
from pipeline.finding import Finding


def check(subject: Subject) -> Iterator[Finding]:
    """A figure file that is missing or differs from its record; an empty alternative text; an image from elsewhere."""
    for key, figure in subject.rendered.figures.items():
        folder = subject.evidence.results.folder_of(figure).folder
        for name, digest in figure.files.items():
            path = folder / "figures" / f"{figure.key}.{name}"
            if not path.is_file() or sha256(path.read_bytes()) != digest:
                state = "differs from the run's record" if path.is_file() else "is missing"
                yield Finding(
                    "figure-hash", "error", f"figure {key}: {name} {state}", subject.project.relative(path),
                    fix=f"forge run {figure.study} --again", key=key,
                )  # fmt: skip
        if not figure.alt.strip():
            message = f"figure {key} has no alternative text"
            yield Finding("figure-alt", "error", message, key=key, fix="add it in the study")
    for span in subject.document.spans:
        if span.kind in ("image", "embed"):
            fix = "show a figure of a study with {fig}`key`"
            yield subject.find("foreign-image", "error", span.start, "an image that no run drew", fix)
