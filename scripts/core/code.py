"""Hash a rule's code. Snakemake compares only the script's modification date and ignores its imports."""

import ast
import functools
import hashlib
from collections.abc import Iterator, Set
from pathlib import Path

# Rooms and files that say how a job runs. What it writes is the same with any version of them: an edit reruns nothing.
NOT_HASHED = frozenset({"job", "warm", "run", "core/locks.py", "detection/cleanup.py"})


def code_hash_in(scripts: Path, rule: str, left_out: Set[str] = NOT_HASHED) -> str:
    """Return a hash of a rule's script, of all its imports from `scripts`, and of the templates in their folders.

    What is `left_out`, a room or a file, does not count, nor does what only that imports.
    """
    files = hashed_files(scripts, rule, left_out)
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()[:16]


def hashed_files(scripts: Path, rule: str, left_out: Set[str] = NOT_HASHED) -> set[Path]:
    """Return the files whose content the hash of a rule's code covers."""
    (script,) = scripts.glob(f"*/{rule}.py")
    files: set[Path] = set()
    waiting = [script]
    while waiting:
        file = waiting.pop()
        place = file.relative_to(scripts)
        if file in files or {place.parts[0], place.as_posix()} & left_out:
            continue
        files.add(file)
        waiting += [path for path in _imported_files(scripts, file.read_bytes()) if path.is_file()]
    return files | {path for file in files for path in file.parent.iterdir() if _is_template(path)}


def _is_template(path: Path) -> bool:
    return path.suffix in (".jinja", ".css", ".js")


@functools.cache  # several scripts import the same modules, and parsing Python is slow
def _imported_files(scripts: Path, source: bytes) -> tuple[Path, ...]:
    """Return the files that these imports may name: `import scripts.a.b`, `from scripts.a import b`, and so on."""
    names: set[str] = set()
    for node in _running_code(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in sorted(names) if name.startswith("scripts.")]
    return tuple(scripts.joinpath(*inner).with_suffix(".py") for _, *inner in parts)


def _running_code(block: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements of a block but those under `if TYPE_CHECKING`, which never run."""
    for part in ("body", "handlers", "orelse", "finalbody", "cases"):  # no expressions: they are most of a tree
        for node in getattr(block, part, ()):
            if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
                yield node
                yield from _running_code(node)
