//! Fetching a file whose SHA-256 is known: once per content, resumed after a cut, visible under its name only when whole.

use crate::cache::Cache;
use crate::progress::Step;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// How often a cut transfer is taken up again without a new byte.
const TRIES: u32 = 4;

/// The archive answered that it has no such file.
#[derive(Debug)]
pub struct Gone(String);

impl std::fmt::Display for Gone {
    fn fmt(&self, to: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(to, "{} is not there (404)", self.0)
    }
}
impl std::error::Error for Gone {}

/// A file that is wanted, and how to know it.
#[derive(Debug)]
pub struct File<'a> {
    pub uri: String,
    /// For people.
    pub what: String,
    /// Its name in the cache, below a folder named by the hash.
    pub name: &'a str,
    pub sha256: &'a str,
    /// Bytes.
    pub size: u64,
}

/// What speaks http, through a proxy if there is one.
pub fn agent(proxy: Option<&str>) -> Result<ureq::Agent> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_recv_body(Some(Duration::from_secs(900)));
    if let Some(proxy) = proxy {
        config = config.proxy(Some(
            ureq::Proxy::new(proxy).with_context(|| format!("apt's proxy {proxy} is no proxy"))?,
        ));
    }
    Ok(config.build().new_agent())
}

/// A short text, such as a release file.
pub fn text(agent: &ureq::Agent, uri: &str) -> Result<String> {
    let mut answer = agent.get(uri).call().with_context(|| unreachable(uri))?;
    match answer.status().as_u16() {
        200 => answer.body_mut().read_to_string().with_context(|| format!("{uri} broke off")),
        404 => Err(Gone(uri.into()).into()),
        other => bail!("{uri} was answered with the status {other}"),
    }
}

/// The file in the cache, fetched when it is not there.
pub fn verified(agent: &ureq::Agent, cache: &Cache, file: &File) -> Result<PathBuf> {
    let name = format!("files/{}/{}", file.sha256, file.name);
    let (whole, part) = (cache.path().join(&name), cache.path().join(format!("{name}.part")));
    let _lock = cache.lock(&name)?;
    if whole.is_file() {
        if sha256(&whole)? == file.sha256 {
            return Ok(whole);
        }
        crate::progress::say(&format!("{} is damaged; it is fetched again.", whole.display()));
        fs::remove_file(&whole)
            .with_context(|| format!("{} cannot be removed", whole.display()))?;
    }
    let mut step = Step::begin(format!("fetching {}", file.what));
    step.total(file.size);
    transfer(agent, file, &part, &mut step)?;
    let got = sha256(&part)?;
    if got != file.sha256 {
        let size = length(&part);
        fs::remove_file(&part).with_context(|| format!("{} cannot be removed", part.display()))?;
        bail!(
            "{} is not what the signed index promises: SHA-256 {} and {} bytes were expected, {got} and {size} bytes came. \
             Nothing of it was kept; try again, or use another mirror.",
            file.uri,
            file.sha256,
            file.size
        );
    }
    fs::rename(&part, &whole).with_context(|| format!("{} cannot be written", whole.display()))?;
    step.done();
    Ok(whole)
}

/// Fills `part`, which may have the beginning already.
fn transfer(agent: &ureq::Agent, file: &File, part: &Path, step: &mut Step) -> Result<()> {
    let mut tries = 0;
    if length(part) > file.size {
        fs::remove_file(part).with_context(|| format!("{} cannot be removed", part.display()))?;
    }
    while length(part) < file.size || !part.is_file() {
        let before = length(part);
        let Err(failure) = once(agent, file, part, step) else { continue };
        if failure.is::<Gone>() {
            return Err(failure.context(format!(
                "{} was looked for. The index still lists it: the mirror is being updated or has moved on; try again later",
                file.what
            )));
        }
        tries = if length(part) > before { 0 } else { tries + 1 };
        if tries == TRIES {
            return Err(failure);
        }
        sleep(Duration::from_millis(300 << tries));
    }
    Ok(())
}

/// One request, from where the last one ended if the server can do that.
fn once(agent: &ureq::Agent, file: &File, part: &Path, step: &mut Step) -> Result<()> {
    let have = length(part);
    let request = agent.get(&file.uri).header("Accept-Encoding", "identity");
    let request =
        if have > 0 { request.header("Range", format!("bytes={have}-")) } else { request };
    let answer = request.call().with_context(|| unreachable(&file.uri))?;
    let range = answer
        .headers()
        .get("Content-Range")
        .and_then(|range| range.to_str().ok())
        .unwrap_or_default();
    let continues = range.starts_with(&format!("bytes {have}-"));
    let mut open = fs::File::options();
    let mut at = match answer.status().as_u16() {
        206 if continues => have,
        200 => 0,
        206 | 416 => {
            fs::remove_file(part)
                .with_context(|| format!("{} cannot be removed", part.display()))?;
            bail!("{} was not continued where it broke off", file.uri)
        }
        404 => return Err(Gone(file.uri.clone()).into()),
        other => bail!("{} was answered with the status {other}", file.uri),
    };
    let open = open.create(true).write(true).append(at > 0).truncate(at == 0);
    let mut to =
        open.open(part).with_context(|| format!("{} cannot be written", part.display()))?;
    let mut body = answer.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    while at < file.size {
        let count = body
            .read(&mut buffer)
            .with_context(|| format!("{} broke off after {at} bytes", file.uri))?;
        if count == 0 {
            bail!("{} broke off after {at} of {} bytes", file.uri, file.size);
        }
        to.write_all(&buffer[..count])
            .with_context(|| format!("{} cannot be written", part.display()))?;
        at += count as u64;
        step.at(at, file.size);
    }
    Ok(())
}

fn unreachable(uri: &str) -> String {
    format!(
        "{uri} cannot be reached; is there a network, and does it need a proxy (Acquire::http::Proxy in apt's configuration)?"
    )
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// The SHA-256 of a file, in hexadecimal digits.
pub fn sha256(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let mut file =
        fs::File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    io::copy(&mut file, &mut hash).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::{File, Gone, agent, sha256, verified};
    use crate::cache::Cache;
    use std::fs;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};
    use std::thread;

    /// Answers each request by the next row: how many bytes it sends before it hangs up, and whether it honors `Range`.
    /// Gives its address, and the `Range` of every request it got.
    fn server(
        content: Vec<u8>,
        rows: &'static [(usize, bool)],
    ) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/file", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
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
                    "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{span}\r\n"
                );
                let _ = stream.write_all(&rest[..rest.len().min(*limit)]);
            }
        });
        (uri, asked)
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
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
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
        (folder, got)
    }

    #[test]
    fn a_cut_transfer_goes_on_where_it_broke_off() {
        let (uri, asked) = server(content(), &[(500_000, true), (usize::MAX, true)]);
        assert_eq!(fetch(&uri, &content()).1.unwrap(), content());
        assert_eq!(*asked.lock().unwrap(), ["", "500000-"]);
    }

    #[test]
    fn what_an_earlier_run_left_is_continued_and_checked_as_a_whole() {
        let (sha256, size) = (hash(&content()), content().len() as u64);
        for (spoiled, good) in [(None, true), (Some(99), false)] {
            let (uri, asked) = server(content(), &[(usize::MAX, true)]);
            let folder = tempfile::tempdir().unwrap();
            let mut left = content()[..400_000].to_vec();
            if let Some(at) = spoiled {
                left[at] ^= 1;
            }
            let place = folder.path().join("files").join(&sha256);
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("x.part"), left).unwrap();
            let file = File { uri, what: "x".into(), name: "x", sha256: &sha256, size };
            let got = verified(&agent(None).unwrap(), &Cache::at(folder.path()).unwrap(), &file);
            assert_eq!(*asked.lock().unwrap(), ["400000-"]);
            assert_eq!(got.is_ok(), good, "{got:?}");
            assert!(!place.join("x.part").exists(), "nothing wrong is kept");
        }
    }

    #[test]
    fn a_server_that_cannot_continue_sends_it_all_again() {
        let (uri, asked) = server(content(), &[(500_000, false), (usize::MAX, false)]);
        assert_eq!(fetch(&uri, &content()).1.unwrap(), content());
        assert_eq!(asked.lock().unwrap().len(), 2);
    }

    #[test]
    fn other_content_than_promised_is_refused_and_not_kept() {
        let mut other = content();
        other[700_000] ^= 1;
        let (uri, _) = server(other, &[(usize::MAX, true)]);
        let (folder, got) = fetch(&uri, &content());
        let refusal = got.unwrap_err().to_string();
        assert!(refusal.contains("is not what the signed index promises"), "{refusal}");
        let files: Vec<_> = walk(folder.path());
        assert!(files.iter().all(|name| name.ends_with(".lock")), "{files:?}");
    }

    fn walk(folder: &std::path::Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(
                |path| if path.is_dir() { walk(&path) } else { vec![path.display().to_string()] },
            )
            .collect()
    }

    #[test]
    fn two_at_once_fetch_once() {
        let (uri, asked) = server(content(), &[(usize::MAX, true)]);
        let folder = tempfile::tempdir().unwrap();
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
                    verified(&agent(None).unwrap(), &Cache::at(folder.path()).unwrap(), &file)
                        .unwrap()
                });
            }
        });
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_is_gone_is_told_from_a_network_that_is() {
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
            refusal.is::<Gone>() && refusal.to_string().contains("has moved on"),
            "{refusal:#}"
        );
    }
}
