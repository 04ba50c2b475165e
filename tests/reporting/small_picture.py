"""A picture with text, formulas and lines; as a program: the SHA-256 of its three files."""

import hashlib

from blsh.reporting.figures import FORMATS, Picture, in_style, new_figure, picture_bytes


@in_style
def small_picture():
    figure, [[axes]] = new_figure(1, 1, width=3, height=2)
    axes.plot([1, 10, 100], [1e-7, 3e-7, 2e-7], label="σ² (dB)")
    axes.set(title="$x^2$ and text", xlabel="bits", xscale="log")
    axes.legend()
    return Picture("small", figure, "", "")


def digests():
    return [hashlib.sha256(picture_bytes(small_picture(), suffix)).hexdigest() for suffix in FORMATS]


if __name__ == "__main__":
    print(*digests())
