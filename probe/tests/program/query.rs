//! Queries, as the command line spells them.

use mapprobe::cli::{QueryRequest, Request, parse};

/// Parses the arguments of a query.
#[track_caller]
pub fn query(arguments: &[&str]) -> QueryRequest {
    match parse(arguments) {
        Ok(Request::Query(query)) => query,
        other => panic!("{arguments:?} are not a query: {other:?}"),
    }
}
