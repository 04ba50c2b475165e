rule score_control:
    """Score what needs no neighbours: the mixture itself, the constant mask, the ideal masks."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=lambda w: blsh_rules.manifests_of(CONFIG, w.set),
        constant=f"{DATA}/masks/constant.npy",
    output:
        f"{RESULTS}/scores/{{set}}/{{control}}.parquet",
    log:
        f"{RESULTS}/logs/score_{{set}}_{{control}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_control/{{set}}_{{control}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(1500),
        runtime=blsh_rules.growing(4 * 60),
    params:
        settings=lambda w: blsh_rules.score_settings(CONFIG, SCORES[w.set, w.control]),
        code=blsh_rules.code("score"),
        corpora=lambda w: blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, w.set)
        ),
    shell:
        "blsh score {params.settings} --recipes {input.recipes:q} {params.corpora} --constant {input.constant:q}"
        " -o {output:q} --log-command > {log:q} 2>&1"


rule neighbours:
    """Find what the raw features find in a repeat's dictionary, to compare codes with it."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=lambda w: blsh_rules.manifests_of(CONFIG, w.set),
        features=f"{DATA}/features/{{feature}}.npy",
    output:
        f"{RESULTS}/neighbours/{{set}}_{{feature}}_rho-{{rho}}_rep-{{repeat}}.npy",
    log:
        f"{RESULTS}/logs/neighbours_{{set}}_{{feature}}_rho-{{rho}}_rep-{{repeat}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/neighbours/{{set}}_{{feature}}_rho-{{rho}}_rep-{{repeat}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(3000),
        runtime=blsh_rules.growing(8 * 60),
    params:
        settings=lambda w: blsh_rules.neighbours_settings(
            CONFIG, w.feature, w.rho, w.repeat
        ),
        code=blsh_rules.code("neighbours"),
        corpora=lambda w: blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, w.set)
        ),
    shell:
        "blsh neighbours {params.settings} --recipes {input.recipes:q} {params.corpora} --features {input.features:q}"
        " -o {output:q} --log-command > {log:q} 2>&1"


rule score_neighbours:
    """Score nearest neighbours of the raw features or of random codes, all code lengths at once."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=lambda w: blsh_rules.manifests_of(CONFIG, w.set),
        features=lambda w: f"{DATA}/features/{SCORES[w.set, w.plain].feature}.npy",
        masks=f"{DATA}/masks/train.npy",
        neighbours=lambda w: blsh_rules.neighbours_file(CONFIG, SCORES[w.set, w.plain]),
    output:
        f"{RESULTS}/scores/{{set}}/{{plain}}.parquet",
    log:
        f"{RESULTS}/logs/score_{{set}}_{{plain}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_neighbours/{{set}}_{{plain}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(3000),
        runtime=blsh_rules.growing(8 * 60),
    params:
        settings=lambda w: blsh_rules.score_settings(CONFIG, SCORES[w.set, w.plain]),
        code=blsh_rules.code("score"),
        corpora=lambda w: blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, w.set)
        ),
        truth=lambda w, input: blsh_rules.flag("--raw-neighbours", input.neighbours),
    shell:
        "blsh score {params.settings} --recipes {input.recipes:q} {params.corpora} --features {input.features:q}"
        " --masks {input.masks:q} {params.truth} -o {output:q} --log-command > {log:q} 2>&1"


rule score_codes:
    """Score learned, fitted or brought codes, all code lengths at once."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=lambda w: blsh_rules.manifests_of(CONFIG, w.set),
        features=lambda w: f"{DATA}/features/{SCORES[w.set, w.coded].feature}.npy",
        masks=f"{DATA}/masks/train.npy",
        training=f"{DATA}/mixtures/train.csv",
        model=lambda w: blsh_rules.model_input(CONFIG, SCORES[w.set, w.coded]),
        neighbours=lambda w: blsh_rules.neighbours_file(CONFIG, SCORES[w.set, w.coded]),
    output:
        f"{RESULTS}/scores/{{set}}/{{coded}}.parquet",
    log:
        f"{RESULTS}/logs/score_{{set}}_{{coded}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_codes/{{set}}_{{coded}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(3000),
        runtime=blsh_rules.growing(8 * 60),
    params:
        settings=lambda w: blsh_rules.score_settings(CONFIG, SCORES[w.set, w.coded]),
        code=blsh_rules.code("score"),
        corpora=lambda w: blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, w.set)
        ),
        model=lambda w: blsh_rules.model_flag(CONFIG, SCORES[w.set, w.coded]),
        truth=lambda w, input: blsh_rules.flag("--raw-neighbours", input.neighbours),
    shell:
        "blsh score {params.settings} --recipes {input.recipes:q} {params.corpora} --features {input.features:q}"
        " --masks {input.masks:q} --training-recipes {input.training:q} {params.model} {params.truth}"
        " -o {output:q} --log-command > {log:q} 2>&1"
