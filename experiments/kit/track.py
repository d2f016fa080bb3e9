"""The Weights & Biases mirror. The JSONL log is the record; this is its copy, offline unless the person is logged in.

`WANDB_MODE` is respected. A mirror that fails is reported and never stops a run.
"""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

PROJECT = "knowledge-forge"


def logged_in() -> bool:
    """Whether W&B credentials exist (environment or netrc); nothing is sent to find out."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (FileNotFoundError, netrc.NetrcParseError, OSError):
        return False


class Mirror:
    """One W&B run. Use as a context manager; `where` is its URL or its offline folder relative to `.forge`."""

    def __init__(self, folder: Path, name: str, config: Mapping[str, Any]) -> None:
        self.folder, self.name, self.config = folder, name, dict(config)
        self.where = ""
        self.error = ""
        self._run: Any = None

    def __enter__(self) -> Mirror:
        mode: Literal["online", "offline"] = "online" if logged_in() else "offline"
        match os.environ.get("WANDB_MODE"):
            case "disabled":
                return self
            case "online":
                mode = "online"
            case "offline" | "dryrun":
                mode = "offline"
        try:
            os.environ.setdefault("WANDB_SILENT", "true")
            import wandb

            self.folder.mkdir(parents=True, exist_ok=True)
            settings = wandb.Settings(
                console="off", silent=True, x_disable_stats=True, disable_git=True, save_code=False
            )
            self._run = wandb.init(
                project=PROJECT,
                name=self.name,
                mode=mode,
                dir=self.folder,
                config=self.config,
                settings=settings,
            )
            self.where = self._run.url or Path(self._run.dir).parent.name
        except Exception as error:  # the mirror must never cost a run
            self.error = f"{type(error).__name__}: {error}"
        return self

    def log(self, row: Mapping[str, Any]) -> None:
        """Append one row of named numbers (or images)."""
        self._guard(lambda: self._run.log(dict(row)))

    def figure(self, key: str, png: Path) -> None:
        """Attach a figure."""

        def attach() -> None:
            import wandb

            self._run.log({f"figures/{key}": wandb.Image(str(png))})

        self._guard(attach)

    def summary(self, values: Mapping[str, float]) -> None:
        """Set the run's summary values."""
        self._guard(lambda: self._run.summary.update(dict(values)))

    def _guard(self, action: Any) -> None:
        if self._run is None or self.error:
            return
        try:
            action()
        except Exception as error:
            self.error = f"{type(error).__name__}: {error}"

    def __exit__(self, *exc: object) -> None:
        failed = exc and exc[0] is not None
        self._guard(lambda: self._run.finish(exit_code=1 if failed else 0))
