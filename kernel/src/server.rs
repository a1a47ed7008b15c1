//! The kernel as Jupyter sees it: it answers on the sockets of a connection file, and has an engine run the cells.

mod executor;
mod history;
mod position;
mod publisher;
mod requests;
mod running;
pub(crate) mod wire;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use jupyter_zmq_client::{
    ConnectionInfo, KernelHeartbeatConnection, RouterRecvConnection, create_kernel_control_connection,
    create_kernel_heartbeat_connection, create_kernel_iopub_connection, create_kernel_shell_connection,
    create_kernel_stdin_connection,
};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, OnceCell, mpsc, oneshot};
use tokio::time::{sleep, timeout};

use self::publisher::Outlet;
pub use self::running::Interrupt;
use self::running::Running;
use self::wire::{Channel, Request, Wire};
use crate::assistant::Assistant;
use crate::completeness::completeness;
use crate::front::{Completeness, Failure, Front, Outcome};
use crate::interrupter::lock;
use crate::session::Session;

/// What runs the cells. It stays on the thread on which it starts.
pub trait Engine: 'static {
    fn execute(&mut self, code: &str, count: u32, front: &dyn Front) -> Outcome;
    fn interrupt(&self) -> Interrupt;
    /// What ends a cell that no interrupt ends, and the variables with it.
    fn kill(&self) -> Interrupt;
    /// Source that declares what a cell sees.
    fn context(&self) -> String;
    fn completeness(code: &str) -> Completeness;
}

impl Engine for Session {
    fn execute(&mut self, code: &str, count: u32, front: &dyn Front) -> Outcome {
        self.execute(code, count, front)
    }

    fn interrupt(&self) -> Interrupt {
        let interrupter = self.interrupter();
        Arc::new(move || interrupter.interrupt())
    }

    fn kill(&self) -> Interrupt {
        let interrupter = self.interrupter();
        Arc::new(move || interrupter.kill())
    }

    fn context(&self) -> String {
        self.context()
    }

    fn completeness(code: &str) -> Completeness {
        completeness(code)
    }
}

/// How long the engine has to end when the kernel does.
const ENGINE_PATIENCE: Duration = Duration::from_millis(500);
/// How long the last messages have to leave the process.
const LINGER: Duration = Duration::from_millis(100);

/// What all that answer requests share.
struct Kernel {
    wire: Wire,
    outlet: Outlet,
    ports: ConnectionInfo,
    running: Running,
    history: Mutex<history::History>,
    context: Mutex<Arc<str>>,
    assistant: Assistant,
    compiler_version: OnceCell<String>,
    completeness: fn(&str) -> Completeness,
    /// Where cells wait for their turn; none once the kernel ends.
    executor: Mutex<Option<mpsc::UnboundedSender<Arc<Request>>>>,
    end: Notify,
}

impl Kernel {
    fn context(&self) -> Arc<str> {
        Arc::clone(&lock(&self.context))
    }

    async fn interrupt(self: &Arc<Self>) {
        let kernel = Arc::clone(self);
        let _ = tokio::task::spawn_blocking(move || kernel.running.interrupt()).await;
    }
}

/// Serves a notebook until it asks for the end. Requests are answered at once; cells wait until the engine has started,
/// and fail if it does not start.
///
/// # Errors
/// If the connection file cannot be read, or its ports cannot be bound.
pub fn serve<E: Engine>(
    connection_file: &Path,
    start: impl FnOnce() -> Result<E, Failure> + Send + 'static,
    assistant: Assistant,
) -> Result<()> {
    let connection = std::fs::read(connection_file)
        .with_context(|| format!("the connection file {} cannot be read", connection_file.display()))?;
    let connection: ConnectionInfo = serde_json::from_slice(&connection)
        .with_context(|| format!("{} is not a connection file", connection_file.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(run(connection, start, assistant));
    runtime.shutdown_background();
    served
}

async fn run<E: Engine>(
    ports: ConnectionInfo,
    start: impl FnOnce() -> Result<E, Failure> + Send + 'static,
    assistant: Assistant,
) -> Result<()> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let session = uuid::Uuid::new_v4().to_string();
    let bound = || format!("the ports of the connection file cannot be bound at {}", ports.ip);
    let heartbeat = create_kernel_heartbeat_connection(&ports).await.with_context(bound)?;
    let (shell, from_shell) = create_kernel_shell_connection(&ports, &session).await.with_context(bound)?.split();
    let (control, from_control) = create_kernel_control_connection(&ports, &session).await.with_context(bound)?.split();
    let (stdin, from_stdin) = create_kernel_stdin_connection(&ports, &session).await.with_context(bound)?.split();
    let outlet = Outlet::start(create_kernel_iopub_connection(&ports, &session).await.with_context(bound)?);
    outlet.message("status", json!({ "execution_state": "starting" }), None).await;

    let (executor, cells) = mpsc::unbounded_channel();
    let kernel = Arc::new(Kernel {
        wire: Wire { shell: shell.into(), control: control.into(), stdin: stdin.into() },
        outlet,
        ports,
        running: Running::default(),
        history: Mutex::default(),
        context: Mutex::new("".into()),
        assistant,
        compiler_version: OnceCell::new(),
        completeness: E::completeness,
        executor: Mutex::new(Some(executor)),
        end: Notify::new(),
    });
    tokio::spawn(beat(heartbeat));
    for (connection, channel) in
        [(from_shell, Channel::Shell), (from_control, Channel::Control), (from_stdin, Channel::Stdin)]
    {
        tokio::spawn(listen(Arc::clone(&kernel), connection, channel));
    }
    let asking = Arc::clone(&kernel);
    tokio::spawn(async move { requests::compiler_version(&asking).await });

    let (ended, mut engine_ended) = oneshot::channel::<()>();
    let (for_engine, handle) = (Arc::clone(&kernel), Handle::current());
    std::thread::Builder::new().name("cells".into()).spawn(move || {
        executor::run(start, cells, &for_engine, &handle);
        let _ = ended.send(());
    })?;

    let mut orphaned = std::pin::pin!(orphaned());
    loop {
        tokio::select! {
            () = kernel.end.notified() => break,
            _ = interrupts.recv() => kernel.interrupt().await,
            () = &mut orphaned => break,
        }
    }
    lock(&kernel.executor).take();
    kernel.interrupt().await;
    if timeout(ENGINE_PATIENCE, &mut engine_ended).await.is_err() {
        kernel.running.kill();
        let _ = timeout(ENGINE_PATIENCE, engine_ended).await;
    }
    let _ = timeout(LINGER, kernel.outlet.flush()).await;
    sleep(LINGER).await;
    Ok(())
}

/// Waits until the Jupyter server that started this kernel is gone, if one did.
async fn orphaned() {
    let parent = std::os::unix::process::parent_id();
    if std::env::var_os("JPY_PARENT_PID").is_none() {
        return std::future::pending().await;
    }
    while std::os::unix::process::parent_id() == parent {
        sleep(Duration::from_secs(1)).await;
    }
}

async fn beat(mut heartbeat: KernelHeartbeatConnection) {
    loop {
        if heartbeat.single_heartbeat().await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn listen(kernel: Arc<Kernel>, mut connection: RouterRecvConnection, channel: Channel) {
    loop {
        let request = wire::next_request(&mut connection, channel).await;
        requests::take(Arc::clone(&kernel), Arc::new(request)).await;
    }
}
