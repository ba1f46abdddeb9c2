"""ffmpeg is found on any machine; files that are no video, or hostile, are refused."""

import os
import random
import re
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.media.probe import NotVideo, ffmpeg_exe, ffmpeg_version, probe_media
from tests.conftest import H264, MakeClip, pattern


def test_the_packaged_ffmpeg_is_used_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_clip: MakeClip
) -> None:
    packaged = ffmpeg_exe()
    assert Path(packaged).name.startswith("ffmpeg") and "imageio_ffmpeg" in packaged
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert ffmpeg_exe() == packaged
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    assert ffmpeg_exe() == str(tmp_path / "ffmpeg")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("kill -9 $$", "ffmpeg was killed by signal 9: free memory"),
        ("exit 3", r"ffmpeg does not run \(.*unset IMAGEIO"),
    ],
)
def test_an_ffmpeg_that_fails_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    assert re.match(r"\d+\.\d", ffmpeg_version().removeprefix("n"))
    (tmp_path / "ffmpeg").write_text(f"#!/bin/sh\n{body}\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    with pytest.raises(UserError, match=words):
        ffmpeg_version()


@pytest.mark.parametrize("body", [b"", b"<html>no video</html>", b"\x89PNG\r\n", bytes(5000)])
def test_files_that_are_no_video_are_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(body)
    with pytest.raises(NotVideo, match="not a video"):
        probe_media(tmp_path / "x.mp4")


def test_a_playlist_named_mp4_opens_no_other_file(clip: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "evil.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{clip}\n#EXT-X-ENDLIST\n")
    with pytest.raises(NotVideo):
        probe_media(playlist)


def test_sound_alone_is_no_video(make_clip: MakeClip) -> None:
    with pytest.raises(NotVideo, match="no video stream"):
        probe_media(make_clip("sound.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"))


def test_pixels_of_an_absurd_shape_are_refused(make_clip: MakeClip) -> None:
    wide = make_clip("absurd.mp4", *pattern(1, size="640x360"), "-vf", "setsar=100/1", *H264)
    with pytest.raises(NotVideo, match="pixel aspect 100: over 16384 px"):
        probe_media(wide)


def test_files_that_cannot_be_opened_are_no_fault_of_the_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        probe_media(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    ("extension", "codec"),
    [("mp4", "libx264"), ("mkv", "libx264"), ("flv", "flv1"), ("avi", "mpeg4"), ("asf", "wmv2"), ("ts", "libx264"),
     ("mpg", "mpeg1video"), ("ogv", "libtheora"), ("gif", "gif")],
)  # fmt: skip
def test_damage_never_stops_more_than_the_video(
    make_clip: MakeClip, tmp_path: Path, extension: str, codec: str
) -> None:
    whole = make_clip(f"damaged.{extension}", *pattern(1, size="160x120"), "-c:v", codec).read_bytes()
    rng = random.Random(1)
    refused = 0
    for i in range(40):
        hurt = bytearray(whole[: rng.randrange(1, len(whole))] if i % 2 else whole)
        for _ in range(rng.choice([0, 5, 50])):
            hurt[rng.randrange(min(len(hurt), 2000 if i % 3 else len(hurt)))] = rng.randrange(256)
        (tmp_path / "hurt.bin").write_bytes(hurt)
        try:
            probe_media(tmp_path / "hurt.bin")
        except NotVideo:
            refused += 1
    assert 0 < refused < 40
