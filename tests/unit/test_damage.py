"""Pictures of damaged files are kept if they are good, and counted if they are not."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scripts._damage import find_damage
from scripts._tables import read_note
from tests._clips import KINDS, extract, make_kind
from tests.conftest import H264, REAL, MakeClip, pattern


def hurt(media: Path, into: Path, holes: int, length: int, seed: int = 1) -> Path:
    """Overwrite parts of a file with noise, its first and last tenth excepted."""
    data = bytearray(media.read_bytes())
    rng = random.Random(seed)
    for _ in range(holes):
        at = rng.randrange(len(data) // 10, len(data) * 9 // 10)
        data[at : at + length] = rng.randbytes(length)
    path = into / f"hurt{media.suffix}"
    path.write_bytes(data)
    return path


def broken(one: Path, other: Path) -> bool:
    """Tell whether a part of a picture is another one, as no viewer would miss."""
    a, b = (np.asarray(Image.open(p).convert("L").resize((160, 96)), float) for p in (one, other))
    return bool(np.abs(a - b).reshape(12, 8, 20, 8).mean((1, 3)).max() > 25)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_beyond_doubt(make_clip: MakeClip, kind: str) -> None:
    containers = {"mp4": "mov", "mkv": "matroska", "webm": "matroska", "ts": "mpegts", "mpg": "mpeg"}
    extension = kind.split(".")[1]
    media = make_kind(make_clip, kind)
    damage = find_damage(media, containers.get(extension, extension))
    assert damage.pictures >= 35 and not damage.doubted_ms


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", H264), ("a.mkv", H264), ("a.ts", H264), ("a.mpg", ("-c:v", "mpeg2video", "-q:v", "4"))],
)
@pytest.mark.parametrize(("holes", "length"), [(1, 1), (4, 1), (2, 2000)])
def test_broken_pictures_go_and_good_ones_stay(
    make_clip: MakeClip, tmp_path: Path, name: str, codec: tuple[str, ...], holes: int, length: int
) -> None:
    whole = make_clip(f"moving_{name}", *pattern(6), *codec, "-g", "25")
    true = {row["frame"] for row in extract(whole, tmp_path / "true", interval_s=0.04)}  # every frame
    wrong = kept = 0
    for seed in range(3):
        folder = tmp_path / str(seed)
        rows = extract(hurt(whole, tmp_path, holes, length, seed), folder, interval_s=0.2)
        names = [row["frame"] for row in rows if row["keep"]]
        kept += len(names)
        wrong += sum(n not in true or broken(folder / "out" / n, tmp_path / "true/out" / n) for n in names)
        dropped = [row for row in rows if not row["keep"]]
        assert {row["reason"] for row in dropped} <= {"damaged", "unreadable"}
        assert "pictures of the file are damaged" in read_note(folder / "out/frames.parquet") or not dropped
    assert wrong <= 2  # a byte that decodes to another valid picture is beyond any decoder's notice
    assert kept >= 40  # of 93: at worst four of the six seconds are hit in each file


def test_the_same_damage_is_said_in_the_same_words_each_time(make_clip: MakeClip, tmp_path: Path) -> None:
    media = hurt(make_clip("moving.mkv", *pattern(6), *H264, "-g", "25"), tmp_path, 5, 300)
    notes: list[str] = []
    for name in ("a", "b"):
        extract(media, tmp_path / name, interval_s=0.5, threads=1 + len(notes))
        notes.append(read_note(tmp_path / name / "out/frames.parquet"))
    assert notes[0] == notes[1] and "0x" not in notes[0] and str(tmp_path) not in notes[0]
    assert "pictures of the file are damaged" in notes[0]


@pytest.mark.parametrize("mode", ["interval", "every_n", "keyframes", "scene", "budget"])
def test_truncated_files_keep_what_is_there(make_clip: MakeClip, tmp_path: Path, mode: str) -> None:
    whole = make_clip("whole.mkv", *pattern(6), "-g", "25", *H264).read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) // 2])
    options: dict[str, Any] = {"every_n": {"every_n": 25}, "budget": {"budget": 5}}.get(mode, {})
    rows = extract(tmp_path / "half.mkv", tmp_path, mode=mode, **options)
    assert len(rows) >= 1 and max(row["pts_s"] for row in rows) < 4
    assert "the last picture is at" in read_note(tmp_path / "out/frames.parquet")


@pytest.mark.skipif(not REAL.exists(), reason="no real videos")
def test_real_videos_are_beyond_doubt() -> None:
    for media in sorted((REAL / "videos").glob("*.mp4")):
        assert not find_damage(media, "mov").doubted_ms
