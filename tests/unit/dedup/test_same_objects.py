"""Near hashes are no copies if one picture lacks an object of the other; overlays and bad detections do not matter."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scripts.dedup.hashing import THUMB_PX
from scripts.dedup.same_objects import Appearance, same_objects, view_of

WHOLE = (0.0, 0.0, 1.0, 1.0)
CAR = (0.2, 0.5, 0.4, 0.7)


def street(*cars: tuple[float, float, float, float]) -> Image.Image:
    """Return a street of soft texture with cars in these boxes."""
    texture = np.random.default_rng(1).integers(80, 160, (16, 16), np.uint8)
    picture = Image.fromarray(texture).resize((640, 640), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in cars:
        draw.rectangle((left * 640, top * 640, right * 640, bottom * 640), fill=20)
        draw.rectangle((left * 640 + 5, top * 640 + 20, (left + right) * 320, (top + bottom) * 320), fill=230)
    return picture


def look(picture: Image.Image, *boxes: tuple[float, float, float, float], confidence: float = 0.9) -> Appearance:
    thumb = np.asarray(picture.resize((THUMB_PX, THUMB_PX), Image.Resampling.BOX))
    return Appearance(thumb, WHOLE, np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), confidence))


def same(a: Appearance, b: Appearance, role_a: str = "content", role_b: str = "content") -> bool:
    found = same_objects(view_of(a, role_a), view_of(b, role_b))
    assert same_objects(view_of(b, role_b), view_of(a, role_a)) == found, "whoever comes first"
    return found


def test_the_same_objects_in_the_same_places_are_the_same() -> None:
    assert same(look(street(CAR), CAR), look(street(CAR).point(lambda level: level * 0.8), (0.21, 0.5, 0.41, 0.71)))


@pytest.mark.parametrize("elsewhere", [[(0.6, 0.5, 0.8, 0.7)], [], [CAR, (0.6, 0.5, 0.8, 0.7)]])
def test_an_object_elsewhere_gone_or_come_is_a_difference(elsewhere: list[tuple[float, float, float, float]]) -> None:
    assert not same(look(street(CAR), CAR), look(street(*elsewhere), *elsewhere))


def test_an_object_that_the_model_missed_is_no_difference_since_the_pixels_are_there() -> None:
    assert same(look(street(CAR), CAR), look(street(CAR).point(lambda level: level * 0.9 + 10)))


def test_an_unsure_object_beside_a_sure_one_decides_nothing() -> None:
    both, one = (CAR, (0.6, 0.1, 0.8, 0.2)), look(street(CAR), CAR)
    bright = street(CAR)
    ImageDraw.Draw(bright).rectangle((384, 64, 512, 128), fill=255)
    assert not same(one, look(bright, *both))
    sure = look(bright, *both)
    assert same(one, Appearance(sure.thumb, WHOLE, sure.boxes, np.array([0.9, 0.4])))


def test_unsure_objects_decide_where_there_are_no_others() -> None:
    elsewhere = (0.6, 0.5, 0.8, 0.7)
    assert not same(look(street(CAR), CAR, confidence=0.3), look(street(elsewhere), elsewhere, confidence=0.3))
    assert same(look(street(CAR), CAR, confidence=0.3), look(street(CAR), CAR, confidence=0.3))


def test_what_is_laid_over_the_picture_beside_the_objects_is_no_difference() -> None:
    marked = street(CAR)
    ImageDraw.Draw(marked).rectangle((500, 20, 620, 100), fill=255)
    assert same(look(street(CAR), CAR), look(marked, CAR))


def test_pictures_without_objects_must_agree_in_their_pixels() -> None:
    marked = street()
    ImageDraw.Draw(marked).rectangle((100, 100, 400, 300), fill=255)
    assert same(look(street()), look(street().point(lambda level: level * 0.8)))
    assert not same(look(street()), look(marked))
    assert same(look(Image.new("L", (640, 640), 3)), look(Image.new("L", (640, 640), 6)))
    assert not same(look(Image.new("L", (640, 640), 3)), look(Image.new("L", (640, 640), 60)))


def test_crops_and_mirror_images_are_compared_where_they_show_the_same() -> None:
    car = (0.3, 0.5, 0.5, 0.7)
    whole = look(street(car), car)
    inner = street(car).crop((32, 32, 608, 608))
    cut = look(inner, ((0.3 - 0.05) / 0.9, 0.5, (0.5 - 0.05) / 0.9, (0.7 - 0.05) / 0.9))
    assert same(cut, whole, "content", "crop10")
    mirrored = look(street(car).transpose(Image.Transpose.FLIP_LEFT_RIGHT), (0.5, 0.5, 0.7, 0.7))
    assert same(mirrored, whole, "mirror", "content")
    assert not same(mirrored, whole)


def test_an_object_at_the_edge_that_a_crop_cuts_off_is_no_difference() -> None:
    edge = (0.0, 0.4, 0.06, 0.6)
    cut = look(street(edge, CAR).crop((32, 32, 608, 608)), ((0.2 - 0.05) / 0.9, 0.5, (0.4 - 0.05) / 0.9, 0.722))
    assert same(cut, look(street(edge, CAR), edge, CAR), "content", "crop10")
