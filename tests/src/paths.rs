//! Where the repository, its built parts and the caches of the tests lie.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_path_buf()
}

/// The folder that holds the binaries built together with this one: `target/debug` or `target/release`.
///
/// # Errors
/// When the running program's own path cannot be told.
pub fn built() -> Result<PathBuf> {
    let program = env::current_exe().context("finding this program's own path")?;
    let folder = program.parent().context("this program lies in no folder")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.to_path_buf())
}

/// A binary or library that the workspace builds, such as `nexpura-relay` or `libnexpura.so`.
///
/// # Errors
/// When it has not been built; the message says how.
pub fn artefact(name: &str, package: &str) -> Result<PathBuf> {
    let path = built()?.join(name);
    ensure!(path.exists(), "{} is not built: run `cargo build -p {package}` first", path.display());
    Ok(path)
}

/// A folder under `target/` for what costs time to make and is the same for every run; made if missing.
///
/// # Errors
/// When it cannot be made.
pub fn cache(name: &str) -> Result<PathBuf> {
    let built = built()?;
    let path = built.parent().unwrap_or(&built).join("nexpura").join(name);
    fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
    Ok(path)
}

/// Holds others of this machine's processes off while something in the cache is being made.
///
/// # Errors
/// When the lock file cannot be made or locked.
pub fn lock(name: &str) -> Result<File> {
    let path = cache("locks")?.join(name);
    let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    file.lock().with_context(|| format!("locking {}", path.display()))?;
    Ok(file)
}

/// A program on the PATH or in one of the folders for servers, which an ordinary user's PATH lacks.
///
/// # Errors
/// When it is nowhere; the message names the Debian package to install.
pub fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders =
        env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    for folder in folders {
        let candidate = folder.join(name);
        if candidate.is_file() {
            return Ok(candidate);
        }
    }
    bail!("{name} is not installed: run scripts/install-packages (package {package})")
}

/// A short name for contents, for keys of the cache.
pub fn digest<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for content in contents {
        // With its length before each, two lists of contents never look alike.
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    }
    hash.finalize().iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
