rule train_network:
    """Train a neural network to its stop rule or a limit; one that was killed or limited goes on where it stopped."""
    input:
        units=f"{DATA}/manifests/units.csv",
        validation=f"{DATA}/mixtures/validation.csv",
        manifests=blsh_rules.manifests_of(CONFIG, "train"),
    output:
        model=f"{RESULTS}/models/{{network}}.safetensors",
        history=f"{RESULTS}/models/{{network}}.csv",
    log:
        f"{RESULTS}/logs/train_network_{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_network/{{network}}.tsv"
    conda:
        "../../environment.yml"
    # The sums of a training depend on the number of its threads; several small networks are best trained side by side.
    threads: 1
    resources:
        mem_mb=blsh_rules.growing(6000),
        runtime=blsh_rules.growing(24 * 60),
        gpu=int(CONFIG.networks.device == "cuda"),
    params:
        settings=lambda w: blsh_rules.network_settings(CONFIG, *NETWORKS[w.network]),
        code=blsh_rules.code("train_network"),
        corpora=blsh_rules.corpora_flags(CONFIG, blsh_rules.corpora_of(CONFIG, "train")),
    shell:
        "blsh train-network {params.settings} --units {input.units:q} --validation {input.validation:q} {params.corpora}"
        " --threads {threads} --history {output.history:q} -o {output.model:q} --log-command > {log:q} 2>&1"


rule score_network:
    """Score a neural network."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=lambda w: blsh_rules.manifests_of(CONFIG, w.set),
        model=f"{RESULTS}/models/{{network}}.safetensors",
    output:
        f"{RESULTS}/scores/{{set}}/{{network}}.parquet",
    log:
        f"{RESULTS}/logs/score_{{set}}_{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_network/{{set}}_{{network}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(3000),
        runtime=blsh_rules.growing(8 * 60),
    params:
        settings=lambda w: blsh_rules.score_network_settings(
            CONFIG, SCORES[w.set, w.network]
        ),
        code=blsh_rules.code("score_network"),
        corpora=lambda w: blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, w.set)
        ),
    shell:
        "blsh score-network {params.settings} --recipes {input.recipes:q} --model {input.model:q} {params.corpora}"
        " -o {output:q} --log-command > {log:q} 2>&1"
