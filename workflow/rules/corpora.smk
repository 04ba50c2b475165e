rule manifest:
    """List a corpus: every usable recording with speaker or class, length, rate and content hash."""
    output:
        csv=f"{DATA}/manifests/{{corpus}}.csv",
        skipped=f"{DATA}/manifests/{{corpus}}.skipped.csv",
    log:
        f"{DATA}/logs/manifest_{{corpus}}.log",
    benchmark:
        f"{DATA}/benchmarks/manifest/{{corpus}}.tsv"
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=blsh_rules.growing(1000),
        runtime=blsh_rules.growing(2 * 60),
    params:
        settings=lambda w: blsh_rules.manifest_settings(CONFIG, w.corpus, REPOSITORY),
        code=blsh_rules.code("manifest"),
        folder=lambda w: blsh_rules.folder_flag(CONFIG, w.corpus),
    shell:
        "blsh manifest {params.settings} {params.folder} --threads {threads} -o {output.csv:q}"
        " --log-command > {log:q} 2>&1"


rule units:
    """Divide the speech into the units of training, closed, validation and open sets."""
    input:
        manifests=blsh_rules.speech_manifests(CONFIG),
    output:
        f"{DATA}/manifests/units.csv",
    log:
        f"{DATA}/logs/units.log",
    benchmark:
        f"{DATA}/benchmarks/units.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(1000),
        runtime=blsh_rules.growing(60),
    params:
        settings=blsh_rules.units_settings(CONFIG),
        code=blsh_rules.code("units"),
        corpora=blsh_rules.corpora_flags(CONFIG, blsh_rules.speech_corpora(CONFIG)),
    shell:
        "blsh units {params.settings} {params.corpora} -o {output:q} --log-command > {log:q} 2>&1"
