//! Downloads a file whose SHA-256 is known. A broken transfer is resumed; the file gets its name
//! when it is complete.

use crate::cache::Cache;
use crate::progress::{self, Step};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// How often a transfer without progress is retried.
const TRIES: u32 = 4;

/// HTTP status 404.
#[derive(Debug)]
pub struct NotFound(String);

impl std::fmt::Display for NotFound {
    fn fmt(&self, to: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(to, "{} does not exist (404)", self.0)
    }
}
impl std::error::Error for NotFound {}

/// A file to download.
#[derive(Debug)]
pub struct File<'a> {
    pub uri: String,
    /// Shown to the user.
    pub what: String,
    /// The file name in the cache, in a directory named by the hash.
    pub name: &'a str,
    pub sha256: &'a str,
    /// In bytes.
    pub size: u64,
}

/// An HTTP client.
pub fn agent(proxy: Option<&str>) -> Result<ureq::Agent> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_recv_body(Some(Duration::from_secs(900)));
    if let Some(proxy) = proxy {
        config = config.proxy(Some(
            ureq::Proxy::new(proxy).with_context(|| format!("apt's proxy {proxy} is not valid"))?,
        ));
    }
    Ok(config.build().new_agent())
}

/// Downloads a short text, such as a release file.
pub fn text(agent: &ureq::Agent, uri: &str) -> Result<String> {
    let mut response = agent.get(uri).call().with_context(|| unreachable(uri))?;
    match response.status().as_u16() {
        200 => response.body_mut().read_to_string().with_context(|| format!("{uri} was cut off")),
        404 => Err(NotFound(uri.into()).into()),
        other => bail!("{uri} returned HTTP status {other}"),
    }
}

/// Returns the path of the file in the cache. Downloads it if missing.
pub fn verified(agent: &ureq::Agent, cache: &Cache, file: &File) -> Result<PathBuf> {
    let name = format!("files/{}/{}", file.sha256, file.name);
    let (whole, part) = (cache.path().join(&name), cache.path().join(format!("{name}.part")));
    let _lock = cache.lock(&name)?;
    if whole.is_file() {
        if sha256(&whole)? == file.sha256 {
            return Ok(whole);
        }
        progress::say(&format!("{} is damaged; fetching it again", whole.display()));
        fs::remove_file(&whole).with_context(|| format!("cannot remove {}", whole.display()))?;
    }
    let mut step = Step::begin(format!("fetching {}", file.what));
    step.total(file.size);
    transfer(agent, file, &part, &mut step)?;
    let got = sha256(&part)?;
    if got != file.sha256 {
        let size = length(&part);
        fs::remove_file(&part).with_context(|| format!("cannot remove {}", part.display()))?;
        bail!(
            "{} does not match the signed index: expected SHA-256 {} and {} bytes, got {got} and \
             {size} bytes. \
             The download was deleted; try again, or use another mirror.",
            file.uri,
            file.sha256,
            file.size
        );
    }
    fs::rename(&part, &whole).with_context(|| format!("cannot write {}", whole.display()))?;
    step.done();
    Ok(whole)
}

/// Downloads into `part`, which may already have the first bytes.
fn transfer(agent: &ureq::Agent, file: &File, part: &Path, step: &mut Step) -> Result<()> {
    let mut tries = 0;
    if length(part) > file.size {
        fs::remove_file(part).with_context(|| format!("cannot remove {}", part.display()))?;
    }
    while length(part) < file.size || !part.is_file() {
        let before = length(part);
        let Err(error) = once(agent, file, part, step) else { continue };
        if error.is::<NotFound>() {
            return Err(error.context(format!(
                "the index lists {}, but the mirror does not have it: it may be being updated; \
                 try again later",
                file.what
            )));
        }
        tries = if length(part) > before { 0 } else { tries + 1 };
        if tries == TRIES {
            return Err(error);
        }
        sleep(Duration::from_millis(300 << tries));
    }
    Ok(())
}

/// Makes one request. Continues after the last received byte if the server supports that.
fn once(agent: &ureq::Agent, file: &File, part: &Path, step: &mut Step) -> Result<()> {
    let have = length(part);
    let request = agent.get(&file.uri).header("Accept-Encoding", "identity");
    let request =
        if have > 0 { request.header("Range", format!("bytes={have}-")) } else { request };
    let response = request.call().with_context(|| unreachable(&file.uri))?;
    let range = response
        .headers()
        .get("Content-Range")
        .and_then(|range| range.to_str().ok())
        .unwrap_or_default();
    let continues = range.starts_with(&format!("bytes {have}-"));
    let mut open = fs::File::options();
    let mut at = match response.status().as_u16() {
        206 if continues => have,
        200 => 0,
        206 | 416 => {
            fs::remove_file(part).with_context(|| format!("cannot remove {}", part.display()))?;
            bail!("{} did not continue the transfer", file.uri)
        }
        404 => return Err(NotFound(file.uri.clone()).into()),
        other => bail!("{} returned HTTP status {other}", file.uri),
    };
    let open = open.create(true).write(true).append(at > 0).truncate(at == 0);
    let mut to = open.open(part).with_context(|| format!("cannot write {}", part.display()))?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    while at < file.size {
        let count = body
            .read(&mut buffer)
            .with_context(|| format!("{} was cut off after {at} bytes", file.uri))?;
        if count == 0 {
            bail!("{} was cut off after {at} of {} bytes", file.uri, file.size);
        }
        to.write_all(&buffer[..count])
            .with_context(|| format!("cannot write {}", part.display()))?;
        at += count as u64;
        step.at(at, file.size);
    }
    Ok(())
}

fn unreachable(uri: &str) -> String {
    format!(
        "cannot reach {uri}; check the network, and the proxy (Acquire::http::Proxy in apt's \
         configuration)"
    )
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// The SHA-256 of a file in hexadecimal.
pub fn sha256(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let mut file =
        fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    io::copy(&mut file, &mut hash).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::{File, NotFound, agent, sha256, verified};
    use crate::cache::Cache;
    use std::fs;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};
    use std::thread;

    /// A server that handles one request per row: how many bytes it sends, and whether it honors
    /// `Range`. Returns its address, and the `Range` of every request.
    fn server(
        content: Vec<u8>,
        rows: &'static [(usize, bool)],
    ) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/file", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for (limit, ranges) in rows {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                let header: Vec<String> = lines
                    .take_while(|line| !line.is_empty())
                    .map(|line| line.to_lowercase())
                    .collect();
                let range = header
                    .iter()
                    .find_map(|line| line.strip_prefix("range: bytes="))
                    .unwrap_or("")
                    .to_string();
                let from = range.trim_end_matches('-').parse().unwrap_or(0);
                let from = if *ranges { from } else { 0 };
                seen.lock().unwrap().push(range);
                let rest = &content[from..];
                let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
                let span = format!(
                    "Content-Range: bytes {from}-{}/{}\r\n",
                    content.len() - 1,
                    content.len()
                );
                let span = if from > 0 { span } else { String::new() };
                let length = rest.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: \
                     {length}\r\n{span}\r\n"
                );
                let _ = stream.write_all(&rest[..rest.len().min(*limit)]);
            }
        });
        (uri, requests)
    }

    fn content() -> Vec<u8> {
        (0..300_000u32).flat_map(u32::to_le_bytes).collect()
    }

    fn hash(content: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        sha256(file.path()).unwrap()
    }

    fn fetch(uri: &str, content: &[u8]) -> (tempfile::TempDir, anyhow::Result<Vec<u8>>) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path()).unwrap();
        let sha256 = hash(content);
        let file = File {
            uri: uri.into(),
            what: "x".into(),
            name: "x",
            sha256: &sha256,
            size: content.len() as u64,
        };
        let got =
            verified(&agent(None).unwrap(), &cache, &file).map(|path| fs::read(path).unwrap());
        (directory, got)
    }

    #[test]
    fn a_cut_transfer_is_resumed() {
        let (uri, requests) = server(content(), &[(500_000, true), (usize::MAX, true)]);
        assert_eq!(fetch(&uri, &content()).1.unwrap(), content());
        assert_eq!(*requests.lock().unwrap(), ["", "500000-"]);
    }

    #[test]
    fn a_partial_file_is_completed_and_checked() {
        let (sha256, size) = (hash(&content()), content().len() as u64);
        for (corrupted, good) in [(None, true), (Some(99), false)] {
            let (uri, requests) = server(content(), &[(usize::MAX, true)]);
            let directory = tempfile::tempdir().unwrap();
            let mut left = content()[..400_000].to_vec();
            if let Some(at) = corrupted {
                left[at] ^= 1;
            }
            let place = directory.path().join("files").join(&sha256);
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("x.part"), left).unwrap();
            let file = File { uri, what: "x".into(), name: "x", sha256: &sha256, size };
            let got = verified(&agent(None).unwrap(), &Cache::at(directory.path()).unwrap(), &file);
            assert_eq!(*requests.lock().unwrap(), ["400000-"]);
            assert_eq!(got.is_ok(), good, "{got:?}");
            assert!(!place.join("x.part").exists(), "the file is complete or deleted");
        }
    }

    #[test]
    fn a_server_without_ranges_sends_the_file_again() {
        let (uri, requests) = server(content(), &[(500_000, false), (usize::MAX, false)]);
        assert_eq!(fetch(&uri, &content()).1.unwrap(), content());
        assert_eq!(requests.lock().unwrap().len(), 2);
    }

    #[test]
    fn wrong_content_is_rejected_and_deleted() {
        let mut other = content();
        other[700_000] ^= 1;
        let (uri, _) = server(other, &[(usize::MAX, true)]);
        let (directory, got) = fetch(&uri, &content());
        let refusal = got.unwrap_err().to_string();
        assert!(refusal.contains("does not match the signed index"), "{refusal}");
        let files: Vec<_> = walk(directory.path());
        assert!(files.iter().all(|name| name.ends_with(".lock")), "{files:?}");
    }

    fn walk(directory: &std::path::Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(
                |path| if path.is_dir() { walk(&path) } else { vec![path.display().to_string()] },
            )
            .collect()
    }

    #[test]
    fn concurrent_requests_download_once() {
        let (uri, requests) = server(content(), &[(usize::MAX, true)]);
        let directory = tempfile::tempdir().unwrap();
        let (sha256, size) = (hash(&content()), content().len() as u64);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let file = File {
                        uri: uri.clone(),
                        what: "x".into(),
                        name: "x",
                        sha256: &sha256,
                        size,
                    };
                    verified(&agent(None).unwrap(), &Cache::at(directory.path()).unwrap(), &file)
                        .unwrap()
                });
            }
        });
        assert_eq!(requests.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_missing_file_is_reported() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/file", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let _ = lines.take_while(|line| !line.is_empty()).count();
            stream
                .write_all(
                    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                )
                .unwrap();
        });
        let refusal = fetch(&uri, b"content").1.unwrap_err();
        assert!(
            refusal.is::<NotFound>() && refusal.to_string().contains("try again later"),
            "{refusal:#}"
        );
    }
}
