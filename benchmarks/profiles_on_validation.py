"""Compare switches of training on the validation set, as docs/training.md reports it.

    .venv/bin/python benchmarks/profiles_on_validation.py --corpora-folder FOLDER --cores 2

Every variant is an experiment of its own on the data of config/open_small.yaml, scored on validation alone: no number
of the open set is computed. Results go to results/tune_VARIANT; a second call continues.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from blsh.files.atomic import write_text

FIXED = {"segments": "fixed", "epsilon_on": "training", "n_epsilon_segments": 0}
FRESH = {"segments": "fresh", "epsilon_on": "held-out", "n_epsilon_segments": 4, "n_segments": 20}
VARIANTS = {
    "fixed40": FIXED | {"n_segments": 40},
    "fixed40_half": FIXED | {"n_segments": 40, "beta_scale": 0.5},
    "fixed40_xent": FIXED | {"n_segments": 40, "projection_loss": "xent"},
    "fixed40_p20": FIXED | {"n_segments": 40, "min_passes": 20, "max_passes": 20},
    "fixed120": FIXED | {"n_segments": 120},
    "fresh20": FRESH,
    "fresh20_half": FRESH | {"beta_scale": 0.5},
}
N_BITS = [25, 50, 100, 150, 300]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora-folder", default="data")
    parser.add_argument("--cores", default="2")
    parser.add_argument("--seed", nargs="+", type=int, default=[2020])
    parser.add_argument("--feature", nargs="+", default=["stft", "mel"])
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    arguments = parser.parse_args()
    rows = []
    for seed in arguments.seed:
        for variant in arguments.variant:
            name = f"tune_{variant}_{seed}"
            config = yaml.safe_load(Path("config/open_small.yaml").read_text(encoding="utf-8"))
            config |= {"name": name, "corpora_folder": arguments.corpora_folder}
            config["training"] = {"seed": seed, "switches": VARIANTS[variant]}
            config["grid"] = {
                "systems": ["blsh"],
                "features": arguments.feature,
                "rho": [0.1],
                "n_bits": N_BITS,
                "repeats": 1,
                "sets": ["validation"],
            }
            path = Path(f"results/{name}/config.yaml")
            write_text(path, yaml.safe_dump(config))
            target = f"results/{name}/summaries/aggregated.csv"
            command = [
                sys.executable,
                "-m",
                "snakemake",
                "--configfile",
                str(path),
                "--cores",
                arguments.cores,
            ]
            subprocess.run([*command, "--quiet", "all", "--", target], check=True)
            means = pd.read_csv(target)
            means = means[means["by"] == "all"]
            rows += [(variant, seed, row.feature, row.n_bits, row.sdr) for row in means.itertuples()]
    table = pd.DataFrame(rows, columns=["variant", "seed", "feature", "n_bits", "sdr"])
    print(table.pivot_table(index=["feature", "variant", "seed"], columns="n_bits", values="sdr").round(2).to_string())


if __name__ == "__main__":
    main()
