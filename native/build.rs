//! Keeps the library loaded once it is: a worker that ends closes its handle, and the signal's
//! handler must still be there.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
