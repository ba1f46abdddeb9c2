"""Check a configuration: every problem at once, by key, with what is allowed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from scripts._log import UserError

HUB_MODEL = re.compile(r"(yolo|rtdetr)[a-z0-9-]*\.pt")  # a bare name that ultralytics offers for download


def check_config(config: dict[str, Any], schema: dict[str, Any]) -> None:
    """Fill in the schema's defaults and raise UserError if anything is wrong.

    Paths are looked up from the working directory, so call it in the run folder.
    """
    validator = _filling_defaults()(schema)
    problems = [
        _explain(error) for error in sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.path)))
    ]
    if not problems:
        problems = list(_cross_check(config))
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
        yield from check_properties(validator, known, instance, schema)

    return extend(base, {"properties": properties})  # type: ignore[no-untyped-call]


def _copy(value: Any) -> Any:
    return type(value)(value) if isinstance(value, dict | list) else value


def _explain(error: ValidationError) -> str:
    key = ".".join(map(str, error.absolute_path)) or "(top level)"
    rules: dict[str, Any] = dict(error.schema)  # type: ignore[arg-type]
    if error.validator == "additionalProperties":
        known = sorted(rules["properties"])
        unknown = sorted(set(error.instance) - set(known))  # type: ignore[arg-type]
        return f"{key}: unknown key(s) {', '.join(map(repr, unknown))}; allowed: {', '.join(known)}"
    allowed = {rule: limit for rule, limit in rules.items() if rule not in ("description", "default")}
    return f"{key}: {error.instance!r} is not allowed; allowed: {allowed}"


def _cross_check(config: dict[str, Any]) -> Iterator[str]:
    shares = config["dataset"]["splits"]
    total = sum(shares.values())
    if abs(total - 1.0) > 1e-6:
        yield f"dataset.splits: {shares} sum to {total:g}; allowed: shares that sum to 1"
    for role in ("filter", "detect"):
        model = config[role]["model"]
        if not (Path(model).exists() or HUB_MODEL.fullmatch(model)):
            yield (
                f"{role}.model: '{model}' is no file or folder in {Path.cwd()}; allowed: a .pt file, an OpenVINO"
                " folder, or the bare name of a published model such as yolo26n.pt"
            )
