"""Check a configuration. Report every problem at once, with its key and the allowed values."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from scripts.core.errors import UserError
from scripts.inputs.model_choice import EMBEDDING, is_served, weights_of
from scripts.inputs.settings import MODE_KEYS
from scripts.job.suggestions import describe_unknown

WEIGHTS = (".pt", ".onnx", ".engine")
MOST = 2**63  # no count or limit is as large; comparing it with .nan or .inf is false
CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
HUB_MODEL = re.compile(r"(yolo|rtdetr)[a-z0-9-]*\.pt")  # a name that ultralytics can download
RENAMED = re.compile(r"(yolov3(-tiny|-spp)?|yolov5[nsmlx]6?)\.pt")  # published as yolov5su.pt and so on


def find_config(folder: Path) -> Path | None:
    """Return the path of a run folder's own configuration, or None. Raise UserError if it is misnamed or no YAML."""
    path = folder / "config.yaml"
    if (folder / "config.yml").exists():
        raise UserError(f"{folder}/config.yml would be ignored: rename it to {path}")
    if not path.exists():
        return None
    check_keys_once(path)
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise UserError(f"{path} holds no keys: copy the keys that you need from the checkout's config/config.yaml")
    return path


def check_keys_once(path: Path) -> None:
    """Raise UserError if a YAML file gives a key twice: YAML takes the last one and says nothing."""
    try:
        tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return  # who loads it says why
    if twice := list(_keys_given_twice(tree, "")):
        raise UserError("\n".join([f"{path} gives {len(twice)} key(s) twice: keep one line of each", *twice]))


def _keys_given_twice(node: Any, prefix: str) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _keys_given_twice(item, prefix)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in lines:
            yield f"{prefix}{name}: lines {lines[name]} and {line}"
        lines.setdefault(name, line)
        yield from _keys_given_twice(value, f"{prefix}{name}.")


def check_config(config: dict[str, Any], schema: dict[str, Any]) -> None:
    """Fill in the schema's defaults. Raise UserError with every problem.

    Relative paths start at the working directory, so call this in the run folder.
    """
    validator = _filling_defaults()(schema)
    given = dict(config["frames"]) if isinstance(config.get("frames"), dict) else {}
    problems = list(_misread(config, ""))
    if not problems:
        faults = sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.path)))
        problems = [_explain(error) for error in faults]
    if not problems:
        problems = [*_cross_check(config), *_unused_keys(given, config["frames"]["mode"], schema)]
    if problems:
        raise UserError("\n".join([f"{len(problems)} problem(s) in the configuration:", *problems]))


def _filling_defaults() -> Any:
    base = jsonschema.Draft202012Validator
    check_properties = base.VALIDATORS["properties"]

    def properties(validator: Any, known: dict[str, Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, dict):
            for key, sub in known.items():
                if "default" in sub:
                    instance.setdefault(key, _copy(sub["default"]))
                if key in instance:  # in the schema's order: to Snakemake, another order is another parameter
                    instance[key] = instance.pop(key)
        yield from check_properties(validator, known, instance, schema)

    # By the standard 1.0 is an integer, too, and .nan passes any limit. Both fail later, after hours of work.
    types = base.TYPE_CHECKER.redefine_many({
        "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST,
        "number": lambda _, value: isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST,
    })  # fmt: skip
    return extend(base, {"properties": properties}, type_checker=types)  # type: ignore[no-untyped-call]


def _misread(value: Any, key: str) -> Iterator[str]:
    """Yield what YAML reads otherwise than it was meant, or what no path and no name can contain."""
    if isinstance(value, str) and CONTROL.search(value):
        yield f"{key}: {value!r} contains a line end or another control character: write it in one line"
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _misread(item, f"{key}.{i}")
    if isinstance(value, dict):
        for name, item in value.items():
            inner = f"{key}.{name}".lstrip(".")
            if not isinstance(name, str):
                yield f"{inner}: YAML reads this key as {type(name).__name__}: write it in quotes"
            yield from _misread(item, inner)


def _copy(value: Any) -> Any:
    return type(value)(value) if isinstance(value, dict | list) else value


def _explain(error: ValidationError) -> str:
    key = ".".join(map(str, error.absolute_path)) or "(top level)"
    rules: dict[str, Any] = dict(error.schema)  # type: ignore[arg-type]
    if error.validator == "additionalProperties":
        known = sorted(rules["properties"])
        unknown = sorted(set(error.instance) - set(known), key=str)  # type: ignore[arg-type]
        return f"{key}: unknown key(s) {describe_unknown(unknown, known)}; allowed: {', '.join(known)}"
    hidden = ("description", "default", "properties", "additionalProperties")
    allowed = ", ".join(f"{rule} {limit}" for rule, limit in rules.items() if rule not in hidden)
    return f"{key}: {error.instance!r} is not allowed; allowed: {allowed}{_hint(error.instance, rules.get('type'))}"


def _hint(value: Any, wanted: Any) -> str:
    """Return how to write a value whose type is wrong because of the way YAML reads it."""
    if value is None:
        return " (YAML reads an empty value, ~ and null as nothing: write a value, or delete the line)"
    if wanted == "string" and isinstance(value, bool):
        return " (YAML reads words such as no, off and yes as true or false: write it in quotes, such as 'no')"
    if wanted == "string" and not isinstance(value, str | list | dict):
        return f" (YAML reads it as {type(value).__name__}: write it in quotes)"
    if wanted == "integer" and isinstance(value, float) and value.is_integer() and abs(value) < MOST:
        return f" (write {int(value)})"
    if wanted in ("integer", "number") and isinstance(value, str) and EXPONENT.fullmatch(value):
        return " (YAML reads it as text: write the digits)"
    return ""


def _cross_check(config: dict[str, Any]) -> Iterator[str]:
    shares = config["dataset"]["splits"]
    total = sum(shares.values())
    if abs(total - 1.0) > 1e-6:
        yield f"dataset.splits: {shares} sum to {total:g}; allowed: shares that sum to 1"
    rate = config["download"]["ytdlp"].get("ratelimit")
    if rate and rate < 1000 * config["download"]["min_speed_kb_s"]:
        yield f"download.ytdlp.ratelimit: {rate} is below min_speed_kb_s; allowed: more, or a lower min_speed_kb_s"
    for name, limits in config["download"]["sites"].items():
        if limits["sleep_s"][0] > limits["sleep_s"][1]:
            yield f"download.sites.{name}.sleep_s: {limits['sleep_s']} is not a range; allowed: smaller number first"
    yield from _check_embedding(config)
    yield from (
        f"{role}.model: '{name[0]}' is not there, and is published as {name[1]}u.pt: write that, or put the file there"
        for role in ("filter", "detect", "dedup")
        if (name := RENAMED.fullmatch(config[role]["model"])) and not Path(name[0]).is_file()
    )
    for role in ("filter", "detect"):
        model = Path(config[role]["model"])
        weights = model.suffix in WEIGHTS and model.is_file()
        export = (model / "metadata.yaml").is_file()
        named = is_served(config[role]["model"]) or HUB_MODEL.fullmatch(str(model))
        if set("{}") & set(str(model)):
            yield f"{role}.model: '{model}' contains braces, which Snakemake takes for wildcards: rename it"
        elif not (weights or export or named):
            yield (
                f"{role}.model: '{config[role]['model']}' is not there (looked for in {Path.cwd()}); allowed: a"
                f" {', '.join(WEIGHTS)} file, a folder that ultralytics exported for OpenVINO, the bare name of a"
                " published model such as yolo26n.pt, or a model on a Triton server, http://HOST:PORT/MODEL"
            )


def _check_embedding(config: dict[str, Any]) -> Iterator[str]:
    """Check the model for feature vectors: they come from layers, which only PyTorch weights expose."""
    chosen = config["dedup"]
    if chosen["method"] != EMBEDDING:
        yield from (
            f"dedup.{key}: {chosen[key]!r} has no effect with method '{chosen['method']}'; allowed: with dedup.method"
            f" {EMBEDDING}"
            for key in ("model", "weights_sha256")
            if chosen[key]
        )
        return
    weights = Path(weights_of(config, "dedup"))
    there = weights.suffix == ".pt" and weights.is_file()
    if set("{}") & set(str(weights)) or not (there or HUB_MODEL.fullmatch(str(weights))):
        given = "" if chosen["model"] else " (empty, so filter.model)"
        yield (
            f"dedup.model: '{weights}'{given} cannot be used with method {EMBEDDING}; allowed: PyTorch weights, that is"
            f" an existing .pt file (looked for in {Path.cwd()}), or the bare name of a published model such as"
            " yolo26n.pt; no OpenVINO folder, .engine, .onnx or server, because these expose no layers"
        )


def _unused_keys(given: dict[str, Any], mode: str, schema: dict[str, Any]) -> Iterator[str]:
    """Report keys of another sampling mode that were changed, because they have no effect."""
    used = MODE_KEYS.get(mode, set())
    known = schema["properties"]["frames"]["properties"]
    for key in sorted(set().union(*MODE_KEYS.values()) - used):
        if key in given and given[key] != known[key]["default"]:
            modes = " or ".join(name for name, keys in MODE_KEYS.items() if key in keys)
            yield f"frames.{key}: {given[key]} has no effect in mode '{mode}'; allowed: with frames.mode {modes}"
