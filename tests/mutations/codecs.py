"""Faults in the audio as bytes."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_FRAMING = Module(
    "codecs/exobridge_codecs/framing.py",
    ("tests/codecs/test_framing.py",),
    (
        Mutation(
            "self._held = audio[whole:]",
            'self._held = b""',
            "audio that fills no frame is lost: a click at every odd chunk",
        ),
        Mutation(
            "if not self._held and len(chunk) == size:",
            "if len(chunk) == size:",
            "a whole frame overtakes what is held: audio out of order",
        ),
        Mutation(
            "held.ljust(self._frame_bytes, padding)",
            "held.rjust(self._frame_bytes, padding)",
            "the last frame is padded before its audio",
        ),
    ),
)

_FORMATS = Module(
    "codecs/exobridge_codecs/formats.py",
    ("tests/codecs/test_formats.py",),
    (
        Mutation(
            r'Encoding.ALAW: b"\xd5"}',
            r'Encoding.ALAW: b"\xff"}',
            "silence of A-law is a buzz",
        ),
        Mutation(
            "size * 1000 / (self.sample_rate * self.sample_bytes)",
            "size * 1000 / self.sample_rate",
            "PCM16 lasts twice as long as it does",
        ),
    ),
)

_G711 = Module(
    "codecs/exobridge_codecs/g711.py",
    ("tests/codecs/test_g711.py",),
    (
        Mutation(
            "return audioop.ulaw2lin(audio, _WIDTH)",
            "return audioop.alaw2lin(audio, _WIDTH)",
            "μ-law is read as A-law: the caller is distorted",
        ),
        Mutation(
            "return audioop.lin2ulaw(whole_samples(pcm), _WIDTH)",
            "return audioop.lin2ulaw(pcm, _WIDTH)",
            "half a sample raises in the middle of a call",
        ),
    ),
)

_PCM = Module(
    "codecs/exobridge_codecs/pcm.py",
    ("tests/codecs/test_pcm.py",),
    (
        Mutation(
            "np.minimum(whole, FULL_SCALE - 1, out=whole)",
            "np.minimum(whole, FULL_SCALE, out=whole)",
            "the loudest sample wraps to the most negative: a crack",
        ),
        Mutation(
            "10.0 ** (decibels / 20)",
            "10.0 ** (decibels / 10)",
            "gain is counted in power: twice the decibels",
        ),
        Mutation(
            "samples[len(samples) - length :] *= ramp[::-1]",
            "samples[len(samples) - length :] *= ramp",
            "a sound ends at its loudest: a click",
        ),
        Mutation(
            "begin = max(0, int(sounding[0]) * window - int(sample_rate * lead_ms / 1000))",
            "begin = int(sounding[0]) * window - int(sample_rate * lead_ms / 1000)",
            "audio that begins at once is cut to nothing",
        ),
    ),
)

_RESAMPLE = Module(
    "codecs/exobridge_codecs/resample.py",
    ("tests/codecs/test_resample.py",),
    (
        Mutation(
            'self._half_sample = pcm[-1:] if len(pcm) & 1 else b""',
            'self._half_sample = b""',
            "half a sample is lost, and all that follows is noise",
        ),
        Mutation(
            "self._buffer = self._buffer[done:]",
            "self._buffer = self._buffer[done + 1 :]",
            "a sample is lost at every joint: clicks",
        ),
        Mutation("output *= 1 / UNITY", "output *= 2 / UNITY", "everything is twice as loud"),
        Mutation(
            "np.zeros(fir.lead_in)",
            "np.zeros(fir.lead_in + 1)",
            "the sound is shifted by a sample",
        ),
        Mutation(
            "return tail[: 2 * missing]",
            "return tail",
            "an utterance ends in silence that was not there",
        ),
    ),
)

_POLYPHASE = Module(
    "codecs/exobridge_codecs/polyphase.py",
    ("tests/codecs/test_polyphase.py", "tests/codecs/test_resample.py"),
    (
        Mutation(
            "(PASS_BAND + STOP_BAND) / 2 / longer",
            "(PASS_BAND + STOP_BAND) / 2 / min(up, down)",
            "what is above the lower rate's half comes back as noise",
        ),
        Mutation(
            "whole[rows, whole.argmax(axis=1)] += UNITY - whole.sum(axis=1)",
            "pass",
            "a constant level flutters between the phases",
        ),
        Mutation(
            "count = (len(samples) - width) // self.down + 1",
            "count = (len(samples) - width) // self.down",
            "every chunk comes a period late",
        ),
    ),
)

_TONES = Module(
    "codecs/exobridge_codecs/tones.py",
    ("tests/codecs/test_tones.py",),
    (
        Mutation(
            'DTMF_DIGITS = "123A456B789C*0#D"',
            'DTMF_DIGITS = "123A456B789C#0*D"',
            "star and hash are exchanged",
        ),
        Mutation(
            "HIGH_GROUP_HZ = (1209, 1336, 1477, 1633)",
            "HIGH_GROUP_HZ = (1209, 1336, 1447, 1633)",
            "a menu does not know the keys of the third column",
        ),
        Mutation(
            "10 ** (level_dbfs / 20) / len(frequencies)",
            "10 ** (level_dbfs / 20)",
            "two tones together are clipped",
        ),
        Mutation(
            "_sines(pair, tone_ms, sample_rate, level_dbfs) + gap",
            "_sines(pair, tone_ms, sample_rate, level_dbfs)",
            "keys run together: 11 is heard as 1",
        ),
    ),
)

_WAV = Module(
    "codecs/exobridge_codecs/wav.py",
    ("tests/codecs/test_wav.py",),
    (
        Mutation(
            'raw.astype("<i2") - 128) * 256',
            'raw.astype("<i2")) * 256',
            "8 bits are read as signed: noise",
        ),
        Mutation(
            "raw.reshape(-1, layout.bits // 8)[:, -2:]",
            "raw.reshape(-1, layout.bits // 8)[:, :2]",
            "24 bits lose their highest byte: noise",
        ),
        Mutation("at += size + (size & 1)", "at += size", "a file with an odd chunk is refused"),
        Mutation(
            "for at in range(layout.channels))",
            "for at in reversed(range(layout.channels)))",
            "left and right are exchanged",
        ),
        Mutation(
            'whole_samples(channel).ljust(length, b"\\0")',
            'whole_samples(channel).rjust(length, b"\\0")',
            "the shorter side of a recording is late",
        ),
        Mutation(
            "return len(self.channels[0]) * 500 / self.sample_rate",
            "return len(self.channels[0]) * 1000 / self.sample_rate",
            "a recording is told to be twice as long",
        ),
    ),
)

MODULES = (_FRAMING, _FORMATS, _G711, _PCM, _RESAMPLE, _POLYPHASE, _TONES, _WAV)
