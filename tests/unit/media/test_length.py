"""The length of a video is when its pictures end, seconds after the start of its file."""

import struct

import pytest

from scripts.media.probe import probe_media
from tests._clips import KINDS, make_kind
from tests.conftest import H264, MakeClip, pattern

LATE = ("-output_ts_offset", "60")
SOUND = ("-f", "lavfi", "-i", "sine=duration=6.5")


@pytest.mark.public_report(
    "mkvtoolnix 1847",
    saw="The duration of the last part counts from the start of the whole file.",
    here="The recorded duration counts from the part's first picture.",
)
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("late.mkv", H264),
        ("late.webm", ("-c:v", "libvpx")),
        ("late.wmv", ("-c:v", "wmv2")),
        ("late.mp4", H264),
        ("late.mov", H264),
        ("late.flv", ("-c:v", "flv")),
        ("late.ogv", ("-c:v", "libtheora")),
        ("late.ts", H264),
    ],
)
def test_a_clock_that_starts_late_adds_nothing(make_clip: MakeClip, name: str, codec: tuple[str, ...]) -> None:
    assert probe_media(make_clip(name, *pattern(10, "160x90"), *codec, *LATE)).duration_s == pytest.approx(10, abs=0.1)


def test_an_index_shows_that_a_length_counts_from_the_first_picture(make_clip: MakeClip) -> None:
    late = make_clip("index.mkv", *pattern(10, "160x90"), *H264, "-g", "25", *LATE)
    body = late.read_bytes()
    at = body.index(b"\x44\x89\x88") + 3  # the element of the duration, 8 bytes
    assert struct.unpack(">d", body[at : at + 8]) == (70_000.0,)
    (changed := late.with_name("from_first.mkv")).write_bytes(body[:at] + struct.pack(">d", 10_000.0) + body[at + 8 :])
    assert probe_media(changed).duration_s == 10


@pytest.mark.parametrize("name", ["sound_first.mp4", "sound_first.mkv"])
def test_pictures_that_begin_after_the_sound_end_later(make_clip: MakeClip, name: str) -> None:
    late = ("-itsoffset", "1.5", *pattern(5, "160x90"))
    assert probe_media(make_clip(name, *late, *SOUND, *H264, "-c:a", "aac")).duration_s == pytest.approx(6.5, abs=0.05)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "variable.mp4"])
def test_clips_of_5_s_are_5_s_long(make_clip: MakeClip, kind: str) -> None:
    assert probe_media(make_kind(make_clip, kind)).duration_s == pytest.approx(5, abs=0.25)
