//! A whole Bugle: the binary, started with the operator's settings.

use crate::{Client, Servers, eventually};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

const READY_LIMIT: Duration = Duration::from_secs(40);
/// The services that get a process each; the gateway is the fifth process.
const SERVICES: [&str; 4] = ["ingest", "recorder", "notifier", "api"];

/// How Bugle is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One process with the embedded bus.
    OneProcess,
    /// Five processes over RabbitMQ.
    Services,
}

struct Process {
    name: String,
    arguments: Vec<String>,
    address: String,
    child: Option<Child>,
}

/// A running Bugle. Killed when dropped; stopped in good order by [`System::stop`].
pub struct System {
    /// How it is deployed.
    pub topology: Topology,
    /// host:port of the one process or of the gateway.
    pub address: String,
    /// Its servers.
    pub servers: Servers,
    /// A token for the API.
    pub token: String,
    environment: Vec<(String, String)>,
    data: TempDir,
    processes: Vec<Process>,
}

impl System {
    /// Starts Bugle on a private part of the shared servers.
    ///
    /// # Errors
    /// When something does not start or is not ready within 40 seconds.
    pub async fn start(topology: Topology, settings: &[(&str, &str)]) -> Result<Self> {
        let servers = Servers::shared(topology == Topology::Services).await?;
        Self::start_on(servers, topology, settings).await
    }

    /// Starts Bugle on these servers.
    ///
    /// # Errors
    /// As [`System::start`].
    pub async fn start_on(servers: Servers, topology: Topology, settings: &[(&str, &str)]) -> Result<Self> {
        let data = TempDir::new()?;
        let address = free_address()?;
        let mut environment: Vec<(String, String)> = vec![
            ("BUGLE_DATABASE_URL".to_owned(), servers.database_url()),
            ("BUGLE_PUBLIC_URL".to_owned(), format!("http://{address}")),
            ("BUGLE_ALLOW_PRIVATE_NETS".to_owned(), "127.0.0.0/8".to_owned()),
            ("BUGLE_OBJECT_STORE".to_owned(), data.path().join("attachments").to_string_lossy().into_owned()),
            ("BUGLE_MIN_FREE_DISK".to_owned(), "1MiB".to_owned()),
            ("BUGLE_API_RATE_LIMIT".to_owned(), "0".to_owned()),
        ];
        environment.extend(servers.amqp_url().map(|url| ("BUGLE_AMQP_URL".to_owned(), url)));
        environment.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let processes = processes(topology, &address)?;
        let mut system =
            Self { topology, address, servers, token: String::new(), environment, data, processes };
        system.bugle(&["migrate"])?;
        let token: Value = serde_json::from_str(&system.bugle(&["token", "create", "test", "--json"])?)?;
        token["token"].as_str().context("no token")?.clone_into(&mut system.token);
        for name in system.names() {
            system.launch(&name).await?;
        }
        Ok(system)
    }

    /// Runs the command line with the system's settings and returns what it printed.
    ///
    /// # Errors
    /// When it ends with another status than 0; the error carries what it wrote to stderr.
    pub fn bugle(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command("cli", &self.address).args(arguments).stdin(Stdio::null()).output()?;
        ensure!(
            output.status.success(),
            "bugle {} ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Adds a setting, for processes that are started from now on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.environment.push((key.to_owned(), value.to_owned()));
    }

    /// Creates a project and waits until the door knows its key: `{"id":…,"key":…,"dsn":…}`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub async fn project(&self, name: &str) -> Result<Value> {
        let project: Value = serde_json::from_str(&self.bugle(&["project", "create", name, "--json"])?)?;
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            project["id"],
            project["key"].as_str().context("key")?
        );
        let client = self.client();
        let last = Mutex::new(String::new());
        let known = eventually("the door knows the new key", Duration::from_secs(12), || async {
            let answer = client.post(&path, b"{}".to_vec(), &[]).await?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) =
                format!("{} {}", answer.status, answer.text());
            Ok((answer.status == 200).then_some(()))
        })
        .await;
        known.with_context(|| {
            let last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let logs = self.names().into_iter().map(|name| format!("--- {name}\n{}\n", self.log_tail(&name)));
            format!("the last answer was {last}\n{}", logs.collect::<String>())
        })?;
        Ok(project)
    }

    /// An HTTP client for this system.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.address, &self.token)
    }

    /// An HTTP client for one of its processes, past the gateway.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn client_of(&self, name: &str) -> Result<Client> {
        let process = self.processes.iter().find(|process| process.name == name);
        Ok(Client::new(&process.with_context(|| format!("no process {name}"))?.address, &self.token))
    }

    /// The names of the processes, in the order in which they start.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.processes.iter().map(|process| process.name.clone()).collect()
    }

    /// The process id of a process.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.processes.iter().find(|process| process.name == name)?.child.as_ref().map(Child::id)
    }

    /// Starts a process that does not run and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready within 40 seconds.
    pub async fn launch(&mut self, name: &str) -> Result<()> {
        self.spawn(name)?;
        self.wait_ready(name).await
    }

    /// Starts a process without waiting for it.
    ///
    /// # Errors
    /// When the binary cannot be started.
    pub fn spawn(&mut self, name: &str) -> Result<()> {
        let (arguments, address) = {
            let process = self.process(name)?;
            (process.arguments.clone(), process.address.clone())
        };
        let log = std::fs::File::options().create(true).append(true).open(self.log(name))?;
        let child = self
            .command(name, &address)
            .args(&arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start bugle {name}"))?;
        self.process(name)?.child = Some(child);
        Ok(())
    }

    /// Waits until a process says that it can do its part.
    ///
    /// # Errors
    /// When it ends, or within 40 seconds it does not.
    pub async fn wait_ready(&mut self, name: &str) -> Result<()> {
        let address = self.process(name)?.address.clone();
        let client = Client::new(&address, &self.token);
        let start = std::time::Instant::now();
        loop {
            let ready = client.get("/health/ready/").await.is_ok_and(|answer| answer.status == 200);
            let log = self.log(name);
            let process = self.process(name)?;
            // Also when something answered: it may be another that has the port.
            if let Some(status) = process.child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
                bail!("bugle {name} ended with {status}: {}", tail(&log));
            }
            if ready {
                return Ok(());
            }
            ensure!(start.elapsed() < READY_LIMIT, "bugle {name} is not ready: {}", tail(&log));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// kill -9.
    ///
    /// # Errors
    /// When the process does not run.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let mut child = self.process(name)?.child.take().with_context(|| format!("{name} does not run"))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Stops everything in good order and returns what the processes logged.
    ///
    /// # Errors
    /// When a process does not end with status 0.
    pub fn stop(mut self) -> Result<String> {
        let mut logs = String::new();
        for name in self.names() {
            let log = self.log(&name);
            let process = self.process(&name)?;
            if let Some(mut child) = process.child.take() {
                Command::new("kill").arg(child.id().to_string()).status()?;
                let status = child.wait()?;
                ensure!(status.success(), "bugle {name} ended with {status}: {}", tail(&log));
            }
            logs.push_str(&std::fs::read_to_string(&log).unwrap_or_default());
        }
        Ok(logs)
    }

    /// The last lines that a process logged.
    #[must_use]
    pub fn log_tail(&self, name: &str) -> String {
        tail(&self.log(name))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.data.path().join(format!("{name}.log"))
    }

    fn process(&mut self, name: &str) -> Result<&mut Process> {
        self.processes
            .iter_mut()
            .find(|process| process.name == name)
            .with_context(|| format!("no process {name}"))
    }

    fn command(&self, name: &str, address: &str) -> Command {
        // With one process the command line shares its data folder; services have one each.
        let folder = if self.topology == Topology::OneProcess { "bugle" } else { name };
        let mut command = Command::new(binary());
        for (key, _) in std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("BUGLE_")) {
            command.env_remove(key);
        }
        command
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .env("BUGLE_HTTP_ADDR", address)
            .env("BUGLE_DATA_DIR", self.data.path().join(folder))
            .current_dir(self.data.path());
        command
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        for process in &mut self.processes {
            if let Some(mut child) = process.child.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
            if failed {
                let log = self.data.path().join(format!("{}.log", process.name));
                eprintln!("--- bugle {}\n{}", process.name, tail(&log));
            }
        }
    }
}

fn processes(topology: Topology, address: &str) -> Result<Vec<Process>> {
    let process = |name: &str, arguments: &[&str], address: &str| Process {
        name: name.to_owned(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        address: address.to_owned(),
        child: None,
    };
    if topology == Topology::OneProcess {
        return Ok(vec![process("bugle", &["run"], address)]);
    }
    let mut all = Vec::new();
    let (mut ingest, mut api) = (String::new(), String::new());
    for service in SERVICES {
        let own = free_address()?;
        match service {
            "ingest" => ingest = format!("http://{own}"),
            "api" => api = format!("http://{own}"),
            _ => {}
        }
        all.push(process(service, &["run", "--service", service], &own));
    }
    all.push(process("gateway", &["gateway", "--ingest", &ingest, "--api", &api], address));
    Ok(all)
}

fn free_address() -> Result<String> {
    Ok(format!("127.0.0.1:{}", bugle_devservers::free_port()?))
}

/// The binary under test: `BUGLE_TEST_BINARY`, or the debug build beside the test.
fn binary() -> PathBuf {
    std::env::var_os("BUGLE_TEST_BINARY").map(PathBuf::from).unwrap_or_else(|| {
        let test = std::env::current_exe().unwrap_or_default();
        test.ancestors().nth(2).map(|debug| debug.join("bugle")).unwrap_or_default()
    })
}

fn tail(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
}
