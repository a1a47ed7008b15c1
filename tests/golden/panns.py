"""Makes tests/golden/panns again: what panns_inference's Cnn14 says of audio, with weights that Rust can repeat.

    scripts/make-panns-golden

Made with panns_inference 0.1.1, torchlibrosa 0.1.0, torch 2.15.0 (CPU), librosa 0.11.0, numpy 2.4.6. The published
weights are too many to keep here, and a network that has not learnt says as much about parity. Three files are made:

- tensors.txt: name, shape, type of each tensor in the order of the state_dict, and the sum of its elements' bits where
  tests/checkpoint/mod.rs makes the same;
- embedding.npy and clipwise.npy: a row for each of SECONDS, then for each of CLIPS as librosa loads it. Not of unit length.
"""

import csv
import os
import pathlib
import tempfile

import librosa
import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/golden/panns"
SECONDS = [1, 3.05, 10, 60]
CLIPS = ["bella_ciao_piano-solo.flac", "greensleeves_guitar-solo.aiff"]
SAMPLE_RATE = 32000
F32 = np.float32


def cnn14():
    """Imports panns_inference in a home of its own, where it finds the labels that it would download else."""
    labels = (ROOT / "models/audioset_labels.txt").read_text().splitlines()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        os.mkdir(f"{home}/panns_data")
        with open(f"{home}/panns_data/class_labels_indices.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["index", "mid", "display_name"])
            rows.writerows([number, f"/m/{number}", label] for number, label in enumerate(labels))
        from panns_inference.models import Cnn14
    return Cnn14(
        sample_rate=SAMPLE_RATE, window_size=1024, hop_size=320, mel_bins=64, fmin=50, fmax=14000, classes_num=len(labels)
    )


def seed(name):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & (2**64 - 1)
    return value


def uniform(seed, count):
    """Draws from [0, 1) by splitmix64: its upper 24 bits, which are exact in float32."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(F32) * F32(2**-24)


def weights(name, shape):
    """Makes a tensor in float32 arithmetic.

    Of a matrix or kernels (scaled as He does, the last layer a third), each odd input channel is the negative of the one
    before. A layer sees differences of channels only, without which all audio would sound the same to a deep network.
    """
    count = int(np.prod(shape))
    if name == "bn0.running_mean":
        return np.full(shape, -30, F32)
    if name == "bn0.running_var":
        return np.full(shape, 200, F32)
    if len(shape) == 1:
        low, width = {"running_var": (0.5, 1.0), "weight": (0.8, 0.8)}.get(name.split(".")[-1], (-0.1, 0.2))
        return F32(low) + F32(width) * uniform(seed(name), count)
    gain = 0.3 if name.startswith("fc_audioset") else 1.0
    scale = F32(gain * np.sqrt(6 / (count // shape[0])))
    if shape[1] == 1:
        return ((F32(2) * uniform(seed(name), count) - F32(1)) * scale).reshape(shape)
    drawn = ((F32(2) * uniform(seed(name), count // 2) - F32(1)) * scale).reshape(shape[0], shape[1] // 2, 1, -1)
    return np.concatenate([drawn, -drawn], axis=2).reshape(shape)


def signal(seconds, number):
    """Makes a pulsing sweep of two octaves with noise, an octave higher for each number, in steps of 16 bits.

    Its sixth tenth is silent.
    """
    low = 55 * 2**number
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sweep = np.sin(2 * np.pi * low * (t + 1.5 * t * t / seconds)) * (0.5 + 0.5 * np.sin(4 * np.pi * t))
    noise = 2 * uniform(number, len(t)).astype(np.float64) - 1
    heard = np.round((0.4 * sweep + 0.05 * noise) * 32768) / 32768
    return np.where((t >= 0.5 * seconds) & (t < 0.6 * seconds), 0, heard).astype(F32)


def fill(model):
    """Gives the model its weights, all but those of the front end, and lists them."""
    lines = []
    for name, tensor in model.state_dict().items():
        bits = "-"
        if tensor.dtype == torch.float32 and not name.startswith(("spectrogram_extractor.", "logmel_extractor.")):
            made = weights(name, tuple(tensor.shape))
            tensor.copy_(torch.from_numpy(made))
            bits = f"{int(made.view(np.uint32).sum(dtype=np.uint64)):x}"
        lines.append(" ".join([name, str(list(tensor.shape)).replace(" ", ""), str(tensor.dtype)[6:], bits]))
    (FOLDER / "tensors.txt").write_text("\n".join(lines) + "\n")


def hear(model, batch):
    """Runs the model as panns_inference's AudioTagging does, which would want a file of weights."""
    with torch.no_grad():
        heard = model(torch.from_numpy(batch), None)
    return heard["embedding"].numpy(), heard["clipwise_output"].numpy()


def main():
    FOLDER.mkdir(exist_ok=True)
    model = cnn14()
    fill(model)
    model.eval()

    signals = [signal(seconds, number) for number, seconds in enumerate(SECONDS)]
    signals += [librosa.load(ROOT / "notebooks/audios" / clip, sr=SAMPLE_RATE)[0] for clip in CLIPS]
    embedding, clipwise = (np.concatenate(rows) for rows in zip(*(hear(model, one[None, :]) for one in signals)))

    batch = np.stack([signal(1, number) for number in range(8)])
    together, alone = hear(model, batch)[0], np.concatenate([hear(model, one[None, :])[0] for one in batch])
    print("of a batch of 8 and one by one:", np.abs(together - alone).max(), "apart")
    assert np.allclose(together, alone, rtol=0, atol=1e-4)

    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    print("lengths", np.linalg.norm(embedding, axis=1), "cosines", np.round(unit @ unit.T, 3), sep="\n")
    top = -np.sort(-clipwise, axis=1)[:, :21]
    gaps = np.diff(-top, axis=1).min(axis=1)
    print("confidence", top[:, 0], "least gap between the first 20", gaps, sep="\n")
    for name, rows in {"embedding": embedding, "clipwise": clipwise}.items():
        np.save(FOLDER / f"{name}.npy", np.ascontiguousarray(rows, dtype="<f4"))


if __name__ == "__main__":
    main()
