"""Which model a role uses, and which roles share one."""

from typing import Any

import pytest

from scripts.inputs.model_choice import (
    chosen_model,
    hash_method,
    is_served,
    name_of,
    roles_in,
    roles_of,
    spec_of,
    weights_of,
)


@pytest.fixture
def config() -> dict[str, Any]:
    return {
        "models": {"format": "auto"},
        "filter": {"model": "models/my yolo.pt", "weights_sha256": "ab", "imgsz_px": 320, "classes": ["car"]},
        "detect": {"model": "models/my yolo.pt", "weights_sha256": "", "imgsz_px": 320, "classes": []},
        "dedup": {"method": "phash", "model": "", "weights_sha256": ""},
    }


def test_roles_with_the_same_model_share_it(config: dict[str, Any]) -> None:
    name = name_of(config, "filter")
    assert name.startswith("my-yolo-") and len(name) == len("my-yolo-") + 8
    assert roles_of(config, name) == ["filter", "detect"]
    config["detect"]["imgsz_px"] = 640
    assert roles_of(config, name) == ["filter"]


def test_dedup_needs_a_model_only_for_embeddings_and_takes_the_filters(config: dict[str, Any]) -> None:
    assert roles_in(config) == ("filter", "detect") and hash_method(config) == "phash"
    config["dedup"]["method"] = "embedding"
    assert roles_in(config) == ("filter", "detect", "dedup") and hash_method(config) == "phash"
    chosen = {"model": "models/my yolo.pt", "weights_sha256": "ab", "classes": [], "max_objects": 0}
    assert dict(chosen_model(config, "dedup")) == chosen
    assert spec_of(config, "dedup") == {"weights": "models/my yolo.pt", "form": "native", "imgsz_px": 320}
    config["dedup"]["model"] = "yolo26n.pt"
    assert (weights_of(config, "dedup"), chosen_model(config, "dedup")["weights_sha256"]) == ("yolo26n.pt", "")


def test_models_on_a_triton_server_are_urls() -> None:
    assert is_served("http://gpu:8000/yolo") and is_served("grpc://10.0.0.1/a")
    assert not is_served("yolo26n.pt") and not is_served("https://gpu/yolo") and not is_served("http://gpu:8000")
