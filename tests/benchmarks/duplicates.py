"""Measure how well copies are found: pictures x changes, and hard negatives; each method beside two other libraries.

python -m tests.benchmarks.duplicates [--write]      five minutes; with --write into docs/duplicates.md and .tsv

A pair counts as found if deduplicate would drop one of its frames: hashes within the threshold, and no object in one
that the other lacks (compare_objects), by what the filter's model sees in both. Real video joins where it is present.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from scripts.dedup.hashing import INNER_ROLES, KNOWN, METHODS, MIRRORED, QUERY, Hashed, hash_picture
from scripts.dedup.same_objects import SURE, Appearance, View, same_objects, view_of
from scripts.model.inference import Detections, Inference
from tests._infer import detect_alone
from tests._models import compiled
from tests.benchmarks._duplicates_tables import FARTHEST_BITS, PEERS, Labelled, Measured, write_tables
from tests.benchmarks._variants import Base, cards, decode, drawn, filmed, variants
from tests.conftest import DEMO, REAL

JPEG_QUALITY = 90
SLOW = "crop_resistant"  # a second per picture, so it is measured on a sample of the bases
SAMPLE = 6  # every so many
MOVED_LEVELS = 10.0  # mean change of the pixels in a box from which an object has surely moved, and is not just missed
MOVED_IOU = 0.3


@dataclass(frozen=True)
class Pair:
    """Two pictures by file name: the one that is kept, a newcomer, and what they are to each other."""

    kept: str
    newcomer: str
    kind: str
    copy: bool


@dataclass(frozen=True)
class Corpus:
    """Pictures as JPEGs in a folder, what the filter's model sees in them, and labelled pairs."""

    folder: Path
    seen: Mapping[str, Detections]
    pairs: list[Pair]


def build(folder: Path) -> Corpus:
    """Write all pictures, look at them with the filter's models, and label pairs."""
    bases = [*drawn(), *cards(), *filmed(decode)]
    for base in bases:
        _save(base.picture, folder / f"{base.name}.jpg")
    copies = []
    for name, change, picture in variants(bases, folder):
        file = f"{name}, {change}.jpg"
        _save(picture, folder / file)
        copies.append(Pair(f"{name}.jpg", file, change, copy=True))
    seen = look(folder)
    return Corpus(folder, seen, [*copies, *negatives(bases, folder, seen)])


def _save(picture: Image.Image, path: Path) -> None:
    picture.save(path, "JPEG", quality=JPEG_QUALITY)


def look(folder: Path) -> dict[str, Detections]:
    """Return what the demo's model sees in drawn pictures, and the real model in filmed ones."""
    drawn_files = sorted(file for file in folder.glob("*.jpg") if file.name.startswith(("drawn", "card")))
    work, found = folder / "work", {}
    filmed_files = sorted(set(folder.glob("*.jpg")) - set(drawn_files))
    models = [(DEMO / "detector.pt", 320, drawn_files), (REAL / "model/yolo11n_int8_openvino_model", 640, filmed_files)]
    for weights, imgsz_px, files in models:
        if files:
            model = compiled(weights, imgsz_px, folder / f"model{imgsz_px}")
            for one in detect_alone(model, files, Inference(0.25, 0.7, imgsz_px, ()), work, threads=2):
                found[one.image.name] = one
    return found


def negatives(bases: list[Base], folder: Path, seen: Mapping[str, Detections]) -> list[Pair]:
    """Return pairs that are no copies, the hard ones by kind."""
    found = []
    for one, other in combinations(bases, 2):
        kind = "other place" if one.place != other.place else "object elsewhere (drawn)"
        if one.source == other.source == "card":
            kind = "title cards"
        elif one.source == other.source == "drawn" and one.place != other.place and _is_night(one) and _is_night(other):
            kind = "dark scenes"
        elif one.source == other.source != "drawn":
            if not moved(folder / f"{one.name}.jpg", folder / f"{other.name}.jpg", seen):
                continue  # nobody can say whether a fixed camera's pictures are copies if nothing moved
            kind = "object elsewhere (filmed)"
        found.append(Pair(f"{one.name}.jpg", f"{other.name}.jpg", kind, copy=False))
    return found


def _is_night(base: Base) -> bool:
    return int(base.place.removeprefix("drawn")) % 3 == 0


def moved(one: Path, other: Path, seen: Mapping[str, Detections]) -> bool:
    """Tell whether a sure object of one picture is not in the other, and the pixels there say so, too."""
    pixels = [np.asarray(Image.open(path).convert("L"), np.float32) for path in (one, other)]
    change = np.abs(pixels[0] - pixels[1])
    sides = [seen[one.name], seen[other.name]]
    for mine, others in (sides, sides[::-1]):
        for box, score in zip(mine.boxes_xyxy_px, mine.confidences, strict=True):
            left, top, right, bottom = (round(edge) for edge in box)
            lonely = max((_iou(box, b) for b in others.boxes_xyxy_px), default=0.0) < MOVED_IOU
            if score >= SURE and lonely and change[top:bottom, left:right].mean() >= MOVED_LEVELS:
                return True
    return False


def _iou(a: list[float], b: list[float]) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0) * max(high, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def distances(corpus: Corpus, method: str) -> tuple[list[int], list[int]]:
    """Return per pair the least distance at which deduplicate takes it for a copy: as it is, and mirrored, too."""
    hashed = {file: hash_picture((corpus.folder / file).read_bytes(), method) for file in _files(corpus.pairs)}

    @lru_cache(None)
    def view(file: str, role: str) -> View:
        found = corpus.seen[file]
        with Image.open(corpus.folder / file) as picture:
            size = [*picture.size, *picture.size]
        boxes = np.array(found.boxes_xyxy_px, float).reshape(-1, 4) / size
        return view_of(Appearance(hashed[file].thumb, hashed[file].content, boxes, np.array(found.confidences)), role)

    def smallest(pair: Pair, roles: frozenset[str]) -> int:
        met = sorted(_meetings(hashed[pair.newcomer], hashed[pair.kept], roles))
        for bits, mine, other in met:
            if same_objects(view(pair.newcomer, mine), view(pair.kept, other)):
                return bits
        return FARTHEST_BITS + 1

    plain = [smallest(pair, QUERY) for pair in corpus.pairs]
    return plain, [min(bits, smallest(pair, MIRRORED)) for bits, pair in zip(plain, corpus.pairs, strict=True)]


def _meetings(newcomer: Hashed, kept: Hashed, roles: frozenset[str]) -> Iterable[tuple[int, str, str]]:
    for mine, value in newcomer.hashes:
        for other, known in kept.hashes:
            if (
                mine in roles
                and other in KNOWN
                and (mine in INNER_ROLES) == (other in INNER_ROLES)
                and (bits := (value ^ known).bit_count()) <= FARTHEST_BITS
            ):
                yield bits, mine, other


def peer_distances(corpus: Corpus, peer: str) -> list[int]:
    """Return for each pair the distance of another library's 64-bit phash."""
    from imagededup.methods import PHash

    deduper = PHash(verbose=False)
    encoders: dict[str, Callable[[Path], str]] = {
        "imagehash": lambda path: str(imagehash.phash(Image.open(path))),
        "imagededup": lambda path: str(deduper.encode_image(path)),
    }
    values = {file: int(encoders[peer](corpus.folder / file), 16) for file in _files(corpus.pairs)}
    return [(values[pair.kept] ^ values[pair.newcomer]).bit_count() for pair in corpus.pairs]


def _files(pairs: Iterable[Pair]) -> list[str]:
    return sorted({file for pair in pairs for file in (pair.kept, pair.newcomer)})


def main() -> None:
    """Measure, print or write the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help="into docs/")
    write = options.parse_args().write
    with tempfile.TemporaryDirectory() as name:
        corpus = build(Path(name))
        measured: dict[str, list[Labelled]] = {}
        for method in METHODS:
            chosen = sample(corpus) if method == SLOW else corpus
            plain, mirrored = distances(chosen, method)
            measured |= {method: _labelled(chosen, plain), f"{method}, mirrored": _labelled(chosen, mirrored)}
        measured |= {peer: _labelled(corpus, peer_distances(corpus, peer)) for peer in PEERS}
    write_tables(Measured(measured), write)


def sample(corpus: Corpus) -> Corpus:
    """Return the corpus with every sixth base."""
    bases = sorted({pair.kept for pair in corpus.pairs if pair.copy})[::SAMPLE]
    pairs = [p for p in corpus.pairs if p.kept in bases and (p.copy or p.newcomer in bases)]
    return Corpus(corpus.folder, corpus.seen, pairs)


def _labelled(corpus: Corpus, bits: list[int]) -> list[Labelled]:
    return [Labelled(pair.kind, _source(pair, corpus), d) for pair, d in zip(corpus.pairs, bits, strict=True)]


def _source(pair: Pair, corpus: Corpus) -> str:
    """Return where the original is from; what shows no object comes into a dataset as a background at most."""
    if not corpus.seen[pair.kept].classes:
        return "no object"
    return "drawn" if pair.kept.startswith(("drawn", "card")) else "filmed"


if __name__ == "__main__":
    main()
