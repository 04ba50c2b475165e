"""Arguments of the form NAME=VALUE."""

from collections.abc import Sequence

__all__ = ["parse_pairs"]


def parse_pairs(words: Sequence[str], flag: str) -> dict[str, str]:
    """Split ``NAME=VALUE`` words.

    Raises
    ------
    ValueError
        If a word has no '=' or a name comes twice.
    """
    pairs: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name or name in pairs:
            raise ValueError(
                f"{flag} {word!r} is not NAME=VALUE with a new name; write for example {flag} speech=FOLDER"
            )
        pairs[name] = value
    return pairs
