//! Packs the WordPress plugin, so that each relay gives its shops the plugin that fits it.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wp-plugin");
    println!("cargo::rerun-if-changed={}", plugin.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    let mut files = Vec::new();
    collect(&plugin, &mut files)?;
    files.sort();
    // The same files give the same bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(File::create(out.join("nexpura.zip"))?);
    for file in files {
        let name = Path::new("nexpura").join(file.strip_prefix(&plugin)?);
        zip.start_file(name.to_str().ok_or("a file's name is not UTF-8")?, options)?;
        zip.write_all(&fs::read(&file)?)?;
    }
    zip.finish()?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
