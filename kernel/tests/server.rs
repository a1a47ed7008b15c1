//! The server over real sockets, with an engine that does what its cells say.

mod jupyter;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use earworm_kernel::assistant::Assistant;
use earworm_kernel::front::Failure;
use earworm_kernel::server::serve;
use jupyter::{Notebook, Puppet, cell, connection_file, message};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use zeromq::{SocketSend, ZmqMessage};

fn error(name: &str, value: &str) -> Value {
    json!({ "ename": name, "evalue": value, "traceback": [format!("\u{1b}[31m{name}\u{1b}[0m"), value] })
}

fn within(seconds: f64, begun: Instant) {
    assert!(begun.elapsed().as_secs_f64() < seconds, "took {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_cell_shows_its_outputs_in_order_between_busy_and_idle() {
    let mut notebook = Notebook::open().await;
    let code = "print a\nprint b\nwarn c\nprint d\nshow e\nbegin f\nupdate g\nclear\nclear later\nprint h\nvalue i";
    let cell = notebook.run(code).await;
    assert_eq!(
        cell.kinds(),
        [
            "status",
            "execute_input",
            "stream",
            "stream",
            "stream",
            "display_data",
            "display_data",
            "update_display_data",
            "clear_output",
            "clear_output",
            "stream",
            "execute_result",
            "status"
        ]
    );
    let contents: Vec<&Value> = cell.outputs.iter().map(|(_, content, _)| content).collect();
    assert_eq!(*contents[0], json!({ "execution_state": "busy" }));
    assert_eq!(*contents[1], json!({ "code": code, "execution_count": 1 }));
    assert_eq!(*contents[2], json!({ "name": "stdout", "text": "a\nb\n" }));
    assert_eq!(*contents[3], json!({ "name": "stderr", "text": "c\n" }));
    assert_eq!(*contents[4], json!({ "name": "stdout", "text": "d\n" }));
    let shown = |text: &str| json!({ "text/plain": text, "image/png": "iVBORw0=" });
    assert_eq!(*contents[5], json!({ "data": shown("e"), "metadata": {}, "transient": {} }));
    assert_eq!(*contents[6], json!({ "data": shown("f"), "metadata": {}, "transient": { "display_id": "one" } }));
    assert_eq!(*contents[7], json!({ "data": shown("g"), "metadata": {}, "transient": { "display_id": "one" } }));
    assert_eq!((contents[8], contents[9]), (&json!({ "wait": false }), &json!({ "wait": true })));
    assert_eq!(*contents[10], json!({ "name": "stdout", "text": "h\n" }));
    assert_eq!(*contents[11], json!({ "execution_count": 1, "data": shown("i"), "metadata": {} }));
    assert_eq!(cell.reply, json!({ "status": "ok", "execution_count": 1, "payload": [], "user_expressions": {} }));
}

#[tokio::test]
async fn many_prints_are_few_messages_and_none_is_lost() {
    let mut notebook = Notebook::open().await;
    let begun = Instant::now();
    let cell = notebook.run("prints 20000").await;
    within(5.0, begun);
    assert_eq!(cell.text(), (0..20000).map(|i| format!("{i}\n")).collect::<String>());
    assert!(cell.of("stream").len() < 60, "{} messages", cell.of("stream").len());
}

#[tokio::test]
async fn text_arrives_while_the_cell_runs() {
    let mut notebook = Notebook::open().await;
    let cell = notebook.run("print a\nsleep 400\nprint b\nsleep 400").await;
    let times: Vec<Instant> = cell.outputs.iter().filter(|(kind, ..)| kind == "stream").map(|(.., at)| *at).collect();
    let idle = cell.outputs.last().unwrap().2;
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] > Duration::from_millis(300), "{:?}", times[1] - times[0]);
    assert!(idle - times[1] > Duration::from_millis(250), "{:?}", idle - times[1]);
}

#[tokio::test]
async fn cells_are_counted_unless_silent_or_not_stored() {
    let mut notebook = Notebook::open().await;
    let with = |code: &str, field: &str, value: bool| {
        let mut content = cell(code);
        content[field] = json!(value);
        content
    };
    assert_eq!(notebook.run("count").await.text(), "1\n");
    let silent = notebook.run_with(with("count\nvalue x\nshow y", "silent", true)).await;
    assert_eq!(silent.kinds(), ["status", "stream", "display_data", "status"]);
    let unstored = notebook.run_with(with("count\nvalue x", "store_history", false)).await;
    assert_eq!(unstored.kinds(), ["status", "execute_input", "stream", "execute_result", "status"]);
    assert_eq!((silent.text(), unstored.text()), ("2\n".into(), "2\n".into()));
    let empty = notebook.run("").await;
    assert_eq!((empty.reply["status"].as_str(), empty.reply["execution_count"].as_u64()), (Some("ok"), Some(2)));
    let tail = notebook.ask("history_request", json!({ "hist_access_type": "tail", "n": 9, "output": false })).await;
    assert_eq!(tail["history"], json!([[1, 1, "count"], [1, 2, ""]]));
}

#[tokio::test]
async fn a_failure_is_told_in_the_outputs_and_in_the_reply() {
    let mut notebook = Notebook::open().await;
    let cell = notebook.run("print before\nfail off key\nprint after").await;
    assert_eq!(cell.kinds(), ["status", "execute_input", "stream", "error", "status"]);
    assert_eq!(*cell.of("error")[0], error("Failed", "off key"));
    for (field, value) in error("Failed", "off key").as_object().unwrap() {
        assert_eq!(cell.reply[field], *value);
    }
    assert_eq!((&cell.reply["status"], &cell.reply["execution_count"]), (&json!("error"), &json!(1)));
    assert_eq!(notebook.run("count").await.text(), "2\n");
}

#[tokio::test]
async fn a_panic_of_the_engine_fails_the_cell_only() {
    let mut notebook = Notebook::open().await;
    let cell = notebook.run("panic out of tune").await;
    assert_eq!(cell.reply["ename"], "KernelError");
    assert!(cell.reply["evalue"].as_str().unwrap().contains("out of tune"));
    assert_eq!(notebook.run("print on").await.text(), "on\n");
}

#[tokio::test]
async fn cells_behind_a_failed_one_are_aborted_unless_it_says_otherwise() {
    let mut notebook = Notebook::open().await;
    for (stop, expected) in [(true, ["error", "aborted", "aborted"]), (false, ["error", "ok", "ok"])] {
        let mut failing = cell("sleep 300\nfail off key");
        failing["stop_on_error"] = json!(stop);
        let mut ids = vec![notebook.send("execute_request", failing).await];
        for code in ["print no", "count"] {
            ids.push(notebook.send_cell(code).await);
        }
        let mut statuses = Vec::new();
        for id in &ids {
            let cell = notebook.finish(id).await;
            assert_eq!((cell.kinds()[0], *cell.kinds().last().unwrap()), ("status", "status"));
            statuses.push(cell.reply["status"].as_str().unwrap().to_owned());
        }
        assert_eq!(statuses, expected);
        assert_eq!(notebook.run("print on").await.text(), "on\n");
    }
}

#[tokio::test]
async fn requests_are_answered_while_a_cell_runs_and_it_stays_busy() {
    let mut notebook = Notebook::open().await;
    notebook.run("name loudness").await;
    let id = notebook.send_cell("print started\nsleep 1500\nprint done").await;
    notebook.wait_for(&id, "started").await;
    let begun = Instant::now();
    assert_eq!(notebook.ask("kernel_info_request", json!({})).await["status"], "ok");
    let completed = notebook.ask("complete_request", json!({ "code": "é + loud", "cursor_pos": 8 })).await;
    assert_eq!(completed["matches"], json!(["loudness"]));
    assert_eq!((&completed["cursor_start"], &completed["cursor_end"]), (&json!(4), &json!(8)));
    let inspected =
        notebook.ask("inspect_request", json!({ "code": "loud", "cursor_pos": 4, "detail_level": 0 })).await;
    assert_eq!(inspected, json!({ "status": "ok", "found": false, "data": {}, "metadata": {} }));
    for (code, status) in [("x", "complete"), ("f {", "incomplete"), (")", "invalid")] {
        assert_eq!(notebook.ask("is_complete_request", json!({ "code": code })).await["status"], status);
    }
    let history = notebook.ask("history_request", json!({ "hist_access_type": "search", "pattern": "name*" })).await;
    assert_eq!(history["history"], json!([[1, 1, "name loudness"]]));
    assert_eq!(notebook.ask("comm_info_request", json!({})).await, json!({ "status": "ok", "comms": {} }));
    assert!(notebook.ask("connect_request", json!({})).await["hb_port"].is_u64());
    let interrupts = notebook.ask_on_control("kernel_info_request", json!({})).await;
    assert_eq!(interrupts["implementation"], "earworm");
    timeout(Duration::from_secs(5), notebook.heartbeat.single_heartbeat()).await.unwrap().unwrap();
    within(1.4, begun);

    let mut last_state = json!("busy");
    let mut others = 0;
    loop {
        let (kind, parent, content) = notebook.publication().await;
        if kind == "status" && parent == id {
            last_state = content["execution_state"].clone();
        } else if kind == "status" && content["execution_state"] == "idle" {
            others += 1;
            last_state = json!("idle, says another request");
        } else if content["text"] == "done\n" {
            break;
        }
    }
    assert!(others >= 10, "{others}");
    assert_eq!(last_state, "busy", "the last status that a frontend heard is the cell's");
    assert_eq!(notebook.reply(&id).await["status"], "ok");
}

#[tokio::test]
async fn kernel_info_says_what_a_frontend_needs() {
    let mut notebook = Notebook::open().await;
    let info = notebook.ask("kernel_info_request", json!({})).await;
    let language = &info["language_info"];
    assert_eq!(
        (&info["implementation"], &info["protocol_version"], &language["name"], &language["file_extension"]),
        (&json!("earworm"), &json!("5.3"), &json!("rust"), &json!(".rs"))
    );
    assert!(language["version"].as_str().unwrap().starts_with("1."), "{language}");
}

#[tokio::test]
async fn the_kernel_answers_before_the_engine_has_started() {
    let mut notebook = Notebook::with_engine(|| {
        std::thread::sleep(Duration::from_secs(2));
        Ok(Puppet::default())
    })
    .await;
    let begun = Instant::now();
    notebook.ask("kernel_info_request", json!({})).await;
    within(1.0, begun);
    assert_eq!(notebook.run("print up").await.text(), "up\n");
}

#[tokio::test]
async fn every_cell_tells_why_the_engine_did_not_start() {
    let failure =
        Failure { name: "NoCompiler".into(), value: "there is no rustc".into(), traceback: vec!["…".into()] };
    let mut notebook = Notebook::with_engine::<Puppet>(move || Err(failure)).await;
    for _ in 0..2 {
        let cell = notebook.run("print a").await;
        assert_eq!(cell.of("error")[0]["ename"], "NoCompiler");
        assert_eq!((&cell.reply["status"], &cell.reply["evalue"]), (&json!("error"), &json!("there is no rustc")));
    }
    let mut notebook = Notebook::with_engine::<Puppet>(|| panic!("no strings")).await;
    assert!(notebook.run("print a").await.reply["evalue"].as_str().unwrap().contains("no strings"));
}

#[tokio::test]
async fn an_interrupt_ends_the_cell_and_aborts_those_behind_it() {
    let mut notebook = Notebook::open().await;
    assert_eq!(notebook.ask_on_control("interrupt_request", json!({})).await, json!({ "status": "ok" }));
    let first = notebook.send_cell("print started\nsleep 20000").await;
    let second = notebook.send_cell("print no").await;
    notebook.wait_for(&first, "started").await;
    let begun = Instant::now();
    assert_eq!(notebook.ask_on_control("interrupt_request", json!({})).await, json!({ "status": "ok" }));
    assert_eq!(notebook.reply(&first).await["ename"], "Interrupted");
    assert_eq!(notebook.reply(&second).await, json!({ "status": "aborted" }));
    within(2.0, begun);
    assert_eq!(notebook.run("print on").await.text(), "on\n");
}

#[tokio::test]
async fn a_line_is_asked_for_and_read() {
    let mut notebook = Notebook::open().await;
    let id = notebook.send_cell("print before\nask Which tune?\nask_secret Password:").await;
    let (question, content) = notebook.question().await;
    assert_eq!(content, json!({ "prompt": "Which tune?", "password": false }));
    notebook.answer(None, "bella ciao").await;
    let (_, content) = notebook.question().await;
    assert_eq!(content, json!({ "prompt": "Password:", "password": true }));
    notebook.answer(Some(&question), "late, and to the first question").await;
    sleep(Duration::from_millis(100)).await;
    notebook.answer(None, "sésame").await;
    let cell = notebook.finish(&id).await;
    assert_eq!(cell.text(), "before\nheard bella ciao\nheard sésame\n");
}

#[tokio::test]
async fn nobody_is_asked_where_that_is_not_allowed() {
    let mut notebook = Notebook::open().await;
    let mut content = cell("ask Which tune?");
    content["allow_stdin"] = json!(false);
    assert_eq!(notebook.run_with(content).await.reply["ename"], "NoInput");
}

#[tokio::test]
async fn an_interrupt_ends_the_wait_for_an_answer() {
    let mut notebook = Notebook::open().await;
    let id = notebook.send_cell("ask Which tune?").await;
    let (question, _) = notebook.question().await;
    notebook.ask_on_control("interrupt_request", json!({})).await;
    assert_eq!(notebook.reply(&id).await["ename"], "NoInput");
    let id = notebook.send_cell("ask And now?").await;
    notebook.question().await;
    notebook.answer(Some(&question), "too late").await;
    sleep(Duration::from_millis(100)).await;
    notebook.answer(None, "in time").await;
    assert_eq!(notebook.finish(&id).await.text(), "heard in time\n");
}

#[tokio::test]
async fn what_is_unknown_or_malformed_ends_nothing() {
    let mut notebook = Notebook::open().await;
    for (kind, content) in [
        ("no_such_request", json!({ "a": 1 })),
        ("execute_request", json!({ "code": 7 })),
        ("complete_request", json!({ "code": "é", "cursor_pos": -4 })),
        ("complete_request", json!({ "code": "é", "cursor_pos": 400 })),
        ("inspect_request", json!(null)),
        ("history_request", json!({ "hist_access_type": "tail", "n": 1e300 })),
        ("comm_msg", json!({})),
        ("input_reply", json!({ "value": "unasked" })),
    ] {
        let id = notebook.send(kind, content).await;
        assert_eq!(notebook.outputs(&id).await.last().unwrap().1, json!({ "execution_state": "idle" }), "{kind}");
    }
    let frames: [&[&[u8]]; 5] = [
        &[b"one frame"],
        &[b"<IDS|MSG>"],
        &[b"<IDS|MSG>", b"00", b"{}", b"{}", b"{}", b"{}"],
        &[b"<IDS|MSG>", b"not hexadecimal", b"{}", b"{}", b"{}", b"{}"],
        &[b"", b"", b"\xff\xfe", b"<IDS|MSG>", b""],
    ];
    for frames in frames {
        let mut sent = ZmqMessage::from(frames[0].to_vec());
        frames[1..].iter().for_each(|frame| sent.push_back(frame.to_vec().into()));
        notebook.shell.socket.send(sent.clone()).await.unwrap();
        notebook.control.socket.send(sent.clone()).await.unwrap();
        notebook.stdin.socket.send(sent).await.unwrap();
    }
    notebook.stdin.send(message("input_reply", json!({ "value": "unasked" }))).await.unwrap();
    assert_eq!(notebook.run("print on").await.text(), "on\n");
    assert_eq!(notebook.ask_on_control("interrupt_request", json!({})).await["status"], "ok");
}

#[tokio::test]
async fn a_comm_is_closed_at_once() {
    let mut notebook = Notebook::open().await;
    let id = notebook.send("comm_open", json!({ "comm_id": "c1", "target_name": "widget", "data": {} })).await;
    let outputs = notebook.outputs(&id).await;
    assert_eq!((outputs[1].0.as_str(), &outputs[1].1), ("comm_close", &json!({ "comm_id": "c1", "data": {} })));
}

#[tokio::test]
async fn expressions_beside_a_cell_are_refused() {
    let mut notebook = Notebook::open().await;
    let mut content = cell("print a");
    content["user_expressions"] = json!({ "answer": "6 * 7" });
    let reply = notebook.run_with(content).await.reply;
    assert_eq!(reply["user_expressions"]["answer"]["status"], "error");
    assert_eq!(reply["user_expressions"]["answer"]["traceback"], json!([]));
}

#[tokio::test]
async fn two_frontends_each_get_their_own_replies_and_all_outputs() {
    let mut notebook = Notebook::open().await;
    let file = notebook.connection_file.clone();
    let connection = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let name = other.path().join("other");
    let mut other = Notebook::connect(other, name, &connection).await;
    let id = other.send_cell("print from the other").await;
    assert_eq!(other.reply(&id).await["status"], "ok");
    notebook.wait_for(&id, "from the other").await;
    assert_eq!(notebook.run("count").await.text(), "2\n");
    drop(other);
    assert_eq!(notebook.run("count").await.text(), "3\n");
}

async fn ended(notebook: &mut Notebook, begun: Instant) {
    let served = notebook.served.take().unwrap();
    timeout(Duration::from_secs(10), tokio::task::spawn_blocking(move || served.join().unwrap()))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    within(2.0, begun);
}

#[tokio::test]
async fn a_shutdown_is_answered_and_ends_the_kernel() {
    for (restart, code) in
        [(false, "print idle"), (true, "print s\nsleep 30000"), (true, "print s\nsleep_deeply 30000")]
    {
        let mut notebook = Notebook::open().await;
        let id = notebook.send_cell(code).await;
        notebook.wait_for(&id, "").await;
        let begun = Instant::now();
        let reply = notebook.ask_on_control("shutdown_request", json!({ "restart": restart })).await;
        assert_eq!(reply, json!({ "status": "ok", "restart": restart }));
        let told = async {
            loop {
                let (kind, _, content) = notebook.publication().await;
                if kind == "shutdown_reply" {
                    return content;
                }
            }
        };
        assert_eq!(timeout(Duration::from_secs(5), told).await.unwrap(), reply);
        ended(&mut notebook, begun).await;
    }
}

#[tokio::test]
async fn a_shutdown_on_shell_and_a_cell_that_quits_end_the_kernel_too() {
    let mut notebook = Notebook::open().await;
    let begun = Instant::now();
    assert_eq!(notebook.ask("shutdown_request", json!({ "restart": false })).await["status"], "ok");
    ended(&mut notebook, begun).await;

    let mut notebook = Notebook::open().await;
    let begun = Instant::now();
    let cell = notebook.run("print bye\nquit").await;
    assert_eq!(cell.reply["payload"], json!([{ "source": "ask_exit", "keepkernel": false }]));
    assert_eq!(cell.text(), "bye\n");
    ended(&mut notebook, begun).await;
}

#[test]
fn a_wrong_connection_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connection.json");
    let complaint = || serve(&file, || Ok(Puppet::default()), Assistant::new(None)).unwrap_err().to_string();
    assert!(complaint().contains("cannot be read"));
    std::fs::write(&file, "{}").unwrap();
    assert!(complaint().contains("is not a connection file"));
}

/// Not a test of its own: what the tests below run as a process, with the connection file that they set.
#[test]
#[ignore = "is run by other tests"]
fn kernel_process() {
    if let Ok(file) = std::env::var("EARWORM_TEST_CONNECTION_FILE") {
        serve(file.as_ref(), || Ok(Puppet::default()), Assistant::new(None)).unwrap();
        std::process::exit(0);
    }
}

async fn open_process() -> (Notebook, Child) {
    let (folder, file, connection) = connection_file().await;
    let process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kernel_process", "--ignored", "--nocapture"])
        .env("EARWORM_TEST_CONNECTION_FILE", &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    (Notebook::connect(folder, file, &connection).await, process)
}

#[tokio::test]
async fn a_signal_interrupts_the_cell_and_not_the_kernel() {
    let (mut notebook, mut process) = open_process().await;
    let interrupt = || Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(interrupt().success());
    let id = notebook.send_cell("print started\nsleep 20000").await;
    notebook.wait_for(&id, "started").await;
    assert!(interrupt().success());
    assert_eq!(notebook.reply(&id).await["ename"], "Interrupted");
    assert_eq!(notebook.run("print on").await.text(), "on\n");
    notebook.ask_on_control("shutdown_request", json!({ "restart": false })).await;
    let status = tokio::task::spawn_blocking(move || process.wait().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_shutdown_ends_the_process_though_the_cell_goes_on() {
    let (mut notebook, mut process) = open_process().await;
    let id = notebook.send_cell("print started\nsleep_deeply 60000").await;
    notebook.wait_for(&id, "started").await;
    let begun = Instant::now();
    assert_eq!(notebook.ask_on_control("shutdown_request", json!({ "restart": true })).await["restart"], true);
    let status = tokio::task::spawn_blocking(move || process.wait().unwrap()).await.unwrap();
    within(2.0, begun);
    assert_eq!(status.code(), Some(0));
}
