//! The assistant with a real evcxr, which is rust-analyzer: run with `--ignored --nocapture`; `EARWORM_TEST_EVCXR` and
//! `EARWORM_TEST_EVCXR_CONFIG` name the program and the folder of its configuration.

use std::path::PathBuf;
use std::time::Instant;

use earworm_kernel::assistant::{Assistant, AssistantOptions, Completions};

const CONTEXT: &str = "use earworm::prelude::*;\nlet mut x: earworm::Audio = unimplemented!();\n\
                       fn louder(sound: &Audio) -> usize { 1 }\n";

fn options() -> AssistantOptions {
    let path = |name: &str, otherwise: PathBuf| std::env::var_os(name).map_or(otherwise, PathBuf::from);
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let clone = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    AssistantOptions {
        evcxr: path("EARWORM_TEST_EVCXR", home.join(".cache/earworm/evcxr-0.22.0/bin/evcxr_jupyter")),
        config_dir: path("EARWORM_TEST_EVCXR_CONFIG", clone.join("../.venv/share/earworm/kernel/config")),
        environment: std::env::var("EARWORM_TEST_KIT").map(|kit| ("LD_LIBRARY_PATH".into(), kit)).into_iter().collect(),
    }
}

fn timed<T>(what: &str, begun: Instant, value: T) -> T {
    println!("{:>8.0} ms  {what}", begun.elapsed().as_secs_f64() * 1000.0);
    value
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs evcxr"]
async fn methods_and_their_documentation_are_known() {
    let assistant = Assistant::new(Some(options()));
    let complete = async |code: &str, cursor: usize| -> Completions {
        let begun = Instant::now();
        let found = assistant.complete(CONTEXT, code, cursor).await;
        timed(&format!("{} completions of {code:?}", found.items.len()), begun, found)
    };
    let begun = Instant::now();
    let first = complete("lou", 3).await;
    assert_eq!(first.items[0].text, "louder", "the word list answers before the analyser does");
    let methods = loop {
        let found = complete("let é = 1;\nx.", 14).await;
        if !found.items.is_empty() {
            break timed("until the analyser answered", begun, found);
        }
        assert!(begun.elapsed().as_secs() < 180);
    };
    for item in methods.items.iter().take(40) {
        println!("{item:?}");
    }
    assert_eq!((methods.start, methods.end), (14, 14));
    let _ = assistant;
}
