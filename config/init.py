"""Create a run folder: `make init DIR=my-run`."""

import argparse
import sys
from pathlib import Path
from shlex import quote
from string import Template

CHECKOUT = Path(__file__).resolve().parents[1]
TEMPLATES = {"README.md": "README.md", "config.yaml": "config/config.yaml", "videos.tsv": "config/videos.tsv"}


def lay_out(folder: Path) -> None:
    """Write a README, a configuration and an empty table; exit if the folder holds any of them."""
    there = [name for name in TEMPLATES.values() if (folder / name).exists()]
    if there:
        sys.exit(f"{folder} is already a run folder: it holds {', '.join(there)}. Nothing was changed")
    words = {"checkout": quote(str(CHECKOUT)), "folder": quote(str(folder.resolve())), "name": folder.resolve().name}
    for template, name in TEMPLATES.items():
        text = (CHECKOUT / "config/init" / template).read_text(encoding="utf-8")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(Template(text).substitute(words), encoding="utf-8")
    print(f"{folder}: fill in config/videos.tsv and config/config.yaml; README.md there lists the commands")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the run folder to create")
    chosen = parser.parse_args().folder
    try:
        lay_out(chosen)
    except OSError as error:
        sys.exit(f"cannot create {chosen}: {error}")
