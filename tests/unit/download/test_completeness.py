"""Complete files pass in every container; files that lack their end or a segment do not."""

from pathlib import Path

import pytest

from scripts.download.completeness import check_whole
from scripts.media.probe import NotVideo, probe_media
from tests._clips import KINDS, make_kind
from tests.conftest import H264, REAL, MakeClip, pattern

SMALL = "160x90"
FASTSTART = (*H264, "-movflags", "faststart")


def check(path: Path, announced_s: float | None = None, in_pieces: bool = False) -> None:
    check_whole(path, probe_media(path).stream, announced_s, in_pieces)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_pass(make_clip: MakeClip, kind: str) -> None:
    check(make_kind(make_clip, kind))


OTHERS = {
    "whole_open_gop.mp4": (*H264, "-x264-params", "open-gop=1:keyint=30"),
    "whole_open_gop.ts": (*H264, "-x264-params", "open-gop=1:keyint=30"),
    "whole_hevc.mp4": ("-c:v", "libx265", "-pix_fmt", "yuv420p"),
    "whole_vp9.webm": ("-c:v", "libvpx-vp9", "-b:v", "200k"),
    "whole_mpeg2.mpg": ("-c:v", "mpeg2video", "-bf", "2"),
    "whole_mpeg4.avi": ("-c:v", "mpeg4"),
    "whole_fragments.mp4": (*H264, "-movflags", "frag_keyframe+empty_moov"),
    "whole_slow.mp4": ("-vf", "select='lt(t,3)+gt(t,7)'", "-fps_mode", "vfr", *H264),
    "whole_flash.flv": ("-c:v", "flv"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_whole_files_pass_in_pieces_too(make_clip: MakeClip, name: str) -> None:
    check(make_clip(name, *pattern(10, SMALL), *OTHERS[name]), announced_s=10, in_pieces=True)


@pytest.mark.skipif(not REAL.exists(), reason="the real videos are not here")
@pytest.mark.parametrize("name", ["bottle-detection.mp4", "car-detection.mp4", "car-detection-preview.gif"])
def test_real_videos_pass(name: str) -> None:
    check(REAL / "videos" / name, in_pieces=True)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.97, 0.995])
@pytest.mark.parametrize("name", ["fast.mp4", "whole.flv", "whole_fragments.mp4"])
def test_a_file_that_ends_early_is_noticed(make_clip: MakeClip, tmp_path: Path, name: str, share: float) -> None:
    options = {"fast.mp4": FASTSTART, "whole.flv": ("-c:v", "flv")} | OTHERS
    body = make_clip(name, *pattern(10, SMALL), *options[name]).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(body[: int(len(body) * share)])
    with pytest.raises(NotVideo, match=r"the frames end at|the last frame cannot be decoded"):
        check(cut)


@pytest.mark.parametrize("name", ["whole_vp9.webm", "whole_open_gop.ts", "preview.gif"])
def test_the_site_announces_the_length_if_the_file_does_not(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    body = make_clip(name, *pattern(10, SMALL), *OTHERS.get(name, ())).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(body[: len(body) // 2])
    with pytest.raises(NotVideo, match="the frames end at .*, but (the site|the file's header) announces 10.[0-9] s"):
        check(cut, announced_s=10)


@pytest.mark.public_report(
    "yt-dlp 10808", saw="a download without some segments counts as complete",
    here="a file with a gap is refused, and the gap is named",
)  # fmt: skip
def test_a_missing_segment_is_noticed(make_clip: MakeClip, tmp_path: Path) -> None:
    pieces = [make_clip(f"piece{i}.ts", *pattern(2), *H264, "-output_ts_offset", str(2 * i)) for i in range(4)]
    joined = tmp_path / "gap.ts"
    joined.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    check(joined, in_pieces=True)
    joined.write_bytes(b"".join(pieces[i].read_bytes() for i in (0, 1, 3)))
    with pytest.raises(NotVideo, match="a segment is missing: no frame for 2.0 s after 3.9"):
        check(joined, in_pieces=True)


@pytest.mark.parametrize("offset_s", [0, 1000])
def test_a_clock_that_restarts_is_no_gap(make_clip: MakeClip, tmp_path: Path, offset_s: int) -> None:
    """As around adverts in HLS, where extraction counts on as well."""
    pieces = [make_clip(f"part{o}.ts", *pattern(5), *H264, "-output_ts_offset", str(o)) for o in (0, offset_s)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    check(joined, announced_s=10, in_pieces=True)
    with pytest.raises(NotVideo, match="the frames end at"):
        check(joined, announced_s=14, in_pieces=True)


def test_frames_may_end_before_the_sound(make_clip: MakeClip) -> None:
    sound = ("-f", "lavfi", "-i", "sine=duration=20")
    for name in ("longer_sound.mp4", "longer_sound.mkv", "longer_sound.webm"):
        codecs = ("-c:v", "libvpx-vp9", "-c:a", "libopus") if name.endswith("webm") else H264
        check(make_clip(name, *pattern(5, SMALL), *sound, *codecs))


def test_slides_are_no_gaps(make_clip: MakeClip) -> None:
    check(make_clip("slides.ts", *pattern(20, rate="1/4"), *H264), in_pieces=True)
    check(make_clip("slow.mkv", *pattern(20, rate="1/4"), *H264), in_pieces=True)


STILL = ("-f", "lavfi", "-i", "color=red:size=160x90:rate=1/20:duration=20")
HELD = (*pattern(5, SMALL), *STILL, "-filter_complex", "[0][1]concat=n=2,settb=1/1000", "-fps_mode", "vfr")


@pytest.mark.public_report(
    "javacv 295",
    saw="The last picture of an MKV is shown for 1 s instead of the time until the end.",
    here="A file with all of its bytes is taken, however long its last picture stays.",
)
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("held.mkv", H264),
        ("held.webm", ("-c:v", "libvpx")),
        ("held.flv", ("-c:v", "flv")),
        ("held.avi", ("-c:v", "mpeg4")),
        ("held.mp4", (*H264, "-bf", "0")),
    ],
)
def test_a_last_picture_that_stays_is_no_missing_end(
    make_clip: MakeClip, tmp_path: Path, name: str, codec: tuple[str, ...]
) -> None:
    """As screen recorders write it: 5 s of pictures, and the length of 25 s in the header."""
    whole = make_clip(name, *HELD, *codec)
    check(whole, announced_s=25)
    with pytest.raises(NotVideo, match="the site announces 40.0 s"):
        check(whole, announced_s=40)
    body = whole.read_bytes()
    (tmp_path / name).write_bytes(body[: len(body) * 9 // 10])
    if not name.endswith("mp4"):  # its index is at its end
        with pytest.raises(NotVideo, match="the frames end at"):
            check(tmp_path / name, announced_s=25)


@pytest.mark.public_report(
    "shotcut 875",
    saw="A WebM from a browser's recorder has no length, or one that its pictures do not reach.",
    here="It is taken with a note if the server sent all of its bytes.",
)
def test_a_recording_of_open_size_is_taken_with_a_note_if_all_bytes_came(make_clip: MakeClip, tmp_path: Path) -> None:
    whole = make_clip("held.webm", *HELD, "-c:v", "libvpx")
    body = bytearray(whole.read_bytes())
    at = body.index(b"\x18\x53\x80\x67") + 4
    body[at : at + 8] = b"\x01" + b"\xff" * 7  # as browsers leave it
    (tmp_path / "open.webm").write_bytes(body)
    with pytest.raises(NotVideo, match="the frames end at 5.0 s, but the file's header announces 25.0 s"):
        check(tmp_path / "open.webm")
    stream = probe_media(whole).stream
    note = check_whole(tmp_path / "open.webm", stream, 25.0, in_pieces=False, sent_whole=True)
    assert note.startswith("the frames end at 5.0 s") and "all bytes are there" in note
    (tmp_path / "cut.webm").write_bytes(whole.read_bytes()[:-1000])  # its own size says that it is cut
    with pytest.raises(NotVideo, match="the frames end at"):
        check_whole(tmp_path / "cut.webm", stream, 25.0, in_pieces=False, sent_whole=True)


LATE = {
    "late.mkv": H264,
    "late.webm": ("-c:v", "libvpx"),
    "late.wmv": ("-c:v", "wmv2"),
    "late.mp4": FASTSTART,
    "late.avi": ("-c:v", "mpeg4"),
    "late.flv": ("-c:v", "flv"),
}


@pytest.mark.public_report(
    "mkvtoolnix 1170",
    saw="An output file does not start at timestamp zero.",
    here="A downloaded file of any container whose clock starts late is taken, and a cut one is not.",
)
@pytest.mark.parametrize("name", LATE)
def test_a_clock_that_starts_late_is_no_missing_end(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    whole = make_clip(name, *pattern(10, SMALL), *LATE[name], "-output_ts_offset", "60")
    check(whole)
    body = whole.read_bytes()
    (tmp_path / name).write_bytes(body[: len(body) * 6 // 10])
    with pytest.raises(NotVideo, match=r"the frames end at|the last frame cannot be decoded"):
        check(tmp_path / name)
