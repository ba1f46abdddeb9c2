"""The rules of the workflow and the scripts behind them, as tests look at their texts."""

import re

from scripts.core.layout import STAGES
from tests._places import REPO

RULES = {
    match[1]: body
    for file in sorted((REPO / "rules").glob("*.smk"))
    for body in re.split(r"\n(?=(?:rule|checkpoint) )", file.read_text())
    if (match := re.match(r"(?:rule|checkpoint) (\w+):", body))
}
SCRIPTS = REPO / "scripts"
FILES = sorted(path for path in SCRIPTS.rglob("*.py") if path.name != "__init__.py")
TAILS = {path.stem: path for path in FILES if "snakemake.log[0]" in path.read_text()}  # the scripts of rules
GATHERS_BEFORE = {"deduplicate": ("gather_videos",), "export_dataset": ("gather_detections",)}
ALL_STAGES = tuple(rule for stage in STAGES for rule in (*GATHERS_BEFORE.get(stage, ()), stage))
