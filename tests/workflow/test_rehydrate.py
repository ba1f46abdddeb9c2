"""From two published files and the videos others make the same dataset, and are told what they could not."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from scripts.core.tables import read_rows
from tests._run import Finished, Outcome, Run
from tests._server import FaultServer
from tests.conftest import DEMO, DOWNLOAD

PUBLISHED = ("manifest.parquet", "videos.tsv")


def publish(finished: Finished, folder: Path) -> Path:
    """Copy what is published, and nothing else, to another place."""
    folder.mkdir()
    for name in PUBLISHED:
        shutil.copy(finished[0].folder / "results/dataset" / name, folder)
    return folder


def empty_folder(path: Path) -> Run:
    path.mkdir()
    return Run(path)


def rehydrate(run: Run, *config: str) -> Outcome:
    return run.snakemake("rehydrate", "--cores", "2", "--config", *config)


def losses(run: Run) -> list[dict[str, str]]:
    with (run.folder / "results/rehydrated/losses.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def contents(folder: Path) -> dict[str, bytes]:
    paths = [p for kind in ("images", "labels") for p in (folder / kind).rglob("*") if p.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in [*paths, folder / "data.yaml"]}


def reencode(source: Path, target: Path, *arguments: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(source), *arguments, str(target)]
    subprocess.run(command, check=True)


def test_published_files_name_every_image_and_no_folder(finished: Finished) -> None:
    dataset = finished[0].folder / "results/dataset"
    text = (dataset / "videos.tsv").read_text()
    assert text.splitlines()[1].split("\t")[:2] == ["avenue", "avenue.mp4"] and "clips" not in text
    assert [line.split("\t")[0] for line in text.splitlines()[1:]] == ["avenue", "crossing", "night", "park"]
    rows = read_rows(dataset / "manifest.parquet")
    assert {row["file"] for row in rows} == {str(p.relative_to(dataset)) for p in (dataset / "images").rglob("*.jpg")}


def test_the_same_videos_give_the_same_dataset(finished: Finished, tmp_path: Path) -> None:
    published, run = publish(finished, tmp_path / "published"), empty_folder(tmp_path / "run")
    for clip in (DEMO / "clips").glob("*.mp4"):
        shutil.copy(clip, published)
    outcome = rehydrate(run, "rehydrate=../published")
    assert outcome.code == 0, outcome.text[-3000:]
    made, original = contents(run.folder / "results/rehydrated"), contents(finished[0].folder / "results/dataset")
    original = {name: content for name, content in original.items() if not name.endswith("metadata.parquet")}
    assert made == original and len(made) > 40
    assert f"rehydrated {len(read_rows(published / PUBLISHED[0]))} of" in outcome.text
    assert re.search(r"rehydrated (\d+) of \1 images: \1 identical, 0 re-encoded, none lost", outcome.text)
    assert losses(run) == [] and outcome.jobs == {"download_video": 4, "retake_frames": 4, "rehydrate": 1}
    assert rehydrate(run, "rehydrate=../published").nothing_to_do


def test_other_forms_of_the_videos_give_the_same_pictures_and_losses_have_reasons(
    finished: Finished, tmp_path: Path
) -> None:
    published, run, media = (
        publish(finished, tmp_path / "published"),
        empty_folder(tmp_path / "run"),
        tmp_path / "media",
    )
    media.mkdir()
    half = ("-c:v", "libx264", "-b:v", "60k", "-maxrate", "60k", "-bufsize", "60k")
    reencode(DEMO / "clips/night.mp4", media / "night.mp4", *half)
    reencode(DEMO / "clips/crossing.mp4", media / "crossing.mp4", "-t", "5", "-c", "copy")
    (run.folder / "config").mkdir()
    run.write_config({"download": DOWNLOAD, "rehydrate_media": "../media"})
    with FaultServer() as server:
        url = server.add("/avenue.mp4", DEMO / "clips/avenue.mp4")
        table = (published / "videos.tsv").read_text()
        (published / "videos.tsv").write_text(table.replace("\tavenue.mp4\t", f"\t{url}\t"))
        outcome = rehydrate(run, "rehydrate=../published")
        again = rehydrate(run, "rehydrate=../published")
    assert outcome.code == 0, outcome.text[-3000:]
    assert again.nothing_to_do
    manifest = read_rows(published / "manifest.parquet")
    of = {video: [r for r in manifest if r["video"] == video] for video in ("avenue", "park", "crossing", "night")}
    outcomes = {v: read_rows(run.folder / f"results/retaken/{v}/retaken.parquet") for v in of if v != "park"}
    assert {row["outcome"] for row in outcomes["avenue"]} == {"identical"}
    assert {row["outcome"] for row in outcomes["night"]} == {"same picture"}
    late = [row["frame"] for row in of["crossing"] if row["pts_s"] >= 5]
    assert 0 < len(late) < len(of["crossing"])
    expected = [
        ("park", row["frame"], "video unavailable: no file park.mp4 where rehydrate looks for it") for row in of["park"]
    ]
    expected += [("crossing", frame, "no picture at that time") for frame in late]
    assert [(row["video"], row["frame"], row["reason"]) for row in losses(run)] == expected
    original, made = contents(finished[0].folder / "results/dataset"), contents(run.folder / "results/rehydrated")
    lost = {(video, frame) for video, frame, _ in expected}
    left = {r["file"] for r in manifest if (r["video"], r["frame"]) not in lost}
    assert {name for name in made if name.startswith("images/")} == left
    for name in left:
        label = name.replace("images/", "labels/").replace(".jpg", ".txt")
        assert made[label] == original[label]
        assert (made[name] == original[name]) is ("night" not in name)
    assert len(made) == 2 * len(left) + 1
    said = f"rehydrated {len(left)} of {len(manifest)} images"
    assert said in outcome.text and f"{len(of['night'])} re-encoded, {len(lost)} lost" in outcome.text


@pytest.mark.parametrize(
    ("target", "config", "said"),
    [
        ("rehydrate", "detector={}", "name the dataset with `--config rehydrate=FOLDER`"),
        ("rehydrate", "rehydrate=../nowhere", "config key rehydrate: no videos.tsv in '../nowhere'"),
        ("rehydrate", "rehydrate=results/dataset", "contains another dataset; choose an empty folder"),
        ("all", "rehydrate=results/dataset", "use it only with the target rehydrate"),
    ],
)
def test_mixing_two_datasets_is_refused(
    finished: Finished, tmp_path: Path, target: str, config: str, said: str
) -> None:
    run = finished[0].copy(tmp_path / "run")
    before = set((run.folder / "results").rglob("*"))
    outcome = run.snakemake(target, "--cores", "1", "--config", config)
    assert outcome.code == 1 and said in outcome.text, outcome.text[-3000:]
    assert set((run.folder / "results").rglob("*")) == before
