"""Answers of a server that are far larger than they look, and a process that measures what they take."""

import json
import resource
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from tests._server import Act, Handler
from tests.conftest import REPO

LIST = "application/vnd.apple.mpegurl"


def endless(kind: str, text: bytes) -> Act:
    """Answer with this text, again and again."""

    def act(handler: Handler) -> None:
        handler.start(200, kind)
        while not handler.server.stopping.is_set():
            handler.write(text * (1_000_000 // len(text)))

    return act


def endless_redirect(target: str) -> Act:
    """Send the client elsewhere, with a body without end."""

    def act(handler: Handler) -> None:
        handler.start(302, "text/html", Location=target)
        while not handler.server.stopping.is_set():
            handler.write(b" " * 1_000_000)

    return act


def bomb(kind: str, head: bytes, text: bytes, size: int, status: int = 200) -> Act:
    """Answer with `size` bytes of a text that gzip makes a thousand times smaller."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = text * (1_000_000 // len(text))
    body = packer.compress(head) + b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()

    def act(handler: Handler) -> None:
        handler.start(status, kind, Content_Length=str(len(body)), Content_Encoding="gzip")
        handler.write(body)

    return act


def short_list_of_many(count: int) -> str:
    """Return a DASH manifest whose one line names `count` segments."""
    return f"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT{count}S" profiles="a">
<Period><AdaptationSet contentType="video" mimeType="video/mp4">
<SegmentTemplate media="s$Number$.m4s" initialization="i.mp4" timescale="1" startNumber="1">
<SegmentTimeline><S t="0" d="1" r="{count}"/></SegmentTimeline></SegmentTemplate>
<Representation id="1" bandwidth="1000" width="320" height="180" codecs="avc1.42c00d"/>
</AdaptationSet></Period></MPD>"""


def one_byte_samples(clip: Path, count: int) -> bytes:
    """Return a clip whose index names `count` pictures of one byte each."""
    body = clip.read_bytes()
    start = body.index(b"avcC") - 4
    avcc = body[start : start + struct.unpack(">I", body[start : start + 4])[0]]
    entry = bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">HH", 320, 180) + bytes(50)
    coded = _box(b"avc1", entry[:78] + avcc)
    tables = (
        _box(b"stsd", struct.pack(">II", 0, 1) + coded)
        + _box(b"stts", struct.pack(">IIII", 0, 1, count, 1))
        + _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1))
        + _box(b"stsz", struct.pack(">III", 0, 1, count))
    )
    head = _box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
    pictures = _box(b"mdat", b"\x41" * count)
    tables += _box(b"stco", struct.pack(">III", 0, 1, len(head) + 8))
    times = struct.pack(">IIIIIHH", 0, 0, 0, 25, count, 0x55C4, 0)
    handler = _box(b"hdlr", bytes(8) + b"vide" + bytes(12) + b"v\0")
    url = _box(b"url ", struct.pack(">I", 1))
    media = _box(b"vmhd", struct.pack(">IQ", 1, 0)) + _box(b"dinf", _box(b"dref", struct.pack(">II", 0, 1) + url))
    track = _box(b"mdia", _box(b"mdhd", times) + handler + _box(b"minf", media + _box(b"stbl", tables)))
    shown = struct.pack(">IIIIII", 3, 0, 0, 1, 0, count * 40) + bytes(52) + struct.pack(">II", 320 << 16, 180 << 16)
    film = struct.pack(">IIIII", 0, 0, 0, 1000, count * 40) + bytes(76) + struct.pack(">I", 2)
    return head + pictures + _box(b"moov", _box(b"mvhd", film) + _box(b"trak", _box(b"tkhd", shown) + track))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def measure(url: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Download a URL in a process of its own; return the record, and the time and the memory that it took."""
    command = [sys.executable, "-m", "tests._bombs", url, str(folder), json.dumps(options)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=180, check=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def peak_mb() -> float:
    """Return the most memory of this process since it began; ru_maxrss includes what its parent had."""
    high = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(high.split()[1]) / 1000


def main(url: str, folder: Path, options: dict[str, Any]) -> None:
    """Download a URL and print the outcome."""
    from tests._download import download

    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # spare the machine if nothing bounds it
    began = time.monotonic()
    record = download(url, folder, **options)
    took = {"seconds": time.monotonic() - began, "peak_mb": peak_mb()}
    print(json.dumps(took | {"record": record}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
