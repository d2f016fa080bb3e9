"""Fixtures of the sending layer's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.writers.helpers import Desk
from tests.writers.messages_server import Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that speaks the Messages API."""
    with serve() as running:
        yield running


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Desk:
    """A project and the server its writings are sent to."""
    (tmp_path / "notes").mkdir()
    return Desk(tmp_path, server)
