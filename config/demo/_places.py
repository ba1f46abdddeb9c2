"""Draw streets, parks and squares without anything that moves."""

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]


def random_colour(rng: np.random.Generator, low: int = 30, high: int = 235) -> Colour:
    """Return a colour with channels in [low, high)."""
    r, g, b = (int(v) for v in rng.integers(low, high, 3))
    return r, g, b


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made lighter or darker by a factor."""
    r, g, b = (max(0, min(255, round(c * factor))) for c in colour)
    return r, g, b


def draw_place(rng: np.random.Generator, wide: int, high: int) -> Image.Image:
    """Draw a street, park or square without anything that moves."""
    horizon = int(high * rng.uniform(0.45, 0.62))
    top, low = np.array(random_colour(rng, 60, 250), np.float32), np.array(random_colour(rng, 120, 255), np.float32)
    ramp = np.linspace(0, 1, high, dtype=np.float32)[:, None, None]
    image = Image.fromarray(np.broadcast_to(top + (low - top) * ramp, (high, wide, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    _draw_skyline(draw, rng, wide, horizon, bool(rng.random() < 0.6))
    _draw_ground(draw, rng, wide, high, horizon)
    _draw_furniture(draw, rng, wide, high, horizon)
    return image


def _draw_skyline(draw: ImageDraw.ImageDraw, rng: np.random.Generator, wide: int, horizon: int, city: bool) -> None:
    if rng.random() < 0.5:
        x, y, r = rng.uniform(0, wide), rng.uniform(0, horizon * 0.6), rng.uniform(0.03, 0.08) * wide
        draw.ellipse((x - r, y - r, x + r, y + r), fill=random_colour(rng, 200, 255))
    if not city:
        for _ in range(int(rng.integers(2, 5))):
            x, r, h = rng.uniform(0, wide), rng.uniform(0.15, 0.5) * wide, rng.uniform(0.1, 0.75) * horizon
            draw.ellipse((x - r, horizon - h, x + r, horizon + h), fill=random_colour(rng, 40, 190))
        return
    x = float(-rng.uniform(0, 0.1) * wide)
    while x < wide:
        w, h = rng.uniform(0.08, 0.3) * wide, rng.uniform(0.15, 0.98) * horizon
        wall = random_colour(rng, 40, 230)
        draw.rectangle((x, horizon - h, x + w, horizon), fill=wall)
        pane, step = shade(wall, float(rng.choice([0.55, 1.4]))), w / int(rng.integers(3, 7))
        for wx in np.arange(x + step * 0.25, x + w - step * 0.5, step):
            for wy in np.arange(horizon - h + step * 0.3, horizon - step * 0.6, step * 1.3):
                draw.rectangle((wx, wy, wx + step * 0.5, wy + step * 0.8), fill=pane)
        x += w + float(rng.choice([0.0, 0.0, rng.uniform(0.01, 0.15)])) * wide


def _draw_ground(draw: ImageDraw.ImageDraw, rng: np.random.Generator, wide: int, high: int, horizon: int) -> None:
    draw.rectangle((0, horizon, wide, high), fill=random_colour(rng, 70, 210))
    road_top = int(horizon + (high - horizon) * rng.uniform(0.15, 0.35))
    road_low = int(high * rng.uniform(0.84, 1.0))
    grey = int(rng.integers(50, 150))
    draw.rectangle((0, road_top, wide, road_low), fill=(grey, grey, grey + 5))
    draw.line((0, road_top, wide, road_top), fill=shade((grey, grey, grey), 1.5), width=max(2, high // 120))
    middle, dash = (road_top + road_low) // 2, wide * float(rng.uniform(0.05, 0.12))
    for x in np.arange(-rng.uniform(0, dash), wide, dash * 2):
        draw.rectangle((x, middle, x + dash, middle + max(2, high // 90)), fill=(225, 225, 205))


def _draw_furniture(draw: ImageDraw.ImageDraw, rng: np.random.Generator, wide: int, high: int, horizon: int) -> None:
    """Trees, lamp posts, bins and signs: things a detector must learn to leave alone."""
    for _ in range(int(rng.integers(1, 7))):
        x, foot = rng.uniform(0, wide), horizon + (high - horizon) * rng.uniform(0.02, 0.2)
        size, form = high * rng.uniform(0.1, 0.4), int(rng.integers(4))
        dark = random_colour(rng, 20, 110)
        if form == 0:
            draw.rectangle((x - size * 0.04, foot - size * 0.5, x + size * 0.04, foot), fill=(90, 65, 45))
            draw.ellipse(
                (x - size * 0.3, foot - size, x + size * 0.3, foot - size * 0.35),
                fill=shade((70, 150, 70), float(rng.uniform(0.5, 1.3))),
            )
        elif form == 1:
            draw.rectangle((x - size * 0.02, foot - size, x + size * 0.02, foot), fill=dark)
            draw.ellipse(
                (x - size * 0.07, foot - size * 1.08, x + size * 0.07, foot - size * 0.94), fill=(250, 240, 190)
            )
        elif form == 2:
            draw.rectangle((x - size * 0.12, foot - size * 0.3, x + size * 0.12, foot), fill=dark)
        else:
            draw.rectangle((x - size * 0.02, foot - size * 0.7, x + size * 0.02, foot), fill=dark)
            draw.rectangle(
                (x - size * 0.14, foot - size * 0.9, x + size * 0.14, foot - size * 0.66),
                fill=random_colour(rng, 60, 240),
            )
