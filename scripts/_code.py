"""Tell whether code changed by its content: Snakemake goes by a script's date and does not see what it imports."""

import ast
import hashlib
from functools import cache
from pathlib import Path


def code_hash_in(folder: Path, name: str) -> str:
    """Return a hash of <name>.* in a folder and of every _*.py there that they import, directly or not."""
    files: set[Path] = set()
    waiting = sorted(folder.glob(f"{name}.*"))
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files.add(file)
        if file.suffix == ".py":
            waiting += [folder / f"{module}.py" for module in _shared_modules(file.read_bytes())]
    contents = [file.read_bytes() for file in sorted(files)]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]


@cache  # rules share most modules, and to parse them anew for each took half of the time of planning
def _shared_modules(source: bytes) -> list[str]:
    imported = [node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    return [module.removeprefix("scripts.") for module in imported if module.startswith("scripts._")]
