fn main() {
    for name in std::env::args().skip(1) {
        let kernel = lab::kernels::named(&name).unwrap();
        println!("{:?}", kernel.image());
    }
}
