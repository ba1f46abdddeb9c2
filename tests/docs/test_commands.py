"""Every command of the pages runs, in their order, in a copy of the checkout.

REELSIEVE_WRITE_DOCS=1 python -m pytest tests/docs/test_commands.py also draws the graph of docs/design.md anew.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._blocks import blocks_of, commands_of
from tests._server import FaultServer
from tests.conftest import DEMO, REAL, REPO

# Pages whose commands build on each other; further pages may hold no command, or only such as say why none runs.
PAGES = ["README.md", "docs/tutorial.md", "docs/youtube.md", "docs/publishing.md", "config/README.md"]
LANGUAGES = {"sh", "yaml", "python", "mermaid", "text"}
VIDEOS = "https://github.com/intel-iot-devkit/sample-videos/raw/master/"
# What a page says, and what runs in its place: fewer cores, a served URL for the example's, models that are here,
# one short epoch. {model}, {classes} and {server} depend on whether real videos lie beside the checkout.
SUBSTITUTES = {
    r"--cores (all|\d+)": "--cores 2",
    r"make status": "make -o .venv/run.installed status",  # would install what is here
    re.escape(VIDEOS): "{server}",
    r"^filter:$": "models: {{format: native}}\ndownload: {{allow_private_hosts: true}}\nfilter:",
    r"model: yolo26n.pt": "model: {model}",
    r"classes: \[car, person, bicycle\]": "classes: {classes}",
    r"model=yolo26n.pt epochs=100 imgsz=640": "model=config/demo/detector.pt epochs=1 imgsz=160 batch=8 workers=0"
    " plots=False device=cpu",
    r"RUN_FOLDER": "my-run",
    r"EMPTY_FOLDER (.*)FOLDER_OF_BOTH": r"again \1$PWD/street/results/dataset -n",
    r"^(snakemake .*--directory my-run .*)$": r"\1 -n",  # the tutorial's runs do the work
}
BY_HAND = {
    "README.md": (
        "make init DIR=my-run",
        "printf 'a\\t%s\\n' $PWD/config/demo/clips/night.mp4 >> my-run/config/videos.tsv",
    )
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, with the environment of this one."""
    copy = tmp_path_factory.mktemp("docs") / "checkout"
    hidden = shutil.ignore_patterns(".*", "__pycache__", "demo_run", "my-run", "street", "tests")
    shutil.copytree(REPO, copy, ignore=hidden)
    (copy / ".venv").symlink_to(REPO / ".venv")
    return copy


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, str]]:
    """Serve the tutorial's two videos: real ones where they are, else the demo's."""
    if REAL.exists():
        files = (REAL / "videos/car-detection.mp4", REAL / "videos/bottle-detection.mp4")
        told = {
            "model": str(REAL / "model/yolo11n_int8_openvino_model"),
            "classes": "[car, bottle]\n  confidence: 0.01",
        }
    else:
        files = (DEMO / "clips/avenue.mp4", DEMO / "clips/crossing.mp4")
        told = {"model": str(DEMO / "detector.pt"), "classes": "[car, person, dog]"}
    with FaultServer() as server:
        for name, file in zip(("car-detection", "person-bicycle-car-detection"), files, strict=True):
            server.add(f"/{name}.mp4", file)
        yield told | {"server": server.url("/")}


def script_of(page: str, places: dict[str, str]) -> str:
    """Return the commands of a page with their substitutes, and what its reader does by hand between them."""
    text = "\n".join(commands_of(REPO / page))
    for said, instead in SUBSTITUTES.items():
        text = re.sub(said, instead.format(**places).replace("\\1", r"\g<1>"), text, flags=re.MULTILINE)
    after, by_hand = BY_HAND.get(page, ("", ""))
    assert after in text
    return text.replace(after, f"{after}\n{by_hand}", 1) if after else text


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run(page: str, checkout: Path, places: dict[str, str]) -> None:
    offline = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(checkout / ".ultralytics")}
    script = f"set -e\n. .venv/bin/activate\n{script_of(page, places)}"
    done = subprocess.run(
        ["sh", "-c", script], cwd=checkout, env=os.environ | offline, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    if page == "docs/tutorial.md":
        assert "2 of 2 videos ok" in done.stderr and (checkout / "street/training/first/weights/best.pt").is_file()


def test_no_command_is_left_out_silently() -> None:
    others = {str(path.relative_to(REPO)) for path in (*REPO.glob("*.md"), *(REPO / "docs").glob("*.md"))} - set(PAGES)
    for page in (*PAGES, *sorted(others)):
        for block in blocks_of(REPO / page):
            assert block.language in LANGUAGES, f"{page}, line {block.line}: say in which language the block is"
            if block.language == "sh" and page in others:
                assert block.untested, (
                    f"{page}, line {block.line}: list the page in PAGES, or say after no-test: why not"
                )
            if block.untested:
                print(f"not run: {page}, line {block.line}: {block.untested}")


def test_the_pages_link_to_what_is_there() -> None:
    for page in (*PAGES, *(str(path.relative_to(REPO)) for path in (REPO / "docs").glob("*.md")), "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", (REPO / page).read_text()):
            assert "://" in target or (REPO / page).parent.joinpath(target).exists(), f"{page} links to {target}"


def test_the_picture_of_the_rules_is_snakemakes(checkout: Path) -> None:
    told = subprocess.run(
        [REPO / ".venv/bin/snakemake", "--directory", "street", "--cores", "1", "--rulegraph", "mermaid-js"],
        cwd=checkout, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", told))
    edges = sorted((names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", told) if names[b] != "all")
    drawn = "flowchart TB\n" + "".join(f"    {a} --> {b}\n" for a, b in edges)
    page = REPO / "docs/design.md"
    if os.environ.get("REELSIEVE_WRITE_DOCS"):
        page.write_text(re.sub(r"```mermaid\n.*?```", f"```mermaid\n{drawn}```", page.read_text(), flags=re.DOTALL))
    [block] = [block for block in blocks_of(page) if block.language == "mermaid"]
    assert ("detect_objects", "gather_detections") in edges and block.text == drawn
