"""Show what came out."""


rule report:
    """Write the page and the registry of all videos."""
    input:
        records=collect("results/download/{video}/video.json", video=VIDEOS),
        filtered=collect("results/filtered/{video}", video=VIDEOS),
        detections=detections,
        distances="results/dedup/distances.json",
        dataset="results/dataset",
    output:
        page="results/report.html",
        registry="results/registry.tsv",
    log:
        "logs/report.log",
    benchmark:
        "benchmarks/report.tsv"
    conda:
        "../envs/data.yaml"
    params:
        videos={name: {"split": video.split, "extra": video.extra} for name, video in VIDEOS.items()},
        code=code_hash("report"),
    script:
        "../scripts/report.py"
