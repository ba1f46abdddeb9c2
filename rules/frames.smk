"""Turn videos into frames."""


rule extract_frames:
    """Extract frames of one video as JPEGs named by their time, and measure them."""
    input:
        record="results/download/{video}/video.json",
        media="results/download/{video}/media",
    output:
        frames=raw_frames(directory("results/frames/{video}")),
    log:
        "logs/extract_frames/{video}.log",
    priority: 10
    conda:
        "../envs/media.yaml"
    threads: extract_threads
    resources:
        extract=1,
    # untracked: frames.max_output_mb, frames.deadline_s, frames_budget_gb: raising a limit must not extract all videos
    # again
    params:
        clip=video_clip,
        frames={key: value for key, value in config["frames"].items() if key not in ("max_output_mb", "deadline_s")},
        code=code_hash("extract_frames"),
    script:
        "../scripts/frames/extract_frames.py"
