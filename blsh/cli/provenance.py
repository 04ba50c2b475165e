"""Record what an experiment was computed from and with: configuration, code, libraries, machine, data."""

import argparse
import json
from pathlib import Path

from blsh.experiment.config import parse_config, portable
from blsh.experiment.outputs import manifest_file, recipes_file
from blsh.experiment.provenance import provenance
from blsh.files.atomic import write_json

EXAMPLE = 'blsh provenance --config "$(cat config.json)" -o results/demo/provenance.json'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--config", required=True, metavar="JSON", help="the whole configuration, as the logs show it")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write (JSON)")


def run(arguments: argparse.Namespace) -> None:
    """Collect and write."""
    config = parse_config(json.loads(arguments.config), "--config")
    files = {f"manifest {name}": Path(manifest_file(config, name)) for name in config.data.corpora}
    files |= {f"mixtures {name}": Path(recipes_file(config, name)) for name in config.data.sets}
    write_json(
        arguments.output, provenance(portable(config), {name: path for name, path in files.items() if path.is_file()})
    )
