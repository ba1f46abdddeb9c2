"""A container's own sizes say whether bytes are missing at the end of a file."""

from pathlib import Path

import pytest

from scripts.media import ending
from scripts.media.ending import is_whole
from scripts.media.probe import probe_media
from tests._clips import make_kind
from tests.conftest import H264, REAL, MakeClip, pattern

CODECS = {
    "whole.mp4": (*H264, "-movflags", "faststart"),
    "whole.mov": (*H264, "-movflags", "faststart"),
    "whole_pieces.mp4": (*H264, "-movflags", "frag_keyframe+empty_moov", "-g", "25"),
    "whole.mkv": H264,
    "whole.webm": ("-c:v", "libvpx"),
    "whole.avi": ("-c:v", "mpeg4"),
    "whole.wmv": ("-c:v", "wmv2"),
    "whole.flv": ("-c:v", "flv"),
}


@pytest.mark.parametrize("name", CODECS)
def test_a_whole_file_is_told_from_a_cut_one(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    whole = make_clip(name, *pattern(4, "160x90"), *CODECS[name])
    container = probe_media(whole).container
    assert is_whole(whole, container) is True
    body = whole.read_bytes()
    for end in (len(body) // 3, len(body) * 9 // 10, len(body) - 1):
        (tmp_path / name).write_bytes(body[:end])
        assert not is_whole(tmp_path / name, container)
    (tmp_path / name).write_bytes(body[: len(body) // 2] + bytes(len(body) - len(body) // 2))
    assert is_whole(tmp_path / name, container) is None  # space set aside, never filled


def test_files_without_a_size_say_nothing(make_clip: MakeClip, tmp_path: Path) -> None:
    for kind, container in (("late.ts", "mpegts"), ("interlaced.mpg", "mpeg"), ("plain.gif", "gif")):
        assert is_whole(make_kind(make_clip, kind), container) is None
    live = make_clip("live.mkv", *pattern(2, "160x90"), *H264, "-live", "1")
    assert is_whole(live, "matroska") is None
    pieces = make_clip("pieces.mp4", *pattern(2, "160x90"), *H264, "-movflags", "frag_keyframe+empty_moov+skip_trailer")
    assert is_whole(pieces, "mov") is None
    for body in (b"", b"x", b"RIFF", b"\x1a\x45\xdf\xa3\x18\x53\x80\x67", b"\0\0\0\x01ftyp\0", b"FLVfilesize\0\x40"):
        (tmp_path / "odd").write_bytes(body)
        assert not any(is_whole(tmp_path / "odd", name) for name in ("matroska", "mov", "avi", "asf", "flv"))


def test_more_boxes_than_are_read_say_nothing(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_clip("whole_pieces.mp4", *pattern(4, "160x90"), *CODECS["whole_pieces.mp4"])
    monkeypatch.setattr(ending, "MOST_BOXES", 3)
    assert is_whole(whole, "mov") is None


@pytest.mark.skipif(not REAL.exists(), reason="no real videos")
def test_real_videos_are_whole() -> None:
    files = sorted((REAL / "videos").glob("*.mp4"))
    assert files and all(is_whole(file, "mov") for file in files)
