//! Whether a huge page can be had now, as a requirement.

use crate::availability::{Answer, Availability, Pool};
use crate::report::Row;
use crate::report::wording::push;
use crate::requirement::{Met, Require};

/// Whether a flag with kernel support meets its requirement. Appends a line if not.
pub fn check(out: &mut String, name: &str, row: &Row, require: &Require) -> Met {
    let Some(availability) = row.availability.filter(|_| !require.support_only) else {
        return Met::Yes;
    };
    let met = match availability.answer() {
        Answer::Yes => return Met::Yes,
        Answer::Unknown if require.allow_inconclusive => return Met::Yes,
        Answer::Unknown => Met::Undecided,
        Answer::No => Met::No,
    };
    let verdict = row.finding.verdict.word();
    let answer = match met {
        Met::No => "no page can be had now",
        _ => "whether a page can be had now is unknown",
    };
    push(out, format_args!("{name}: {verdict}, but {answer}: {availability}"));
    push_remedy(out, row, availability);
    out.push('\n');
    met
}

/// Appends what may help, where the pool was read or a touch failed.
fn push_remedy(out: &mut String, row: &Row, availability: Availability) {
    match (availability, row.flag.huge_size_log2()) {
        (Availability::Refused(_, Some(Pool { free: 0, .. })), None) => {
            out.push_str("; may help: vm.nr_hugepages");
        }
        (Availability::Refused(_, Some(Pool { free: 0, .. })), Some(log2)) => {
            let kilobytes = 1_usize << (log2 - 10);
            let directory = format_args!("/sys/kernel/mm/hugepages/hugepages-{kilobytes}kB");
            push(out, format_args!("; may help: {directory}/nr_hugepages"));
        }
        (Availability::Refused(_, Some(pool)), _) if pool.unreserved() > 0 => {
            out.push_str("; may help: the hugetlb cgroup's rsvd.max");
        }
        (Availability::TouchFails, _) => out.push_str("; may help: the hugetlb cgroup's max"),
        _ => {}
    }
}
