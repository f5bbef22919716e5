//! Documents from recorded system calls: the results that this version of mapprobe derives from
//! them.

use crate::document::Origin;
use crate::envelope::Unpackaged;
use crate::input::Located;
use anyhow::{Result, anyhow, ensure};
use mapprobe::cli::What;
use mapprobe::flags::TABLE;
use mapprobe::recording::replay;

/// Replays a recording and puts the document into an envelope. A recorded sweep also contains the
/// free bits.
///
/// # Errors
/// The recording is broken, or it was made for another query.
pub fn document(kernel: &str, recording: &[u8], query: What) -> Result<Located> {
    let mut report = replay(recording, TABLE, false)
        .map_err(|message| anyhow!("the recording of {kernel}: {message}"))?;
    let recorded = report.what;
    ensure!(
        recorded == query || (recorded, query) == (What::Sweep, What::FreeBits),
        "the recording of {kernel} contains a {}; it has no result for {}",
        recorded.word().plain(),
        query.word().plain()
    );
    report.what = query;
    let envelope = Unpackaged {
        kernel,
        origin: Origin::Recording,
        source: "mapprobe --record",
        source_version: env!("CARGO_PKG_VERSION"),
    };
    envelope.wrap(&report)
}
