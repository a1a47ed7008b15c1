"""The Python side of `scripts/bench embed`: librosa, panns_inference and torch on a folder of clips.

usage: bench-embed-python.py CHECKPOINT FOLDER     prints a line after the first embedding
"""

import sys
from pathlib import Path

import librosa
from panns_inference import AudioTagging


def main():
    checkpoint, folder = sys.argv[1:]
    tagging = AudioTagging(checkpoint_path=checkpoint, device="cpu")
    for count, file in enumerate(sorted(path for path in Path(folder).iterdir() if path.suffix != ".md")):
        samples, _ = librosa.load(file, sr=32000, mono=True)
        tagging.inference(samples[None, :])
        if count == 0:
            print("FIRST", flush=True)


if __name__ == "__main__":
    main()
