import re
from urllib.parse import urlsplit

import pytest

from blsh.corpora import READERS
from blsh.corpora.sources import read_sources

CORPORA = {"librispeech": 7, "esc": 1, "demand": 17, "voicebank": 2, "musan": 1}


@pytest.mark.parametrize(("corpus", "n_files"), CORPORA.items())
def test_every_source_can_be_fetched_and_checked(corpus, n_files):
    sources = read_sources(corpus)
    assert len(sources) == n_files == len({s.file for s in sources}) == len({s.address for s in sources})
    assert corpus in READERS
    for source in sources:
        assert urlsplit(source.address).scheme == "https"
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}|", source.checksum)
        assert source.file.endswith((".zip", ".tar.gz")) and source.licence.startswith("CC BY")
        assert source.n_bytes is None or source.n_bytes > 10**7


def test_parts():
    assert [s.file for s in read_sources("demand", ("TBUS", "NPARK"))] == ["NPARK_16k.zip", "TBUS_16k.zip"]
    with pytest.raises(ValueError, match="part 'SCAFE' is not one of demand: DKITCHEN"):
        read_sources("demand", ("SCAFE",))
    with pytest.raises(ValueError, match="corpus 'folder' cannot be fetched: choose one of librispeech, esc"):
        read_sources("folder")
    with pytest.raises(
        ValueError, match=r"timit is not for download: TIMIT is sold by the LDC as LDC93S1 .*name the folder"
    ):
        read_sources("timit")
    with pytest.raises(ValueError, match=r"duan is not for download: ask the authors of Duan, .*and name the folder"):
        read_sources("duan")


def test_a_checksum_without_a_source_is_an_error(tmp_path):
    path = tmp_path / "sources.csv"
    path.write_text(
        "corpus,part,file,address,bytes,licence,checksum,checksum_source\n"
        f"x,all,x.zip,https://example.org/x.zip,0,CC BY 4.0,md5:{'0' * 32},\n"
    )
    with pytest.raises(ValueError, match="and its source go together"):
        read_sources("x", path=path)
    path.write_text(path.read_text().replace("x.zip,https", "../x.zip,https"))
    with pytest.raises(ValueError, match="must stay inside"):
        read_sources("x", path=path)
