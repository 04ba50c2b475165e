"""Make tables, figures, scorecard and report.html from an experiment's summaries, in seconds and without any recording.

The folder needs ``summaries/``; ``provenance.json`` and ``audio/examples.json`` are shown where they are there.
"""

import argparse
import json
from pathlib import Path

from blsh.reporting.players import Example
from blsh.reporting.results import make_results
from blsh.reporting.summaries import read_summaries, run_folder

EXAMPLE = "blsh report --from results/published/open_small -o results/open_small_again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help="folder of a run, which holds summaries/"
    )
    parser.add_argument("--finish", default="", metavar="COMMAND", help="command that completes a partial run")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for all of it")


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    return {"output": [arguments.output / "report.html"]}


def run(arguments: argparse.Namespace) -> None:
    """Make the results and name the page."""
    source = run_folder(arguments.source)
    facts = read_summaries(source / "summaries").facts
    paths = make_results(
        source / "summaries",
        arguments.output,
        title=str(facts.get("Experiment", source.name)),
        examples=_examples(source / "audio" / "examples.json"),
        provenance=source / "provenance.json" if (source / "provenance.json").is_file() else None,
        finish_command=arguments.finish,
    )
    print(f"{len(paths)} files; open {paths[-1]}")


def _examples(path: Path) -> list[Example]:
    if not path.is_file():
        return []
    folder = path.parent
    return [
        Example(
            entry["title"],
            folder / entry["clean"],
            folder / entry["mixture"],
            {system["label"]: folder / system["path"] for system in entry["systems"]},
        )
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]
