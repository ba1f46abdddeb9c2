"""Hash a rule's code. Snakemake compares only the script's modification date and ignores its imports."""

import ast
import functools
import hashlib
from collections.abc import Set
from pathlib import Path

# An edit in these rooms reruns nothing, because they do not affect what a job writes.
NOT_HASHED = frozenset({"job", "warm", "run"})


def code_hash_in(scripts: Path, rule: str, left_out: Set[str] = NOT_HASHED) -> str:
    """Return a hash of a rule's script, of all its imports from `scripts`, and of the templates in their folders.

    Modules in the rooms `left_out` do not count, nor do their imports.
    """
    (script,) = scripts.glob(f"*/{rule}.py")
    files: set[Path] = set()
    waiting = [script]
    while waiting:
        file = waiting.pop()
        if file in files or file.relative_to(scripts).parts[0] in left_out:
            continue
        files.add(file)
        waiting += [path for path in _imported_files(scripts, file.read_bytes()) if path.is_file()]
    templates = {path for file in files for path in file.parent.iterdir() if _is_template(path)}
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files | templates))).hexdigest()[:16]


def _is_template(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".py", ".pyc")


@functools.cache  # several scripts import the same modules, and parsing Python is slow
def _imported_files(scripts: Path, source: bytes) -> tuple[Path, ...]:
    """Return the files that imports may mean: `import scripts.a.b`, `from scripts.a import b`, and so on."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in sorted(names) if name.startswith("scripts.")]
    return tuple(scripts.joinpath(*names_below).with_suffix(".py") for _, *names_below in parts)
