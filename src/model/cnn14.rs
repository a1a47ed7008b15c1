//! PANNs Cnn14: the tutorial's own model. Front end as in the `panns_inference` Python package 0.1.1.

use std::sync::LazyLock;

use super::{Hearing, Record, Source};
use crate::features::{MelSpec, Padding};

/// Trained on AudioSet.
pub(super) static AUDIOSET: Record = Record {
    name: "panns-cnn14",
    file: "Cnn14_mAP=0.431.pth",
    sha256: "0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
    source: Some(Source {
        url: "https://zenodo.org/records/3987831/files/Cnn14_mAP%3D0.431.pth?download=1",
        bytes: 327_428_481,
    }),
    graph: Some(include_bytes!("../../models/cnn14_graph.onnx")),
    mel: MelSpec {
        sample_rate: 32_000,
        n_fft: 1024,
        hop_length: 320,
        n_mels: 64,
        fmin_hz: 50.0,
        fmax_hz: 14_000.0,
        padding: Padding::Reflect,
    },
    scale: |power| 10.0 * power.max(1e-10).log10(),
    // Five times the model halves the number of frames; a minute at once needs 700 MB.
    hearing: Hearing::Whole { least_frames: 32, most_frames: 6001 },
    dimensions: 2048,
    embedding_output: "embedding",
    tags_output: "clipwise",
    labels: LazyLock::new(|| include_str!("../../models/audioset_labels.txt").lines().collect()),
    front_end_version: 1,
};
