"""Watch what lies on disk while something runs, and fill small disks."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import glob
from pathlib import Path

POLL_S = 0.05


def sizes(folder: Path, pattern: str) -> dict[Path, int]:
    """Return the sizes of the files that match."""
    found = {}
    for name in glob(str(folder / pattern)):  # pathlib's stops at a folder that has just gone
        with suppress(FileNotFoundError):
            found[Path(name)] = Path(name).stat().st_size
    return found


@contextmanager
def sampled_bytes(folder: Path, pattern: str) -> Iterator[list[int]]:
    """Yield a list that grows, many times a second, by the bytes of the files in a folder that match.

    Only what is there before and after a look counts: a look takes time, in which one file goes and another comes.
    """
    seen, stop = [0], threading.Event()

    def look() -> None:
        before = sizes(folder, pattern)
        while not stop.wait(POLL_S):
            after = sizes(folder, pattern)
            seen.append(sum(min(size, after[path]) for path, size in before.items() if path in after))
            before = after

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[None]:
    """Mount an empty file system of its own on a folder (Linux, as root)."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(folder: Path, left_kb: int) -> Iterator[None]:
    """Fill the disk of a folder up to so many kB, until the block ends."""
    ballast = folder / ".ballast"
    with ballast.open("wb") as file:
        wanted = shutil.disk_usage(folder).free - left_kb * 1024
        while wanted > 0:
            try:
                os.posix_fallocate(file.fileno(), 0, wanted)
                break
            except OSError:  # somebody else wrote just now
                wanted -= 4096
    try:
        yield
    finally:
        ballast.unlink()
