//! Where a model runs.

/// A processor for models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// An NVIDIA GPU where ONNX Runtime can use one, else the CPU.
    #[default]
    Best,
    /// The CPU, on all cores.
    Cpu,
    /// An NVIDIA GPU, through the ONNX Runtime of the Python package `onnxruntime-gpu`.
    Cuda,
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Best => "the best device",
            Self::Cpu => "the CPU",
            Self::Cuda => "CUDA",
        })
    }
}
