"""The page of an explained frame: pictures, sounds and the neighbours' origins in one file without references."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2
import numpy as np
import soundfile

from blsh.denoising.explanation import Explanation
from blsh.reporting.explanation_figures import masks_picture, spectrograms_picture, votes_picture
from blsh.reporting.figures import picture_bytes
from blsh.signal.audio import SAMPLE_RATE

__all__ = ["Neighbour", "render_explanation"]

# Two sounds of 16-bit FLAC in base64 come to about 50 kB a second.
_SECONDS_PLAYED = 60.0


@dataclass(frozen=True)
class Neighbour:
    """Where a dictionary row was heard; empty texts where the model does not say.

    Attributes
    ----------
    speaker, noise : str
    snr_db : float or None
    seconds : float or None
        Time of the row within its training mixture.
    utterance : str
    sound : ndarray of float32, shape (samples,), or None
        The training mixture around the row, 16 kHz, where the recordings are at hand.
    """

    speaker: str = ""
    noise: str = ""
    snr_db: float | None = None
    seconds: float | None = None
    utterance: str = ""
    sound: np.ndarray | None = None


def render_explanation(why: Explanation, neighbours: Sequence[Neighbour], *, title: str, model_name: str) -> str:
    """Render the page.

    Parameters
    ----------
    why : Explanation
    neighbours : sequence of Neighbour
        One for each of the explanation's rows.
    title, model_name : str
        What was explained, and by which model.

    Returns
    -------
    str
        HTML without any reference to another file.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(files("blsh.reporting").joinpath("explanation.html").read_text(encoding="utf-8"))
    around = _around(why)
    gain = 0.99 / max(float(np.abs(why.noisy[around]).max()), float(np.abs(why.cleaned[around]).max()), 1e-9)
    return template.render(
        title=title,
        model_name=model_name,
        why=why,
        n_agreeing=len(why.bits) - int(why.distances[0]),
        sounds=[("Before", _inlined(why.noisy[around] * gain)), ("After", _inlined(why.cleaned[around] * gain))],
        is_cut=around.stop - around.start < len(why.noisy),
        pictures=[
            {"source": _picture_source(picture), "caption": picture.caption, "alt": picture.alt}
            for picture in (spectrograms_picture(why), votes_picture(why), masks_picture(why))
        ],
        neighbours=[
            {
                "row": int(row),
                "distance": int(distance),
                "origin": neighbour,
                "sound": None if neighbour.sound is None else _inlined(_at_full_scale(neighbour.sound)),
            }
            for row, distance, neighbour in zip(why.rows, why.distances, neighbours, strict=True)
        ],
        has_origins=any(neighbour.speaker for neighbour in neighbours),
        has_sounds=any(neighbour.sound is not None for neighbour in neighbours),
    )


def _around(why: Explanation) -> slice:
    length = round(_SECONDS_PLAYED * SAMPLE_RATE)
    start = max(0, min(round(why.seconds * SAMPLE_RATE) - length // 2, len(why.noisy) - length))
    return slice(start, min(start + length, len(why.noisy)))


def _at_full_scale(sound: np.ndarray) -> np.ndarray:
    return sound * (0.99 / max(float(np.abs(sound).max()), 1e-9))


def _inlined(sound: np.ndarray) -> str:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return f"data:audio/flac;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _picture_source(picture) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture_bytes(picture, 'png')).decode()}"
