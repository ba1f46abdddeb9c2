"""Write config/config.yaml and the table in config/README.md from the schema, which is where the defaults live.

python config/document.py
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"
LIMITS = (
    "enum",
    "pattern",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "multipleOf",
    "minLength",
    "minItems",
    "maxItems",
    "uniqueItems",
)


def main() -> None:
    """Write both files."""
    schema = with_definitions(yaml.safe_load((HERE / "schemas/config.schema.yaml").read_text()))
    (HERE / "config.yaml").write_text(config_yaml(schema))
    readme = HERE / "README.md"
    readme.write_text(fill_table(readme.read_text(), schema))


def with_definitions(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with each reference to a definition replaced by it."""

    def fill(part: Any) -> Any:
        if isinstance(part, list):
            return [fill(item) for item in part]
        if not isinstance(part, dict):
            return part
        named = schema["$defs"][part["$ref"].rsplit("/")[-1]] if "$ref" in part else {}
        return {key: fill(value) for key, value in {**named, **part}.items() if key != "$ref"}

    filled: dict[str, Any] = fill(schema)
    return filled


def has_keys(sub: dict[str, Any]) -> bool:
    """Tell a section of keys with defaults from a value, which may be an object too."""
    return any("default" in key for key in sub.get("properties", {}).values())


def config_yaml(schema: dict[str, Any]) -> str:
    """Return a configuration of all defaults, each key under its description."""
    head = "# Every key with its default. Put what you change into config/config.yaml of your run folder (README.md).\n"
    return head + "".join(_section(schema, ""))


def _section(schema: dict[str, Any], indent: str) -> Iterator[str]:
    for key, sub in schema["properties"].items():
        yield "" if indent else "\n"
        yield (
            textwrap.fill(sub["description"], 110, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ") + "\n"
        )
        if has_keys(sub):
            yield f"{indent}{_name(key)}:\n"
            yield from _section(sub, indent + "  ")
        else:
            value = yaml.safe_dump(sub["default"], default_flow_style=True).removesuffix("\n...\n").strip()
            yield f"{indent}{key}: {value}\n"


def _name(key: str) -> str:
    return f'"{key}"' if key == "*" else key


def fill_table(readme: str, schema: dict[str, Any]) -> str:
    """Return the manual with a row per key between its two markers."""
    before, after = readme.split(BEGIN)[0], readme.split(END)[1]
    rows = ["| key | meaning | type and range | default |", "|---|---|---|---|", *_rows(schema, "")]
    return "\n".join([before + BEGIN, *rows, END + after])


def _rows(schema: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, sub in schema["properties"].items():
        if has_keys(sub):
            yield from _rows(sub, f"{prefix}{key}.")
        else:
            limits = "; ".join(f"{name} {str(sub[name]).replace('|', '&#124;')}" for name in LIMITS if name in sub)
            kind = sub["type"] + (f" ({limits})" if limits else "")
            yield f"| `{prefix}{key}` | {sub['description']} | {kind} | `{sub['default']!r}` |"


if __name__ == "__main__":
    main()
