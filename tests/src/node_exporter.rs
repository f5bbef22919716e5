//! Prometheus' node exporter, which serves metrics from files. It is unpacked from its Debian
//! package and not installed as a service.

use crate::{cache_entry, host_packages};
use anyhow::{Context, Result, bail, ensure};
use dist::cache::Cache;
use dist::debian::extract;
use mapprobe::arch::Arch;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SUITE: &str = "bookworm";
const PACKAGE: &str = "prometheus-node-exporter";
/// The time limit of the start.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The time between two attempts.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running node exporter, which is stopped on drop.
#[derive(Debug)]
pub struct NodeExporter {
    process: Child,
    port: u16,
}

impl NodeExporter {
    /// Serves the files of a directory on the loopback interface.
    pub fn start(directory: &Path) -> Result<NodeExporter> {
        let program = program()?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("No port is free.")?;
        let port = free.local_addr()?.port();
        drop(free);
        let process = Command::new(&program)
            .args(["--collector.disable-defaults", "--collector.textfile"])
            .arg(format!("--collector.textfile.directory={}", directory.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started.", program.display()))?;
        let mut exporter = NodeExporter { process, port };
        let deadline = Instant::now() + TIME_LIMIT;
        while let Err(error) = exporter.fetch() {
            if let Some(status) = exporter.process.try_wait()? {
                bail!("{PACKAGE} ended with {status}.");
            }
            ensure!(Instant::now() < deadline, "{PACKAGE} does not respond: {error:#}");
            sleep(POLL_INTERVAL);
        }
        Ok(exporter)
    }

    /// The metrics that it serves now.
    pub fn fetch(&self) -> Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .context("The exporter does not listen.")?;
        stream.set_read_timeout(Some(TIME_LIMIT))?;
        // HTTP/1.0 has no chunked responses.
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut response = String::new();
        stream.read_to_string(&mut response).context("The response is not UTF-8.")?;
        let (head, body) = response.split_once("\r\n\r\n").context("The response is not HTTP.")?;
        ensure!(
            head.lines().next().is_some_and(|line| line.ends_with(" 200 OK")),
            "The response is {head}\n{body}"
        );
        Ok(body.to_owned())
    }
}

impl Drop for NodeExporter {
    fn drop(&mut self) {
        // The process may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let item = cache_entry::get(
        &cache,
        ("node-exporter", "package"),
        &format!("{PACKAGE} of {SUITE}"),
        |to, work| {
            host_packages::need(host_packages::ARCHIVE)?;
            let package = cache_entry::newest_package(
                &cache,
                SUITE,
                targets::of(Arch::native()).debian,
                PACKAGE,
            )?;
            let unpacked = work.join("unpacked");
            extract(&[&package.fetch(&cache)?], "usr/bin", &unpacked)?;
            std::fs::rename(unpacked.join("usr/bin").join(PACKAGE), to.join(PACKAGE))?;
            Ok(package)
        },
    )?;
    Ok(item.directory.join(PACKAGE))
}
