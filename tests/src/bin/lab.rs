fn main() {
    let cache = dist::cache::Cache::open().unwrap();
    for (suite, name) in [("sid", "linux-source-7.2"), ("bookworm-backports", "linux-source-6.12"), ("bullseye", "linux-source-5.10")] {
        let p = lab::stock::newest(&cache, suite, "amd64", name).unwrap();
        println!("{} {} {:?}", p.name, p.version, p.fetch(&cache));
    }
    println!("{:?}", lab::emulator::Emulator::Backports.program(&targets::of(mapprobe::arch::Arch::Hppa).machine));
}
