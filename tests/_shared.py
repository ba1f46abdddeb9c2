"""Make a folder once for all workers of a test session."""

import shutil
from collections.abc import Callable
from pathlib import Path

from scripts.core.locks import hold_folder


def made(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder after `make` has filled it; the first caller makes it and the others wait."""
    beside = folder.with_name(f"{folder.name}.made")
    with hold_folder(beside):
        if not (beside / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)  # left by a `make` that failed
            folder.mkdir(parents=True)
            make(folder)
            (beside / "done").touch()
    return folder
