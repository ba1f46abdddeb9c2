"""Make the dataset."""


rule export_dataset:
    """Lay out images and labels in each format, ledger, card and attribution."""
    input:
        records=collect("results/download/{video}/video.json", video=VIDEOS),
        filtered=collect("results/filtered/{video}", video=VIDEOS),
        detections=detections,
        manifest="results/dedup/manifest.parquet",
        filter_model=f"results/models/{model_name('filter')}",
        detect_model=f"results/models/{model_name('detect')}",
    output:
        dataset=directory("results/dataset"),
    log:
        "logs/export_dataset.log",
    benchmark:
        "benchmarks/export_dataset.tsv"
    conda:
        "../envs/data.yaml"
    params:
        videos={name: published_row(config, video) for name, video in VIDEOS.items()},
        settings=telling_settings(config),
        code=code_hash("export_dataset"),
    script:
        "../scripts/export_dataset.py"
