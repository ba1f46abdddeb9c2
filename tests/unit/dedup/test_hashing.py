"""Bars, crops, overlays in the margin and mirroring change few bits; flat frames are hashed by brightness."""

import io
from collections.abc import Callable

import imagehash
import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw, ImageOps

from scripts.dedup.hashing import (
    INNER_ROLES,
    KNOWN,
    METHODS,
    MIRRORED,
    QUERY,
    ROLES,
    Hashed,
    area_of,
    content_px,
    hash_picture,
)
from scripts.inputs.model_choice import EMBEDDING
from tests.conftest import REPO

NEAR_BITS = 8


def scene(seed: int = 0, size: tuple[int, int] = (320, 180)) -> Image.Image:
    """Return a picture of large soft shapes."""
    small = np.random.default_rng(seed).integers(30, 220, (5, 8, 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def hashed(picture: Image.Image, method: str = "phash") -> Hashed:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return hash_picture(buffer.getvalue(), method)


def distance(later: Hashed, kept: Hashed, roles: frozenset[str] = QUERY) -> int:
    return min(
        (mine ^ other).bit_count()
        for role, mine in later.hashes
        for known, other in kept.hashes
        if role in roles and known in KNOWN and (role in INNER_ROLES) == (known in INNER_ROLES)
    )


def marked(picture: Image.Image) -> Image.Image:
    """Return a picture with a white box in its corner."""
    changed = picture.copy()
    ImageDraw.Draw(changed).rectangle((260, 8, 312, 34), fill="white")
    return changed


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "letterbox": lambda p: ImageOps.expand(p, (0, 25), "black"),
    "pillarbox": lambda p: ImageOps.expand(p, (50, 0), "black"),
    "crop": lambda p: p.crop((16, 9, 304, 171)),
    "logo": marked,
    "half": lambda p: p.resize((160, 90)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_is_near_and_another_one_is_not(change: str) -> None:
    for seed in range(10):
        kept = hashed(scene(seed))
        assert distance(hashed(CHANGES[change](scene(seed))), kept) <= NEAR_BITS
        assert distance(hashed(CHANGES[change](scene(seed + 50))), kept) > NEAR_BITS


def test_a_mirror_image_is_near_only_by_mirrored_hashes() -> None:
    for seed in range(10):
        kept, mirrored = hashed(scene(seed)), hashed(ImageOps.mirror(scene(seed)))
        assert distance(mirrored, kept, MIRRORED) <= 4 < NEAR_BITS < distance(mirrored, kept)


def test_the_content_hash_of_a_picture_without_bars_is_imagehashs_own() -> None:
    for method in ("phash", "dhash", "whash"):
        for seed in range(5):
            buffer = io.BytesIO()
            scene(seed, (180, 180)).save(buffer, "JPEG", quality=90)
            with Image.open(buffer) as picture:
                wanted = int(str(getattr(imagehash, method)(picture)), 16)
            found = dict(hash_picture(buffer.getvalue(), method).hashes)["content"]
            assert (found ^ wanted).bit_count() <= 2, method


@pytest.mark.parametrize("method", METHODS)
def test_each_method_gives_the_roles_it_can(method: str) -> None:
    found = hashed(scene(), method)
    roles = {role for role, _ in found.hashes}
    if method == "crop_resistant":
        assert roles == {"segment"}
    else:
        assert {"content", "mirror"} <= roles <= set(ROLES) and ("core" in roles) == (method != "colorhash")
    assert all(0 <= value < 2**64 for _, value in found.hashes)


@pytest.mark.parametrize("method", METHODS)
def test_flat_frames_have_one_hash_of_their_brightness(method: str) -> None:
    black, black_again, grey = (
        hashed(Image.new("RGB", (320, 180), colour), method) for colour in ("black", "#020202", "grey")
    )
    assert [role for role, _ in black.hashes] == ["level"] and black.hashes == black_again.hashes
    assert distance(black, grey) > NEAR_BITS and distance(black, hashed(scene(), "phash")) > NEAR_BITS


def test_bars_are_black_and_on_both_sides() -> None:
    luma = np.full((100, 160), 90, np.uint8)
    assert content_px(luma) == (0, 0, 160, 100)
    luma[:12] = luma[-12:] = 5
    assert content_px(luma) == (0, 12, 160, 88)
    luma[-12:] = 90
    assert content_px(luma) == (0, 0, 160, 100), "a night sky has no counterpart below"
    luma[:, :50] = luma[:, -50:] = 16
    assert content_px(luma) == (50, 0, 110, 100), "an upright video in a wide frame"
    luma[:, :50] = luma[:, -50:] = 40
    assert content_px(luma) == (0, 0, 160, 100), "dark grey is no bar"


def test_a_hash_stands_for_a_part_of_the_picture() -> None:
    content = (0.0, 0.1, 1.0, 0.9)
    assert area_of("content", content) == area_of("core", content) == area_of("mirror", content) == content
    assert area_of("whole", content) == (0.0, 0.0, 1.0, 1.0)
    assert area_of("crop10", content) == pytest.approx((0.05, 0.14, 0.95, 0.86))


def test_each_method_of_the_schema_is_there() -> None:
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())
    named = schema["properties"]["dedup"]["properties"]["method"]["enum"]
    assert set(named) == {*METHODS, EMBEDDING}
