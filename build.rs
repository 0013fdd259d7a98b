//! With the feature `train`, programs find at run time the libtorch that they were built with: without the rpath, another
//! version that the system has would be loaded, and the program would die of an undefined symbol.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Told by torch-sys where it is a dependency.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
