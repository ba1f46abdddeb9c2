"""Drop frames without the wanted objects."""


rule filter_frames:
    """Keep the frames of one video in which the filter model sees enough objects."""
    input:
        frames="results/frames/{video}",
        model=f"results/models/{model_name('filter')}",
    output:
        frames=directory("results/filtered/{video}"),
    log:
        "logs/filter_frames/{video}.log",
    benchmark:
        "benchmarks/filter_frames/{video}.tsv"
    priority: 20
    conda:
        "../envs/vision.yaml"
    resources:
        gpu=1,
    params:
        ask={
            "confidence": config["filter"]["confidence"],
            "iou": 0.7,
            "imgsz_px": config["filter"]["imgsz_px"],
            "classes": config["filter"]["classes"],
        },
        min_objects=config["filter"]["min_objects"],
        negatives_share=config["dataset"]["negatives_share"],
        work=ULTRALYTICS_FOLDER,
        code=code_hash("filter_frames"),
    script:
        "../scripts/filter_frames.py"
