import pytest

from blsh.cli.main import main
from blsh.denoising.model_file import save_model
from tests.denoising.making import small_model


def test_the_budget_is_printed_and_the_files_are_there(tmp_path, capsys):
    save_model(tmp_path / "my.blsh", small_model(n_rows=30, n_bits=40))
    assert main(["export-c", str(tmp_path / "my.blsh"), "--bits", "32", "-o", str(tmp_path / "device")]) == 0
    printed = capsys.readouterr().out
    assert "  codes" in printed and "  32-bit XOR and popcounts of the search" in printed
    assert "#define BLSH_BITS 32\n" in (tmp_path / "device/blsh_model.h").read_text()
    assert (tmp_path / "device/denoise.c").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bits", "41"], "n_bits=41 must lie in 1…40"),
        (["--bits", "0"], "n_bits=0 must lie in 1…40"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, arguments, message):
    save_model(tmp_path / "my.blsh", small_model(n_rows=30, n_bits=40))
    assert main(["export-c", str(tmp_path / "my.blsh"), *arguments, "-o", str(tmp_path / "device")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "device").exists()
