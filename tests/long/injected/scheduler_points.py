"""The fail points that `sitecustomize` adds to Snakemake."""

POINTS = {
    "scheduler.locked": "Snakemake has locked the folder and started nothing",
    "scheduler.marked": "a job is marked as unfinished and not started",
    "scheduler.recording": "half of a record of a finished file is written",
    "scheduler.recorded": "a finished file is recorded and still marked as unfinished",
}
