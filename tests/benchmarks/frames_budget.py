"""Show how much disk raw frames take while a hundred videos pass a slow filter, with frames_budget_gb and without.

python -m tests.benchmarks.frames_budget [--videos 100] [--cores 1,2,16]
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from scripts.media.probe import ffmpeg_exe
from tests._disk import sampled_bytes
from tests._run import Run, lay_out
from tests.conftest import pattern

BUDGET_GB = 0.003


def set_up(folder: Path, clip: Path, videos: int, budget_gb: float) -> Run:
    """Lay out a run on parts of one clip, with an input size at which the filter is the slowest stage."""
    run = lay_out(folder)
    run.write_table(*[f"v{number:03d}\t{clip}\t{number / 50}\t\ttrain\tcity" for number in range(videos)])
    config = run.read_config() | {"frames": {"interval_s": 0.5, "similar_bits": -1}, "frames_budget_gb": budget_gb}
    config["filter"]["imgsz_px"] = 960
    run.write_config(config)
    return run


def main() -> None:
    """Print a line per run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--videos", type=int, default=100)
    options.add_argument("--cores", default="1,2,16")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "busy.mp4"
        encode = ["-c:v", "mpeg4", "-q:v", "2", str(clip)]
        subprocess.run([ffmpeg_exe(), "-v", "error", *pattern(10, "640x360"), *encode], check=True)
        cases = [(int(cores), BUDGET_GB) for cores in asked.cores.split(",")]
        for cores, budget_gb in [*cases, (cases[-1][0], 20)]:
            run = set_up(Path(name) / f"{cores}-{budget_gb}", clip, asked.videos, budget_gb)
            began = time.monotonic()
            with sampled_bytes(run.folder / "results/frames", "*/*.jpg") as seen:
                outcome = run.snakemake("--until", "filter_frames", "--cores", str(cores), timeout_s=3600)
            if outcome.code or outcome.jobs["filter_frames"] != asked.videos:
                raise SystemExit(outcome.text[-3000:])
            print(
                f"{asked.videos} videos, {cores} cores, budget {budget_gb * 1000:g} MB: peak {max(seen) / 1e6:.2f} MB,"
                f" {time.monotonic() - began:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
