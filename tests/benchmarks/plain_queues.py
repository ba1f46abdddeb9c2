"""Hand-written design 2: a queue per stage; two downloads, two extractions, one filter that owns the model.

python -m tests.benchmarks.plain_queues TASK.json
"""

import asyncio
import tempfile
from pathlib import Path

from tests.benchmarks._plain import Task, ask, download, extract, keep, load

DOWNLOADS, EXTRACTIONS, WAITING = 2, 2, 4


async def main() -> None:
    """Work on all videos."""
    task = Task.read()
    fetched: asyncio.Queue[str] = asyncio.Queue(WAITING)
    extracted: asyncio.Queue[str] = asyncio.Queue(WAITING)
    waiting = list(task.videos)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        async def fetch() -> None:
            while waiting:
                video = waiting.pop(0)
                (folder / video / "frames").mkdir(parents=True)
                await asyncio.to_thread(download, task.videos[video], folder / video / "media.mp4")
                await fetched.put(video)

        async def take_frames() -> None:
            while True:
                video = await fetched.get()
                media, frames = folder / video / "media.mp4", folder / video / "frames"
                await asyncio.to_thread(extract, media, frames, task.interval_s)
                await extracted.put(video)

        async def judge() -> None:
            await asyncio.to_thread(load, task)
            for _ in range(len(task.videos)):
                video = await extracted.get()
                kept = await asyncio.to_thread(ask, task, folder / video / "frames")
                await asyncio.to_thread(keep, task, video, folder / video / "frames", kept)

        extractions = [asyncio.create_task(take_frames()) for _ in range(EXTRACTIONS)]
        await asyncio.gather(judge(), *(fetch() for _ in range(DOWNLOADS)))
        for extraction in extractions:
            extraction.cancel()
    task.tell()


if __name__ == "__main__":
    asyncio.run(main())
