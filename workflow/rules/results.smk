rule noises:
    """Measure how much each noise's long-term spectrum overlaps with speech."""
    input:
        recipes=f"{DATA}/mixtures/{{set}}.csv",
        manifests=lambda w: blsh_rules.manifests_of(CONFIG, w.set),
    output:
        f"{DATA}/noises/{{set}}.csv",
    log:
        f"{DATA}/logs/noises_{{set}}.log",
    benchmark:
        f"{DATA}/benchmarks/noises/{{set}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(1500),
        runtime=blsh_rules.growing(60),
    params:
        code=blsh_rules.code("noises"),
        corpora=lambda w: blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, w.set)
        ),
    shell:
        "blsh noises --recipes {input.recipes:q} {params.corpora} -o {output:q} --log-command > {log:q} 2>&1"


rule ssm:
    """Compute the self-similarity matrices of the figures."""
    input:
        recipes=f"{DATA}/mixtures/validation.csv",
        manifests=blsh_rules.manifests_of(CONFIG, "validation"),
        model=f"{RESULTS}/models/blsh_{{feature}}_{{target}}.npz",
    output:
        f"{RESULTS}/models/ssm_{{feature}}_{{target}}.npz",
    log:
        f"{RESULTS}/logs/ssm_{{feature}}_{{target}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ssm/{{feature}}_{{target}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(1000),
        runtime=blsh_rules.growing(60),
    params:
        settings=lambda w: blsh_rules.ssm_settings(CONFIG, w.feature, w.target),
        code=blsh_rules.code("ssm"),
        corpora=blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, "validation")
        ),
    shell:
        "blsh ssm {params.settings} --recipes {input.recipes:q} --model {input.model:q} {params.corpora} -o {output:q}"
        " --log-command > {log:q} 2>&1"


rule examples:
    """Write the sounds that the report plays: clean, noisy and cleaned by each system."""
    input:
        recipes=f"{DATA}/mixtures/open.csv",
        manifests=blsh_rules.manifests_of(CONFIG, "open"),
        features=expand(
            "{data}/features/{feature}.npy", data=DATA, feature=CONFIG.grid.features
        ),
        masks=f"{DATA}/masks/train.npy",
        constant=f"{DATA}/masks/constant.npy",
        models=blsh_rules.example_models(CONFIG),
    output:
        f"{RESULTS}/audio/examples.json",
    log:
        f"{RESULTS}/logs/examples.log",
    benchmark:
        f"{RESULTS}/benchmarks/examples.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(2000),
        runtime=blsh_rules.growing(60),
    params:
        features=lambda w, input: os.path.dirname(input.features[0]),
        settings=blsh_rules.examples_settings(CONFIG),
        code=blsh_rules.code("examples"),
        corpora=blsh_rules.corpora_flags(CONFIG, blsh_rules.corpora_of(CONFIG, "open")),
    shell:
        "blsh examples {params.settings} --recipes {input.recipes:q} --features-from {params.features:q}"
        " --masks {input.masks:q} --constant {input.constant:q} --model {input.models:q} {params.corpora}"
        " -o {output:q} --log-command > {log:q} 2>&1"


rule speed:
    """Measure how long the systems take to clean a second of a recording."""
    input:
        recipes=f"{DATA}/mixtures/open.csv",
        manifests=blsh_rules.manifests_of(CONFIG, "open"),
        features=expand(
            "{data}/features/{feature}.npy", data=DATA, feature=CONFIG.grid.features
        ),
        masks=f"{DATA}/masks/train.npy",
    output:
        f"{RESULTS}/speed.csv",
    log:
        f"{RESULTS}/logs/speed.log",
    benchmark:
        f"{RESULTS}/benchmarks/speed.tsv"
    # Last of all that is ready, when few other jobs or none take the cores.
    priority: -1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(3000),
        runtime=blsh_rules.growing(60),
    params:
        features=lambda w, input: os.path.dirname(input.features[0]),
        settings=blsh_rules.speed_settings(CONFIG),
        code=blsh_rules.code("speed"),
        corpora=blsh_rules.corpora_flags(CONFIG, blsh_rules.corpora_of(CONFIG, "open")),
    shell:
        "blsh speed {params.settings} --recipes {input.recipes:q} --features-from {params.features:q}"
        " --masks {input.masks:q} {params.corpora} -o {output:q} --log-command > {log:q} 2>&1"


rule aggregate:
    """Reduce all scores to the summaries that tables, figures and the report are made of."""
    input:
        scores=blsh_rules.score_files(CONFIG),
        models=blsh_rules.model_files(CONFIG),
        networks=blsh_rules.network_files(CONFIG),
        histories=blsh_rules.history_files(CONFIG),
        ssms=blsh_rules.ssm_files(CONFIG),
        speed=f"{RESULTS}/speed.csv",
        noises=expand("{data}/noises/{set}.csv", data=DATA, set=CONFIG.grid.sets),
        recipes=expand("{data}/mixtures/{set}.csv", data=DATA, set=CONFIG.data.sets),
        manifests=blsh_rules.all_manifests(CONFIG),
    output:
        f"{RESULTS}/summaries/aggregated.csv",
    log:
        f"{RESULTS}/logs/aggregate.log",
    benchmark:
        f"{RESULTS}/benchmarks/aggregate.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(4000),
        runtime=blsh_rules.growing(60),
    params:
        folder=lambda w, output: os.path.dirname(output[0]),
        settings=blsh_rules.whole_settings(CONFIG),
        projections=blsh_rules.projections_flag(CONFIG),
        code=blsh_rules.code("aggregate"),
    shell:
        "blsh aggregate {params.settings} {params.projections} -o {params.folder:q} --log-command > {log:q} 2>&1"


rule provenance:
    """Record what the experiment was computed from and with."""
    input:
        summaries=f"{RESULTS}/summaries/aggregated.csv",
    output:
        f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/provenance.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(1000),
        runtime=blsh_rules.growing(10),
    params:
        settings=blsh_rules.whole_settings(CONFIG),
        code=blsh_rules.code("provenance"),
    shell:
        "blsh provenance {params.settings} -o {output:q} --log-command > {log:q} 2>&1"


rule report:
    """Make tables, figures and the page that a person opens first."""
    input:
        summaries=f"{RESULTS}/summaries/aggregated.csv",
        provenance=f"{RESULTS}/provenance.json",
        examples=f"{RESULTS}/audio/examples.json",
    output:
        tables=report(
            directory(f"{RESULTS}/tables"),
            patterns=["{name}.csv"],
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{name}"},
        ),
        figures=report(
            directory(f"{RESULTS}/figures"),
            patterns=["{name}.png"],
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{name}"},
        ),
        scorecard=report(
            f"{RESULTS}/scorecard.csv",
            caption="../report/scorecard.rst",
            category="Tables",
            labels={"table": "scorecard"},
        ),
        page=report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="Overview",
            labels={"page": "report"},
        ),
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(2000),
        runtime=blsh_rules.growing(30),
    params:
        folder=lambda w, output: os.path.dirname(output.page),
        code=blsh_rules.code("report"),
    shell:
        "blsh report --from {params.folder:q} -o {params.folder:q} --log-command > {log:q} 2>&1"
