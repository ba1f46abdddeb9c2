"""Faults of a download server, each with its expected outcome."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scripts.download.deadline import PAGE_WINDOWS
from tests._acts import (
    chunked_cut,
    drop_every,
    empty,
    other_file,
    redirect,
    reset,
    stall,
    trickle,
    untagged,
    without_ranges,
    wrong_length,
)
from tests._server import Act, cut_short, etag, refuse, serve
from tests._stage import Stage
from tests._streams import dash


@dataclass(frozen=True)
class Case:
    """A fault and its expected outcome.

    `requests` is their number at the server, `left` the content of the store afterwards, `options` are other settings.
    `page_windows` limits the time for a page. It is short only if the case tests this limit: on a busy machine yt-dlp
    alone takes seconds.
    """

    lay: Callable[[Stage], str]
    status: str
    attempts: int
    requests: int
    left: str = "nothing"
    options: Mapping[str, Any] = field(default_factory=dict)
    page_windows: int = PAGE_WINDOWS


def ok(lay: Callable[[Stage], str], requests: int, attempts: int = 1) -> Case:
    return Case(lay, "ok", attempts, requests, "the video")


def stopped(lay: Callable[[Stage], str], requests: int, status: str = "failed", attempts: int = 4) -> Case:
    return Case(lay, status, attempts, requests, "a partial file")


def page_answers(status: int) -> Callable[[Stage], str]:
    return lambda stage: stage.direct(refuse(status))


def media_answer(status: int) -> Callable[[Stage], str]:
    return lambda stage: stage.behind_page(refuse(status))


def after(times: int, act: Act, where: str = "direct") -> Callable[[Stage], str]:
    return lambda stage: str(getattr(stage, where)(*[act] * times, serve))


def always(act: Act, where: str = "behind_page") -> Callable[[Stage], str]:
    return lambda stage: str(getattr(stage, where)(act))


def served(body: bytes | str, kind: str, path: str = "/clip.mp4") -> Callable[[Stage], str]:
    return lambda stage: stage.server.add(path, body, kind)


def pages(*media: str) -> Callable[[Stage], str]:
    def lay(stage: Stage) -> str:
        stage.direct()
        stage.direct(path="/other.mp4")
        return stage.server.page("/page", *media)

    return lay


def replaced(tag: bool) -> Callable[[Stage], str]:
    def lay(stage: Stage) -> str:
        return stage.behind_page(
            drop_every(100_000, tag=tag), other_file(stage.other, tag=tag), serve if tag else untagged
        )

    return lay


def huge(handler: Any) -> None:
    """Announce 50 TB."""
    handler.start(200, "video/mp4", Content_Length=str(50 * 10**12))
    handler.write(b"x" * 1000)


def another_offset(handler: Any) -> None:
    """Serve the file from half of the requested offset."""
    kind, body = handler.file()
    offset = handler.offset() // 2
    if not offset:
        serve(handler)
        return
    content_range = f"bytes {offset}-{len(body) - 1}/{len(body)}"
    handler.start(206, kind, Content_Length=str(len(body) - offset), Content_Range=content_range, ETag=etag(body))
    handler.write(body[offset:])


def page_for_segment(handler: Any) -> None:
    handler.start(200, "text/html", Content_Length="2000")
    handler.write(b"<html>" + b"x" * 1994)


# The socket's timeout ends a stall, or on a busy machine the speed check does so sooner. These cases test the timeout.
UNMETERED = {"min_speed_kb_s": 0}
CASES = {
    "no fault": ok(lambda s: s.direct(), 2),
    "redirect to the video": ok(lambda s: (s.direct(), s.direct(redirect("/clip.mp4"), path="/r.mp4"))[1], 4),
    "no extension, video/mp4": ok(lambda s: s.direct(path="/clip"), 2),
    "video as text/html": ok(lambda s: s.direct(kind="text/html"), 2),
    "video as octet-stream": ok(lambda s: s.direct(kind="application/octet-stream"), 2),
    "octet-stream, no extension": ok(lambda s: s.direct(path="/clip", kind="application/octet-stream"), 2),
    "page: 404": Case(page_answers(404), "unavailable", 1, 1),
    "page: 410": Case(page_answers(410), "unavailable", 1, 1),
    "page: 451": Case(page_answers(451), "unavailable", 1, 1),
    "page: 401": Case(page_answers(401), "forbidden", 1, 1),
    "page: 403": Case(page_answers(403), "forbidden", 1, 1),
    "page: 429": Case(page_answers(429), "blocked", 3, 3),
    "page: 429 twice": ok(after(2, refuse(429)), 4, 3),
    "page: 429 once, Retry-After: 1": ok(after(1, refuse(429, "1")), 3, 2),
    "page: 500": Case(page_answers(500), "failed", 3, 3),
    "page: 503": Case(page_answers(503), "failed", 3, 3),
    "page: 500 twice": ok(after(2, refuse(500)), 4, 3),
    "page: 503 once, Retry-After: 1": ok(after(1, refuse(503, "1")), 3, 2),
    "page: 503, Retry-After: 3600": Case(lambda s: s.direct(refuse(503, "3600")), "failed", 1, 1),
    "page: connection reset": Case(always(reset, "direct"), "failed", 3, 3),
    "page: no answer": Case(always(stall(before_headers=True), "direct"), "failed", 3, 3),
    "page: too slow": Case(lambda s: s.direct(trickle, kind="text/html"), "failed", 3, 3, page_windows=2),
    "redirect loop": Case(lambda s: s.direct(redirect("/clip.mp4")), "unavailable", 1, 31),
    "redirect to file://": Case(lambda s: s.direct(redirect("file:///etc/passwd")), "unsupported", 1, 1),
    "media: 403 once (link expired)": ok(after(1, refuse(403), "behind_page"), 4, 2),
    "media: 403": Case(media_answer(403), "forbidden", 3, 6),
    "media: 404": Case(media_answer(404), "unavailable", 3, 6),
    "media: 410": Case(media_answer(410), "unavailable", 3, 6),
    "media: 429 once": ok(after(1, refuse(429), "behind_page"), 4, 2),
    "media: 429": Case(media_answer(429), "blocked", 3, 6),
    "media: 500 twice": ok(after(2, refuse(500), "behind_page"), 4),
    "media: 500": Case(media_answer(500), "failed", 3, 15),
    "media: 503 once, Retry-After: 1": ok(after(1, refuse(503, "1"), "behind_page"), 3),
    "media: connection reset": Case(always(reset), "failed", 3, 15),
    "media: cut twice, FIN": ok(after(2, drop_every(90_000), "behind_page"), 4),
    "media: cut twice, RST": ok(after(2, drop_every(90_000, hard=True), "behind_page"), 4),
    "media: cut five times": ok(after(5, drop_every(50_000), "behind_page"), 8, 2),
    "media: cut once, no ranges": ok(lambda s: s.behind_page(drop_every(90_000), without_ranges), 3),
    "media: cut, no ranges": stopped(always(drop_every(90_000, ranges=False)), 20),
    "media: cut once, no ETag": ok(lambda s: s.behind_page(drop_every(90_000, tag=False), untagged), 3),
    "media: cut at byte 0": Case(always(drop_every(0)), "failed", 3, 15),
    "media: no answer": Case(always(stall(before_headers=True)), "failed", 3, 15, options=UNMETERED),
    "media: stalls after 100 kB": replace(stopped(always(stall(before_headers=False)), 20), options=UNMETERED),
    "media: too slow": Case(always(trickle), "failed", 3, 6),
    "media: half, no Content-Length": Case(always(cut_short(0.5)), "invalid_media", 2, 4),
    "media: half once, no Content-Length": ok(after(1, cut_short(0.5), "behind_page"), 4, 2),
    "media: half, in chunks": stopped(always(chunked_cut), 20),
    "media: Content-Length too large": stopped(always(wrong_length(100)), 20),
    "media: Content-Length too small": Case(always(wrong_length(-100)), "invalid_media", 2, 4),
    "media: Content-Length of 50 TB": Case(always(huge), "rejected", 1, 2),
    "media: empty (200)": Case(always(empty(200)), "failed", 3, 6),
    "media: empty (204)": Case(always(empty(204)), "failed", 3, 6),
    "media: wrong range": ok(lambda s: s.behind_page(drop_every(90_000), another_offset), 4),
    "media: file replaced": ok(replaced(tag=True), 4),
    "media: file replaced, no ETag": ok(replaced(tag=False), 3),
    "partial file: same video": ok(lambda s: s.part(s.body[:200_000], s.body), 2),
    "partial file: unknown origin": ok(lambda s: s.part(s.other[:200_000], None), 2),
    "partial file: earlier version": ok(lambda s: s.part(s.other[:200_000], s.other), 3),
    "partial file: complete (416)": ok(lambda s: s.part(s.body, s.body), 5, 2),
    "partial file: too long (416)": ok(lambda s: s.part(s.body + b"more", s.body), 5, 2),
    "web page as video/mp4": Case(served("<html>log in</html>", "video/mp4"), "invalid_media", 2, 4),
    "PNG as video/mp4": Case(served(b"\x89PNG\r\n\x1a\n", "video/mp4"), "invalid_media", 2, 4),
    "login page": Case(served("<html>log in</html>", "text/html"), "unsupported", 1, 1),
    "page with one video": ok(pages("/clip.mp4"), 2),
    "page with two videos": Case(pages("/clip.mp4", "/other.mp4"), "rejected", 1, 1),
    "page with file:// video": Case(pages("file:///etc/passwd"), "unsupported", 1, 1),
    "HLS": ok(lambda s: s.hls(serve), 11),
    "HLS, fMP4": ok(lambda s: s.hls(serve, fragmented=True), 12),
    "HLS, AES-128": ok(lambda s: s.hls(serve, encrypted=True), 12),
    "HLS, live": Case(lambda s: s.hls(serve, live=True), "rejected", 1, 3),
    "HLS segment: 404": Case(always(refuse(404), "hls"), "unavailable", 4, 41),
    "HLS segment: 403": Case(always(refuse(403), "hls"), "forbidden", 4, 41),
    "HLS segment: 429": stopped(always(refuse(429), "hls"), 29, "blocked"),
    "HLS segment: 500 twice": ok(after(2, refuse(500), "hls"), 13),
    "HLS segment: cut once": ok(after(1, drop_every(1000), "hls"), 12),
    "HLS segment: empty": stopped(always(empty(200), "hls"), 29),
    "HLS segment: web page": Case(lambda s: s.hls(page_for_segment), "invalid_media", 2, 22),
    "HLS fMP4 segment: web page": Case(
        lambda s: s.hls(page_for_segment, fragmented=True), "invalid_media", 2, 24),
    "DASH": ok(lambda s: dash(s.server, s.make_clip), 8),
    "connection refused": Case(lambda s: "http://127.0.0.1:9/clip.mp4", "failed", 3, 0),
    "unknown host": Case(lambda s: "https://reelsieve.invalid/clip.mp4", "failed", 3, 0),
}  # fmt: skip
