"""The configuration, its schema and its manual."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.core.errors import UserError
from scripts.download.ytdlp import OWN_OPTIONS
from scripts.inputs.config import check_config, find_config
from scripts.inputs.model_choice import weights_of
from tests.conftest import DEMO, REPO

MODELS = {"filter": {"model": "yolo26n.pt"}, "detect": {"model": "yolo26n.pt"}}


@pytest.fixture
def document() -> Any:
    spec = importlib.util.spec_from_file_location("document", REPO / "config/document.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leaves(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for key, sub in schema["properties"].items():
        yield f"{prefix}{key}", sub
        if any("default" in key for key in sub.get("properties", {}).values()):
            yield from leaves(sub, f"{prefix}{key}.")


def test_every_key_is_documented_closed_and_has_a_default(schema: dict[str, Any], document: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    for key, sub in leaves(document.with_definitions(schema)):
        assert sub.get("description", "").endswith("."), key
        assert "default" in sub and "type" in sub, key
        open_ended = key == "download.sites"  # its names are sites, each with the same closed set of keys
        assert sub["type"] != "object" or sub["additionalProperties"] is False or open_ended, key


def test_shipped_files_are_what_the_schema_writes(schema: dict[str, Any], document: Any) -> None:
    shipped = (REPO / "config/config.yaml").read_text()
    assert shipped == document.config_yaml(document.with_definitions(schema)), "run: make docs"
    manual = (REPO / "config/README.md").read_text()
    assert manual == document.fill_keys(manual, document.with_definitions(schema)), "run: make docs"
    filled: dict[str, Any] = {}
    check_config(filled, schema)
    assert filled == yaml.safe_load(shipped)


def test_fills_in_what_is_left_out_without_sharing_it(schema: dict[str, Any]) -> None:
    one: dict[str, Any] = {"filter": {"confidence": 0.5}}
    two: dict[str, Any] = {}
    check_config(one, schema)
    check_config(two, schema)
    assert (one["filter"]["confidence"], two["filter"]["confidence"]) == (0.5, 0.35)
    one["filter"]["classes"].append("car")
    assert two["filter"]["classes"] == []
    assert schema["properties"]["filter"]["default"] == {}


def test_names_every_bad_key_its_value_and_what_is_allowed(schema: dict[str, Any]) -> None:
    config: dict[str, Any] = {
        "filter": {"confidence": 1.5, "confidense": 0.5},
        "frames": {"interval_s": "fast"},
        "extra": 1,
    }
    with pytest.raises(UserError) as caught:
        check_config(config, schema)
    text = str(caught.value)
    assert text.startswith("4 problem(s)")
    assert "filter.confidence: 1.5 is not allowed" in text
    assert "maximum 1" in text
    assert "filter: unknown key(s) 'confidense' (did you mean 'confidence'?); allowed: classes, confidence" in text
    assert "frames.interval_s: 'fast' is not allowed" in text
    assert "(top level): unknown key(s) 'extra'" in text


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"dataset": {"splits": {"train": 0.9}}}, "dataset.splits: .* sum to 1.1"),
        ({"dataset": {"splits": {"train": 0.79}}}, "dataset.splits: .* sum to 0.99"),
        ({"frames": {"mode": "scene", "every_n": 7}}, "frames.every_n: 7 has no effect in mode 'scene'; .* every_n"),
        ({"detect": {"model": "models/none.pt"}}, "detect.model: 'models/none.pt' is not there"),
        ({"detect": {"model": "a{b}.pt"}}, "detect.model: 'a{b}.pt' contains braces"),
        ({"dedup": {"method": "embedding", "model": "a.engine"}}, "dedup.model: 'a.engine' cannot .* allowed: PyTorch"),
        ({"dedup": {"method": "embedding", "model": "exported_model"}}, "dedup.model: 'exported_model' cannot be used"),
        ({"dedup": {"method": "embedding", "model": "http://gpu:8000/yolo"}}, "dedup.model: .* or server"),
        ({"dedup": {"model": "yolo26n.pt"}}, "dedup.model: 'yolo26n.pt' has no effect with method 'phash'"),
        ({"dedup": {"weights_sha256": "0" * 64}}, "dedup.weights_sha256: .* has no effect with method 'phash'"),
        ({"filter": {"weights_sha256": "abc"}}, "filter.weights_sha256: 'abc' is not allowed"),
        ({"dataset": {"formats": []}}, r"dataset.formats: \[\] is not allowed.*minItems 1"),
        ({"dataset": {"formats": ["coco", "coco"]}}, "dataset.formats: .* is not allowed.*uniqueItems"),
        ({"dataset": {"formats": ["voc"]}}, "dataset.formats.0: 'voc' is not allowed.*yolo.*imagefolder"),
        ({"dataset": {"negatives_share": 0.6}}, "dataset.negatives_share: 0.6 is not allowed.*maximum 0.5"),
        ({"filter": {"max_objects": 0}}, "filter.max_objects: 0 is not allowed.*minimum 1"),
        (
            {"filter": {"model": "yolov5s.pt"}, "detect": {"model": "yolov3-tiny.pt"}},
            r"filter.model: 'yolov5s.pt' is not there, and is published as yolov5su.pt(?s:.*)yolov3-tinyu.pt",
        ),
        ({"filter": {"imgsz_px": 321}}, "filter.imgsz_px: 321 is not allowed.*multipleOf"),
    ],
)
def test_checks_keys_against_each_other_and_the_disk(
    schema: dict[str, Any], config: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        check_config(config, schema)


def test_vectors_come_of_the_filters_weights_unless_others_are_named(
    schema: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported/metadata.yaml").write_text("names: {0: car}\n")
    config: dict[str, Any] = {
        "filter": {"model": "exported"}, "detect": {"model": "yolo26n.pt"}, "dedup": {"method": "embedding"},
    }  # fmt: skip
    with pytest.raises(UserError, match=r"dedup.model: 'exported' \(empty, so filter.model\) cannot be used"):
        check_config(config, schema)
    config["dedup"] |= {"model": "yolo26n.pt"}
    check_config(config, schema)
    assert (weights_of(config, "dedup"), weights_of(config, "filter")) == ("yolo26n.pt", "exported")


def test_the_demo_is_a_valid_configuration(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DEMO)
    check_config(yaml.safe_load(Path("config/config.yaml").read_text()), schema)


def test_sites_are_filled_and_checked_by_name(schema: dict[str, Any]) -> None:
    config: dict[str, Any] = {"download": {"sites": {"vimeo.com": {"jobs": 2}}}} | MODELS
    check_config(config, schema)
    sites = config["download"]["sites"]
    assert sites["vimeo.com"] == {"jobs": 2, "sleep_s": [0, 0], "per_hour": 0, "pause_s": 60}
    assert sites["youtube.com"] == {"jobs": 1, "sleep_s": [5, 10], "per_hour": 250, "pause_s": 300}
    for wrong, words in (
        ({"vimeo.com": {"job": 2}}, "download.sites.vimeo.com: unknown key"),
        ({"*": {"sleep_s": [5, 1]}}, r"download.sites.\*.sleep_s: \[5, 1\] is not a range"),
        ({"www.vimeo.com": {}}, "download.sites"),
        ({"vimeo.com": {"jobs": 0}}, "download.sites.vimeo.com.jobs: 0 is not allowed"),
    ):
        with pytest.raises(UserError, match=words):
            check_config({"download": {"sites": wrong}} | MODELS, schema)


@pytest.mark.parametrize("key", ["exec_cmd", "outtmpl", "cookiesfrombrowser", "postprocessors", "enable_file_urls"])
def test_only_harmless_options_of_yt_dlp_are_allowed(schema: dict[str, Any], key: str) -> None:
    allowed = set(schema["properties"]["download"]["properties"]["ytdlp"]["properties"])
    assert allowed == OWN_OPTIONS
    with pytest.raises(UserError, match=f"download.ytdlp: unknown key.*{key}.*allowed: extractor_args"):
        check_config({"download": {"ytdlp": {key: "x"}}} | MODELS, schema)
    for merged in ("bv+ba", "bv,ba", "mergeall", "all"):
        with pytest.raises(UserError, match="download.ytdlp.format"):
            check_config({"download": {"ytdlp": {"format": merged}}} | MODELS, schema)


def test_a_rate_limit_below_the_least_speed_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="download.ytdlp.ratelimit: 5000 is below min_speed_kb_s"):
        check_config({"download": {"ytdlp": {"ratelimit": 5000}}} | MODELS, schema)
    check_config({"download": {"ytdlp": {"ratelimit": 50_000}}} | MODELS, schema)


def test_keys_of_another_mode_may_have_their_default(schema: dict[str, Any]) -> None:
    default = schema["properties"]["frames"]["properties"]["every_n"]["default"]
    check_config({"frames": {"mode": "scene", "every_n": default}} | MODELS, schema)


def test_a_run_folders_configuration_is_found_unless_it_is_misnamed(tmp_path: Path) -> None:
    assert find_config(tmp_path) is None
    path = tmp_path / "config.yaml"
    path.write_text("videos: x\n")
    assert find_config(tmp_path) == path
    for text, words in (("a: [", "is not valid YAML"), ("- a\n", "holds no keys")):
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            find_config(tmp_path)
    (tmp_path / "config.yml").touch()
    with pytest.raises(UserError, match="config.yml would be ignored: rename it"):
        find_config(tmp_path)


@pytest.mark.public_report(
    "python-jsonschema/jsonschema 1386",
    saw="42.0 passes where the schema wants an integer",
    here="the key is refused before any work, with the digits to write",
)
@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("filter: {imgsz_px: 320.0}", "filter.imgsz_px: 320.0 is not allowed; allowed: type integer, minimum 32"),
        ("filter: {imgsz_px: 320.0}", "(write 320)"),
        ("dataset: {seed: 1.0}", "(write 1)"),
        ("dataset: {seed: 99999999999999999999}", "dataset.seed: 99999999999999999999 is not allowed"),
        ("filter: {confidence: .nan}", "filter.confidence: nan is not allowed"),
        ("download: {max_size_mb: .inf}", "download.max_size_mb: inf is not allowed"),
        ("download: {sites: {a.org: {sleep_s: [.nan, 1]}}}", "download.sites.a.org.sleep_s.0: nan is not allowed"),
        ("download: {wait_s: 1e1}", "(YAML reads it as text: write the digits)"),
        ("detect: {classes: [no]}", "write it in quotes, such as 'no')"),
        ("detect: {classes: [1]}", "(YAML reads it as int: write it in quotes)"),
        ("detect: {classes: [2026-01-02]}", "(YAML reads it as date: write it in quotes)"),
        (
            "detect: {classes: }",
            "(YAML reads an empty value, ~ and null as nothing: write a value, or delete the line)",
        ),
        ("on: 1", "True: YAML reads this key as bool: write it in quotes"),
        ("download: {sites: {1: {}}}", "download.sites.1: YAML reads this key as int: write it in quotes"),
        ('store: "a\\0b"', "store: 'a\\x00b' contains a line end or another control character"),
        ("store: |\n  a\n", "store: 'a\\n' contains a line end"),
    ],
)
def test_values_that_would_crash_later_are_refused(schema: dict[str, Any], keys: str, problem: str) -> None:
    with pytest.raises(UserError) as refused:
        check_config(yaml.safe_load(keys), schema)
    assert problem in str(refused.value)


@pytest.mark.public_report(
    "yaml/pyyaml 165",
    saw="of a key that is given twice, the first is dropped without a word",
    here="the run is refused, with both lines",
)
def test_a_key_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "a: &x {k: 1}\nfilter:\n  imgsz_px: 320\n  <<: *x\n  imgsz_px: 640\nb: [{c: 1, c: 2}]\nfilter: {}\n"
    )
    with pytest.raises(UserError) as refused:
        find_config(tmp_path)
    assert str(refused.value).splitlines() == [
        f"{path} gives 3 key(s) twice: keep one line of each",
        "filter.imgsz_px: lines 3 and 5",
        "b.c: lines 6 and 6",
        "filter: lines 2 and 7",
    ]
