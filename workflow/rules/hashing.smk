rule train:
    """Learn the projections of one feature and target by boosting; a killed training goes on where it stopped."""
    input:
        features=f"{DATA}/features/{{feature}}.npy",
        masks=f"{DATA}/masks/train.npy",
    output:
        model=f"{RESULTS}/models/blsh_{{feature}}_{{target}}.npz",
        history=f"{RESULTS}/models/blsh_{{feature}}_{{target}}.csv",
    log:
        f"{RESULTS}/logs/train_{{feature}}_{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{feature}}_{{target}}.tsv"
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime="12h",
    params:
        settings=lambda w: blsh_rules.train_settings(CONFIG, w.feature, w.target),
        code=blsh_rules.code("train"),
    shell:
        "blsh train {params.settings} --features {input.features} --masks {input.masks} --threads {threads}"
        " --history {output.history} -o {output.model} --log-command > {log} 2>&1"
