//! The rows of the kernels. To add one, add a row here and its file in `expectations/`.

use super::kernel::{Kernel, Origin};
use crate::emulator::Emulator;
use mapprobe::arch::Arch;

/// Every kernel, older series first.
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
    // The Cortex-A72 has no 16 KiB pages. The architected algorithm of pointer authentication
    // doubles the time of a boot.
    Kernel {
        arguments: &["-cpu", "max,pauth-impdef=on", "-m", "1024"],
        ..binary("aarch64-7.x-16k", Arch::Aarch64, "linux-binary-7.*-arm64-16k")
    },
    hppa("hppa-5.10", "bullseye", "linux-source-5.10", &[HPPA]),
    // The only PA-RISC kernel that boots with the QEMU of Debian 12, so every `cargo test` boots
    // it.
    Kernel {
        quick: true,
        emulator: Emulator::Installed,
        ..hppa("hppa-6.1", "bookworm", "linux-source-6.1", &[HPPA])
    },
    hppa("hppa-6.12", "bookworm-backports", "linux-source-6.12", &[HPPA, HPPA_6_12, HPPA_FEATURES]),
    hppa64("hppa64-6.1", "bookworm", "linux-source-6.1", &[HPPA, HPPA64]),
    hppa64(
        "hppa64-6.12",
        "bookworm-backports",
        "linux-source-6.12",
        &[HPPA, HPPA_6_12, HPPA_FEATURES, HPPA64, HPPA64_FEATURES],
    ),
];

/// QEMU's default processor without `cmpxchg16b`. With it, Linux 6.12 panicked in 6 of 19 boots
/// under QEMU 7.2, with garbage in the flags register, once right after that instruction; without
/// it in none of 14. The cause is unknown.
const WITHOUT_CX16: &[&str] = &["-cpu", "qemu64,-cx16"];

/// Pieces of configuration, described in each file.
const HPPA: &str = include_str!("../../kernels/hppa.config");
const HPPA_6_12: &str = include_str!("../../kernels/hppa-6.12.config");
const HPPA_FEATURES: &str = include_str!("../../kernels/hppa-features.config");
const HPPA64: &str = include_str!("../../kernels/hppa64.config");
const HPPA64_FEATURES: &str = include_str!("../../kernels/hppa64-features.config");

/// Pieces of configuration. The last of contradicting lines applies.
type Pieces = &'static [&'static str];

/// A kernel from a Debian package.
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

/// A 32-bit PA-RISC kernel, built here because Debian has no package of it.
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

/// A 64-bit PA-RISC kernel. Linux on PA-RISC has only 32-bit programs.
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
        // The 32-bit compiler builds the vDSO of 32-bit programs.
        compilers: &[
            ("hppa64-linux-gnu-gcc", "gcc-hppa64-linux-gnu"),
            ("hppa-linux-gnu-gcc", "gcc-hppa-linux-gnu"),
        ],
    };
    Kernel { origin, arguments: &["-M", "C3700"], ..hppa(name, suite, package, configuration) }
}
