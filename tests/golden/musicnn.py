#!/usr/bin/env python3
"""Makes tests/golden/musicnn.json: what the bundled model says of a demo clip behind librosa's front end.

usage, in an environment with librosa 0.11 and onnxruntime:  python tests/golden/musicnn.py

`unresampled` takes the clip's samples as if they were at 16 kHz, so that only the front end and the model count;
`resampled` loads it at 16 kHz as a user of librosa would.
"""

import json
from pathlib import Path

import librosa
import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "notebooks/audios/bella_ciao_humming.wav"
PATCH_FRAMES = 187


def hear(samples):
    """Cuts the log-mel spectrogram into patches, the last of which ends with the audio, and averages the answers."""
    mel = librosa.feature.melspectrogram(y=samples, sr=16000, n_fft=512, hop_length=256, n_mels=96)
    frames = np.log10(10000 * mel + 1).T.astype(np.float32)
    starts = list(range(0, len(frames) - PATCH_FRAMES + 1, PATCH_FRAMES))
    if len(frames) % PATCH_FRAMES:
        starts.append(len(frames) - PATCH_FRAMES)
    patches = np.stack([frames[start : start + PATCH_FRAMES] for start in starts])
    session = onnxruntime.InferenceSession(ROOT / "models/musicnn_mtt.onnx")
    outputs = session.run(["penultimate_out:0", "tags_out:0"], {session.get_inputs()[0].name: patches})
    embedding, tags = (output.astype(np.float64).mean(axis=0) for output in outputs)
    embedding /= np.linalg.norm(embedding)
    return {"embedding": [round(x, 7) for x in embedding], "tags": [round(x, 7) for x in tags]}


def main():
    native, _ = librosa.load(CLIP, sr=None)
    at_16k, _ = librosa.load(CLIP, sr=16000)
    golden = {"clip": CLIP.name, "librosa": librosa.__version__, "onnxruntime": onnxruntime.__version__}
    golden |= {"unresampled": hear(native), "resampled": hear(at_16k)}
    (ROOT / "tests/golden/musicnn.json").write_text(json.dumps(golden) + "\n")
    print(golden["librosa"], golden["onnxruntime"])


if __name__ == "__main__":
    main()
