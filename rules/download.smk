"""Bring the videos in."""


rule download_video:
    """Fetch or link one video; whatever goes wrong becomes its status."""
    input:
        local=local_media,
    output:
        record="results/download/{video}/video.json",
        media=media_folder(directory("results/download/{video}/media")),
    log:
        "logs/download_video/{video}.log",
    benchmark:
        "benchmarks/download_video/{video}.tsv"
    localrule: True  # on clusters: a profile that names it under groups has it submitted
    conda:
        "../envs/media.yaml"
    resources:
        download=1,
    params:
        url=video_url,
        form=form_of(config["download"]),
        again=times_retried,
        code=code_hash("download_video"),
    script:
        "../scripts/download_video.py"
