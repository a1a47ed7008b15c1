#!/usr/bin/env python3
"""Converts the musicnn checkpoint that its Python package ships to ONNX, and checks that both say the same.

usage: musicnn_to_onnx.py OUTPUT.onnx [MTT_musicnn|MSD_musicnn]

Needs tensorflow, tf2onnx, onnx, onnxruntime and numpy (scripts/make-model installs them). The package itself is only
unpacked, never imported: its own dependencies are too old for a current Python.

Input `[n, 187, 96]` float32: log10(10000 * mel + 1), 16 kHz, FFT 512, hop 256, 96 mel bands.
Outputs: `tags_out:0` `[n, 50]` in 0..1, `penultimate_out:0` `[n, 200]`.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

PACKAGE = "musicnn==0.1.0"
TRAINING_ONLY = ("gradients", "save", "train", "beta")


def checkpoint(model, folder):
    """Downloads the package and unpacks the model's checkpoint."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE], check=True
    )
    wheel = next(Path(folder).glob("musicnn-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if f"/{model}/" in name])
    return Path(folder) / "musicnn" / model


def frozen_graph(folder, patches):
    """Restores the checkpoint, returns the inference graph with its weights, its input's name, and its answer."""
    meta = tf.compat.v1.MetaGraphDef()
    meta.ParseFromString((folder / ".meta").read_bytes())
    for node in meta.graph_def.node:
        node.attr.pop("_output_shapes", None)  # stale in the checkpoint, and refused today
    graph = tf.Graph()
    with graph.as_default():
        saver = tf.compat.v1.train.import_meta_graph(meta, clear_devices=True)
        operations = [
            o for o in graph.get_operations() if not o.name.startswith(TRAINING_ONLY) and "Adam" not in o.name
        ]
        placeholders = [o.outputs[0] for o in operations if o.type == "Placeholder"]
        is_training = next(p for p in placeholders if p.dtype == tf.bool)
        features = placeholders[0]
        logits = [o for o in operations if o.name.startswith("model/dense") and o.type in ("BiasAdd", "Relu")][-1]
        normalised = [
            o
            for o in operations
            if "batch_normalization" in o.name and o.type in ("AddV2", "Add") and o.name.endswith("batchnorm/add_1")
        ][-1]
        tags = tf.sigmoid(logits.outputs[0], name="tags_out")
        penultimate = tf.identity(normalised.outputs[0], name="penultimate_out")
        with tf.compat.v1.Session(graph=graph) as session:
            saver.restore(session, str(folder) + "/")
            answer = session.run([tags, penultimate], {features: patches, is_training: False})
            frozen = tf.compat.v1.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), ["tags_out", "penultimate_out"]
            )
    for node in frozen.node:
        if node.name == is_training.op.name:
            node.op = "Const"
            node.attr.clear()
            node.attr["dtype"].type = tf.bool.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(False))
    return frozen, features.name, answer


def main():
    output, model = sys.argv[1], (sys.argv[2:] or ["MTT_musicnn"])[0]
    tf.compat.v1.disable_eager_execution()
    patches = np.random.default_rng(0).random((3, 187, 96)).astype(np.float32) * 3
    with tempfile.TemporaryDirectory() as folder:
        frozen, input_name, answer = frozen_graph(checkpoint(model, folder), patches)
    converted, _ = tf2onnx.convert.from_graph_def(
        frozen, input_names=[input_name], output_names=["tags_out:0", "penultimate_out:0"], opset=17
    )
    onnx.save(converted, output)
    session = onnxruntime.InferenceSession(output)
    again = session.run(["tags_out:0", "penultimate_out:0"], {session.get_inputs()[0].name: patches})
    worst = max(float(abs(a - b).max()) for a, b in zip(answer, again))
    print(f"{output}: {os.path.getsize(output)} bytes, differs from TensorFlow by at most {worst:.1e}")
    assert worst < 1e-4, "the conversion is wrong"


if __name__ == "__main__":
    main()
