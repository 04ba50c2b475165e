import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec

import numpy as np
import pytest

from blsh.corpora import speech_engine, synthetic_speech
from blsh.files import checksums
from blsh.signal import audio

SENTENCE = "Nobody told the painter which wall should be yellow."
SETTINGS = {"pitch": 50, "pitch_range": 50, "rate": 170}

with_engine = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed (the extra 'demo')"
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The whole corpus, made once: some seconds."""
    folder = tmp_path_factory.mktemp("speech")
    return folder, synthetic_speech.read(folder, corpus="demo", n_jobs=2)


def test_every_sentence_is_spoken_once():
    spoken = Counter(utterance.text for utterance in synthetic_speech.utterances())
    written = [text for texts in synthetic_speech.sentences().values() for text in texts]
    assert set(spoken.values()) == {1}
    assert len(written) == len({text.lower() for text in written}) == len(spoken) == 168


def test_sentences_and_speakers_and_variants_belong_to_one_split():
    splits_of = {}
    for utterance in synthetic_speech.utterances():
        speaker = utterance.speaker
        assert utterance.text in synthetic_speech.sentences()[speaker.split]
        for what in (speaker.name, speaker.voice.partition("+")[2]):
            splits_of.setdefault(what, set()).add(speaker.split)
    assert all(len(splits) == 1 for splits in splits_of.values())


def test_half_of_the_speakers_of_each_split_are_women():
    count = Counter((speaker.split, speaker.gender) for speaker in synthetic_speech.speakers())
    assert count == {
        ("train", "F"): 12,
        ("train", "M"): 12,
        ("test", "F"): 6,
        ("test", "M"): 6,
        ("validation", "F"): 3,
        ("validation", "M"): 3,
    }


def test_no_two_speakers_have_the_same_settings():
    speakers = synthetic_speech.speakers()
    assert len({speaker.name for speaker in speakers}) == 42
    assert len({(s.voice.partition("+")[2], s.pitch) for s in speakers}) == 42


@with_engine
def test_the_output_repeats_although_the_engine_looks_at_the_clock():
    library, data = speech_engine.engine_files()
    breathy = {"voice": "en-us+f5", **SETTINGS, "library": library, "data": data}
    first = speech_engine.speak(SENTENCE, **breathy)
    time.sleep(1.1)  # unseeded, the engine's breath noise changes with the second
    assert speech_engine.speak(SENTENCE, **breathy) == first
    assert speech_engine.speak(SENTENCE, **{**breathy, "voice": "en-us+f4"}) != first


@with_engine
def test_an_utterance_is_the_same_from_two_processes(tmp_path):
    utterance = next(u for u in synthetic_speech.utterances() if u.id == "f14-2")
    code = (
        "import hashlib; from blsh.corpora import speech_engine, synthetic_speech as s; "
        "u = next(u for u in s.utterances() if u.id == 'f14-2'); "
        "print(hashlib.sha256(s.waveform(u, *speech_engine.engine_files()).tobytes()).hexdigest())"
    )
    samples = synthetic_speech.waveform(utterance, *speech_engine.engine_files())
    (tmp_path / "samples").write_bytes(samples.tobytes())
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == checksums.sha256_of_file(tmp_path / "samples")


@with_engine
def test_manifest_and_files(corpus):
    folder, manifest = corpus
    assert not manifest.skipped
    recordings = {recording.path: recording for recording in manifest.recordings}
    assert set(recordings) == {utterance.path for utterance in synthetic_speech.utterances()}
    for utterance in synthetic_speech.utterances():
        recording = recordings[utterance.path]
        assert (recording.id, recording.split) == (utterance.id, utterance.speaker.split)
        assert (recording.speaker, recording.gender) == (utterance.speaker.name, utterance.speaker.gender)
        assert recording.noise_class == ""
        assert recording.sha256 == checksums.sha256_of_file(folder / recording.path)
        assert "GPL-3.0-or-later engine" in recording.licence


@with_engine
def test_lengths_levels_and_edges(corpus):
    folder, manifest = corpus
    for recording in manifest.recordings:
        samples = audio.read_audio(folder / recording.path)
        assert 2.5 <= recording.seconds <= 4.0, recording.path
        assert 0.0499 <= samples.std() <= 0.0501, recording.path
        assert np.abs(samples).max() < 0.9, recording.path
        # at most 50 ms of near silence before, as much after
        level = np.abs(samples) / np.abs(samples).max()
        assert level[:810].max() > 0.0049 and level[-810:].max() > 0.0049, recording.path
        assert level[-790:].max() < 0.0051, recording.path


@with_engine
def test_women_speak_higher_than_men(corpus):
    folder, manifest = corpus
    for recording in manifest.recordings:
        if recording.id.endswith("-1"):
            pitch = _median_pitch(audio.read_audio(folder / recording.path))
            low, high = (150, 300) if recording.gender == "F" else (70, 150)
            assert low < pitch < high, recording.path


def _median_pitch(samples):
    pitches = []
    for start in range(0, len(samples) - 1024, 512):
        frame = samples[start : start + 1024]
        if frame.std() < 0.5 * samples.std():
            continue
        power = np.abs(np.fft.rfft(frame - frame.mean(), 4096)) ** 2
        correlation = np.fft.irfft(power)[:260]
        lag = 45 + correlation[45:].argmax()
        if correlation[lag] > 0.5 * correlation[0]:
            pitches.append(16_000 / lag)
    return np.median(pitches)


@with_engine
def test_a_damaged_recording_is_made_again(corpus):
    folder, manifest = corpus
    damaged, intact = (folder / manifest.recordings[k].path for k in (3, 4))
    damaged.write_bytes(damaged.read_bytes()[:-100] + bytes(100))
    stamp = intact.stat().st_mtime_ns
    again = synthetic_speech.read(folder, corpus="demo")
    assert again == manifest
    assert intact.stat().st_mtime_ns == stamp


@with_engine
@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            {"data": "elsewhere"},
            FileNotFoundError,
            r"no voices of the speech engine in .*elsewhere: pip install",
        ),
        ({"library": "nothing.so"}, FileNotFoundError, r"no speech engine at .*nothing\.so: pip install"),
        ({"voice": "en-us+nobody"}, ValueError, r"voice 'en-us\+nobody' has no variant in "),
        ({"voice": "en-zz+f1"}, ValueError, r"accent 'en-zz' of voice 'en-zz\+f1' is unknown"),
    ],
)
def test_a_wrong_engine_or_voice_is_one_line(tmp_path, change, kind, message):
    library, data = speech_engine.engine_files()
    request = {"voice": "en-us+f1", **SETTINGS, "library": library, "data": data}
    for name, value in change.items():
        request[name] = value if name == "voice" else tmp_path / value
    with pytest.raises(kind, match=message) as caught:
        speech_engine.speak(SENTENCE, **request)
    assert "\n" not in str(caught.value)


def test_a_missing_engine_is_one_line_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"is not installed: pip install espeakng-loader==0\.2\.4$") as caught:
        synthetic_speech.read(tmp_path / "corpus", corpus="demo")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "corpus").exists()


def test_the_engine_program_needs_the_standard_library_only():
    # No site packages, no environment: nothing heavy can slip into a process that starts 168 times.
    command = [sys.executable, "-I", "-S", speech_engine.__file__, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Speak one sentence" in done.stdout
