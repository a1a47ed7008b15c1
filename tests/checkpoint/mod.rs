//! A checkpoint of Cnn14 as `torch.save` wrote it before PyTorch 1.6, with the weights that `golden/panns.py` draws.

use std::io::{BufWriter, Result, Write};
use std::path::Path;

/// A tensor of Cnn14; `sum` is what the bits of its elements add up to in Python.
pub struct Tensor {
    pub name: &'static str,
    pub shape: Vec<usize>,
    pub is_f32: bool,
    sum: Option<u64>,
}

/// Lists the tensors in the order of the state_dict.
pub fn tensors() -> Vec<Tensor> {
    let tensor = |line: &'static str| {
        let [name, shape, kind, sum] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let shape = shape[1..shape.len() - 1].split(',').filter_map(|size| size.parse().ok()).collect();
        Tensor { name, shape, is_f32: kind == "float32", sum: u64::from_str_radix(sum, 16).ok() }
    };
    include_str!("../golden/panns/tensors.txt").lines().map(tensor).collect()
}

impl Tensor {
    fn numel(&self) -> usize {
        self.shape.iter().product()
    }

    /// Names its storage: some number, as PyTorch takes an address, so that the data come in another order.
    fn key(&self) -> String {
        (seed(self.name) >> 17).to_string()
    }

    /// Draws its elements as `weights` of `golden/panns.py` does. The front end's are of no consequence.
    pub fn weights(&self) -> Vec<f32> {
        let Self { name, ref shape, .. } = *self;
        let kind = name.rsplit('.').next().unwrap();
        let drawn = uniform(seed(name));
        let weights: Vec<f32> = match (name, shape.as_slice()) {
            ("bn0.running_mean", _) => vec![-30.0; self.numel()],
            ("bn0.running_var", _) => vec![200.0; self.numel()],
            (_, [count]) => {
                let (low, width) = match kind {
                    "running_var" => (0.5, 1.0),
                    "weight" => (0.8, 0.8),
                    _ => (-0.1, 0.2),
                };
                drawn.take(*count).map(|u| low + width * u).collect()
            }
            (_, [outputs, inputs, kernel @ ..]) => {
                let gain = if name.starts_with("fc_audioset") { 0.3 } else { 1.0 };
                let scale = (gain * (6.0 / (self.numel() / outputs) as f64).sqrt()) as f32;
                let kernel: usize = kernel.iter().product();
                let mut drawn = drawn.map(|u| (2.0 * u - 1.0) * scale);
                let mut weights: Vec<f32> = Vec::with_capacity(self.numel());
                while weights.len() < self.numel() {
                    let channel = weights.len();
                    weights.extend(drawn.by_ref().take(kernel));
                    if *inputs > 1 {
                        weights.extend_from_within(channel..);
                        weights[channel + kernel..].iter_mut().for_each(|weight| *weight = -*weight);
                    }
                }
                weights.truncate(self.numel());
                weights
            }
            (_, []) => unreachable!("{name} has no shape"),
        };
        let sum: u64 = weights.iter().map(|weight| u64::from(weight.to_bits())).sum();
        assert!(self.sum.is_none_or(|expected| expected == sum), "{name} is not as Python makes it");
        weights
    }
}

/// FNV-1a, 64 bits.
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Draws from 0..1 by splitmix64.
pub fn uniform(seed: u64) -> impl Iterator<Item = f32> {
    (1_u64..).map(move |count| {
        let z = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 * (2.0_f32).powi(-24)
    })
}

/// Writes `{"iteration": 600000, "model": state_dict}`.
pub fn write(file: &Path, tensors: &[Tensor]) -> Result<()> {
    let mut state = Pickle::default();
    state.op(b"\x80\x02}(").text("iteration").int(600_000);
    state.text("model").global("collections", "OrderedDict").op(b")R(");
    for tensor in tensors {
        state.tensor(tensor);
    }
    // The state_dict's attributes: versions of the modules.
    state.op(b"u}").text("_metadata").global("collections", "OrderedDict").op(b")R(");
    state.text("").op(b"}").text("version").int(1).op(b"susbu.");

    let mut stored: Vec<(String, &Tensor)> = tensors.iter().map(|tensor| (tensor.key(), tensor)).collect();
    stored.sort_by(|a, b| a.0.cmp(&b.0));
    let mut keys = Pickle::default();
    keys.op(b"\x80\x02](");
    for (key, _) in &stored {
        keys.text(key);
    }
    keys.op(b"e.");

    let mut machine = Pickle::default();
    machine.op(b"\x80\x02}(").text("protocol_version").int(1001).text("little_endian").op(b"\x88");
    machine.text("type_sizes").op(b"}(").text("short").int(2).text("int").int(4).text("long").int(4).op(b"uu.");

    let mut out = BufWriter::new(std::fs::File::create(file)?);
    out.write_all(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")?;
    out.write_all(b"\x80\x02M\xe9\x03.")?;
    for Pickle { bytes, .. } in [machine, state, keys] {
        out.write_all(&bytes)?;
    }
    for (_, tensor) in stored {
        out.write_all(&(tensor.numel() as u64).to_le_bytes())?;
        if tensor.is_f32 {
            out.write_all(&tensor.weights().iter().flat_map(|weight| weight.to_le_bytes()).collect::<Vec<u8>>())?;
        } else {
            out.write_all(&[0; 8])?;
        }
    }
    out.flush()
}

/// A pickle that is being written; texts and names of Python objects are written once and then referred to.
#[derive(Default)]
struct Pickle {
    bytes: Vec<u8>,
    memo: Vec<Vec<u8>>,
}

impl Pickle {
    fn op(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn once(&mut self, value: Vec<u8>) -> &mut Self {
        let known = self.memo.iter().position(|memorised| *memorised == value);
        let slot = known.unwrap_or(self.memo.len());
        let [short, long] = if known.is_some() { *b"hj" } else { *b"qr" };
        if known.is_none() {
            self.bytes.extend_from_slice(&value);
            self.memo.push(value);
        }
        match u8::try_from(slot) {
            Ok(slot) => self.op(&[short, slot]),
            Err(_) => self.op(&[long]).op(&(slot as u32).to_le_bytes()),
        }
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.once([b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat())
    }

    fn global(&mut self, module: &str, name: &str) -> &mut Self {
        self.once(format!("c{module}\n{name}\n").into_bytes())
    }

    fn int(&mut self, int: usize) -> &mut Self {
        let bytes = (int as u32).to_le_bytes();
        match int {
            0..=0xff => self.op(b"K").op(&bytes[..1]),
            0x100..=0xffff => self.op(b"M").op(&bytes[..2]),
            _ => self.op(b"J").op(&bytes),
        }
    }

    fn tuple(&mut self, items: &[usize]) -> &mut Self {
        match items {
            [] => return self.op(b")"),
            [_, _, _, _, ..] => self.op(b"("),
            _ => self,
        };
        for &item in items {
            self.int(item);
        }
        self.op(&[[b')', 0x85, 0x86, 0x87, b't'][items.len().min(4)]])
    }

    fn tensor(&mut self, tensor: &Tensor) {
        let Tensor { name, ref shape, is_f32, .. } = *tensor;
        let strides: Vec<usize> = (1..=shape.len()).map(|first| shape[first..].iter().product()).collect();
        self.text(name).global("torch._utils", "_rebuild_tensor_v2").op(b"((");
        self.text("storage").global("torch", if is_f32 { "FloatStorage" } else { "LongStorage" });
        self.text(&tensor.key()).text("cuda:0").int(tensor.numel()).op(b"NtQ");
        self.int(0).tuple(shape).tuple(&strides).op(b"\x89").global("collections", "OrderedDict").op(b")RtR");
    }
}
