"""Makes the golden files of tests/features_golden.rs again: librosa's features of features/audio.npy.

    python3 -m venv venv && venv/bin/pip install 'librosa==0.11.*' soundfile
    venv/bin/python tests/golden/features.py               # from features/audio.npy
    venv/bin/python tests/golden/features.py CLIP SECONDS  # cut 2 s from CLIP at SECONDS first

Made with librosa 0.11.0, numpy 2.4.6, scipy 1.17.1 from 2 s of a clip that this project renders itself
(bella_ciao_tribal-drums-and-flute.ogg at 4 s). The features are in f32, from f32 samples, with librosa's defaults.
"""

import pathlib
import sys

import librosa
import numpy as np
import scipy

folder = pathlib.Path(__file__).parent / "features"
SAMPLE_RATE = 22050


def save(name, values):
    np.save(folder / f"{name}.npy", np.ascontiguousarray(values, dtype="<f4"))


folder.mkdir(exist_ok=True)
if len(sys.argv) == 3:
    clip, _ = librosa.load(sys.argv[1], sr=SAMPLE_RATE, offset=float(sys.argv[2]), duration=2.0)
    np.save(folder / "audio.npy", np.round(clip / np.abs(clip).max() * 0.9 * 32768).astype("<i2"))

y = np.load(folder / "audio.npy").astype(np.float32) / 32768
mel = librosa.feature.melspectrogram(y=y, sr=SAMPLE_RATE)
power = np.abs(librosa.stft(y)) ** 2
tuning = librosa.estimate_tuning(S=power, sr=SAMPLE_RATE)

save("mel", mel)
save("mel_db", librosa.power_to_db(mel, ref=np.max))
save("mfcc", librosa.feature.mfcc(y=y, sr=SAMPLE_RATE))
save("chroma", librosa.feature.chroma_stft(y=y, sr=SAMPLE_RATE))
save("tuning", [tuning])
save("spectral_contrast", librosa.feature.spectral_contrast(y=y, sr=SAMPLE_RATE))
save("spectral_centroid", librosa.feature.spectral_centroid(y=y, sr=SAMPLE_RATE)[0])
save("onset_strength", librosa.onset.onset_strength(y=y, sr=SAMPLE_RATE))

# The front ends of the models take the first second as if it were at their sample rates.
second = y[:SAMPLE_RATE]
musicnn = librosa.feature.melspectrogram(y=second, sr=16000, n_fft=512, hop_length=256, n_mels=96)
save("musicnn", np.log10(10000 * musicnn + 1).T)
panns = librosa.feature.melspectrogram(
    y=second, sr=32000, n_fft=1024, hop_length=320, n_mels=64, fmin=50, fmax=14000, pad_mode="reflect"
)
save("panns", librosa.power_to_db(panns, ref=1.0, amin=1e-10, top_db=None).T)
# Shorter than half a frame: mirrored more than once.
short = librosa.feature.melspectrogram(
    y=y[4000:4100], sr=32000, n_fft=1024, hop_length=320, n_mels=64, fmin=50, fmax=14000, pad_mode="reflect"
)
save("panns_short", short.T)
# Filters on the HTK scale, with bands above and below its end points.
htk = librosa.filters.mel(sr=16000, n_fft=512, n_mels=26, fmin=300, fmax=7000, htk=True)
save("htk_mel", (htk @ np.linspace(0, 1, 257, dtype=np.float32))[None, :])

for module in (librosa, np, scipy):
    print(module.__name__, module.__version__)
print("tuning", tuning)
