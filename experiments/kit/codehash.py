"""What code a run executed, as hashes that ignore docstrings, comments and formatting.

Starting from named definitions of a module, follow every name they use, through imports inside `experiments`, and
hash the syntax tree of each definition reached. A caption edited in `figures` therefore leaves `measure` alone, and a
changed constant three files away does not. Third-party packages are collected by name, for their versions.

Limit, on purpose: names built at run time (`getattr` with a computed name) are not followed; a module used as a bare
value counts whole.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from experiments.kit.files import hash_value, sha256

PACKAGE = "experiments"


@dataclass(frozen=True)
class Code:
    """Definitions reached (`module:name` -> hash) and the third-party packages they use."""

    parts: dict[str, str]
    libraries: frozenset[str]
    files: frozenset[Path]

    @property
    def hash(self) -> str:
        """One hash over all parts."""
        return hash_value(self.parts)


# A local name bound by an import: the module it comes from, and the attribute of it (None for the module itself).
Imported = tuple[str, str | None]
# A definition as read: its hash, the names it uses (with the attribute taken of each), the imports inside it.
Read = tuple[str, frozenset[tuple[str, str | None]], dict[str, Imported]]


@dataclass
class _Module:
    path: Path
    definitions: dict[str, ast.stmt] = field(default_factory=dict)
    imports: dict[str, Imported] = field(default_factory=dict)
    read: dict[str, Read] = field(default_factory=dict)


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements at module level, looking through `if` and `try`."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _top_level(node.body)
            yield from _top_level(node.orelse)
        elif isinstance(node, ast.Try):
            for part in (node.body, node.orelse, node.finalbody, *(h.body for h in node.handlers)):
                yield from _top_level(part)
        else:
            yield node


def _imports(node: ast.stmt, package: str) -> Iterator[tuple[str, Imported]]:
    if isinstance(node, ast.Import):
        for name in node.names:
            yield (
                (name.asname or name.name.split(".")[0]),
                (name.name if name.asname else name.name.split(".")[0], None),
            )
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parent = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parent, base] if base else parent)
        for name in node.names:
            yield (name.asname or name.name), (base, name.name)


def module_file(module: str, root: Path) -> Path | None:
    """The file of a dotted module under `root`, or None where there is none."""
    stem = root.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _load(path: Path, stamp: tuple[int, int], module: str) -> _Module:
    """Parsed module; `stamp` (mtime, size) only keys the in-process cache."""
    tree = _strip_docstrings(ast.parse(path.read_text(), filename=str(path)))
    loaded = _Module(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in _top_level(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            loaded.definitions[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for leaf in ast.walk(target):
                    if isinstance(leaf, ast.Name):
                        loaded.definitions[leaf.id] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            loaded.definitions[node.target.id] = node
        loaded.imports.update(_imports(node, package))
    return loaded


def _strip_docstrings(tree: ast.Module) -> ast.Module:
    """Remove docstrings in place (an emptied body becomes `pass`)."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def hash_definition(node: ast.stmt) -> str:
    """Hash of one definition as `ast.unparse` prints it: comments, formatting and line numbers do not count."""
    return sha256(ast.unparse(node))[:16]


def _read(node: ast.stmt, package: str) -> Read:
    nodes = list(ast.walk(node))
    attributes = {id(a.value): a.attr for a in nodes if isinstance(a, ast.Attribute)}
    uses = frozenset((n.id, attributes.get(id(n))) for n in nodes if isinstance(n, ast.Name))
    inner: dict[str, Imported] = {}
    for each in nodes:  # imports inside functions, for packages loaded late
        if isinstance(each, ast.Import | ast.ImportFrom):
            inner.update(_imports(each, package))
    return hash_definition(node), uses, inner


_known: dict[tuple[str, tuple[str, ...], Path], tuple[Code, list[tuple[Path, int, int]]]] = {}


def code_of(module: str, names: Iterable[str], root: Path) -> Code:
    """All code reachable from `names` of `module`. Raises FileNotFoundError or SyntaxError naming the file.

    Asking again in one process costs a look at the files' dates.
    """
    key = (module, tuple(names), root)
    if key in _known and all((s := path.stat()).st_mtime_ns == t and s.st_size == n for path, t, n in _known[key][1]):
        return _known[key][0]
    code = _reach(module, key[1], root)
    _known[key] = (code, [(path, s.st_mtime_ns, s.st_size) for path in code.files if (s := path.stat())])
    return code


def _reach(module: str, names: Iterable[str], root: Path) -> Code:
    parts: dict[str, str] = {}
    libraries: set[str] = set()
    files: set[Path] = set()
    queue: list[tuple[str, str | None]] = [(module, name) for name in names]
    seen: set[tuple[str, str | None]] = set()
    find = cache(lambda module: module_file(module, root))
    while queue:
        item = queue.pop()
        if item in seen:
            continue
        seen.add(item)
        where, name = item
        path = find(where)
        if path is None:
            raise FileNotFoundError(f"no module {where} under {root}")
        stat = path.stat()
        loaded = _load(path, (stat.st_mtime_ns, stat.st_size), where)
        files.add(path)
        if name is None:  # the module as a value: everything in it
            queue.extend((where, each) for each in loaded.definitions)
            continue
        node = loaded.definitions.get(name)
        if node is None:
            if name in loaded.imports:  # re-exported
                queue.extend(_targets(loaded.imports[name], None, find, libraries))
            continue
        if name not in loaded.read:
            loaded.read[name] = _read(node, where.rpartition(".")[0])
        digest, uses, inner = loaded.read[name]
        parts[f"{where}:{name}"] = digest
        for used, attribute in uses:
            if used in inner or used in loaded.imports:
                queue.extend(_targets(inner.get(used) or loaded.imports[used], attribute, find, libraries))
            elif used in loaded.definitions:
                queue.append((where, used))
    return Code(dict(sorted(parts.items())), frozenset(libraries), frozenset(files))


def _targets(
    imported: Imported, attribute: str | None, find: Callable[[str], Path | None], libraries: set[str]
) -> Iterator[tuple[str, str | None]]:
    """Where an imported name leads: (module, definition) inside the package, a library name outside it."""
    base, name = imported
    if base.split(".")[0] != PACKAGE:
        if base.split(".")[0] not in sys.stdlib_module_names:
            libraries.add(base.split(".")[0])
        return
    if name is None:
        yield base, attribute
    elif find(f"{base}.{name}") is not None:  # `from package import module`
        yield f"{base}.{name}", attribute
    else:
        yield base, name


def code_span(path: Path, name: str) -> tuple[int, int]:
    """First and last line (1-based) of the top-level definition `name`, decorators included. Raises KeyError."""
    stat = path.stat()
    loaded = _load(path, (stat.st_mtime_ns, stat.st_size), path.stem)
    node = loaded.definitions[name]
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return first, node.end_lineno or first


def definitions_of(path: Path) -> list[str]:
    """Names a listing of this file can show, in order."""
    stat = path.stat()
    return list(_load(path, (stat.st_mtime_ns, stat.st_size), path.stem).definitions)
