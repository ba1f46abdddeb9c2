"""Label the kept frames."""


rule detect_objects:
    """Label the kept frames of one video; runs again only if they, the model or its settings change."""
    input:
        frames=ancient("results/filtered/{video}"),
        kept=ancient("results/dedup/kept.json"),
        model=f"results/models/{model_name('detect')}",
    output:
        table="results/detections/{video}.parquet",
    log:
        "logs/detect_objects/{video}.log",
    benchmark:
        "benchmarks/detect_objects/{video}.tsv"
    priority: 30
    conda:
        "../envs/vision.yaml"
    resources:
        gpu=1,
    params:
        kept_digest=kept_digest,
        ask={
            "confidence": config["detect"]["confidence"],
            "iou": config["detect"]["iou"],
            "imgsz_px": config["detect"]["imgsz_px"],
            "classes": config["detect"]["classes"],
        },
        work=ULTRALYTICS_FOLDER,
        code=code_hash("detect_objects"),
    script:
        "../scripts/detect_objects.py"
