"""Write config/config.yaml and the keys of config/README.md from the schema: python config/document.py."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

HERE = Path(__file__).parent
DASH = "\N{EN DASH}"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


def main() -> None:
    """Write both files."""
    schema = with_definitions(yaml.safe_load((HERE / "schemas/config.schema.yaml").read_text()))
    (HERE / "config.yaml").write_text(config_yaml(schema))
    readme = HERE / "README.md"
    readme.write_text(fill_keys(readme.read_text(), schema))


def with_definitions(schema: Schema) -> Schema:
    """Return the schema with each reference to a definition replaced by it."""

    def fill(part: Any) -> Any:
        if isinstance(part, list):
            return [fill(item) for item in part]
        if not isinstance(part, dict):
            return part
        named = schema["$defs"][part["$ref"].rsplit("/")[-1]] if "$ref" in part else {}
        return {key: fill(value) for key, value in {**named, **part}.items() if key != "$ref"}

    filled: Schema = fill(schema)
    return filled


def has_keys(sub: Schema) -> bool:
    """Return whether this is a section: its own keys have defaults. A value can be a mapping, too."""
    return any("default" in key for key in sub.get("properties", {}).values())


def config_yaml(schema: Schema) -> str:
    """Return a configuration of all defaults, each key below its description."""
    head = (
        "# Every key with its default. Put your changes into config/config.yaml of the run folder (README.md).\n"
        "# Sizes are decimal: 1 kB = 1,000 bytes, 1 GB = 1,000,000,000 bytes.\n"
    )
    return head + "".join(_section(schema, ""))


def _section(schema: Schema, indent: str) -> Iterator[str]:
    for key, sub in schema["properties"].items():
        comment = f"{indent}# "
        yield "" if indent else "\n"
        yield textwrap.fill(sub["description"], 110, initial_indent=comment, subsequent_indent=comment) + "\n"
        name = f'"{key}"' if key == "*" else key
        if has_keys(sub):
            yield f"{indent}{name}:\n"
            yield from _section(sub, indent + "  ")
        else:
            yield f"{indent}{name}: {_default(sub)}\n"


def fill_keys(manual: str, schema: Schema) -> str:
    """Return the manual with a list of keys per section of the schema between its two markers."""
    before, after = manual.split(BEGIN)[0], manual.split(END)[1]
    properties = schema["properties"]
    sections = {"general": {key: sub for key, sub in properties.items() if not has_keys(sub)}}
    sections |= {key: {key: sub} for key, sub in properties.items() if has_keys(sub)}
    lists = ["\n".join([f"### Keys: {name}\n", *_items(keys, "")]) for name, keys in sections.items()]
    return "\n\n".join([before + BEGIN, *lists, END + after])


def _items(keys: Schema, prefix: str) -> Iterator[str]:
    for key, sub in keys.items():
        if has_keys(sub):
            yield from _items(sub["properties"], f"{prefix}{key}.")
        else:
            allowed = _allowed(sub)
            yield f"- **`{prefix}{key}: {_default(sub)}`** {sub['description']}{allowed and f' ({allowed})'}"


def _default(sub: Schema) -> str:
    dumped: str = yaml.safe_dump(sub["default"], default_flow_style=True)
    return dumped.removesuffix("\n...\n").strip()


def _allowed(sub: Schema) -> str:
    """Return a key's choices or range; empty where its description or default shows them."""
    if "enum" in sub:
        unnamed = any(f"`{choice}`" not in sub.get("description", "") for choice in sub["enum"])
        return ", ".join(sub["enum"]) if unnamed else ""
    if sub["type"] == "array":
        return _allowed(sub["items"])
    if sub["type"] not in ("integer", "number"):
        return ""
    if "maximum" in sub:
        steps = f", multiples of {sub['multipleOf']}" if "multipleOf" in sub else ""
        return f"{sub['minimum']}{' to ' if sub['minimum'] < 0 else DASH}{sub['maximum']}{steps}"
    return f"above {sub['exclusiveMinimum']}" if "exclusiveMinimum" in sub else f"{sub['minimum']} or more"


if __name__ == "__main__":
    main()
