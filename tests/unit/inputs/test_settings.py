"""Which settings are published with results, and which are only logged."""

from pathlib import Path
from typing import Any

import pytest

from scripts.inputs.config import check_config
from scripts.inputs.settings import (
    published_settings,
    required_weights,
    result_rules,
    result_settings,
    runtime_settings,
)


@pytest.fixture
def config(schema: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a checked configuration with private values."""
    monkeypatch.chdir(tmp_path)
    Path("private.pt").touch()
    config: dict[str, Any] = {
        "store": "private.folder", "download": {"proxy": "http://private:1", "ytdlp": {"format": "best"}},
        "frames": {"mode": "scene"}, "filter": {"model": "private.pt"},
        "detect": {"model": "private.pt", "weights_sha256": "ab" * 32},
    }  # fmt: skip
    check_config(config, schema)
    return config


def test_only_the_keys_of_the_sampling_mode_are_published(config: dict[str, Any]) -> None:
    frames = published_settings(config)["frames"]
    assert {"mode", "scene_threshold", "max_side_px", "hdr"} <= set(frames)
    assert not {"interval_s", "every_n", "budget", "max_output_mb", "deadline_s"} & set(frames)


def test_every_setting_is_published_or_logged_and_private_values_never(config: dict[str, Any]) -> None:
    published, logged = result_settings(config), runtime_settings(config)
    assert "private." not in f"{published}{logged}" and "private:" not in f"{published}{logged}"
    assert published["download"]["ytdlp"] == {"format": "best"}
    assert logged["download"]["proxy"] == "set" and logged["download"]["cookies"] == ""
    assert logged["download"]["attempts"] == config["download"]["attempts"] and "ytdlp" not in logged["download"]
    assert set(config) <= set(published) | set(logged)


def test_embeddings_add_their_rule_and_their_weights(config: dict[str, Any]) -> None:
    assert "embed_frames" not in result_rules(config)
    assert required_weights(config) == {"filter": "", "detect": "ab" * 32}
    config["dedup"]["method"] = "embedding"
    assert "embed_frames" in result_rules(config)
    assert required_weights(config) == {"filter": "", "detect": "ab" * 32, "dedup": ""}
