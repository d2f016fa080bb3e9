"""Files that are whole or absent: atomic writes, canonical JSON and content hashes.

Contract: a reader never sees half a file. A write goes to a temporary file in the same folder, is flushed to
disk and renamed over the target, so a kill at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def atomic_write(path: Path, data: bytes | str) -> None:
    """Replace `path` by `data` in one step, creating parent folders. Raises OSError with the old file intact."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = data.encode() if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(raw)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def write_if_changed(path: Path, data: bytes | str) -> bool:
    """Atomic write that leaves an equal file, and its date, alone. Returns whether it wrote."""
    raw = data.encode() if isinstance(data, str) else data
    if path.is_file() and path.read_bytes() == raw:
        return False
    atomic_write(path, raw)
    return True


def canonical_json(value: Any) -> str:
    """Compact JSON with sorted keys: equal values give equal text. NaN and infinities are refused (ValueError)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_lines_object(entries: Mapping[str, Any]) -> str:
    """A JSON object with one entry a line, keys sorted, so that a diff shows which entry moved."""
    rows = (
        f"{json.dumps(key, ensure_ascii=False)}: "
        + json.dumps(entries[key], sort_keys=True, ensure_ascii=False, allow_nan=False)
        for key in sorted(entries)
    )
    return "{\n" + ",\n".join(rows) + "\n}\n"


def sha256(data: bytes | str) -> str:
    """Hex SHA-256 of bytes, or of text in UTF-8."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def hash_value(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return sha256(canonical_json(value))
