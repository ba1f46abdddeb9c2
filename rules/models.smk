"""Prepare the models."""


rule compile_model:
    """Check weights and bring them into the fastest format of this machine."""
    input:
        weights=model_weights,
    output:
        model=directory("results/models/{model}"),
    log:
        "logs/compile_model/{model}.log",
    benchmark:
        "benchmarks/compile_model/{model}.tsv"
    priority: 100
    conda:
        "../envs/vision.yaml"
    resources:
        gpu=1,
    params:
        model=spec_of_model,
        work=ULTRALYTICS_FOLDER,
        code=code_hash("compile_model"),
    script:
        "../scripts/compile_model.py"
