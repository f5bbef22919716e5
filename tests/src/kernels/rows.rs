//! Which kernels the lab has. To add one, add a row here and a file of expectations beside the others (`expectations/`).

use super::kernel::{Kernel, Origin};
use crate::emulator::Emulator;
use mapprobe::arch::Arch;

/// Every kernel, the older series first. The tests walk this list.
pub static ALL: &[Kernel] = &[
    packaged("x86_64-5.10", Arch::X86_64, "bullseye", "linux-image-5.10.0-*-cloud-amd64"),
    Kernel {
        quick: true,
        ..packaged("x86_64-6.1", Arch::X86_64, "bookworm", "linux-image-6.1.0-*-cloud-amd64")
    },
    Kernel {
        arguments: WITHOUT_CX16,
        ..packaged("x86_64-6.12", Arch::X86_64, "trixie", "linux-image-6.12.*+deb13-cloud-amd64")
    },
    Kernel {
        arguments: WITHOUT_CX16,
        ..binary("x86_64-7.x", Arch::X86_64, "linux-binary-7.*-cloud-amd64")
    },
    packaged("aarch64-5.10", Arch::Aarch64, "bullseye", "linux-image-5.10.0-*-cloud-arm64"),
    Kernel {
        quick: true,
        ..packaged("aarch64-6.1", Arch::Aarch64, "bookworm", "linux-image-6.1.0-*-cloud-arm64")
    },
    packaged("aarch64-6.12", Arch::Aarch64, "trixie", "linux-image-6.12.*+deb13-cloud-arm64"),
    binary("aarch64-7.x", Arch::Aarch64, "linux-binary-7.*-cloud-arm64"),
    // The Cortex-A72 has no 16 KiB pages. With the architecture's own algorithm for signed pointers the boot takes twice as long.
    Kernel {
        arguments: &["-cpu", "max,pauth-impdef=on", "-m", "1024"],
        ..binary("aarch64-7.x-16k", Arch::Aarch64, "linux-binary-7.*-arm64-16k")
    },
    hppa("hppa-5.10", "bullseye", "linux-source-5.10", &[HPPA]),
    // The only PA-RISC kernel that is booted with the QEMU of Debian 12: every `cargo test` boots it.
    Kernel {
        quick: true,
        emulator: Emulator::Installed,
        ..hppa("hppa-6.1", "bookworm", "linux-source-6.1", &[HPPA])
    },
    hppa("hppa-6.12", "bookworm-backports", "linux-source-6.12", &[HPPA, HPPA_6_12]),
    hppa64("hppa64-6.1", "bookworm", "linux-source-6.1", &[HPPA, HPPA64]),
    hppa64("hppa64-6.12", "bookworm-backports", "linux-source-6.12", &[HPPA, HPPA_6_12, HPPA64]),
];

/// QEMU's default processor without `cmpxchg16b`. With it, Linux 6.12 panicked while booting in 6 of 19 boots under QEMU 7.2, the
/// flags register full of garbage, in one of them right after that instruction; without it in none of 14. Why is not known.
const WITHOUT_CX16: &[&str] = &["-cpu", "qemu64,-cx16"];

/// Pieces of configuration; each file says what it is for.
const HPPA: &str = include_str!("../../kernels/hppa.config");
const HPPA_6_12: &str = include_str!("../../kernels/hppa-6.12.config");
const HPPA64: &str = include_str!("../../kernels/hppa64.config");

/// Pieces of configuration, where the last counts.
type Pieces = &'static [&'static str];

/// A kernel as Debian ships it.
const fn packaged(
    name: &'static str,
    arch: Arch,
    suite: &'static str,
    package: &'static str,
) -> Kernel {
    let origin = Origin::Packaged { suite, package, directory: "boot" };
    Kernel {
        name,
        arch,
        origin,
        emulator: Emulator::Installed,
        arguments: &[],
        append: "",
        quick: false,
    }
}

/// A kernel of Debian's development suite, where the `linux-image` packages are empty.
const fn binary(name: &'static str, arch: Arch, package: &'static str) -> Kernel {
    let origin = Origin::Packaged { suite: "sid", package, directory: "usr/lib/modules" };
    Kernel { origin, ..packaged(name, arch, "sid", package) }
}

/// A 32-bit PA-RISC kernel, built here: Debian ships none.
const fn hppa(
    name: &'static str,
    suite: &'static str,
    package: &'static str,
    configuration: Pieces,
) -> Kernel {
    let origin = Origin::Built {
        suite,
        package,
        make: &["ARCH=parisc", "CROSS_COMPILE=hppa-linux-gnu-"],
        configuration,
        compilers: &[("hppa-linux-gnu-gcc", "gcc-hppa-linux-gnu")],
    };
    let emulator = Emulator::Backports;
    Kernel { name, arch: Arch::Hppa, origin, emulator, arguments: &[], append: "", quick: false }
}

/// A 64-bit PA-RISC kernel, which runs 32-bit programs: PA-RISC has no others under Linux.
const fn hppa64(
    name: &'static str,
    suite: &'static str,
    package: &'static str,
    configuration: Pieces,
) -> Kernel {
    let origin = Origin::Built {
        suite,
        package,
        make: &["ARCH=parisc64", "CROSS_COMPILE=hppa64-linux-gnu-"],
        configuration,
        // The 32-bit one compiles what 32-bit programs see of the kernel, its vDSO.
        compilers: &[
            ("hppa64-linux-gnu-gcc", "gcc-hppa64-linux-gnu"),
            ("hppa-linux-gnu-gcc", "gcc-hppa-linux-gnu"),
        ],
    };
    Kernel { origin, arguments: &["-M", "C3700"], ..hppa(name, suite, package, configuration) }
}
