"""The faults of a download's server, each with what it must lead to."""

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
    """A fault and what it must lead to.

    `left` is what the store then holds, `options` what is set otherwise, `page_windows` how long a page may take: short
    only where that is what ends an attempt, since on a busy machine yt-dlp alone takes seconds.
    """

    lay: Callable[[Stage], str]
    status: str
    attempts: int
    left: str = "nothing"
    options: Mapping[str, Any] = field(default_factory=dict)
    page_windows: int = PAGE_WINDOWS


def ok(lay: Callable[[Stage], str], attempts: int = 1) -> Case:
    return Case(lay, "ok", attempts, "the video")


def stopped(lay: Callable[[Stage], str], status: str = "failed", attempts: int = 4) -> Case:
    return Case(lay, status, attempts, "a partial file")


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
    """Serve the file from half of what was asked for."""
    kind, body = handler.file()
    offset = handler.offset() // 2
    if not offset:
        serve(handler)
        return
    said = f"bytes {offset}-{len(body) - 1}/{len(body)}"
    handler.start(206, kind, Content_Length=str(len(body) - offset), Content_Range=said, ETag=etag(body))
    handler.write(body[offset:])


def page_for_segment(handler: Any) -> None:
    handler.start(200, "text/html", Content_Length="2000")
    handler.write(b"<html>" + b"x" * 1994)


# A stall is told by the socket or, on a busy machine, sooner by the meter: these cases are of the socket.
UNMETERED = {"min_speed_kb_s": 0}
CASES = {
    "no fault": ok(lambda s: s.direct()),
    "redirect to the file": ok(lambda s: (s.direct(), s.direct(redirect("/clip.mp4"), path="/r.mp4"))[1]),
    "no extension, but video/mp4": ok(lambda s: s.direct(path="/clip")),
    "a video as text/html": ok(lambda s: s.direct(kind="text/html")),
    "a video as octet-stream": ok(lambda s: s.direct(kind="application/octet-stream")),
    "a video as octet-stream, no extension": ok(lambda s: s.direct(path="/clip", kind="application/octet-stream")),
    "page: 404": Case(page_answers(404), "unavailable", 1),
    "page: 410": Case(page_answers(410), "unavailable", 1),
    "page: 451": Case(page_answers(451), "unavailable", 1),
    "page: 401": Case(page_answers(401), "forbidden", 1),
    "page: 403": Case(page_answers(403), "forbidden", 1),
    "page: 429 always": Case(page_answers(429), "blocked", 3),
    "page: 429 twice": ok(after(2, refuse(429)), 3),
    "page: 429 once, Retry-After: 1": ok(after(1, refuse(429, "1")), 2),
    "page: 500 always": Case(page_answers(500), "failed", 3),
    "page: 503 always": Case(page_answers(503), "failed", 3),
    "page: 500 twice": ok(after(2, refuse(500)), 3),
    "page: 503 once, Retry-After: 1": ok(after(1, refuse(503, "1")), 2),
    "page: 503, Retry-After: 3600": Case(lambda s: s.direct(refuse(503, "3600")), "failed", 1),
    "page: connection reset": Case(always(reset, "direct"), "failed", 3),
    "page: no answer": Case(always(stall(before_headers=True), "direct"), "failed", 3),
    "page: trickles in": Case(lambda s: s.direct(trickle, kind="text/html"), "failed", 3, page_windows=2),
    "redirect loop": Case(lambda s: s.direct(redirect("/clip.mp4")), "unavailable", 1),
    "redirect to file://": Case(lambda s: s.direct(redirect("file:///etc/passwd")), "unsupported", 1),
    "media: 403 once (link expired)": ok(after(1, refuse(403), "behind_page"), 2),
    "media: 403 always": Case(media_answer(403), "forbidden", 3),
    "media: 404 always": Case(media_answer(404), "unavailable", 3),
    "media: 410 always": Case(media_answer(410), "unavailable", 3),
    "media: 429 once": ok(after(1, refuse(429), "behind_page"), 2),
    "media: 429 always": Case(media_answer(429), "blocked", 3),
    "media: 500 twice": ok(after(2, refuse(500), "behind_page")),
    "media: 500 always": Case(media_answer(500), "failed", 3),
    "media: 503 once, Retry-After: 1": ok(after(1, refuse(503, "1"), "behind_page")),
    "media: connection reset always": Case(always(reset), "failed", 3),
    "media: cut twice, FIN": ok(after(2, drop_every(90_000), "behind_page")),
    "media: cut twice, RST": ok(after(2, drop_every(90_000, hard=True), "behind_page")),
    "media: cut five times": ok(after(5, drop_every(50_000), "behind_page"), 2),
    "media: cut once, no ranges": ok(lambda s: s.behind_page(drop_every(90_000), without_ranges)),
    "media: cut always, no ranges": stopped(always(drop_every(90_000, ranges=False))),
    "media: cut once, nothing to know the file by": ok(
        lambda s: s.behind_page(drop_every(90_000, tag=False), untagged)),
    "media: cut at byte 0 always": Case(always(drop_every(0)), "failed", 3),
    "media: no answer": Case(always(stall(before_headers=True)), "failed", 3, options=UNMETERED),
    "media: stalls after 100 kB": replace(stopped(always(stall(before_headers=False))), options=UNMETERED),
    "media: trickles in": Case(always(trickle), "failed", 3),
    "media: half, no Content-Length": Case(always(cut_short(0.5)), "invalid_media", 2),
    "media: half once, no Content-Length": ok(after(1, cut_short(0.5), "behind_page"), 2),
    "media: half, in chunks": stopped(always(chunked_cut)),
    "media: Content-Length too large": stopped(always(wrong_length(100))),
    "media: Content-Length too small": Case(always(wrong_length(-100)), "invalid_media", 2),
    "media: Content-Length of 50 TB": Case(always(huge), "rejected", 1),
    "media: no byte": Case(always(empty(200)), "failed", 3),
    "media: 204": Case(always(empty(204)), "failed", 3),
    "media: other bytes than asked for after a cut": ok(
        lambda s: s.behind_page(drop_every(90_000), another_offset)),
    "media: another file after a cut": ok(replaced(tag=True)),
    "media: another file after a cut, nothing to know it by": ok(replaced(tag=False)),
    "a partial file of this very file": ok(lambda s: s.part(s.body[:200_000], s.body)),
    "a partial file of another file": ok(lambda s: s.part(s.other[:200_000], None)),
    "a partial file of an earlier version": ok(lambda s: s.part(s.other[:200_000], s.other)),
    "a partial file that is complete (416)": ok(lambda s: s.part(s.body, s.body), 2),
    "a partial file that is too long (416)": ok(lambda s: s.part(s.body + b"more", s.body), 2),
    "a web page as video/mp4": Case(served("<html>log in</html>", "video/mp4"), "invalid_media", 2),
    "a PNG as video/mp4": Case(served(b"\x89PNG\r\n\x1a\n", "video/mp4"), "invalid_media", 2),
    "a login page": Case(served("<html>log in</html>", "text/html"), "unsupported", 1),
    "a page with one video": ok(pages("/clip.mp4")),
    "a page with two videos": Case(pages("/clip.mp4", "/other.mp4"), "rejected", 1),
    "a page with a video at file://": Case(pages("file:///etc/passwd"), "unsupported", 1),
    "HLS": ok(lambda s: s.hls(serve)),
    "HLS with fragmented MP4": ok(lambda s: s.hls(serve, fragmented=True)),
    "HLS with AES-128": ok(lambda s: s.hls(serve, encrypted=True)),
    "HLS without an end (live)": Case(lambda s: s.hls(serve, live=True), "rejected", 1),
    "HLS segment: 404 always": Case(always(refuse(404), "hls"), "unavailable", 4),
    "HLS segment: 403 always": Case(always(refuse(403), "hls"), "forbidden", 4),
    "HLS segment: 429 always": stopped(always(refuse(429), "hls"), "blocked"),
    "HLS segment: 500 twice": ok(after(2, refuse(500), "hls")),
    "HLS segment: cut once": ok(after(1, drop_every(1000), "hls")),
    "HLS segment: empty": stopped(always(empty(200), "hls")),
    "HLS segment: a web page": Case(lambda s: s.hls(page_for_segment), "invalid_media", 2),
    "HLS with fragmented MP4, segment: a web page": Case(
        lambda s: s.hls(page_for_segment, fragmented=True), "invalid_media", 2),
    "DASH": ok(lambda s: dash(s.server, s.make_clip)),
    "nobody listens": Case(lambda s: "http://127.0.0.1:9/clip.mp4", "failed", 3),
    "no such host": Case(lambda s: "https://reelsieve.invalid/clip.mp4", "failed", 3),
}  # fmt: skip
