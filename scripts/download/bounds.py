"""Bound what a site's answers take in memory, after decoding: a small answer can stand for a very large one."""

import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from scripts.download.faults import Rejected

MOST_PAGE_BYTES = 20_000_000  # of a page or a playlist; YouTube's pages have 2 MB
MOST_PIECE_BYTES = 150_000_000  # of one segment, which yt-dlp reads into memory
READ_BYTES = 1 << 20
STATM = Path("/proc/self/statm")


def bound_answer(response: Any, is_media: bool, in_pieces: bool) -> Any:
    """Let an answer of yt-dlp's network raise Rejected instead of filling the memory, and return it.

    What is read at once is a page or a playlist. What is read in blocks goes to the disk; a segment comes back.
    """
    read: Callable[[int | None], bytes] = response.read
    most = MOST_PIECE_BYTES if is_media and in_pieces else None if is_media else MOST_PAGE_BYTES
    count = 0

    def bounded(amt: int | None = None) -> bytes:
        nonlocal count
        if amt is None or amt < 0:
            return b"".join(_blocks(read))
        block = read(amt)
        count += len(block)
        if most is not None and count > most:
            raise Rejected(f"a {'segment' if is_media else 'page'} has more than {most / 1e6:.0f} MB")
        return block

    response.read = bounded
    return response


def _blocks(read: Callable[[int | None], bytes]) -> Iterator[bytes]:
    total = 0
    while block := read(READ_BYTES):
        total += len(block)
        if total > MOST_PAGE_BYTES:
            raise Rejected(f"a page or playlist has more than {MOST_PAGE_BYTES / 1e6:.0f} MB")
        yield block


def bounded_handlers(handlers: Iterable[Any]) -> list[Any]:
    """Return yt-dlp's classes that send requests; `requests` would read the whole body of a redirect."""
    from yt_dlp.networking import _requests

    class RequestsRH(_requests.RequestsRH):  # type: ignore[misc]
        def _create_instance(self, **kwargs: Any) -> Any:
            session = super()._create_instance(**kwargs)
            session.hooks["response"].append(_drop_redirect_body)
            return session

    return [RequestsRH if handler is _requests.RequestsRH else handler for handler in handlers]


def _drop_redirect_body(response: Any, *_: Any, **__: Any) -> None:
    if response.is_redirect:
        response._content, response._content_consumed = b"", True
        response.raw.close()  # the rest of the body would be taken for the next answer on this connection


def memory_bytes() -> int:
    """Return the memory of this process; on systems other than Linux the highest so far."""
    try:
        pages = STATM.read_text().split()[1]
        return int(pages) * resource.getpagesize()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
