"""Makes the checkpoints beside it, in both formats of torch.save, and expected.json with what torch itself reads.

    python make_checkpoints.py          # torch >= 2.2 on the CPU
"""
import json
import pathlib
import pickle
import warnings
import zipfile
from collections import OrderedDict

import torch

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
torch.manual_seed(14)


def tricky():
    """Tensors that lie in their storages in every way that matters, and values that are none."""
    table = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5) / 7
    shared = torch.randn(24)
    state = OrderedDict()
    state["plain"] = torch.randn(2, 3, 3, 3)
    state["parameter"] = torch.nn.Parameter(torch.randn(5, 2))
    state["transposed"] = table.permute(2, 0, 1)
    state["every_second"] = table[:, ::2, 1:4]
    state["offset"] = table[1]
    state["expanded"] = torch.tensor([1.5, -2.5, 3.5]).expand(4, 3)
    state["shared.whole"] = shared
    state["shared.middle"] = shared[7:19].reshape(3, 4)
    state["channels_last"] = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    state["unit_dimension"] = table[:, :1, :].transpose(0, 1)
    state["scalar"] = torch.tensor(0.1)
    state["num_batches_tracked"] = torch.tensor(600_000)
    state["nothing"] = torch.zeros(0, 3)
    state["extremes"] = torch.tensor([float("inf"), float("-inf"), float("nan"), -0.0, 1e-45, 3.4028235e38])
    for dtype in "float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split():
        state[f"dtype.{dtype}"] = torch.tensor([0, 1, 2, 3, 100]).to(getattr(torch, dtype))
    state["name with spaces, Grüße, 音"] = torch.ones(1)
    state["nested"] = {"deep": OrderedDict(weight=torch.full((2, 2), 2.0)), "n": 3}
    return state


def network():
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, bias=False), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2))


def rows(value, prefix=""):
    for key, value in value.items():
        if isinstance(value, torch.Tensor):
            raw = value.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b""
            yield {
                "name": prefix + key,
                "dtype": str(value.dtype).removeprefix("torch."),
                "shape": list(value.shape),
                "strides": list(value.stride()),
                "contiguous": value.is_contiguous(),
                "bytes": raw.hex(),
            }
        elif isinstance(value, dict):
            yield from rows(value, f"{prefix}{key}.")


class Evil:
    def __reduce__(self):
        return (__import__("os").system, ("touch /tmp/earworm-was-here",))


def main():
    expected = {}
    cases = {
        "tricky": ({"iteration": 600_000, "model": tricky(), "note": None, "best": [1.5, ("a", True)]}, "model"),
        "network": (network().state_dict(), None),
        "state_dict": ({"epoch": -(2**40), "state_dict": network().state_dict(), "lr": 1e-3}, "state_dict"),
    }
    for name, (value, key) in cases.items():
        for kind, zipped in (("zip", True), ("legacy", False)):
            file = HERE / f"{name}.{kind}.pth"
            torch.save(value, file, _use_new_zipfile_serialization=zipped)
            loaded = torch.load(file, weights_only=True)
            expected[file.name] = list(rows(loaded[key] if key else loaded))
    # Files that are to be refused.
    for kind, zipped in (("zip", True), ("legacy", False)):
        weights = {"model": OrderedDict(a=torch.ones(2)), "evil": Evil()}
        torch.save(weights, HERE / f"evil.{kind}.bad.pth", _use_new_zipfile_serialization=zipped)
    torch.save(network(), HERE / "module.zip.bad.pth")
    torch.save({"a": torch.ones(2)}, HERE / "protocol4.zip.bad.pth", pickle_protocol=4)
    torch.save(torch.ones(3), HERE / "lonely.zip.bad.pth")
    torch.save({"epoch": 3}, HERE / "no_tensors.zip.bad.pth")
    (HERE / "pickle.bad.pth").write_bytes(pickle.dumps({"a": 1}, 2))
    stored, packed = HERE / "network.zip.pth", HERE / "compressed.zip.bad.pth"
    with zipfile.ZipFile(stored) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.namelist():
            target.writestr(zipfile.ZipInfo(entry), source.read(entry), zipfile.ZIP_DEFLATED)
    (HERE / "expected.json").write_text(json.dumps(expected, separators=(",", ":"), ensure_ascii=False) + "\n")


main()
