//! mapprobe in the initramfs of distributions: the report is on the console, the real root has the same one, and the boot goes on.

use lab::console::{self, Framed};
use lab::initramfs::{self, Installed};
use lab::kernels::{self, Kernel};
use lab::qemu::{Boot, Status};
use lab::{delivered, report};

fn kernel() -> &'static Kernel {
    kernels::named("x86_64-6.1").unwrap()
}

#[test]
fn initramfs_tools() {
    let program = delivered::program(kernel().arch).unwrap();
    let installed = Installed::new(kernel(), &program).unwrap();
    installed.file("etc/initramfs-tools/conf.d/mapprobe", 0o644, "MAPPROBE=y\n").unwrap();
    let t = std::time::Instant::now();
    let (image, said) = installed.mkinitramfs().unwrap();
    eprintln!("{said} {:?} {}", t.elapsed(), image.len());
    let disk = initramfs::disk(kernel(), &["print /run/initramfs/mapprobe.json"]).unwrap();
    let boot = initramfs::boot(kernel(), &image, &disk, "").unwrap();
    std::fs::write("/tmp/ini/it.log", &boot.log).unwrap();
    eprintln!("{:?} {:?} {:?}", boot.status, boot.time, boot.last_words());
}

#[test]
fn dracut() {
    let program = delivered::program(kernel().arch).unwrap();
    let installed = Installed::new(kernel(), &program).unwrap();
    let t = std::time::Instant::now();
    let (image, said) = installed.dracut(&["--add", "mapprobe"]).unwrap();
    eprintln!("{said} {:?} {}", t.elapsed(), image.len());
    let disk = initramfs::disk(kernel(), &["print /run/initramfs/mapprobe.json"]).unwrap();
    let boot = initramfs::boot(kernel(), &image, &disk, "").unwrap();
    std::fs::write("/tmp/ini/dr.log", &boot.log).unwrap();
    eprintln!("{:?} {:?} {:?}", boot.status, boot.time, boot.last_words());
}
