//! Documents from recorded system calls: the results that this version of mapprobe derives from
//! them.

use crate::document::Origin;
use crate::envelope::Unpackaged;
use crate::input::Located;
use anyhow::{Result, anyhow, ensure};
use mapprobe::replay::replay;
use mapprobe::request::Query;

/// Replays a recording and puts the document into an envelope. A recorded sweep also contains the
/// free bits.
///
/// # Errors
/// The recording is broken, or it was made for another query.
pub fn document(kernel: &str, recording: &[u8], query: Query) -> Result<Located> {
    let mut report = replay(recording, false)
        .map_err(|problem| anyhow!("the recording of {kernel}: {problem}"))?;
    let recorded = report.query;
    ensure!(
        recorded == query || (recorded, query) == (Query::Sweep, Query::FreeBits),
        "the recording of {kernel} contains a {}; it has no result for {}",
        recorded.command(),
        query.command()
    );
    report.query = query;
    let envelope = Unpackaged {
        kernel,
        origin: Origin::Recording,
        source: "mapprobe --record",
        source_version: env!("CARGO_PKG_VERSION"),
    };
    envelope.wrap(&report)
}
