import pytest

from blsh.files.messages import one_line


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines  of\ttext", "two lines of text"),
        ("\x1b[2J and \u202egpj.exe", r"\x1b[2J and \u202egpj.exe"),
        ("é stays", "é stays"),
        ("", "ValueError"),
        ("y" * 5000, "y" * 300),
    ],
)
def test_what_a_library_says_is_one_printable_line(said, shown):
    assert one_line(ValueError(said)) == shown
