"""Wrong input stops a run before any work; odd, broken and real input goes through it."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from scripts.core.tables import read_rows
from tests._run import Finished, LayOut, Run
from tests._server import FaultServer
from tests.conftest import DOWNLOAD, REAL


def test_a_wrong_class_stops_a_rerun_before_it_deletes_anything(finished: Finished, tmp_path: Path) -> None:
    run = finished[0].copy(tmp_path / "run")
    config = run.read_config()
    roles = ("filter", "detect")
    run.write_config(config | {role: config[role] | {"classes": ["car", "persn"]} for role in roles})
    outcome = run.snakemake()
    assert outcome.code != 0 and not outcome.jobs
    said = "classes: detector.pt has no class 'persn' (did you mean 'person'?); allowed: car,"
    assert all(f"{role}.{said}" in outcome.text for role in roles), "one run tells of both"
    run.write_config(config | {"detect": config["detect"] | {"weights_sha256": "0" * 64}})
    outcome = run.snakemake()
    assert outcome.code != 0 and "detect.weights_sha256: detector.pt has " in outcome.text and not outcome.jobs
    assert len(list((run.folder / "results/filtered").iterdir())) == 8


@pytest.mark.public_report(
    "visual-layer/fastdup 289", saw="a parenthesis in the name of a video breaks a shell command: no frames",
    here="it is read, whatever its name",
)  # fmt: skip
@pytest.mark.public_report(
    "visual-layer/fastdup 235", saw="no frames are extracted from a video with spaces in its name",
    here="it is read, whatever its name",
)  # fmt: skip
def test_odd_file_names_and_new_exports_are_taken_as_they_are(fresh: Run) -> None:
    config = fresh.read_config()
    for odd, plain in (("best (1).pt", "detector.pt"), ("a b (c)'d.mp4", "clips/night.mp4")):
        (fresh.folder / plain).rename(fresh.folder / odd)
    for role in ("filter", "detect"):
        config[role]["model"] = "best (1).pt"
    fresh.write_config(config)
    fresh.write_table("night\ta b (c)'d.mp4\t\t4\ttest\tcity")
    outcome = fresh.snakemake()
    assert outcome.code == 0 and "1 of 1 videos ok" in outcome.text, outcome.text[-3000:]
    [compiled] = (fresh.folder / "results/models").iterdir()
    export = fresh.folder / "export_openvino_model"
    shutil.copytree(compiled / "model_openvino_model", export)
    for role in ("filter", "detect"):
        config[role] |= {"model": export.name, "weights_sha256": ""}
    fresh.write_config(config)
    assert fresh.snakemake().code == 0
    assert fresh.snakemake("-n").nothing_to_do
    text = (export / "model.xml").read_text()
    (export / "model.xml").write_text(text + "\n")  # in place, as a new export is written
    again = fresh.snakemake("-n")
    assert again.jobs["compile_model"] == 1 and again.jobs["filter_frames"] == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"filter": {"confidense": 0.5}}, ["filter: unknown key(s) 'confidense'", "allowed: classes, confidence"]),
        ({"frames": {"interval_s": 0}}, ["frames.interval_s: 0 is not allowed", "minimum 0.01"]),
        ({"videos": "lost.tsv"}, ["reelsieve: no video table at ", "lost.tsv: write it there"]),
        ({"detect": {"model": "lost.pt"}}, ["detect.model: 'lost.pt' is not there"]),
    ],
)
def test_wrong_configuration_stops_before_any_work(fresh: Run, change: dict[str, object], words: list[str]) -> None:
    fresh.write_config(fresh.read_config() | change)
    outcome = fresh.snakemake()
    assert outcome.code != 0 and all(word in outcome.text for word in words), outcome.text
    assert "Traceback" not in outcome.text and not (fresh.folder / "results").exists()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.yaml", "filter:\n\tmodel: x\n", "config/config.yaml is not valid YAML: .*line 2, column 1"),
        ("config.yaml", "- a list\n", "config/config.yaml holds no keys"),
        ("config.yml", "videos: x\n", "config/config.yml would be ignored: rename it"),
    ],
)
def test_files_that_are_no_configuration_are_named(fresh: Run, name: str, text: str, words: str) -> None:
    (fresh.folder / "config" / name).write_text(text)
    outcome = fresh.snakemake("-n")
    assert outcome.code != 0 and re.search(words, outcome.text, re.DOTALL), outcome.text


def test_wrong_tables_stop_before_any_work_with_all_lines(fresh: Run) -> None:
    fresh.write_table("a b\thttps://a.example/x", "c\tlost.mp4", "d\tclips/night.mp4\t5\t4")
    outcome = fresh.snakemake()
    assert outcome.code != 0 and not (fresh.folder / "results").exists()
    for words in (
        "line 2: video id 'a b'",
        "line 3: no such file: 'lost.mp4'",
        "line 4: end_s 4 is not after start_s 5",
    ):
        assert words in outcome.text
    fresh.write_table()
    outcome = fresh.snakemake()
    assert outcome.code != 0 and "run/config/videos.tsv: add rows, or list playlists" in outcome.text
    assert not (fresh.folder / "results").exists()


def test_wrong_classes_and_weights_are_refused_once(fresh: Run) -> None:
    config = fresh.read_config()
    fresh.write_config(config | {"filter": config["filter"] | {"classes": ["cat"]}})
    outcome = fresh.snakemake()
    assert (
        outcome.code != 0
        and "filter.classes: detector.pt has no class 'cat'; allowed: car, person, dog" in outcome.text
    )
    assert "Traceback" not in outcome.text
    ended = outcome.terminal.split("the run did not finish.")
    assert [part.count("has no class 'cat'") for part in ended] == [1, 1], "where it happened, and in the end"
    assert outcome.jobs["filter_frames"] == 0
    fresh.write_config(config | {"filter": config["filter"] | {"weights_sha256": "0" * 64}})
    outcome = fresh.snakemake()
    assert outcome.code != 0 and f"not {'0' * 64}: not loaded" in outcome.text
    assert "Traceback" not in outcome.text


def test_slots_hold_whatever_the_command_line_says(fresh: Run) -> None:
    for i, arguments in enumerate(((), ("--resources", "gpu=1"), ("--resources", "download=5"))):
        fresh.write_table(f"night{i}\tclips/night.mp4")
        text = fresh.snakemake(f"results/download/night{i}/video.json", *arguments).text
        assert 'extract=Resource("extract", 2)' in text
        assert f'download=Resource("download", {5 if "download=5" in arguments else 2})' in text


def test_bad_videos_of_a_real_server_do_not_stop_the_good_one(demo: LayOut, tmp_path: Path) -> None:
    run = demo(tmp_path / "run")
    config = run.read_config()
    run.write_config(
        config | {"cleanup_raw_frames": False, "download": DOWNLOAD | {"attempts": 2, "max_failed_share": 0.3}}
    )
    with FaultServer() as server:
        good = server.add("/night.mp4", run.folder / "clips/night.mp4")
        fake = server.add("/fake.mp4", b"<html>log in</html>")
        run.write_table(
            f"good\t{good}?key=s3cret\t\t4\ttrain",
            f"gone\t{server.url('/gone.mp4')}",
            f"fake\t{fake}",
            "dead\thttp://127.0.0.1:9/x.mp4",
        )
        outcome = run.snakemake()
        asked = server.requests["/night.mp4"]
        assert outcome.code == 0, outcome.text[-3000:]
        assert "1 of 4 videos ok" in outcome.text
        for words in ("gone: unavailable: .*404", "fake: invalid_media: not a video", "dead: failed: .*refused"):
            assert re.search(words, outcome.text), words
        assert len(list((run.folder / "results/frames/good").glob("*.jpg"))) == 4
        assert (run.folder / "results/dataset/ATTRIBUTION.tsv").read_text().count("good") == 1
        shutil.rmtree(run.folder / "results")
        assert run.snakemake("results/download/good/video.json").code == 0
        assert server.requests["/night.mp4"] == asked  # from the store
    published = [p for p in (run.folder / "results").rglob("*") if p.is_file()]
    assert published and not [p for p in published if b"s3cret" in p.read_bytes()]


def test_sources_are_expanded_on_demand(demo: LayOut, tmp_path: Path) -> None:
    run = demo(tmp_path / "run")
    with FaultServer() as server:
        item = f"<item><title>One</title><link>{server.url('/one.mp4')}</link></item>"
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{item}</channel></rss>'
        url = server.add("/feed.xml", feed.encode(), "application/rss+xml")
        run.write_config(run.read_config() | {"sources": [url], "videos": "config/found.tsv", "download": DOWNLOAD})
        outcome = run.snakemake("expand_sources")
        assert outcome.code == 0, outcome.text
    lines = (run.folder / "config/found.tsv").read_text().splitlines()
    assert len(lines) == 2 and server.url("/one.mp4") in lines[1]


@pytest.mark.skipif(not REAL.exists(), reason="no real videos beside the checkout")
def test_real_videos_and_a_real_model(tmp_path: Path) -> None:
    (tmp_path / "run/config").mkdir(parents=True)
    run = Run(tmp_path / "run")
    model = str(REAL / "model/yolo11n_int8_openvino_model")
    names = {"car": "car-detection.mp4", "preview": "car-detection-preview.gif"}
    # The preview was cut 14.24 s into the car video, so only sampling every frame (12.5 fps) meets the same instants.
    run.write_config(
        {
            "frames": {"interval_s": 0.08},
            "filter": {"model": model, "confidence": 0.01},
            "detect": {"model": model, "classes": ["person", "car", "bottle"]},
        }
    )
    run.write_table(f"car\t{REAL}/videos/{names['car']}\t14\t20", f"preview\t{REAL}/videos/{names['preview']}")
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    rows = read_rows(run.folder / "results/dedup/copies.parquet")
    preview = [row for row in rows if row["video"] == "preview"]
    to_car = [row for row in preview if row["representative"].startswith("car/")]
    assert len(preview) >= 55
    assert len(to_car) / len(preview) >= 0.9
    assert Counter(row["keep"] for row in rows)[True] < len(rows) / 2
