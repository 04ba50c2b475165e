rule score_control:
    """Score what needs no neighbours: the mixture itself, the constant mask, the ideal masks."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=blsh_rules.all_manifests(CONFIG),
        constant=f"{DATA}/masks/constant.npy",
    output:
        f"{RESULTS}/scores/{{set}}/{{control}}.parquet",
    log:
        f"{RESULTS}/logs/score_{{set}}_{{control}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score/{{set}}_{{control}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1500,
        runtime="4h",
    params:
        settings=lambda w: blsh_rules.score_settings(CONFIG, w),
        code=blsh_rules.code("score"),
        corpora=blsh_rules.corpora_flags(CONFIG),
    shell:
        "blsh score {params.settings} --recipes {input.recipes} {params.corpora} --constant {input.constant}"
        " -o {output} --log-command > {log} 2>&1"


rule score_neighbours:
    """Score nearest neighbours of the raw features or of random codes, all code lengths at once."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=blsh_rules.all_manifests(CONFIG),
        features=f"{DATA}/features/{{feature}}.npy",
        masks=f"{DATA}/masks/train.npy",
    output:
        f"{RESULTS}/scores/{{set}}/{{system}}_{{feature}}_rho-{{rho}}_rep-{{repeat}}.parquet",
    log:
        f"{RESULTS}/logs/score_{{set}}_{{system}}_{{feature}}_rho-{{rho}}_rep-{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score/{{set}}_{{system}}_{{feature}}_rho-{{rho}}_rep-{{repeat}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=3000,
        runtime="8h",
    params:
        settings=lambda w: blsh_rules.score_settings(CONFIG, w),
        code=blsh_rules.code("score"),
        corpora=blsh_rules.corpora_flags(CONFIG),
    shell:
        "blsh score {params.settings} --recipes {input.recipes} {params.corpora} --features {input.features}"
        " --masks {input.masks} -o {output} --log-command > {log} 2>&1"


rule score_blsh:
    """Score the learned codes, all code lengths at once."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=blsh_rules.all_manifests(CONFIG),
        features=f"{DATA}/features/{{feature}}.npy",
        masks=f"{DATA}/masks/train.npy",
        model=f"{RESULTS}/models/blsh_{{feature}}_{{target}}.npz",
    output:
        f"{RESULTS}/scores/{{set}}/blsh_{{feature}}_{{target}}_rho-{{rho}}_rep-{{repeat}}.parquet",
    log:
        f"{RESULTS}/logs/score_{{set}}_blsh_{{feature}}_{{target}}_rho-{{rho}}_rep-{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score/{{set}}_blsh_{{feature}}_{{target}}_rho-{{rho}}_rep-{{repeat}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=3000,
        runtime="8h",
    params:
        settings=lambda w: blsh_rules.score_settings(CONFIG, w),
        code=blsh_rules.code("score"),
        corpora=blsh_rules.corpora_flags(CONFIG),
    shell:
        "blsh score {params.settings} --recipes {input.recipes} {params.corpora} --features {input.features}"
        " --masks {input.masks} --model {input.model} -o {output} --log-command > {log} 2>&1"
