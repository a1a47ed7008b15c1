//! The thread on which cells run, one after the other, and what each of them shows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;

use super::wire::{Channel, Request, compose};
use super::{Engine, Kernel};
use crate::front::{Display, Failure, Front, MimeBundle, Outcome, Stream};
use crate::interrupter::lock;

/// How long the kernel is idle after a cell before the assistant starts.
const REST: Duration = Duration::from_secs(3);

/// Starts the engine, and runs the cells that are asked for until there can be no more.
pub fn run<E: Engine>(
    start: impl FnOnce() -> Result<E, Failure>,
    requests: UnboundedReceiver<Arc<Request>>,
    kernel: &Arc<Kernel>,
    handle: &Handle,
) {
    let mut engine = unless_it_panics(start).unwrap_or_else(Err);
    if let Ok(engine) = &engine {
        kernel.running.set(engine.interrupt(), engine.kill());
        *lock(&kernel.context) = engine.context().into();
    }
    let mut executor = Executor { kernel, handle, requests, count: 0 };
    while let Some(request) = executor.requests.blocking_recv() {
        if lock(&kernel.executor).is_none() {
            return;
        }
        executor.execute(&mut engine, &request);
    }
}

/// A fault of the engine must not leave the notebook waiting.
fn unless_it_panics<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("for an unknown reason");
        let value = format!("the kernel itself failed: {message}");
        Failure { name: "KernelError".into(), traceback: vec![value.clone()], value }
    })
}

struct Executor<'a> {
    kernel: &'a Arc<Kernel>,
    handle: &'a Handle,
    requests: UnboundedReceiver<Arc<Request>>,
    /// How many cells were counted.
    count: u32,
}

impl Executor<'_> {
    fn execute<E: Engine>(&mut self, engine: &mut Result<E, Failure>, request: &Arc<Request>) {
        let code = request.text("code");
        let silent = request.flag("silent", false);
        let stored = !silent && request.flag("store_history", true);
        let count = self.count.saturating_add(1);
        if stored {
            self.count = count;
            lock(&self.kernel.history).add(count, code);
        }
        self.handle.block_on(async {
            self.kernel.outlet.status(request, true).await;
            if !silent {
                let input = json!({ "code": code, "execution_count": count });
                self.kernel.outlet.message("execute_input", input, Some(request)).await;
            }
        });
        self.kernel.running.begin();
        let front = CellFront { kernel: self.kernel, handle: self.handle, request, count, silent };
        let outcome = match engine {
            Ok(engine) => unless_it_panics(|| engine.execute(code, count, &front)).unwrap_or_else(Outcome::Failed),
            Err(failure) => Outcome::Failed(failure.clone()),
        };
        let ended = self.kernel.running.end();
        if let Ok(engine) = engine {
            *lock(&self.kernel.context) = engine.context().into();
        }
        match outcome {
            Outcome::Done => self.finish(request, well(request, count, json!([]))),
            Outcome::Quit => {
                let exit = json!([{ "source": "ask_exit", "keepkernel": false }]);
                self.finish(request, well(request, count, exit));
                lock(&self.kernel.executor).take();
                self.kernel.end.notify_one();
                return;
            }
            Outcome::Failed(failure) => {
                let error = error(&failure);
                front.publish("error", Value::Object(error.clone()));
                // What comes after the reply was sent by someone who may know of the failure.
                let stop = !silent && request.flag("stop_on_error", true);
                let waiting: Vec<_> = std::iter::from_fn(|| stop.then(|| self.requests.try_recv().ok())?).collect();
                self.finish(request, badly(error, count));
                waiting.iter().for_each(|request| self.abort(request));
            }
        }
        self.start_assistant_when_idle_since(ended);
    }

    /// Tells a frontend that its cell does not run because an earlier one failed.
    fn abort(&self, request: &Arc<Request>) {
        self.handle.block_on(self.kernel.outlet.status(request, true));
        self.finish(request, json!({ "status": "aborted" }));
    }

    fn finish(&self, request: &Arc<Request>, content: Value) {
        self.handle.block_on(async {
            self.kernel.wire.reply(request, content).await;
            self.kernel.outlet.status(request, false).await;
        });
    }

    fn start_assistant_when_idle_since(&self, ended: u64) {
        let kernel = Arc::clone(self.kernel);
        self.handle.spawn(async move {
            tokio::time::sleep(REST).await;
            if kernel.running.idle_since(ended) {
                kernel.assistant.start(&kernel.context());
            }
        });
    }
}

fn well(request: &Request, count: u32, payload: Value) -> Value {
    let refused = json!({
        "status": "error",
        "ename": "NotSupported",
        "evalue": "this kernel evaluates cells, not expressions beside them",
        "traceback": [],
    });
    let expressions = request.content["user_expressions"].as_object();
    let expressions: Map<String, Value> =
        expressions.into_iter().flatten().map(|(name, _)| (name.clone(), refused.clone())).collect();
    json!({ "status": "ok", "execution_count": count, "payload": payload, "user_expressions": expressions })
}

fn badly(error: Map<String, Value>, count: u32) -> Value {
    let mut content = Map::new();
    content.insert("status".into(), json!("error"));
    content.insert("execution_count".into(), json!(count));
    content.extend(error);
    content.insert("payload".into(), json!([]));
    content.insert("user_expressions".into(), json!({}));
    Value::Object(content)
}

fn error(failure: &Failure) -> Map<String, Value> {
    let mut content = Map::new();
    content.insert("ename".into(), json!(failure.name));
    content.insert("evalue".into(), json!(failure.value));
    content.insert("traceback".into(), json!(failure.traceback));
    content
}

/// The notebook, for the cell that runs.
struct CellFront<'a> {
    kernel: &'a Kernel,
    handle: &'a Handle,
    request: &'a Arc<Request>,
    count: u32,
    silent: bool,
}

impl CellFront<'_> {
    fn publish(&self, kind: &str, content: Value) {
        self.handle.block_on(self.kernel.outlet.message(kind, content, Some(self.request)));
    }
}

impl Front for CellFront<'_> {
    fn text(&self, stream: Stream, text: &str) {
        if !text.is_empty() {
            self.handle.block_on(self.kernel.outlet.text(self.request, stream, text));
        }
    }

    fn display(&self, Display { data, id, update }: Display) {
        let transient = id.map_or_else(|| json!({}), |id| json!({ "display_id": id }));
        let kind = if update { "update_display_data" } else { "display_data" };
        self.publish(kind, json!({ "data": data, "metadata": {}, "transient": transient }));
    }

    fn result(&self, data: MimeBundle) {
        if !self.silent {
            let count = self.count;
            self.publish("execute_result", json!({ "execution_count": count, "data": data, "metadata": {} }));
        }
    }

    fn clear_output(&self, wait: bool) {
        self.publish("clear_output", json!({ "wait": wait }));
    }

    fn input(&self, prompt: &str, password: bool) -> Option<String> {
        if !self.request.flag("allow_stdin", false) {
            return None;
        }
        let content = json!({ "prompt": prompt, "password": password });
        let question = compose("input_request", content, Some(&self.request.origin));
        self.handle.block_on(async {
            self.kernel.outlet.flush().await;
            let answer = self.kernel.running.ask(&question.header.msg_id);
            self.kernel.wire.send(Channel::Stdin, question).await.ok()?;
            answer.await.ok()
        })
    }
}
