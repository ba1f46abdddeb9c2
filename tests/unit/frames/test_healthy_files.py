"""Healthy files that are made in odd ways lose no frame and get no note, and files that lack pictures get one."""

from pathlib import Path
from typing import Any

import av
import pytest

from scripts.core.tables import read_note
from tests._clips import extract
from tests.conftest import H264, MakeClip, pattern

STILL = ("-f", "lavfi", "-i", "color=red:size=320x180:rate=1/20:duration=20")
HELD = (*pattern(5), *STILL, "-filter_complex", "[0][1]concat=n=2,settb=1/1000", "-fps_mode", "vfr")


def noted(media: Path, folder: Path, **options: Any) -> tuple[list[float], str]:
    rows = extract(media, folder, interval_s=0.5, **options)
    assert not any(row["reason"] == "damaged" for row in rows)
    return [row["pts_s"] for row in rows], read_note(folder / "out/frames.parquet")


@pytest.mark.public_report(
    "found by us 17.7",
    saw="Sound that starts 1.5 s before the pictures gave a note that frames go on after the end.",
    here="No note: the length counts from the start of the sound.",
)
@pytest.mark.parametrize("name", ["sound_first.mp4", "sound_first.mkv"])
def test_sound_before_the_pictures_gets_no_note(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    sound = ("-f", "lavfi", "-i", "sine=duration=6.5")
    media = make_clip(name, "-itsoffset", "1.5", *pattern(5), *sound, *H264, "-c:a", "aac")
    times_s, note = noted(media, tmp_path)
    assert times_s[0] == pytest.approx(1.5, abs=0.05) and times_s[-1] >= 6 and not note


@pytest.mark.parametrize("name", ["held.mp4", "held.mkv", "held.avi"])
def test_a_last_picture_that_stays_gets_no_note(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    media = make_clip(name, *HELD, *H264, "-bf", "0")
    times_s, note = noted(media, tmp_path)
    assert times_s[-1] == pytest.approx(5, abs=0.05) and not note
    times_s, note = noted(media, tmp_path / "within", start_s=12.0, end_s=14.0)
    assert not times_s and note == "no picture begins between 12 s and 14 s: an earlier one is shown on"


@pytest.mark.public_report(
    "mkvtoolnix 1170",
    saw="An output file does not start at timestamp zero.",
    here="A local file whose clock starts late gives all of its frames, without a note.",
)
@pytest.mark.parametrize("name", ["late.mkv", "late.wmv"])
def test_a_clock_that_starts_late_gets_no_note(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    codec = ("-c:v", "wmv2") if name.endswith("wmv") else H264
    times_s, note = noted(make_clip(name, *pattern(10), *codec, "-output_ts_offset", "60"), tmp_path)
    assert times_s[0] < 0.1 and len(times_s) == 20 and not note


@pytest.mark.public_report(
    "dmlc/decord 177",
    saw='"mmco: unref short failure" for frames that are valid.',
    here="No frame is dropped, and there is no note.",
)
def test_an_open_gop_gets_no_note_when_it_is_seeked(make_clip: MakeClip, tmp_path: Path) -> None:
    codec = (*H264, "-x264-params", "open-gop=1:keyint=50:bframes=3:b-pyramid=normal:ref=5")
    media = make_clip("open_gop.mp4", *pattern(8), *codec)
    for start_s in (2.1, 3.0, 4.1, 5.3):
        times_s, note = noted(media, tmp_path / str(start_s), start_s=start_s)
        assert times_s[0] == pytest.approx(start_s, abs=0.05) and not note


def test_an_mp4_without_its_first_keyframe_says_what_is_lost(make_clip: MakeClip, tmp_path: Path) -> None:
    whole = make_clip("keys.mp4", *pattern(10), *H264, "-g", "48", "-bf", "0", "-keyint_min", "48")
    path = tmp_path / "headless.mp4"
    with av.open(str(whole)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for i, packet in enumerate(old.demux(video=0)):
            if i and packet.size:
                packet.stream = stream
                new.mux(packet)
    times_s, note = noted(path, tmp_path)
    assert times_s[0] > 1.5
    assert note == "47 pictures before the first frame cannot be decoded: their keyframe is missing"
