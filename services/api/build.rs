//! Makes the folder of the built dashboard when it is not there, so that the crate builds without Node.

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all("../dashboard/dist")?;
    println!("cargo::rerun-if-changed=../dashboard/dist");
    Ok(())
}
