"""Make a published dataset again from its videos."""


rule retake_frames:
    """Extract the published frames of one video again, and compare each with the published one."""
    input:
        record="results/download/{video}/video.json",
        media="results/download/{video}/media",
        manifest=lambda wildcards: manifest_of(config),
    output:
        frames=directory("results/retaken/{video}"),
    log:
        "logs/retake_frames/{video}.log",
    conda:
        "../envs/media.yaml"
    threads: extract_threads
    resources:
        extract=1,
    # untracked: frames.deadline_s: raising the limit must not extract all frames again
    params:
        clip=video_clip,
        settings=lambda wildcards: VIDEOS[wildcards.video].extra,
        code=code_hash("retake_frames"),
    script:
        "../scripts/rehydrate/retake_frames.py"


rule rehydrate:
    """Write the dataset whose manifest and table the config key rehydrate names (run on demand)."""
    input:
        manifest=lambda wildcards: manifest_of(config),
        frames=collect("results/retaken/{video}", video=VIDEOS),
    output:
        dataset=directory("results/rehydrated"),
    log:
        "logs/rehydrate.log",
    conda:
        "../envs/media.yaml"
    params:
        videos=list(VIDEOS),
        code=code_hash("rehydrate"),
    script:
        "../scripts/rehydrate/rehydrate.py"
