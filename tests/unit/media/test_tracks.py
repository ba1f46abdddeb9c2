"""Of several video tracks, the one that players show is taken."""

from pathlib import Path

import pytest

from scripts.core.tables import read_note
from scripts.media import tracks
from scripts.media.probe import probe_media
from tests._clips import extract
from tests.conftest import MakeClip, pattern

FILM, SMALL = pattern(2), pattern(2, size="160x90")
POSTER = ("-f", "lavfi", "-i", "color=red:size=640x360:rate=25:duration=0.04")
TWO = ("-map", "0", "-map", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p")
NO_DEFAULT = ("-disposition:v", "0")


def flags(first: str, second: str) -> tuple[str, ...]:
    return ("-disposition:v:0", first, "-disposition:v:1", second)


@pytest.mark.public_report(
    "androidx/media 1051",
    saw="A phone's motion photo showed its large track of one picture instead of the film.",
    here="A track that moves comes before one of a single picture, whatever flag and size they have.",
)
@pytest.mark.public_report(
    "lossless-cut 308",
    saw="A drone's film was taken for its JPEG preview, which is the first track.",
    here="The film is taken, and the registry says which track of how many.",
)
@pytest.mark.public_report(
    "mpv 15345",
    saw="Playback began with the thumbnail track, because it came first and the film had no default flag.",
    here="A track that moves comes before one of a single picture.",
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(
    ("first", "second", "flags", "taken"),
    [
        (SMALL, FILM, flags("0", "default"), 2),
        (FILM, SMALL, flags("0", "default"), 2),
        (SMALL, FILM, NO_DEFAULT, 2),
        (FILM, SMALL, NO_DEFAULT, 1),
        (FILM, FILM, NO_DEFAULT, 1),
        (POSTER, SMALL, NO_DEFAULT, 2),
        (POSTER, SMALL, flags("default", "default"), 2),
        (POSTER, SMALL, flags("default", "0"), 2),
        (SMALL, POSTER, flags("0", "default"), 1),
    ],
)
def test_the_track_that_players_show_is_taken(
    make_clip: MakeClip,
    suffix: str,
    first: tuple[str, ...],
    second: tuple[str, ...],
    flags: tuple[str, ...],
    taken: int,
) -> None:
    facts = probe_media(make_clip(f"two.{suffix}", *first, *second, *TWO, *flags))
    if suffix == "ts" and "default" in flags and POSTER not in (first, second):
        taken = 1 if first is FILM else 2  # this format has no flags
    if suffix == "mp4" and flags == NO_DEFAULT and POSTER not in (first, second):
        taken = 1  # ffmpeg's writer flags the first one
    assert (facts.track, facts.tracks, facts.stream) == (taken, 2, taken - 1)


def test_frames_are_those_of_the_track_and_the_note_names_it(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("two.mkv", *SMALL, *FILM, *TWO, *NO_DEFAULT)
    rows = extract(media, tmp_path)
    assert {(row["width"], row["height"]) for row in rows} == {(320, 180)}
    assert read_note(tmp_path / "out/frames.parquet") == "video track 2 of 2 (320 x 180)"


def test_cover_art_is_no_track(make_clip: MakeClip) -> None:
    cover = ("-map", "0", "-map", "1", "-c:v:0", "mjpeg", "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p")
    facts = probe_media(make_clip("cover.mp4", *POSTER, *FILM, *cover, "-disposition:v:0", "attached_pic"))
    assert (facts.track, facts.tracks, facts.width) == (1, 1, 320)


def test_only_the_start_of_a_file_is_read_for_it(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    media = make_clip("two.mkv", *SMALL, *FILM, *TWO, *NO_DEFAULT)
    monkeypatch.setattr(tracks, "MOST_PACKETS", 1)
    counts, is_whole = tracks._count_pictures(media, {})
    assert counts.total() == 1 and not is_whole
    assert probe_media(media).track in (1, 2)
