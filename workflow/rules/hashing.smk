rule train:
    """Learn projections by boosting, a bit a round; a killed training goes on where it stopped."""
    input:
        features=lambda w: f"{DATA}/features/{MODELS[w.boosted].feature}.npy",
        masks=f"{DATA}/masks/train.npy",
        recipes=f"{DATA}/mixtures/train.csv",
    output:
        model=f"{RESULTS}/models/{{boosted}}.npz",
        history=f"{RESULTS}/models/{{boosted}}.csv",
    log:
        f"{RESULTS}/logs/train_{{boosted}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{boosted}}.tsv"
    conda:
        "../../environment.yml"
    # Trainings side by side are sooner done than one after the other on two threads each.
    threads: 2 if len(MODELS) == 1 else 1
    resources:
        mem_mb=blsh_rules.growing(4000),
        runtime=blsh_rules.growing(12 * 60),
    params:
        settings=lambda w: blsh_rules.train_settings(CONFIG, MODELS[w.boosted]),
        code=blsh_rules.code("train"),
    shell:
        "blsh train {params.settings} --features {input.features:q} --masks {input.masks:q} --recipes {input.recipes:q}"
        " --threads {threads} --history {output.history:q} -o {output.model:q} --log-command > {log:q} 2>&1"


rule fit:
    """Fit projections to the features' principal components, as they are or rotated (ITQ)."""
    input:
        features=lambda w: f"{DATA}/features/{MODELS[w.fitted].feature}.npy",
    output:
        f"{RESULTS}/models/{{fitted}}.npz",
    log:
        f"{RESULTS}/logs/fit_{{fitted}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fit/{{fitted}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(2000),
        runtime=blsh_rules.growing(2 * 60),
    params:
        settings=lambda w: blsh_rules.fit_settings(CONFIG, MODELS[w.fitted]),
        code=blsh_rules.code("fit"),
    shell:
        "blsh fit {params.settings} --features {input.features:q} -o {output:q} --log-command > {log:q} 2>&1"
