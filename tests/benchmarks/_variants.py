"""Pictures, and what happens to pictures on their way through the web: with both, the search for copies is measured."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from scripts.media.probe import ffmpeg_exe
from tests.conftest import DEMO, REAL

sys.path.insert(0, str(DEMO))
from _scenes import Scene, draw_scene, place_things  # noqa: E402 - found only now

SIZE_PX = (640, 360)
PLACES = 36  # each drawn twice, with other objects
CARDS = 24
CRFS = (28, 35, 42)
REAL_VIDEOS = {"bottle-detection.mp4": 30, "car-detection.mp4": 12}  # a picture each so many frames
SHIFT_FRAMES = {"bottle-detection.mp4": 15, "car-detection.mp4": 6}  # half a second
WORDS = (
    "The End", "Part One", "Chapter 2", "Directed by", "Ann Lee", "Mark Olsen", "Starring", "with", "Three days later",
    "Berlin 1989", "Music", "Camera", "Thank you", "Subscribe", "Episode 4", "Next time",
)  # fmt: skip

Picture = Image.Image


@dataclass(frozen=True)
class Base:
    """An untouched picture: its name, where it is from (`drawn`, `card` or a video), and the place it shows."""

    name: str
    source: str
    place: str
    picture: Picture


def letterbox(picture: Picture) -> Picture:
    """Add black bars above and below, a ninth of the result each."""
    return _on_black(picture, 0.0, 1 / 7)


def pillarbox(picture: Picture) -> Picture:
    """Add black bars at the sides, as 4:3 has in 16:9."""
    return _on_black(picture, 1 / 6, 0.0)


def _on_black(picture: Picture, x: float, y: float) -> Picture:
    wide, high = round(picture.width * x), round(picture.height * y)
    return ImageOps.expand(picture, (wide, high, wide, high), "black")


def crop(share: float, x: float = 0.5, y: float = 0.5) -> Callable[[Picture], Picture]:
    """Return what cuts a share of width and height off, divided between the sides by x and y."""

    def cut(picture: Picture) -> Picture:
        wide, high = picture.width * share, picture.height * share
        box = (wide * x, high * y, picture.width - wide * (1 - x), picture.height - high * (1 - y))
        return picture.crop(tuple(round(edge) for edge in box))  # type: ignore[arg-type]

    return cut


def logo(picture: Picture) -> Picture:
    """Lay a broadcaster's logo over the upper right corner, 14 % of width and height."""
    marked, (wide, high) = picture.copy(), picture.size
    draw = ImageDraw.Draw(marked)
    draw.rounded_rectangle((wide * 0.83, high * 0.05, wide * 0.97, high * 0.19), high * 0.03, fill=(230, 30, 40))
    draw.ellipse((wide * 0.85, high * 0.07, wide * 0.89, high * 0.17), fill="white")
    draw.text((wide * 0.9, high * 0.08), "TV7", font=ImageFont.load_default(high * 0.07), fill="white")
    return marked


def subtitles(picture: Picture) -> Picture:
    """Lay two lines of white text over the lower fifth."""
    marked, (wide, high) = picture.copy(), picture.size
    draw, font = ImageDraw.Draw(marked), ImageFont.load_default(high * 0.06)
    for line, text in enumerate(("I have never seen anything like it,", "not in all these years.")):
        at = ((wide - draw.textlength(text, font=font)) / 2, high * (0.8 + 0.08 * line))
        draw.text(at, text, font=font, fill="white", stroke_width=max(1, round(high * 0.004)), stroke_fill="black")
    return marked


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "half size": lambda picture: picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC),
    "letterbox": letterbox,
    "pillarbox": pillarbox,
    "brightness -25 %": lambda picture: ImageEnhance.Brightness(picture).enhance(0.75),
    "brightness +25 %": lambda picture: ImageEnhance.Brightness(picture).enhance(1.25),
    "contrast -25 %": lambda picture: ImageEnhance.Contrast(picture).enhance(0.75),
    "contrast +25 %": lambda picture: ImageEnhance.Contrast(picture).enhance(1.25),
    "logo": logo,
    "subtitles": subtitles,
    "crop 5 %": crop(0.05),
    "crop 10 %": crop(0.1),
    "crop 10 %, one corner": crop(0.1, 0.0, 1.0),
    "mirror": ImageOps.mirror,
}
RE_ENCODED = {f"CRF {crf}": crf for crf in CRFS}


def drawn() -> Iterator[Base]:
    """Yield each drawn place twice, with objects of the same kinds elsewhere; every third is a night."""
    kinds = ["car", "person", "dog"]
    for place in range(PLACES):
        chosen = [kinds[int(i)] for i in np.random.default_rng(place).integers(0, 3, 1 + place % 3)]
        for version in range(2):
            things = place_things(np.random.default_rng(place + 1000 * version), chosen)
            picture, _ = draw_scene(Scene(place + 5000, place % 3 == 0, things), 0, *SIZE_PX)
            yield Base(f"drawn{place}.{version}", "drawn", f"drawn{place}", picture)


def cards() -> Iterator[Base]:
    """Yield title cards: two words of white text; four at a time have a background in common."""
    rng, font = np.random.default_rng(1), ImageFont.load_default(34)
    for number in range(CARDS):
        words = [WORDS[int(i)] for i in rng.choice(len(WORDS), 2, replace=False)]
        grey = np.random.default_rng(number // 4).integers(20, 70, 3)
        picture = Image.new("RGB", SIZE_PX, tuple(int(level) for level in grey))
        draw = ImageDraw.Draw(picture)
        for line, text in enumerate(words):
            draw.text(((640 - draw.textlength(text, font=font)) / 2, 110 + 50 * line), text, font=font, fill="white")
        yield Base(f"card{number}", "card", f"card{number}", picture)


def filmed(frames_of: Callable[[Path], list[Picture]]) -> Iterator[Base]:
    """Yield pictures of the real videos, where they are."""
    for name, step in REAL_VIDEOS.items():
        path = REAL / "videos" / name
        for number, picture in enumerate(frames_of(path)[::step] if path.exists() else []):
            yield Base(f"{path.stem}{number}", path.stem, path.stem, picture)


def decode(path: Path) -> list[Picture]:
    """Return all pictures of a video."""
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def re_encode(arguments: list[str], crf: int, out: Path, stdin: bytes = b"") -> list[Picture]:
    """Return the pictures of a video that x264 has encoded at a quality."""
    h264 = ["-an", "-c:v", "libx264", "-crf", str(crf), "-pix_fmt", "yuv420p", "-fps_mode", "passthrough"]
    subprocess.run([ffmpeg_exe(), "-v", "error", "-y", *arguments, *h264, str(out)], input=stdin, check=True)
    return decode(out)


def re_encoded(bases: list[Base], crf: int, folder: Path) -> dict[str, Picture]:
    """Return the bases as a video of that quality shows them, by name: stills are shown for three frames."""
    found: dict[str, Picture] = {}
    stills = [base for base in bases if base.source in ("drawn", "card")]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "{}x{}".format(*SIZE_PX), "-r", "25", "-i", "pipe:0"]
    shown = re_encode(raw, crf, folder / f"stills{crf}.mp4", b"".join(base.picture.tobytes() * 3 for base in stills))
    found |= {base.name: shown[3 * number + 1] for number, base in enumerate(stills)}
    for base in filmed(lambda path: re_encode(["-i", str(path)], crf, folder / f"{path.stem}{crf}.mp4")):
        found[base.name] = base.picture
    return found


def shifted() -> Iterator[tuple[str, Picture]]:
    """Yield for each real picture's name what the video shows half a second later."""
    for name, step in REAL_VIDEOS.items():
        path = REAL / "videos" / name
        if path.exists():
            later = decode(path)[SHIFT_FRAMES[name] :: step]
            yield from ((f"{path.stem}{number}", picture) for number, picture in enumerate(later))


def variants(bases: list[Base], folder: Path) -> Iterator[tuple[str, str, Picture]]:
    """Yield name of the base, change, and the changed picture."""
    for base in bases:
        yield from ((base.name, change, make(base.picture)) for change, make in CHANGES.items())
    for change, crf in RE_ENCODED.items():
        shown = re_encoded(bases, crf, folder)
        yield from ((base.name, change, shown[base.name]) for base in bases)
    yield from ((name, "0.5 s later", picture) for name, picture in shifted())
