"""Vectors of the demo's detector differ between scenes, agree for crops and overlays, and are the same each time."""

import json
import shutil
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageDraw

from scripts.core.schemas import FILTER
from scripts.core.tables import write_table
from scripts.dedup.hash_frames import hash_frames
from scripts.dedup.vector_space import VectorSpace, in_steps
from tests._embed import embed_alone
from tests.conftest import DEMO

CLIPS = ("avenue", "park", "crossing")
SHOTS = 4  # of a clip, two seconds each


def cropped(picture: Image.Image) -> Image.Image:
    wide, high = picture.size
    return picture.crop((round(0.1 * wide), round(0.1 * high), round(0.9 * wide), round(0.9 * high)))


def with_logo(picture: Image.Image) -> Image.Image:
    wide, high = picture.size
    drawn = picture.copy()
    ImageDraw.Draw(drawn).rectangle((0.75 * wide, 0.04 * high, 0.97 * wide, 0.18 * high), fill=(250, 210, 20))
    return drawn


def with_bars(picture: Image.Image) -> Image.Image:
    framed = Image.new("RGB", (picture.width, picture.height + 80))
    framed.paste(picture, (0, 40))
    return framed


def mirrored(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


VIEWS = {"original": Image.Image.copy, "crop": cropped, "logo": with_logo, "bars": with_bars, "mirror": mirrored}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo's weights as compile_model leaves them."""
    folder = tmp_path_factory.mktemp("models") / "demo"
    folder.mkdir()
    shutil.copy(DEMO / "detector.pt", folder / "model.pt")
    card = {"file": "model.pt", "weights": "detector.pt", "names": ["car", "person", "dog"]}
    (folder / "model.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a folder with a frame of each scene in all views, and one that is grey; and that of their hashes."""
    folder = tmp_path_factory.mktemp("frames")
    rate = ["-vf", "fps=1/2:start_time=1", "-frames:v", str(SHOTS), "-q:v", "2"]
    for clip in CLIPS:
        source = ["-i", str(DEMO / f"clips/{clip}.mp4")]
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *rate, str(folder / f"{clip}%d.png")]
        subprocess.run(ffmpeg, check=True)
    scenes = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]
    names = [
        save(view(scene), folder, f"{i:02d}-{name}.jpg")
        for i, scene in enumerate(scenes)
        for name, view in VIEWS.items()
    ]
    names.append(save(Image.new("RGB", (640, 360), (128, 128, 128)), folder, "99-grey.jpg"))
    write_table(folder / "filter.parquet", [{"frame": name, "passed": True} for name in names], FILTER)
    hashed = tmp_path_factory.mktemp("hashes")
    hash_frames(folder, "phash", hashed)
    return folder, hashed


def save(picture: Image.Image, folder: Path, name: str) -> str:
    picture.save(folder / name, quality=90)
    return name


@pytest.fixture(scope="module")
def vectors(model: Path, pictures: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return embed_alone(*pictures, model, tmp_path_factory.mktemp("vectors") / "one.npy")


def by_view(vectors: np.ndarray, view: str) -> np.ndarray:
    """Return the vectors of one view of all scenes (n x 2 x d), at unit length but for the last digits."""
    views = vectors[:-1].reshape(len(CLIPS) * SHOTS, len(VIEWS), *vectors.shape[1:])
    wide: np.ndarray = views[:, list(VIEWS).index(view)].astype(float)
    wide /= np.linalg.norm(wide, axis=2, keepdims=True)
    return wide


@pytest.mark.parametrize("view", ["crop", "logo", "bars"])
def test_a_copy_is_nearest_to_its_own_scene(vectors: np.ndarray, view: str) -> None:
    scenes, copies = by_view(vectors, "original")[:, 0], by_view(vectors, view)[:, 0]
    cosines = copies @ scenes.T
    assert (cosines.argmax(axis=1) == np.arange(len(scenes))).all()


def test_black_bars_change_at_most_one_bit(vectors: np.ndarray) -> None:
    scenes, copies = (in_steps(by_view(vectors, view)[:, 0]) for view in ("original", "bars"))
    at, of, _ = VectorSpace(1).pairs(copies, scenes)
    assert {int(i) for i, k in zip(at, of, strict=True) if i == k} == set(range(len(scenes)))


def test_the_second_vector_is_that_of_the_mirror_image(vectors: np.ndarray) -> None:
    scenes, mirrors = by_view(vectors, "original"), by_view(vectors, "mirror")
    crosswise = (scenes[:, 1] * mirrors[:, 0]).sum(axis=1)
    assert (crosswise > (scenes[:, 0] * mirrors[:, 0]).sum(axis=1)).all()


def test_a_flat_frame_is_near_no_other(vectors: np.ndarray) -> None:
    assert len(VectorSpace(16).pairs(vectors[-1:, 0], vectors[:-1, 0])[0]) == 0


def test_the_same_frames_give_the_same_bytes_on_any_number_of_threads(
    model: Path, pictures: tuple[Path, Path], vectors: np.ndarray, tmp_path: Path
) -> None:
    assert vectors.dtype == np.float16
    assert np.array_equal(embed_alone(*pictures, model, tmp_path / "two.npy", threads=3), vectors)


def test_a_video_without_frames_loads_no_model(tmp_path: Path) -> None:
    write_table(tmp_path / "filter.parquet", [], FILTER)
    hash_frames(tmp_path, "phash", tmp_path / "hashes")
    assert len(embed_alone(tmp_path, tmp_path / "hashes", tmp_path / "missing", tmp_path / "none.npy")) == 0
