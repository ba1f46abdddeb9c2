"""Another workflow uses this one as a module, beside rules, a configuration and a display of its own."""

from pathlib import Path
from typing import Any

import yaml

from tests._blocks import blocks_of
from tests._run import Run, run_snakemake
from tests.conftest import REPO

OTHER = next(block.text for block in blocks_of(REPO / "docs/module.md") if "module reelsieve" in block.text)


def snakemake(folder: Path, *arguments: str) -> str:
    """Run a host workflow with the options that the page names; return all it said."""
    options = ("--workflow-profile", "reelsieve/profiles/default", "--cores", "2", "--resources", "gpu=1")
    done = run_snakemake([*arguments, *options], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def lay_out_host(run: Run, **config: Any) -> Path:
    """Make the demo's folder that of a host, with the checkout inside."""
    own = run.read_config() | {"models": {"format": "native"}} | config
    run.write_config({"reelsieve": own, "per_class": "counts.tsv"})
    (run.folder / "reelsieve").symlink_to(REPO)
    (run.folder / "Snakefile").write_text(OTHER)
    return run.folder


def test_another_workflow_takes_the_dataset_from_there(fresh: Run) -> None:
    host = lay_out_host(fresh)
    (host / "mine").mkdir()
    (host / "mine/other.txt").write_text("a file of the host's, whose rule has a wildcard named video, too")
    said = snakemake(host)
    assert "rule sieve_export_dataset:" in said and "rule count_labels:" in said
    labels = list((host / "results/dataset/labels").rglob("*.txt"))
    lines = sum(len(path.read_text().splitlines()) for path in labels)
    assert lines > 0 and int((host / "counts.txt").read_text()) == lines
    assert "Nothing to be done" in snakemake(host)
    config = yaml.safe_load((host / "config/config.yaml").read_text())
    config["reelsieve"]["detect"]["confidence"] = 0.5
    (host / "config/config.yaml").write_text(yaml.safe_dump(config))
    planned = snakemake(host, "-n")
    assert "rule sieve_detect_objects:" in planned and "rule sieve_filter_frames:" not in planned


def test_a_video_is_taken_down_and_asked_again_from_a_host(fresh: Run) -> None:
    host = lay_out_host(fresh, download={"attempts": 1, "max_failed_share": 1}, max_removed_share=1)
    table = host / "config/videos.tsv"
    table.write_text(table.read_text() + "dead\thttps://reelsieve.invalid/x.mp4\n")
    snakemake(host, "results/download/dead/video.json")
    again = snakemake(host, "sieve_retry_failed", "-n")
    assert "rule sieve_download_video:" in again and "video=dead" in again
    (host / "mine").mkdir()
    (host / "mine/dead.txt").write_text("the host's")
    table.write_text(table.read_text().replace("dead\thttps://reelsieve.invalid/x.mp4\n", ""))
    said = snakemake(host, "results/download/night/video.json")
    assert "reelsieve: taken down: dead" in said and not (host / "results/download/dead").exists()
    assert (host / "mine/dead.txt").exists()
