"""Write a denoiser as C99 for a small device, and print what it asks of one.

The folder gets blsh_model.h (tables and functions, in one header) and denoise.c (a program on top of it):

    cc -std=c99 -O2 -o denoise denoise.c -lm
"""

import argparse
from pathlib import Path

from blsh.cli.numbers import CODE_LENGTH
from blsh.cli.outputs import add_overwrite
from blsh.denoising.c_export import FILES, export_c
from blsh.denoising.model_file import load_model

EXAMPLE = "blsh export-c my.blsh --bits 100 -o my_device"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("model", type=Path, help="model file (.blsh)")
    parser.add_argument("--bits", type=CODE_LENGTH, metavar="N", help="export the first N bits only (default: all)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    add_overwrite(parser)


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    return {"output": [arguments.output / name for name in FILES]}


def run(arguments: argparse.Namespace) -> None:
    """Export the model and print the budget."""
    model = load_model(arguments.model)
    if arguments.bits is not None:
        model = model.prefix(arguments.bits)
    budget = export_c(model, arguments.output)
    print("flash, bytes of constant tables:")
    for part, n_bytes in (*budget.flash.items(), ("in all", sum(budget.flash.values()))):
        print(f"  {part:<56}{n_bytes:>12,}")
    print("RAM, bytes of one stream's state:")
    print(f"  {'in all':<56}{budget.ram:>12,}")
    print("operations per second of audio:")
    for kind, count in budget.operations.items():
        print(f"  {kind:<56}{count:>12,.0f}")
    print(f"wrote {arguments.output / 'blsh_model.h'} and denoise.c")
