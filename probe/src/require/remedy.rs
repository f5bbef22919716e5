//! What may help where a required flag is not honored: only what is not known to be the case
//! already. The kernel's release is read for advice only, never for a verdict.

use crate::arch::Arch;
use crate::environment::Interference;
use crate::experiments::growth::SMALL_STACK_LIMIT;
use crate::flags::{Flag, Kind, Version};
use crate::report::wording::push;
use crate::report::{Report, Row};
use crate::verdict::{ReasonCode, Verdict};
use kernel::recording::parse_number;

/// The first version with `MAP_SHARED_VALIDATE`.
const WITH_VALIDATION: Version = Version([4, 15, 0]);

/// Appends what may help, and the interference that may be the cause. `verdict` is the answer about
/// the row's flag, and `by_file` whether a file decided.
pub fn push_remedies(
    out: &mut String,
    report: &Report,
    row: &Row,
    verdict: Verdict,
    by_file: bool,
) {
    let code = (!by_file).then_some(row.finding.reason.code);
    if code == Some(ReasonCode::NotDefined) {
        return;
    }
    let replaces = |interference: Interference| interference.replaces_kernel();
    // Advice about Linux does not help where something else answers.
    if !report.environment.iter().any(|observed| replaces(observed.interference)) {
        let mut separator = "; may help: ";
        if let Some(remedy) = remedy(report, row, verdict, code) {
            out.push_str(separator);
            out.push_str(remedy);
            separator = ", ";
        }
        let since = row.flag.since();
        let may_be_too_old =
            matches!(verdict, Verdict::Inconclusive | Verdict::Ignored | Verdict::Unknown);
        if may_be_too_old && is_older(report, since) {
            push(out, format_args!("{separator}Linux >= {since}"));
        }
    }
    let mut separator = "; interference: ";
    for observed in &report.environment {
        if verdict == Verdict::Inconclusive || replaces(observed.interference) {
            out.push_str(separator);
            out.push_str(observed.name());
            separator = ", ";
        }
    }
}

/// What may help, according to the reason of the verdict.
fn remedy(
    report: &Report,
    row: &Row,
    verdict: Verdict,
    code: Option<ReasonCode>,
) -> Option<&'static str> {
    let knows_flag = !matches!(verdict, Verdict::Ignored | Verdict::Unknown)
        && !is_older(report, row.flag.since());
    if row.flag == Flag::MAP_SYNC {
        return knows_flag.then_some("MAP_SYNC:PATH of a file on DAX");
    }
    let remark = row.finding.reason.remark;
    match code? {
        _ if remark == Some(SMALL_STACK_LIMIT) => Some("ulimit -s"),
        // Without a remark no other cause of EPERM is known.
        ReasonCode::NotPermitted if remark.is_none() => Some("ulimit -l, CAP_IPC_LOCK"),
        ReasonCode::OverLimit => Some("ulimit -l, CAP_IPC_LOCK"),
        // The machine of a 32-bit kernel; that of a 64-bit one is parisc64.
        ReasonCode::NoRoom if report.kernel.machine == "parisc" => Some("a 64-bit kernel"),
        ReasonCode::RefusedHere | ReasonCode::NotOffered => remedy_for_huge_pages(report, row.flag),
        _ => None,
    }
}

/// What may help where no huge pages are offered, or none of a size.
fn remedy_for_huge_pages(report: &Report, flag: Flag) -> Option<&'static str> {
    let hugetlb = report.rows.iter().find(|row| row.flag == Flag::MAP_HUGETLB)?;
    if hugetlb.finding.verdict == Verdict::Unavailable {
        return Some("CONFIG_HUGETLBFS");
    }
    let is_size = flag.kind() == Kind::HugeSize;
    match (report.arch, flag.huge_size_log2()) {
        (Arch::X86_64, Some(30)) if is_size => Some("a processor with pages of 1 GiB"),
        // The sizes of `hugetlb_mask2pte` and `CONT_PMD_SIZE` with pages of 4, 16 and 64 KiB
        // (`arch/arm64/mm/hugetlbpage.c`).
        (Arch::Aarch64, Some(16 | 21 | 25 | 29 | 30 | 34)) if is_size => {
            Some("a kernel with another page size")
        }
        _ => None,
    }
}

/// Whether the kernel is known to be older than a version: by its release, unless
/// `MAP_SHARED_VALIDATE` shows that it is not.
fn is_older(report: &Report, version: Version) -> bool {
    let has_validation =
        report.validation.as_ref().is_some_and(|(measured, _)| measured.present == Some(true));
    let is_new_enough = has_validation && version <= WITH_VALIDATION;
    !is_new_enough && release(&report.kernel.release).is_some_and(|release| release < version)
}

/// Major and minor version at the start of a release such as `6.1.0-50-amd64`.
fn release(release: &str) -> Option<Version> {
    let mut rest = release.as_bytes();
    let (major, minor) = (take_number(&mut rest)?, take_number(&mut rest)?);
    Some(Version([major, minor, u8::MAX]))
}

/// Takes a number off, and the byte behind it.
fn take_number(rest: &mut &[u8]) -> Option<u8> {
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let number = parse_number(rest.get(..end)?, 10)?;
    *rest = rest.get(end + 1..).unwrap_or_default();
    u8::try_from(number).ok()
}
