"""Draw seeded street scenes with exact boxes: what the demo's detector learns from, and what its clips show."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from _places import Colour, draw_place, random_colour, shade
from PIL import Image, ImageDraw

KINDS = ("car", "person", "dog")
SUPERSAMPLE = 2  # drawn at twice the size and averaged down, so that edges look filmed rather than cut
MIN_VISIBLE = 0.35  # an object with less of its box inside the picture is not drawn at all
MAX_OVERLAP = 0.12  # of the smaller box: objects stay recognisable, so every label is fair

Box = tuple[str, float, float, float, float]


@dataclass(frozen=True)
class Thing:
    """One object: `x` and `y` of its foot point and its height are shares of the picture's width, height, height."""

    kind: str
    x: float
    y: float
    height: float
    speed: float  # picture widths per second
    seed: int


@dataclass(frozen=True)
class Scene:
    """A place and what moves in it."""

    seed: int
    night: bool
    things: tuple[Thing, ...]


@dataclass
class Pen:
    """Draw in an object's own units (heights, y upwards from its foot) and remember the extent drawn."""

    draw: ImageDraw.ImageDraw
    foot_px: tuple[float, float]
    unit_px: float
    facing: int
    extent: list[tuple[float, float]] = field(default_factory=list)

    def _px(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        x0, y0 = self.foot_px
        return [(x0 + self.facing * x * self.unit_px, y0 - y * self.unit_px) for x, y in points]

    def polygon(self, points: list[tuple[float, float]], fill: Colour) -> None:
        """Fill the polygon through the points."""
        px = self._px(points)
        self.extent += px
        self.draw.polygon(px, fill=fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Fill the ellipse around (x, y)."""
        px = self._px([(x - rx, y + ry), (x + rx, y - ry)])
        (xa, ya), (xb, yb) = px
        self.extent += px
        self.draw.ellipse((min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)), fill=fill)

    def limb(self, x: float, y: float, to_x: float, to_y: float, width: float, fill: Colour) -> None:
        """Fill a straight limb of the given width between two points."""
        dx, dy = to_x - x, to_y - y
        norm = float(np.hypot(dx, dy)) or 1.0
        ox, oy = -dy / norm * width / 2, dx / norm * width / 2
        self.polygon([(x + ox, y + oy), (to_x + ox, to_y + oy), (to_x - ox, to_y - oy), (x - ox, y - oy)], fill)


def _car(pen: Pen, rng: np.random.Generator, time_s: float) -> None:
    """A saloon, hatchback or van seen from the side; about 2.4 heights long."""
    body, half = random_colour(rng), float(rng.uniform(1.05, 1.35))
    front, rear = float(rng.uniform(0.35, 0.6)), float(rng.uniform(0.65, 1.0))
    belt, glass = float(rng.uniform(0.5, 0.6)), (150, 190, 210)
    pen.polygon([(-half, 0.18), (-half, belt), (half, belt * 0.92), (half, 0.18)], body)
    roof = [(-half * rear, belt), (-half * rear * 0.8, 1.0), (half * front * 0.7, 1.0), (half * front * 1.3, belt)]
    pen.polygon(roof, shade(body, 0.85))
    pen.polygon([(x * 0.86, belt + (y - belt) * 0.85 + 0.02) for x, y in roof], glass)
    pen.polygon([(-0.06, belt), (-0.06, 0.98), (0.02, 0.98), (0.02, belt)], shade(body, 0.85))
    pen.polygon(
        [(half * 0.93, belt * 0.6), (half * 0.93, belt * 0.85), (half, belt * 0.85), (half, belt * 0.6)],
        (250, 240, 180),
    )
    for x in (-half * 0.62, half * 0.62):
        pen.ellipse(x, 0.2, 0.2, 0.2, (25, 25, 28))
        pen.ellipse(x, 0.2, 0.1, 0.1, (150, 150, 155))


def _person(pen: Pen, rng: np.random.Generator, time_s: float) -> None:
    """A walking person; about 0.4 heights wide."""
    shirt, trousers, hair = random_colour(rng), random_colour(rng, 20, 160), random_colour(rng, 10, 120)
    skin = shade((240, 200, 170), float(rng.uniform(0.4, 1.0)))
    stride = 0.13 * float(np.sin(6.0 * time_s + rng.uniform(0, 6.28)))
    for side in (-1, 1):
        pen.limb(0.0, 0.5, side * stride, 0.0, 0.1, shade(trousers, 0.9 + 0.1 * side))
        pen.limb(0.0, 0.78, -side * stride * 1.2, 0.46, 0.07, shade(shirt, 0.75))
    pen.polygon([(-0.1, 0.46), (-0.13, 0.82), (0.13, 0.82), (0.1, 0.46)], shirt)
    pen.ellipse(0.0, 0.91, 0.075, 0.09, skin)
    pen.ellipse(-0.01, 0.955, 0.078, 0.045, hair)


def _dog(pen: Pen, rng: np.random.Generator, time_s: float) -> None:
    """A standing or trotting dog seen from the side; about 1.5 heights long."""
    coat = shade((200, 150, 100), float(rng.uniform(0.4, 1.2)))
    step = 0.1 * float(np.sin(9.0 * time_s + rng.uniform(0, 6.28)))
    for x, sign in ((-0.42, 1), (-0.32, -1), (0.26, -1), (0.36, 1)):
        pen.limb(x, 0.4, x + sign * step, 0.0, 0.1, shade(coat, 0.8))
    pen.ellipse(0.0, 0.5, 0.5, 0.2, coat)
    pen.limb(-0.45, 0.55, -0.72, float(rng.uniform(0.75, 0.95)), 0.08, coat)
    pen.limb(0.35, 0.55, 0.55, 0.8, 0.2, coat)
    pen.ellipse(0.58, 0.82, 0.17, 0.15, coat)
    pen.ellipse(0.75, 0.77, 0.12, 0.08, shade(coat, 0.9))
    pen.ellipse(0.84, 0.79, 0.035, 0.035, (20, 20, 20))
    pen.polygon([(0.44, 0.92), (0.47, 1.0), (0.56, 0.93), (0.5, 0.7)], shade(coat, 0.6))


DRAW: dict[str, Callable[[Pen, np.random.Generator, float], None]] = {"car": _car, "person": _person, "dog": _dog}
HEIGHT = {"car": 0.26, "person": 0.42, "dog": 0.2}  # shares of the picture's height, nearest to the camera
WIDTH = {"car": 2.6, "person": 0.42, "dog": 1.6}  # heights; generous, for placing only


def place_things(rng: np.random.Generator, kinds: list[str]) -> tuple[Thing, ...]:
    """Place objects of these kinds so that no two hide much of each other; those that find no room are left out."""
    placed: list[tuple[float, float, float, float]] = []
    things: list[Thing] = []
    for kind in kinds:
        for _ in range(60):
            y = float(rng.uniform(0.68, 0.97))
            height = HEIGHT[kind] * (0.35 + 0.65 * (y - 0.6) / 0.37) * float(rng.uniform(0.85, 1.1))
            half = height * WIDTH[kind] / 2 * 9 / 16
            x = float(rng.uniform(-0.02, 1.02))
            box = (x - half, y - height, x + half, y)
            if all(_overlap(box, other) <= MAX_OVERLAP for other in placed):
                placed.append(box)
                speed = float(rng.uniform(-0.02, 0.02))
                things.append(Thing(kind, x, y, height, speed, int(rng.integers(2**31))))
                break
    return tuple(sorted(things, key=lambda t: t.y))


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min((p[2] - p[0]) * (p[3] - p[1]) for p in (a, b))


def make_scene(seed: int, kinds: list[str], night: bool) -> Scene:
    """Make the scene of this seed with objects of these kinds."""
    return Scene(seed, night, place_things(np.random.default_rng(seed), kinds))


def draw_scene(scene: Scene, time_s: float, width_px: int, height_px: int) -> tuple[Image.Image, list[Box]]:
    """Draw the scene at a time; return the RGB picture and a box (kind, x1, y1, x2, y2 in px) per visible object."""
    wide, high = width_px * SUPERSAMPLE, height_px * SUPERSAMPLE
    image = draw_place(np.random.default_rng([scene.seed, 1]), wide, high)
    draw = ImageDraw.Draw(image)
    boxes: list[Box] = []
    for thing in scene.things:
        box = _draw_thing(draw, thing, time_s, wide, high)
        if box:
            x1, y1, x2, y2 = (v / SUPERSAMPLE for v in box)
            boxes.append((thing.kind, x1, y1, x2, y2))
    if scene.night:
        dim = np.asarray(image, np.float32) * np.array([0.38, 0.42, 0.55], np.float32)
        image = Image.fromarray(dim.astype(np.uint8))
    return image.resize((width_px, height_px), Image.Resampling.BOX), boxes


def _draw_thing(
    draw: ImageDraw.ImageDraw, thing: Thing, time_s: float, wide: int, high: int
) -> tuple[float, float, float, float] | None:
    """Draw one object unless too little of it is in the picture; return the part of its box that is."""
    foot = ((thing.x + thing.speed * time_s) * wide, thing.y * high)
    facing = 1 if thing.speed >= 0 else -1
    trial = Pen(ImageDraw.Draw(Image.new("RGB", (1, 1))), foot, thing.height * high, facing)
    DRAW[thing.kind](trial, np.random.default_rng(thing.seed), time_s)
    xs, ys = zip(*trial.extent, strict=True)
    inside = (max(0.0, min(xs)), max(0.0, min(ys)), min(float(wide), max(xs)), min(float(high), max(ys)))
    shown = max(0.0, inside[2] - inside[0]) * max(0.0, inside[3] - inside[1])
    if shown < MIN_VISIBLE * (max(xs) - min(xs)) * (max(ys) - min(ys)):
        return None
    DRAW[thing.kind](Pen(draw, foot, thing.height * high, facing), np.random.default_rng(thing.seed), time_s)
    return inside
