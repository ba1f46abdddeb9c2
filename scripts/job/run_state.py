"""Files that show the processes of a run its progress, and whether it is stopping."""

from contextlib import suppress
from pathlib import Path

STATE = Path(".snakemake/reelsieve.json")  # the progress of the current run, or of one that was killed
STOPPING = Path(".snakemake/reelsieve.stopping")  # exists while a run is stopping


def note_stop() -> None:
    """Record that this run is stopping, for jobs that have not started yet."""
    with suppress(OSError):  # on a full disk, such jobs run to their end
        STOPPING.touch()


def is_stopping() -> bool:
    """Return whether the run of this folder is stopping."""
    return STOPPING.exists()
