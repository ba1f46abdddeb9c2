"""The provenance tells with what the dataset was made, and nothing of the machine or of secrets."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.core.layout import DATASET_STAGES
from scripts.dataset.record_provenance import model_told, record_provenance
from scripts.dataset.versions import CODE, commit_of, installed_versions
from scripts.inputs.config import check_config
from scripts.inputs.settings import required_weights, result_settings, runtime_settings
from tests.conftest import REPO

SCHEMA: dict[str, Any] = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())
SECRETS: dict[str, Any] = {
    "videos": "hidden/videos.tsv", "store": "/hidden/store", "exclude": ["hidden1"], "rehydrate": "", "detector": {},
    "sources": ["https://hidden.example/list?token=hidden"],
    "download": {
        "cookies": "/hidden/cookies.txt", "proxy": "http://hidden:hidden@hidden.example:1", "max_height_px": 480,
        "ytdlp": {"extractor_args": {"youtube": {"po_token": ["hidden"]}}, "source_address": "10.0.0.9",
                  "format": "bv[height<500]"},
        "sites": {"youtube.com": {"jobs": 2}},
    },
    "filter": {"model": "hidden/weights.pt", "classes": ["car"]},
    "detect": {"model": "hidden/weights.pt", "weights_sha256": "ab" * 32},
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a checked configuration with something to hide under every key that can hold it."""
    monkeypatch.chdir(tmp_path)
    Path("hidden").mkdir()
    Path("hidden/weights.pt").touch()
    config: dict[str, Any] = json.loads(json.dumps(SECRETS))
    check_config(config, SCHEMA)
    return config


def test_what_decides_is_told_and_secrets_paths_and_limits_are_not(config: dict[str, Any]) -> None:
    told = result_settings(config)
    assert told["download"] == {"max_height_px": 480, "ytdlp": {"format": "bv[height<500]"}}
    assert told["filter"]["classes"] == ["car"] and told["frames"]["mode"] == "interval"
    for text in (json.dumps(told), json.dumps(runtime_settings(config))):
        assert "hidden" not in text and "10.0.0.9" not in text
    assert required_weights(config) == {"filter": "", "detect": "ab" * 32}


def test_every_key_is_told_in_the_file_or_in_the_log(config: dict[str, Any]) -> None:
    told, logged = result_settings(config), runtime_settings(config)
    for section, rules in SCHEMA["properties"].items():
        for key in rules.get("properties", ()):
            assert key in told.get(section, {}) or key in logged.get(section, {}), (section, key)
        assert section in told or section in logged, section
    assert logged["download"]["cookies"] == "set" and logged["detector"] == {"warm": True}


def test_versions_that_are_not_installed_here_are_those_that_the_environments_pin(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("dependencies:\n  - pip:\n      - not-here==1.2\n      - numpy==0.1\n")
    versions = installed_versions(("not-here", "numpy", "nowhere"), tmp_path)
    assert set(versions) == {"not-here", "numpy"} and versions["not-here"] == "1.2" and versions["numpy"] != "0.1"


def test_the_commit_is_told_and_whether_its_code_was_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    assert commit_of(tmp_path) == {"commit": None, "changed": None}
    git("init")
    for name in (*CODE[1:], "docs"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text("1")
    (tmp_path / "Snakefile").write_text("1")
    git("add", ".")
    git("commit", "-m", "x")
    clean = commit_of(tmp_path)
    assert len(clean["commit"]) == 40 and clean["changed"] is False
    (tmp_path / "docs/file").write_text("2")
    assert commit_of(tmp_path) == clean
    (tmp_path / "scripts/new.py").write_text("2")
    assert commit_of(tmp_path) == clean | {"changed": True}
    assert commit_of(tmp_path / "docs") == {"commit": None, "changed": None}


def test_a_model_on_a_server_does_not_tell_the_host(tmp_path: Path) -> None:
    url = "http://secret-host:8000/detector"
    card = {"file": url, "weights": url, "weights_sha256": "", "names": ["car"]}
    (tmp_path / "model.json").write_text(json.dumps(card))
    told = model_told(tmp_path, "")
    assert told["name"] == told["file"] == "detector" and "secret-host" not in json.dumps(told)


def test_the_file_is_the_same_again_and_holds_neither_path_nor_clock(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.pt").write_bytes(b"weights")
    card = {"file": "model.pt", "weights": "best.pt", "weights_sha256": "cd" * 32, "names": ["car"]}
    (model / "model.json").write_text(json.dumps(card))
    texts = []
    for name in ("one.json", "other.json"):
        record_provenance(REPO, {"a": 1}, {"report": "1"}, {"filter": model}, {"filter": ""}, tmp_path / name)
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1] and str(tmp_path) not in texts[0] and str(REPO) not in texts[0]
    told = json.loads(texts[0])
    assert told["models"]["filter"]["weights_sha256"] == "cd" * 32
    assert told["versions"]["python"] == sys.version.split()[0]
    assert {"torch", "ffmpeg", "yt-dlp", "snakemake", "openvino", "ultralytics"} <= set(told["versions"])


def test_all_rules_that_a_dataset_is_made_by_are_told() -> None:
    text = "".join(file.read_text() for file in sorted((REPO / "rules").glob("*.smk")))
    bodies = {body.split(":")[0].split()[-1]: body for body in text.split("\n\n\n") if "output:" in body}
    on_demand = {name for name, body in bodies.items() if "retaken" in body or "rehydrated" in body}
    assert set(bodies) - on_demand - {"report", "record_provenance"} == set(DATASET_STAGES)
