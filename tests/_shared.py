"""Make a folder once for all workers of a test session."""

import shutil
from collections.abc import Callable
from pathlib import Path

from scripts.core.locks import hold_folder


def made(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder after `make` has filled it; the first caller makes it and the others wait."""
    beside = folder.with_name(f"{folder.name}.made")
    with hold_folder(beside):
        if (failed := beside / "failed").exists():
            raise RuntimeError(f"{folder} could not be made: {failed.read_text()}")  # once is enough
        if not (beside / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)  # left by a worker that was killed
            folder.mkdir(parents=True)
            try:
                make(folder)
            except BaseException as error:
                failed.write_text(repr(error)[-3000:])
                raise
            (beside / "done").touch()
    return folder
