//! Cnn14 on an NVIDIA GPU; `scripts/check-gpu` runs the part that needs one.

mod checkpoint;

use std::time::Instant;

use earworm::prelude::*;

fn clip() -> Audio {
    load("notebooks/audios/bella_ciao_humming.wav").unwrap()
}

#[test]
#[ignore = "needs an NVIDIA GPU; scripts/check-gpu runs it"]
fn the_gpu_says_what_the_cpu_says() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("random.pth");
    checkpoint::write(&weights, &checkpoint::tensors()).unwrap();
    let [cpu, gpu] = [Device::Cpu, Device::Cuda].map(|device| {
        let model = Model::panns_from(&weights, device).unwrap();
        model.embed(&clip()).unwrap();
        let start = Instant::now();
        let embedding = model.embed(&clip()).unwrap();
        println!("{device}: {:.1} ms for {:.1} s", 1e3 * start.elapsed().as_secs_f64(), clip().duration_seconds());
        embedding
    });
    let cosine = cpu.cosine(&gpu).unwrap();
    println!("cosine between them: {cosine:.6}");
    assert!(cosine >= 0.9999);
}

#[test]
fn cuda_that_cannot_be_had_is_an_error_that_says_what_to_do() {
    let Err(refused) = Model::panns_from("Cargo.toml", Device::Cuda) else { panic!("a manifest is no checkpoint") };
    let words = refused.to_string();
    // Where it can be had, it is the file that is refused.
    assert!(words.contains("pip install onnxruntime-gpu") || words.contains("Cargo.toml"), "{words}");
    let Err(refused) = Model::panns_from("Cargo.toml", Device::Best) else { panic!("a manifest is no checkpoint") };
    assert!(refused.to_string().contains("Cargo.toml"), "{refused}");
}
