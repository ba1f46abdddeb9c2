"""The first steps of a new user: a folder is laid out and runs as its README says; wrong steps get one helpful line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests._blocks import commands_of
from tests.conftest import DEMO, REPO

MODEL = "{model: detector.pt, classes: [car, person, dog], confidence: 0.4, imgsz_px: 320}"
SNAKEMAKES = ("Using workflow specific profile", "Failed to setup log file")  # said before a Snakefile is read


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-s", *arguments], cwd=REPO, capture_output=True, text=True, check=False)


def snakemake(*arguments: str, cwd: Path = REPO) -> tuple[int, str]:
    """Return how it ended and all it said, but for what no Snakefile can keep Snakemake from saying."""
    done = subprocess.run(
        [REPO / ".venv/bin/snakemake", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(SNAKEMAKES)]
    return done.returncode, "\n".join(said)


def test_a_folder_that_was_laid_out_runs_as_its_readme_says(tmp_path: Path) -> None:
    folder = tmp_path / "my first (run)"
    assert make("init", f"DIR={folder}").returncode == 0
    code, said = snakemake("--directory", str(folder), "--cores", "2")
    assert (code, said.count("\n")) == (1, 0) and said.startswith("reelsieve: no videos in"), said
    shutil.copy2(DEMO / "detector.pt", folder)
    shutil.copy2(DEMO / "clips/night.mp4", folder / "a clip.mp4")
    with (folder / "config/videos.tsv").open("a") as table:
        table.write("night\ta clip.mp4\t\t4\ttrain\n")
    config = f"models: {{format: native}}\nfilter: {MODEL}\ndetect: {MODEL}\n"  # no export: it takes longest
    (folder / "config/config.yaml").write_text(config)
    script = "set -e\n" + "\n".join(commands_of(folder / "README.md"))
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 videos ok" in done.stderr and (folder / "results/dataset/data.yaml").is_file()


def test_nothing_is_laid_out_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/videos.tsv").write_text("mine")
    done = make("init", f"DIR={tmp_path}")
    assert done.returncode != 0 and "already a run folder: it holds config/videos.tsv" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["config", "videos.tsv"]
    assert (tmp_path / "config/videos.tsv").read_text() == "mine"


def test_a_word_that_begins_with_a_dash_is_an_option_and_no_folder(tmp_path: Path) -> None:
    ends = {}
    for words in (["--help"], ["-h"], ["--halp"], []):
        done = subprocess.run(
            [sys.executable, REPO / "config/init.py", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "usage: init.py" in done.stdout + done.stderr and "Traceback" not in done.stderr
        ends[" ".join(words)] = done.returncode
    assert ends == {"--help": 0, "-h": 0, "--halp": 2, "": 2}
    assert not list(tmp_path.iterdir())


def test_the_catalog_is_told_of_the_report_where_its_readme_and_where_its_code_look() -> None:
    usage = yaml.safe_load((REPO / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["report"] is usage["software-stack-deployment"]["report"] is True


def test_make_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")  # what the check says under an older Python
    old.chmod(0o755)
    monkeypatch.setenv("DIR", str(tmp_path))
    assert "say where: make init DIR=my-run" in make("init").stdout
    done = make("init", f"DIR={tmp_path}/run", f"PYTHON={old}")
    assert done.returncode != 0 and "needs Python 3.11 or later" in done.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--cores", "1", "--directory", "/proc"), "reelsieve: cannot write into the run folder /proc "),
        (("--cores", "1", "--directory", "{new}"), "reelsieve: no video table at {new}/config/videos.tsv: write it "),
        (("--directory", "{run}"), "Error: cores have to be specified"),
        (("--cores", "1", "--directory", "{run}"), "reelsieve: 1 problem(s) in the configuration:\ndetect.model: 'no"),
    ],
)
def test_a_wrong_step_gets_the_helpful_lines_alone(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(DEMO / "config", run / "config")
    shutil.copytree(DEMO / "clips", run / "clips")
    shutil.copy2(DEMO / "detector.pt", run)
    if words.endswith("'no"):
        (run / "config/config.yaml").write_text("filter: {model: detector.pt}\ndetect: {model: none.pt}\n")
    places = {"new": str(tmp_path / "new"), "run": str(run)}
    code, said = snakemake(*(argument.format(**places) for argument in arguments))
    assert code == 1 and said.startswith(words.format(**places)), said
    assert said.count("\n") == words.count("\n") and "Traceback" not in said and not (run / "results").exists()
    assert os.listdir(run) and len(said) < 500
