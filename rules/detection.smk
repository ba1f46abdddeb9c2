"""Compile the models, filter frames, label the kept ones."""


rule compile_model:
    """Check weights and bring them into the fastest format of this machine."""
    input:
        weights=model_weights,
    output:
        model=directory("results/models/{model}"),
    log:
        "logs/compile_model/{model}.log",
    priority: 100
    conda:
        "../envs/vision.yaml"
    resources:
        gpu=1,
    # untracked: store, detector.warm: another place or process must not compile again
    # untracked: filter.weights_sha256, detect.weights_sha256, dedup.weights_sha256: they only check the weights
    # untracked: filter.classes, detect.classes: another class must not compile, and so filter, again
    # untracked: filter.max_objects, detect.max_objects: they only are checked against what the model can find
    params:
        model=spec_of_model,
        work=ULTRALYTICS_FOLDER,
        code=code_hash("compile_model"),
    script:
        "../scripts/detection/compile_model.py"


rule filter_frames:
    """Keep the frames of one video in which the filter model sees enough objects."""
    input:
        frames="results/frames/{video}",
        model=f"results/models/{model_name('filter')}",
    output:
        frames=directory("results/filtered/{video}"),
        seen=update("results/seen/filter/{video}.parquet"),
    log:
        "logs/filter_frames/{video}.log",
    priority: 20
    conda:
        "../envs/vision.yaml"
    resources:
        gpu=1,
    # untracked: detector.warm: another process must not filter again
    # untracked: cleanup_raw_frames, keep_media: what is deleted afterwards does not change what passes
    # untracked: store, videos, exclude, download.max_height_px, download.ytdlp: they only name the media to delete
    params:
        query={
            "confidence": config["filter"]["confidence"],
            "iou": 0.7,
            "imgsz_px": config["filter"]["imgsz_px"],
            "classes": config["filter"]["classes"],
            "max_objects": config["filter"]["max_objects"],
        },
        min_objects=config["filter"]["min_objects"],
        negatives_share=config["dataset"]["negatives_share"],
        work=ULTRALYTICS_FOLDER,
        engine=code_hash("engine"),
        code=code_hash("filter_frames"),
    script:
        "../scripts/detection/filter_frames.py"


rule detect_objects:
    """Label the kept frames of one video; runs again only if they, the model or its settings change."""
    input:
        frames=ancient("results/filtered/{video}"),
        kept=ancient("results/dedup/kept.json"),
        model=f"results/models/{model_name('detect')}",
    output:
        table="results/detections/{video}.parquet",
        seen=update("results/seen/detect/{video}.parquet"),
    log:
        "logs/detect_objects/{video}.log",
    priority: 30
    conda:
        "../envs/vision.yaml"
    resources:
        gpu=1,
    # untracked: detector.warm: another process must not label again
    params:
        kept_digest=kept_digest,
        query={
            "confidence": config["detect"]["confidence"],
            "iou": config["detect"]["iou"],
            "imgsz_px": config["detect"]["imgsz_px"],
            "classes": config["detect"]["classes"],
            "max_objects": config["detect"]["max_objects"],
        },
        filter_saw="results/seen/filter/{video}.parquet",  # no input: detection can do without it
        work=ULTRALYTICS_FOLDER,
        engine=code_hash("engine"),
        code=code_hash("detect_objects"),
    script:
        "../scripts/detection/detect_objects.py"
