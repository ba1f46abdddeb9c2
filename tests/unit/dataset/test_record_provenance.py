"""The provenance names code, settings and models, and contains no secrets and nothing about the machine."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.core.layout import DATASET_STAGES
from scripts.dataset.record_provenance import describe_model, log_runtime_settings, record_provenance
from scripts.inputs.config import check_config
from scripts.inputs.gathered import GATHERING
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


def test_result_settings_contain_no_secrets_paths_or_limits(config: dict[str, Any]) -> None:
    found = result_settings(config)
    assert found["download"] == {"max_height_px": 480, "ytdlp": {"format": "bv[height<500]"}}
    assert found["filter"]["classes"] == ["car"] and found["frames"]["mode"] == "interval"
    for text in (json.dumps(found), json.dumps(runtime_settings(config))):
        assert "hidden" not in text and "10.0.0.9" not in text
    assert required_weights(config) == {"filter": "", "detect": "ab" * 32}


def test_every_key_is_in_the_file_or_in_the_log(config: dict[str, Any]) -> None:
    found, logged = result_settings(config), runtime_settings(config)
    for section, rules in SCHEMA["properties"].items():
        for key in rules.get("properties", ()):
            assert key in found.get(section, {}) or key in logged.get(section, {}), (section, key)
        assert section in found or section in logged, section
    assert logged["download"]["cookies"] == "set" and logged["detector"] == {"warm": True}


def test_a_model_on_a_server_is_recorded_without_its_host(tmp_path: Path) -> None:
    url = "http://secret-host:8000/detector"
    card = {"file": url, "weights": url, "weights_sha256": "", "names": ["car"]}
    (tmp_path / "model.json").write_text(json.dumps(card))
    found = describe_model(tmp_path, "")
    assert found["name"] == found["file"] == "detector" and "secret-host" not in json.dumps(found)


def test_the_same_input_gives_the_same_file_without_paths_and_times(tmp_path: Path) -> None:
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
    found = json.loads(texts[0])
    assert found["models"]["filter"]["weights_sha256"] == "cd" * 32
    assert found["versions"]["python"] == sys.version.split()[0]
    assert {"torch", "ffmpeg", "yt-dlp", "snakemake", "openvino", "ultralytics"} <= set(found["versions"])


def test_the_rules_of_a_dataset_are_those_with_outputs_before_the_report() -> None:
    text = "".join(file.read_text() for file in sorted((REPO / "rules").glob("*.smk")))
    bodies = {body.split(":")[0].split()[-1]: body for body in text.split("\n\n\n") if "output:" in body}
    on_demand = {name for name, body in bodies.items() if "retaken" in body or "rehydrated" in body}
    assert set(bodies) - on_demand - {"report", "record_provenance"} == {*DATASET_STAGES, *GATHERING}


def test_settings_that_change_no_result_go_into_the_log_only(
    config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    log_runtime_settings(config)
    (record,) = caplog.records
    assert '"cookies": "set"' in record.message and "hidden" not in record.message
    assert record.__dict__["log_only"] is True
