//! An initramfs made by the generator of a distribution, for a kernel and with a program that are
//! not installed on this machine. The generator runs in its own mount namespace, where the files of
//! the kernel's package and of mapprobe are overlaid on those of this machine. Other processes do
//! not see the overlay, and nothing remains.

use crate::host_packages;
use crate::kernels::Kernel;
use crate::qemu::{self, Boot, VmConfig};
use crate::scenarios;
use anyhow::{Context, Result, bail};
use dist::workspace;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The installed paths of the directories of `dist/initramfs/`.
const INSTALLED_PATHS: [(&str, &str); 3] = [
    ("initramfs-tools", "usr/share/initramfs-tools"),
    ("dracut", "usr/lib/dracut/modules.d"),
    ("mkinitcpio", "usr/lib/initcpio"),
];
/// Mounts two directories over those of this machine and runs a command. The first two arguments
/// are the directories.
const OVERLAID: &str = r#"
for place in usr etc boot; do
    mount -t overlay -o "lowerdir=$1/$place:$2/$place:/$place" overlay "/$place" || exit 1
done
shift 2
exec "$@"
"#;

/// A machine on which a kernel and mapprobe are installed.
#[derive(Debug)]
pub struct Installed {
    /// The files below `/`, without the kernel's.
    files: TempDir,
    /// The files of the kernel's package.
    kernel: PathBuf,
    /// The release of the kernel, as in `uname -r`.
    release: String,
    /// The path of the generated image.
    image: PathBuf,
}

impl Installed {
    /// With the hooks of the project, and a program in the place of mapprobe.
    pub fn new(kernel: &Kernel, program: &[u8]) -> Result<Installed> {
        let tree = kernel.installed()?;
        let release = fs::read_dir(tree.join("usr/lib/modules"))?
            .next()
            .context("The kernel's package has no modules.")??;
        let release = release.file_name().to_string_lossy().into_owned();
        let files = tempfile::tempdir().context("A temporary directory cannot be created.")?;
        fs::create_dir_all(tree.join("etc"))?;
        let image = files.path().join("image");
        let installed = Installed { files, kernel: tree, release, image };
        installed.file("usr/bin/mapprobe", 0o755, program)?;
        fs::create_dir_all(installed.files.path().join("boot"))?;
        fs::create_dir_all(installed.files.path().join("etc"))?;
        for (from, to) in INSTALLED_PATHS {
            installed.copy(&workspace::root().join("dist/initramfs").join(from), to)?;
        }
        Ok(installed)
    }

    /// Creates a file; the path has no leading slash.
    pub fn file(&self, path: &str, permissions: u32, content: impl AsRef<[u8]>) -> Result<()> {
        let to = self.files.path().join(path);
        fs::create_dir_all(to.parent().context("The path has no directory.")?)?;
        fs::write(&to, content).with_context(|| format!("{} cannot be written.", to.display()))?;
        Ok(fs::set_permissions(&to, fs::Permissions::from_mode(permissions))?)
    }

    /// Copies a directory with its permissions.
    fn copy(&self, from: &Path, to: &str) -> Result<()> {
        for entry in
            fs::read_dir(from).with_context(|| format!("{} cannot be read.", from.display()))?
        {
            let entry = entry?;
            let to = format!("{to}/{}", entry.file_name().to_string_lossy());
            match entry.file_type()?.is_dir() {
                true => self.copy(&entry.path(), &to)?,
                false => self.file(
                    &to,
                    entry.metadata()?.permissions().mode() & 0o777,
                    fs::read(entry.path())?,
                )?,
            }
        }
        Ok(())
    }

    /// Runs mkinitramfs of initramfs-tools. Returns the image and the output.
    pub fn mkinitramfs(&self) -> Result<(Vec<u8>, String)> {
        // Only the drivers of QEMU's disk. Debian's default makes the image ten times as large.
        self.file("etc/initramfs-tools/conf.d/lab", 0o644, "MODULES=list\n")?;
        self.file("etc/initramfs-tools/modules", 0o644, "virtio_pci\nvirtio_blk\n")?;
        self.make(|image| vec!["mkinitramfs", "-o", image, &self.release])
    }

    /// Runs dracut with these arguments. Returns the image and the output.
    pub fn dracut(&self, arguments: &[&str]) -> Result<(Vec<u8>, String)> {
        // Only the drivers of QEMU's disk.
        let modules =
            ["--drivers", "virtio_pci virtio_blk", "--no-hostonly", "--no-early-microcode"];
        self.make(|image| {
            [&["dracut", "--force", "--kver", &self.release][..], &modules, arguments, &[image]]
                .concat()
        })
    }

    /// The names in the last image, one per line.
    pub fn listed(&self) -> Result<String> {
        let output = self.run(&[
            "lsinitramfs",
            self.image.to_str().context("The path of the directory is not UTF-8.")?,
        ])?;
        if !output.status.success() {
            bail!(
                "lsinitramfs ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a command that creates an image.
    fn make<'a>(
        &'a self,
        command: impl FnOnce(&'a str) -> Vec<&'a str>,
    ) -> Result<(Vec<u8>, String)> {
        let image = self.image.to_str().context("The path of the directory is not UTF-8.")?;
        let command = command(image);
        let output = self.run(&command)?;
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if !output.status.success() {
            bail!("{} ended with {}: {text}", command.join(" "), output.status);
        }
        Ok((
            fs::read(image)
                .with_context(|| format!("{} created no file: {text}", command.join(" ")))?,
            text,
        ))
    }

    /// Runs a command on the machine.
    pub fn run(&self, command: &[&str]) -> Result<Output> {
        host_packages::need(host_packages::INITRAMFS)?;
        let mut unshare = Command::new("unshare");
        if !host_packages::is_root() {
            unshare.arg("--map-root-user");
        }
        unshare
            .args(["--mount", "sh", "-c", OVERLAID, "sh"])
            .arg(self.files.path())
            .arg(&self.kernel)
            .args(command);
        unshare
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .context("unshare cannot be started.")
    }
}

/// A disk image whose init does these steps, in the language of `scenarios/steps.h`.
pub fn disk(kernel: &Kernel, steps: &[&str]) -> Result<Vec<u8>> {
    let root = tempfile::tempdir().context("A temporary directory cannot be created.")?;
    for directory in ["dev", "proc", "sys", "run", "tmp", "etc", "sbin"] {
        fs::create_dir(root.path().join(directory))?;
    }
    let init = root.path().join("sbin/init");
    fs::write(&init, scenarios::setup(kernel.arch)?)?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
    // systemd and dracut recognize a system by this file.
    fs::write(root.path().join("etc/os-release"), "ID=lab\n")?;
    fs::write(
        root.path().join("setup"),
        steps.iter().map(|step| format!("{step}\n")).collect::<String>(),
    )?;
    scenarios::ext4_of(root.path())
}

/// Boots a kernel with an initramfs, the disk of its real root, and arguments at the end of its
/// command line.
pub fn boot(kernel: &Kernel, initramfs: &[u8], disk: &[u8], append: &str) -> Result<Boot> {
    let image = kernel.image()?;
    let machine = &targets::of(kernel.arch).machine;
    let emulator = kernel.emulator.program(machine)?;
    let file = tempfile::NamedTempFile::new().context("A temporary file cannot be created.")?;
    fs::write(file.path(), disk)?;
    let drive = format!("file={},format=raw,if=virtio", file.path().display());
    let arguments = [kernel.arguments, &["-drive", &drive, "-nic", "none"]].concat();
    let append = format!("{} root=/dev/vda rootfstype=ext4 rw {append}", kernel.append);
    let config = VmConfig::new(kernel.name, machine, &image.path, initramfs);
    // A whole system starts, not only one program.
    let deadline = qemu::DEADLINE * 2;
    qemu::boot(&VmConfig { emulator, append: &append, arguments: &arguments, deadline, ..config })
}
