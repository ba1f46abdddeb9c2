"""Hand-written design 1: a thread per video takes it through download, extraction and filter; one shared model.

python -m tests.benchmarks.plain_threads TASK.json
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from tests.benchmarks._plain import Task, ask, download, extract, keep, load

VIDEOS_AT_ONCE = 4


def main() -> None:
    """Work on all videos."""
    task, lock = Task.read(), Lock()
    load(task)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(VIDEOS_AT_ONCE) as pool:

        def work_on(video: str) -> None:
            folder = Path(name) / video
            (folder / "frames").mkdir(parents=True)
            download(task.videos[video], folder / "media.mp4")
            extract(folder / "media.mp4", folder / "frames", task.interval_s)
            with lock:
                kept = ask(task, folder / "frames")
            keep(task, video, folder / "frames", kept)

        list(pool.map(work_on, task.videos))
    task.tell()


if __name__ == "__main__":
    main()
