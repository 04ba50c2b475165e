import pytest

from blsh.denoising.model_file import save_model
from tests.cli.working import run_verb
from tests.denoising.making import small_model


def test_the_budget_is_printed_and_the_files_are_there(tmp_path, capsys):
    save_model(tmp_path / "my.blsh", small_model(n_rows=30, n_bits=40))
    assert run_verb("export-c", tmp_path / "my.blsh", "--bits", 32, "-o", tmp_path / "device") == 0
    printed = capsys.readouterr().out
    assert "  codes" in printed and "  32-bit XOR and popcounts of the search" in printed
    assert "#define BLSH_BITS 32\n" in (tmp_path / "device/blsh_model.h").read_text()
    assert (tmp_path / "device/denoise.c").is_file()


def test_neither_file_is_replaced_unasked(tmp_path, capsys):
    save_model(tmp_path / "my.blsh", small_model(n_rows=30, n_bits=40))
    command = ["export-c", str(tmp_path / "my.blsh"), "-o", str(tmp_path)]
    (tmp_path / "denoise.c").write_text("int main(void) { return 0; }\n")
    assert run_verb(*command) == 2
    assert "denoise.c exists: give another output, or --overwrite" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["denoise.c", "my.blsh"]
    assert run_verb(*command, "--overwrite") == 0
    assert "blsh_model.h" in (tmp_path / "denoise.c").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bits", "41"], "n_bits=41 must lie in 1…40"),
        (["--bits", "0"], "argument --bits: '0' must be a whole number in 1…65535"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, arguments, message):
    save_model(tmp_path / "my.blsh", small_model(n_rows=30, n_bits=40))
    assert run_verb("export-c", tmp_path / "my.blsh", *arguments, "-o", tmp_path / "device") == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "device").exists()
