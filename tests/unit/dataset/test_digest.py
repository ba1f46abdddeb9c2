"""A digest depends on names and contents in results/, and not on paths, times, users or links."""

import os
from pathlib import Path

import pytest

from scripts.dataset.digest import counted_files, digest_of
from tests._exported import export, settings

FILES = {
    "dataset/ledger.parquet": "rows",
    "dataset/images/train/a__000000000.jpg": "picture",
    "filtered/a/000000000.jpg": "picture",
    "download/a/video.json": "{}",
    "registry.tsv": "video",
}
EXCLUDED = [
    "frames/a/000000000.jpg",
    "download/a/media/media.mp4",
    "retries.json",
    "provenance.json",
    "dataset/.x.part",
    "dataset/labels/train.cache",
    "dataset/images/train/a__000000000.npy",
    "dataset/runs/detect/val/confusion_matrix.png",
    "rehydrated/labels/train.cache",
]


def lay_out(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(FILES.get(name, "whatever"))
    return folder


def test_equal_results_have_one_digest_in_any_place(tmp_path: Path) -> None:
    one, other = (
        lay_out(tmp_path / "one", list(FILES)),
        lay_out(tmp_path / "deep/other", [*reversed(FILES), *EXCLUDED]),
    )
    for number, file in enumerate(sorted(other.rglob("*"))):
        os.utime(file, (number, number))
        file.chmod(0o700)
    image, passed = other / "dataset/images/train/a__000000000.jpg", other / "filtered/a/000000000.jpg"
    image.unlink()
    image.hardlink_to(passed)
    (other / "registry.tsv").rename(tmp_path / "elsewhere")
    (other / "registry.tsv").symlink_to(tmp_path / "elsewhere")
    (other / ".snakemake_timestamp").touch()
    assert digest_of(one) == digest_of(other)
    assert len(list(counted_files(one))) == len(list(counted_files(other))) == len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_each_files_name_and_content_count(tmp_path: Path, name: str) -> None:
    folder = lay_out(tmp_path, list(FILES))
    before = digest_of(folder)
    (folder / name).write_text("changed")
    assert digest_of(folder) != before
    (folder / name).write_text(FILES[name])
    assert digest_of(folder) == before
    (folder / name).rename((folder / name).with_name("renamed"))
    assert digest_of(folder) != before


def test_every_file_of_an_exported_dataset_counts_but_the_hidden_ones(tmp_path: Path) -> None:
    dataset = export(tmp_path, settings())
    written = {path for path in dataset.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert set(counted_files(dataset)) == written
    assert {path for path in counted_files(tmp_path) if dataset in path.parents} == written


@pytest.mark.parametrize("name", ["dataset/images/train/more.jpg", "dataset/labels/train/more.txt"])
def test_a_picture_or_label_that_somebody_adds_changes_the_digest(tmp_path: Path, name: str) -> None:
    folder = lay_out(tmp_path, list(FILES))
    before = digest_of(folder), digest_of(folder / "dataset")
    lay_out(tmp_path, [name])
    assert digest_of(folder) != before[0] and digest_of(folder / "dataset") != before[1]
