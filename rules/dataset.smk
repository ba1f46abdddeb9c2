"""Make the dataset."""


rule export_dataset:
    """Lay out images, labels, annotations, ledger and attribution."""
    input:
        records=collect("results/download/{video}/video.json", video=VIDEOS),
        filtered=collect("results/filtered/{video}", video=VIDEOS),
        detections=detections,
        manifest="results/dedup/manifest.parquet",
        model=f"results/models/{model_name('detect')}",
    output:
        dataset=directory("results/dataset"),
    log:
        "logs/export_dataset.log",
    benchmark:
        "benchmarks/export_dataset.tsv"
    conda:
        "../envs/data.yaml"
    params:
        videos={name: {"url": video.url, "split": video.split, "extra": video.extra} for name, video in VIDEOS.items()},
        classes=config["detect"]["classes"],
        splitting={
            "shares": config["dataset"]["splits"],
            "seed": config["dataset"]["seed"],
            "by": config["dataset"]["split_by"],
        },
        max_distance_bits=config["dedup"]["max_distance_bits"],
        code=code_hash("export_dataset"),
    script:
        "../scripts/export_dataset.py"
