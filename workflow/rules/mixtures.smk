rule draw:
    """Draw the recipes of a set: which speech, which pieces of noise, at which level."""
    input:
        units=f"{DATA}/manifests/units.csv",
        manifests=lambda w: blsh_rules.manifests_of(CONFIG, w.set),
    output:
        f"{DATA}/mixtures/{{set}}.csv",
    log:
        f"{DATA}/logs/draw_{{set}}.log",
    benchmark:
        f"{DATA}/benchmarks/draw/{{set}}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=blsh_rules.growing(1000),
        runtime=blsh_rules.growing(60),
    params:
        settings=lambda w: blsh_rules.draw_settings(CONFIG, w.set),
        code=blsh_rules.code("draw"),
        corpora=lambda w: blsh_rules.corpora_flags(
            CONFIG, blsh_rules.corpora_of(CONFIG, w.set)
        ),
    shell:
        "blsh draw {params.settings} --units {input.units:q} {params.corpora} -o {output:q} --log-command > {log:q} 2>&1"


rule frames:
    """Write the features and the packed ideal binary masks of all training frames in one streaming pass."""
    input:
        recipes=f"{DATA}/mixtures/train.csv",
        manifests=blsh_rules.manifests_of(CONFIG, "train"),
    output:
        features=expand(
            "{data}/features/{feature}.npy", data=DATA, feature=CONFIG.grid.features
        ),
        masks=f"{DATA}/masks/train.npy",
        constant=f"{DATA}/masks/constant.npy",
    log:
        f"{DATA}/logs/frames.log",
    benchmark:
        f"{DATA}/benchmarks/frames.tsv"
    conda:
        "../../environment.yml"
    # All else waits for the frames, and they should not wait for a second core that trains a network for an hour.
    threads: 1 if NETWORKS else 2
    resources:
        mem_mb=blsh_rules.growing(2000),
        runtime=blsh_rules.growing(4 * 60),
    params:
        features=lambda w, output: os.path.dirname(output.features[0]),
        settings=blsh_rules.frames_settings(CONFIG),
        code=blsh_rules.code("frames"),
        corpora=blsh_rules.corpora_flags(CONFIG, blsh_rules.corpora_of(CONFIG, "train")),
    shell:
        "blsh frames {params.settings} --recipes {input.recipes:q} {params.corpora} --threads {threads}"
        " --features-to {params.features:q} --masks {output.masks:q} --constant {output.constant:q}"
        " --log-command > {log:q} 2>&1"
