"""Text about a recording (title, artist, …) in a sound file, byte for byte.

soundfile takes all text for UTF-8. That of WAV is Latin-1 by default, UTF-8 in many programs, and nothing in the file
says which; so a program that reads the old file right must find the same bytes in the new one.
"""

from __future__ import annotations

from collections.abc import Mapping

import soundfile

# All but `software`: libsndfile adds its own name to that each time.
_NAMES = ("title", "copyright", "artist", "comment", "date", "album", "license", "tracknumber", "genre")


def read_tags(sound: soundfile.SoundFile) -> dict[str, bytes]:
    """Return the tags that are not empty, by name."""
    texts = {name: soundfile._snd.sf_get_string(sound._file, soundfile._str_types[name]) for name in _NAMES}
    return {name: raw for name, text in texts.items() if text and (raw := soundfile._ffi.string(text))}


def write_tags(sound: soundfile.SoundFile, tags: Mapping[str, bytes]) -> None:
    """Set tags of a file that has no samples yet.

    FLAC and Ogg demand UTF-8, and libsndfile leaves out a text that is none: that is taken for Latin-1.
    """
    for name, text in tags.items():
        raw = text if sound.format not in ("FLAC", "OGG") else _utf_8(text)
        soundfile._snd.sf_set_string(sound._file, soundfile._str_types[name], raw)


def _utf_8(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1").encode()
    return text
