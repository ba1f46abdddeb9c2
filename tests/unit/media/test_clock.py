"""The times of packets are those of ffmpeg's frames, for any first timestamp and where the clock restarts."""

from pathlib import Path

import av
import pytest

from scripts.media.clock import clock
from scripts.media.probe import probe_media
from tests._clips import extract
from tests.conftest import H264, MakeClip, pattern


def times_ms(media: Path) -> list[int]:
    with av.open(str(media)) as file:
        stream = file.streams[probe_media(media).stream]
        time_of = clock(file, stream)
        return sorted(round(1000 * time_of(packet)) for packet in file.demux(stream) if packet.pts is not None)


@pytest.mark.parametrize("name", ["late.wmv", "late.ts", "late.mpg", "late.mkv", "late.mp4", "late.flv"])
def test_packets_have_the_times_of_the_frames(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    sound = ("-f", "lavfi", "-i", "sine=duration=3")
    codec = {"wmv": ("-c:v", "wmv2"), "mpg": ("-c:v", "mpeg2video"), "flv": ("-c:v", "flv1")}.get(name[5:], H264)
    media = make_clip(f"sound_{name}", "-itsoffset", "0.5", *pattern(3), *sound, *codec, "-output_ts_offset", "3")
    rows = extract(media, tmp_path, mode="every_n", every_n=1)
    assert len(rows) >= 70 and {round(1000 * row["pts_s"]) for row in rows} <= set(times_ms(media))


@pytest.mark.parametrize("offset_s", [0, 20])
def test_a_clock_that_jumps_back_or_far_ahead_is_counted_on(
    make_clip: MakeClip, tmp_path: Path, offset_s: float
) -> None:
    one = make_clip("one.ts", *pattern(2), *H264, "-bf", "0")
    two = make_clip("two.ts", *pattern(2), *H264, "-bf", "0", "-output_ts_offset", f"{offset_s}")
    (tmp_path / "joined.ts").write_bytes(one.read_bytes() + two.read_bytes())
    assert times_ms(tmp_path / "joined.ts") == [40 * i for i in range(100)]


def test_a_short_gap_stays_a_gap(make_clip: MakeClip, tmp_path: Path) -> None:
    one = make_clip("one.ts", *pattern(2), *H264, "-bf", "0")
    two = make_clip("two.ts", *pattern(2), *H264, "-bf", "0", "-output_ts_offset", "5")
    (tmp_path / "joined.ts").write_bytes(one.read_bytes() + two.read_bytes())
    assert times_ms(tmp_path / "joined.ts") == [*range(0, 2000, 40), *range(5000, 7000, 40)]
