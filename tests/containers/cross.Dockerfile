# Replaces the images of cross (https://github.com/cross-rs/cross) on machines without access to
# their registry: Debian's compilers and C library, with flags for static programs. std is rebuilt,
# because Debian has none for musl. Nothing in it unwinds, so an empty archive replaces libunwind.
FROM docker.io/library/debian:bookworm
RUN dpkg --add-architecture arm64 && apt-get update && apt-get install -y --no-install-recommends \
    ca-certificates gcc libc6-dev rustc-web cargo-web rust-web-src musl-tools \
    gcc-aarch64-linux-gnu musl-dev:arm64
RUN ar rc /usr/lib/x86_64-linux-musl/libunwind.a && ar rc /usr/lib/aarch64-linux-musl/libunwind.a
ENV RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort
ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=musl-gcc
ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-Clink-self-contained=no -Crelocation-model=static -Clink-arg=-static \
    -Zunstable-options -Cpanic=immediate-abort"
ENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=aarch64-linux-gnu-gcc
ENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-Clink-self-contained=no -Crelocation-model=static -Clink-arg=-static \
    -Zunstable-options -Cpanic=immediate-abort -Clink-arg=-specs=/usr/lib/aarch64-linux-musl/musl-gcc.specs"
