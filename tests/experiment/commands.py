"""The commands of all jobs of a configuration, and the verbs' parsers, which read them back."""

import argparse
import importlib
import shlex
from functools import cache
from pathlib import Path

from blsh.cli.main import _verb_parser
from blsh.denoising.architectures import NETWORKS, parse_architecture
from blsh.experiment import rules
from blsh.experiment.config import Config
from blsh.experiment.families import FITTED, models
from blsh.experiment.grid import ScoreJob, score_jobs
from blsh.experiment.rules import Settings
from blsh.reporting.scores import CELL

FILES = {
    # What a rule's shell command adds to the settings.
    "manifest": "--folder f -o o",
    "units": "--manifest a=b --folder a=c -o o",
    "draw": "--units u --manifest a=b --folder a=c -o o",
    "frames": "--recipes r --manifest a=b --folder a=c --features-to f --masks m --constant c",
    "train": "--features f --masks m --recipes r --history h -o o",
    "fit": "--features f -o o",
    "neighbours": "--recipes r --features f --manifest a=b --folder a=c -o o",
    "score": "--recipes r --manifest a=b --folder a=c -o o",
    "train_network": "--units u --validation v --manifest a=b --folder a=c --history h -o o",
    "score_network": "--recipes r --model m --manifest a=b --folder a=c -o o",
    "ssm": "--recipes r --model m --manifest a=b --folder a=c -o o",
    "examples": "--recipes r --features-from f --masks m --constant c --model m --manifest a=b --folder a=c -o o",
    "speed": "--recipes r --features-from f --masks m --manifest a=b --folder a=c -o o",
    "aggregate": "-o o",
    "provenance": "-o o",
}


@cache
def parser_of(verb: str) -> argparse.ArgumentParser:
    return _verb_parser(verb, importlib.import_module(f"blsh.cli.{verb}"))


def parsed(verb: str, text: object) -> argparse.Namespace:
    return parser_of(verb).parse_args(shlex.split(f"{text} {FILES[verb]}"))


def assert_read_back(verb: str, settings: Settings) -> None:
    """Every value arrives, and what is left out is the verb's default of the same meaning."""
    arguments = vars(parsed(verb, settings))
    for name, value in settings.items():
        if name.startswith("fingerprint") or isinstance(value, dict):
            continue
        found = arguments[name]
        if isinstance(value, (tuple, list)):
            assert list(found or ()) == list(value), name
        elif isinstance(found, list):
            assert found == [value], name
        elif isinstance(found, Path):
            assert found == Path(value), name
        elif value is not None:
            assert (found or None) == (value or None), name
        else:
            assert found == parser_of(verb).get_default(name), name


def score_command(config: Config, job: ScoreJob) -> tuple[str, Settings]:
    if job.system in NETWORKS:
        return "score_network", rules.score_network_settings(config, job)
    return "score", rules.score_settings(config, job)


def all_settings(config: Config) -> list[tuple[str, Settings]]:
    found = [("manifest", rules.manifest_settings(config, corpus)) for corpus in config.data.corpora]
    found += [("units", rules.units_settings(config)), ("frames", rules.frames_settings(config))]
    found += [("draw", rules.draw_settings(config, name)) for name in config.data.sets]
    for feature in config.grid.features:
        found += [("ssm", rules.ssm_settings(config, feature, target)) for target in config.grid.targets]
        found += [("neighbours", rules.neighbours_settings(config, feature, "0.1", "1"))]
    for model in models(config):
        if model.system in FITTED:
            found += [("fit", rules.fit_settings(config, model))]
        else:
            found += [("train", rules.train_settings(config, model))]
    found += [("train_network", rules.network_settings(config, *names)) for names in config.networks.names]
    found += [score_command(config, job) for job in score_jobs(config)]
    found += [("examples", rules.examples_settings(config)), ("speed", rules.speed_settings(config))]
    return found + [(verb, rules.whole_settings(config)) for verb in ("aggregate", "provenance")]


def written_cells(config: Config) -> list[tuple]:
    """The cells of every score job, from the flags of its command."""
    written = []
    for job in score_jobs(config):
        arguments = vars(parsed(*score_command(config, job)))
        if job.system in NETWORKS:
            absent = {"target": "", "profile": "", "rho": 0.0, "n_bits": [0], "n_neighbours": 0, "repeat": 0}
            arguments |= absent | {"feature": parse_architecture(job.system, job.variant).feature}
        drawn = parsed("draw", rules.draw_settings(config, job.set))
        for n_bits in arguments["n_bits"]:
            # Real recordings have no SNR; -1000 stands for it, because NaN is not equal to NaN.
            snr_db = drawn.snr_db[0] if drawn.snr_db else -1000.0
            cell = arguments | {"set": drawn.set, "snr_db": snr_db, "n_bits": n_bits}
            written.append(tuple(cell[name] for name in (*CELL, "repeat")))
    return written
