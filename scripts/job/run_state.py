"""Files by which the processes of a run know how far it is and whether it ends."""

from contextlib import suppress
from pathlib import Path

STATE = Path(".snakemake/reelsieve.json")  # how far the run is that goes on, or was killed
STOPPING = Path(".snakemake/reelsieve.stopping")  # there while a run ends that was told to


def note_stop() -> None:
    """Note that this run was told to end, for jobs that begin yet."""
    with suppress(OSError):  # a full disk: they do their work, then
        STOPPING.touch()


def is_stopping() -> bool:
    """Tell whether the run of this folder was told to end."""
    return STOPPING.exists()
