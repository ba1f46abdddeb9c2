"""The card counts images and objects, names models and licences, and escapes texts from other sites."""

import html
import os
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import mlcroissant
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.characters import printable
from scripts.dataset.dataset_card import escape_markdown
from scripts.inputs.settings import published_settings
from tests._exported import CLASSES, FRAMES, export, settings
from tests._forked import DATASETS, run_loaded
from tests.conftest import REPO

HOSTILE = "x | y\n\n# big <img src=q onerror=z> [a](https://b.c) `code` *bold* ~~no~~ $t$ @me \u202e&amp;"


def rows_after(card: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table after a heading."""
    lines = card.split(heading)[1].split("\n|", 1)[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))] for line in lines]


def test_the_card_counts_videos_images_backgrounds_and_objects_by_split(tmp_path: Path) -> None:
    card = (export(tmp_path, settings()) / "README.md").read_text()
    table = rows_after(card, "## What is in it")
    assert len(table) == 5 and {len(row) for row in table} == {4 + len(CLASSES)}
    counted = {row[0]: [int(cell) for cell in row[1:]] for row in table[2:]}
    for split in ("train", "val", "test"):
        frames = [boxes for of_split, frames in FRAMES.values() if of_split == split for boxes in frames.values()]
        objects = [sum(number == n for boxes in frames for _, number, _ in boxes) for n in range(len(CLASSES))]
        videos = sum(of_split == split for of_split, _ in FRAMES.values())
        assert counted[split] == [videos, len(frames), frames.count([]), *objects]
    assert "machine-made" in card and "0" * 64 in card and "max_distance_bits: 8" in card


def test_texts_from_sites_are_no_markup(tmp_path: Path) -> None:
    credits = dict.fromkeys(("title", "uploader", "license"), HOSTILE)
    card = (export(tmp_path, settings(), credits) / "README.md").read_text()
    assert "<img" not in card and "](https" not in card and "\u202e" not in card
    table = rows_after(card, "| licence, as its site")
    assert [row[1] for row in table if row[1].isdigit()] == ["3"]
    assert {len(row) for row in rows_after(card, "| a\\.b | 3 |\n")} == {5}
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["license"] == "other" and front["annotations_creators"] == ["machine-generated"]


@given(st.text())
def test_escaped_text_keeps_its_words_without_markdown(text: str) -> None:
    shown = escape_markdown(text)
    words = " ".join(printable(text).split())
    assert html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown)) == words
    assert "\n" not in shown and not re.search(r"(?<!\\)[`*_\[\]|~$@]|[<>]|(?<![\\&])#(?!x27)", shown)


def test_the_card_explains_only_the_written_formats(tmp_path: Path) -> None:
    words_of = {
        "yolo": ["yolo detect train", "RFDETR", "CVAT", "label-studio-converter"],
        "coco": ["pycocotools", "supervision", "fiftyone"],
        "parquet": ["mlcroissant"],
        "imagefolder": ["load_dataset"],
        "webdataset": ["WebDataset"],
    }
    for form in words_of:
        card = (export(tmp_path / form, settings(formats=[form])) / "README.md").read_text()
        assert {other: [word for word in words if word in card] for other, words in words_of.items()} == {
            other: words if other == form else [] for other, words in words_of.items()
        }


# What each block of Python in the card counts: images of `train` for COCO, pandas and WebDataset, of all splits for
# Croissant, files in the archive for CVAT, splits for Hugging Face. Some tools are no packages of the tests:
# tests/benchmarks/loaders.py runs them where they are installed.
COUNTED = {
    "zipfile": ("len(zipfile.ZipFile('cvat.zip').namelist())", 1 + 8 + 8),
    "pycocotools": ("len(train.imgs)", 6),
    "supervision": ("len(train)", 6),
    "pandas": ("len(train)", 6),
    "mlcroissant": ("sum(1 for _ in images)", 8),
    "webdataset": ("sum(1 for _ in train)", 6),
    "datasets": ("len(dataset)", 2),
}
NOT_INSTALLED = ("rfdetr", "fiftyone")


@pytest.mark.public_report(
    "cvat-ai/cvat 9433",
    saw="annotations alone, in Ultralytics' layout, are uploaded without an error, and none are shown",
    here="the card makes the archive of images and labels that CVAT's format needs",
)
@pytest.mark.public_report(
    "cvat-ai/cvat 9638",
    saw="CVAT finds no dataset in an archive without folders of splits, and with files of other formats",
    here="the archive holds data.yaml, images and labels by split, and nothing else",
)
def test_the_code_in_the_card_runs(tmp_path: Path) -> None:
    folder = export(tmp_path, settings())
    card = (folder / "README.md").read_text().replace("path/to/this/folder", str(folder))
    code, wanted = "", []
    for block in re.findall(r"```python\n(.*?)```", card, re.DOTALL):
        if not any(name in block for name in NOT_INSTALLED):
            count, number = next(counted for name, counted in COUNTED.items() if name in block)
            code += f"{block}print({count})\n"
            wanted.append(number)
    assert sorted(wanted) == sorted(number for _, number in COUNTED.values())
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    printed = run_loaded(DATASETS, code, folder=folder, environment=offline)
    assert [int(line) for line in printed.splitlines() if line.isdigit()] == wanted
    with zipfile.ZipFile(folder / "cvat.zip") as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".yaml", ".jpg", ".txt"}


@pytest.mark.public_report(
    "HumanSignal/label-studio-converter 236",
    saw="images are imported without their labels",
    here="the card links images and labels of a split side by side, with classes.txt, as the converter wants them",
)
def test_the_command_for_label_studio_lays_out_what_its_converter_reads(tmp_path: Path) -> None:
    """The converter is a stand-in that lists what it is given; tests/benchmarks/loaders.py runs the real one."""
    folder = export(tmp_path, settings())
    script = re.findall(r"```sh\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)[0]
    converter = tmp_path / "bin/label-studio-converter"
    converter.parent.mkdir()
    converter.write_text('#!/bin/sh\ncd "$4" && ls classes.txt images/*.jpg labels/*.txt 2>/dev/null | wc -l; exit 0\n')
    converter.chmod(0o755)
    for _ in range(2):  # a second time it changes nothing
        done = subprocess.run(
            ["sh", "-ec", script], cwd=folder, capture_output=True, text=True, check=False,
            env=os.environ | {"PATH": f"{converter.parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert (done.returncode, done.stdout.split()) == (0, ["13", "5", "1"]), done.stderr


def test_a_dataset_without_images_is_written_and_says_so(tmp_path: Path) -> None:
    folder = export(tmp_path, settings(), frames={"v": ("train", {0: []})})
    card = (folder / "README.md").read_text()
    assert "There are no images." in card
    assert len(list(mlcroissant.Dataset(str(folder / "croissant.json")).records("images"))) == 0
    assert not list(folder.rglob("*.tar")) and not list(folder.rglob("metadata.parquet"))


def test_published_settings_have_no_paths_limits_or_keys_without_effect() -> None:
    config: dict[str, Any] = yaml.safe_load((REPO / "config/config.yaml").read_text())
    config["frames"]["mode"] = "budget"
    published = published_settings(config)
    assert set(published) == {"frames", "filter", "dedup", "detect", "dataset"}
    assert {"budget", "scene_threshold"} < set(published["frames"])
    assert not {"interval_s", "every_n", "deadline_s", "max_output_mb"} & set(published["frames"])
    for role in ("filter", "detect"):
        assert "confidence" in published[role] and not {"model", "weights_sha256"} & set(published[role])
