"""Watch what lies on disk while something runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_S = 0.05


@contextmanager
def sampled_bytes(folder: Path, pattern: str) -> Iterator[list[int]]:
    """Yield a list that grows, many times a second, by the bytes of the files in a folder that match."""
    seen, stop = [0], threading.Event()

    def look() -> None:
        while not stop.wait(LOOK_S):
            try:
                seen.append(sum(path.stat().st_size for path in folder.glob(pattern)))
            except FileNotFoundError:
                continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
