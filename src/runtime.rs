//! ONNX Runtime: finding its library, and sessions that run a model.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::{CUDA, ExecutionProvider};
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::Tensor;

use crate::device::Device;
use crate::error::{Cause, Error, Result};

/// The library's file name on this system; wheels add a version to it.
pub(crate) const LIBRARY: &str = if cfg!(target_os = "windows") {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// A model that is ready to run. Behind a trait object, so that a session made in one notebook cell keeps running the
/// code of that cell, whose copy of `ort` is the one that loaded the library.
pub(crate) trait Inference: Send + Sync {
    /// Runs on one input of the given shape and returns the named outputs, flattened.
    fn run(&self, input: Vec<f32>, shape: &[usize], outputs: &[&str]) -> Result<Vec<Vec<f32>>>;
}

struct OrtSession {
    model: &'static str,
    session: Mutex<Session>,
}

/// A named tensor of weights.
pub(crate) struct Weight {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Loads a model file.
pub(crate) fn load_session(model: &'static str, file: &Path, device: Device) -> Result<Box<dyn Inference>> {
    session(model, device, |mut builder| Ok(builder.commit_from_file(file)?))
}

/// Loads a network that has its weights elsewhere, and gives them to it.
pub(crate) fn load_weighted_session(
    model: &'static str,
    graph: &[u8],
    weights: Vec<Weight>,
    device: Device,
) -> Result<Box<dyn Inference>> {
    session(model, device, |mut builder| {
        for Weight { name, shape, values } in weights {
            let tensor = Tensor::from_array((shape, values))?;
            builder = builder.with_external_initializer(name, tensor.into_dyn()).map_err(plain)?;
        }
        Ok(builder.commit_from_memory(graph)?)
    })
}

/// Tells whether a session on a device is to try CUDA.
///
/// # Errors
/// [`Error::NoCuda`] if CUDA is asked for and this ONNX Runtime has none.
pub(crate) fn uses_cuda(device: Device) -> Result<bool> {
    environment()?;
    match device {
        Device::Cpu => Ok(false),
        Device::Best => Ok(CUDA::is_available().unwrap_or(false)),
        Device::Cuda if CUDA::is_available().unwrap_or(false) => Ok(true),
        Device::Cuda => Err(Error::NoCuda { reason: "the ONNX Runtime in use was built without it".into() }),
    }
}

/// Makes a session on a device; on the CPU it has one thread a core.
fn session(
    model: &'static str,
    device: Device,
    commit: impl FnOnce(SessionBuilder) -> Result<Session, Cause>,
) -> Result<Box<dyn Inference>> {
    let environment = environment()?;
    let cuda = uses_cuda(device)?;
    let build = || -> Result<Session, Cause> {
        let builder = Session::builder(&environment)?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(plain)?
            .with_intra_threads(std::thread::available_parallelism().map_or(1, usize::from))
            .map_err(plain)?;
        let builder = match device {
            _ if !cuda => builder,
            // What cannot be had is an error where it was asked for, and the CPU where it was not.
            Device::Cuda => {
                builder.with_execution_providers([CUDA::default().build().error_on_failure()]).map_err(plain)?
            }
            _ => builder.with_execution_providers([CUDA::default().build()]).map_err(plain)?,
        };
        commit(builder)
    };
    let session = build().map_err(|source| match device {
        Device::Cuda => Error::NoCuda { reason: source.to_string() },
        _ => Error::Inference { model: model.into(), source },
    })?;
    Ok(Box::new(OrtSession { model, session: Mutex::new(session) }))
}

/// Drops the builder that ort hands back with an error, and keeps the error.
fn plain<T>(error: ort::Error<T>) -> Cause {
    error.to_string().into()
}

impl Inference for OrtSession {
    fn run(&self, input: Vec<f32>, shape: &[usize], outputs: &[&str]) -> Result<Vec<Vec<f32>>> {
        let run = || -> Result<Vec<Vec<f32>>, Cause> {
            let tensor = Tensor::from_array((shape.to_vec(), input))?;
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            let results = session.run(ort::inputs![tensor])?;
            outputs
                .iter()
                .map(|&name| {
                    let value = results.get(name).ok_or_else(|| Cause::from(format!("no output named {name}")))?;
                    Ok(value.try_extract_tensor::<f32>()?.1.to_vec())
                })
                .collect()
        };
        run().map_err(|source| Error::Inference { model: self.model.into(), source })
    }
}

/// Gets ONNX Runtime's environment, of which a process has one; a failure is not kept, so that it can be mended.
fn environment() -> Result<Environment> {
    static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let library = library()?;
    let missing = |e: String| Error::RuntimeMissing { reason: format!("{}: {e}", library.display()), library: LIBRARY };
    let environment = ort::init_from(&library)
        .map_err(|e| missing(e.to_string()))?
        .with_name("earworm")
        .build()
        .map_err(|e| missing(e.to_string()))?;
    environment.set_log_level(LogLevel::Error);
    *loaded = Some(environment.clone());
    Ok(environment)
}

/// Finds the library: `ORT_DYLIB_PATH`, then the Python environment, then beside the models, then the system's.
pub(crate) fn library() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("ORT_DYLIB_PATH").filter(|v| !v.is_empty()).map(PathBuf::from) {
        if given.is_file() {
            return Ok(given);
        }
        let reason = format!("ORT_DYLIB_PATH names {}, where no file is", given.display());
        return Err(Error::RuntimeMissing { reason, library: LIBRARY });
    }
    let folders = search_folders();
    folders.iter().find_map(|folder| library_in(folder)).ok_or_else(|| Error::RuntimeMissing {
        reason: format!("no {LIBRARY} in {} folders", folders.len()),
        library: LIBRARY,
    })
}

/// The folders in which the library is looked for, in order.
pub(crate) fn search_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let clone = Path::new(env!("CARGO_MANIFEST_DIR"));
    let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().filter_map(std::env::var_os).map(PathBuf::from);
    for environment in environments.chain([clone.join(".venv")]) {
        folders.push(environment.join("Lib/site-packages/onnxruntime/capi"));
        let versions = std::fs::read_dir(environment.join("lib")).into_iter().flatten().filter_map(|e| e.ok());
        folders.extend(versions.map(|python| python.path().join("site-packages/onnxruntime/capi")));
    }
    folders.push(crate::model::user_folder());
    folders.push(clone.join("models"));
    let system = ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/opt/homebrew/lib", "/usr/lib/x86_64-linux-gnu"];
    folders.extend(system.iter().map(PathBuf::from));
    folders
}

/// Finds the library in a folder, under its plain name or with a version in it.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let plain = folder.join(LIBRARY);
    if plain.is_file() {
        return Some(plain);
    }
    let versioned = |name: &str| {
        name.starts_with("libonnxruntime.so.") || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
    };
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|e| e.ok())
        .filter(|e| versioned(&e.file_name().to_string_lossy()))
        .map(|e| e.path())
        .collect();
    found.sort();
    found.pop()
}
