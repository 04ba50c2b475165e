"""Whom a model credits: a JSON list that a person writes."""

import pytest

from blsh.cli.model_arguments import read_sources
from blsh.denoising.model_file import Source


def test_a_list_is_read(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('[{"name": "a", "licence": "b"}, {"name": "c", "licence": "d", "attributions": ["e", "f"]}]')
    assert read_sources(path, []) == (Source("a", "b"), Source("c", "d", attributions=("e", "f")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "Expecting value"),
        ("[" * 100_000, ""),
        ("{}", "it is no list"),
        ("[1]", "entry 1 has 1; a name and a licence are needed"),
        ('[{"name": "a"}]', "entry 1 has 'name'; a name and a licence are needed"),
        ('[{"name": "a", "licence": "b", "colour": "c"}]', "entry 1 has 'name', 'licence', 'colour'; a name"),
        ('[{"name": "a", "licence": 3}]', "entry 1: licence=3 is no line of text"),
        ('[{"name": "a", "licence": "\\ud800"}]', "entry 1: licence='.ud800' is no line of text"),
        (
            '[{"name": "a", "licence": "b", "attributions": 3}]',
            "entry 1: attributions=3 is no list of lines of text",
        ),
        ('[{"name": "a", "licence": "b", "attributions": [3]}]', "entry 1: attributions=.3. is no list of lines"),
        ('[{"name": "a", "licence": "b", "attributions": "cd"}]', "entry 1: attributions='cd' is no list of lines"),
    ],
)
def test_another_file_is_refused(tmp_path, text, message):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"mine\.json is no JSON list of name, licence, .*: {message}"):
        read_sources(path, [])
