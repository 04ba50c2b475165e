include: "workflow/Snakefile"


# Included files do not set the default target.
rule default:
    default_target: True
    input:
        rules.all.input,
