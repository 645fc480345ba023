//! Captured requests of real clients.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;

/// One captured request.
#[derive(Debug, Clone)]
pub struct Captured {
    /// `client/number`.
    pub name: String,
    /// The method.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Headers as sent.
    pub headers: Vec<(String, String)>,
    /// The body as sent, Content-Encoding and all.
    pub body: Vec<u8>,
}

/// All captured requests, in order.
///
/// # Errors
/// When the corpus is not in the checkout.
pub fn all() -> Result<Vec<Captured>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
    let mut metas = Vec::new();
    for client in std::fs::read_dir(&root).with_context(|| format!("cannot read {}", root.display()))? {
        let client = client?;
        if client.file_type()?.is_dir() {
            for file in std::fs::read_dir(client.path())? {
                metas.push(file?.path());
            }
        }
    }
    metas.retain(|path| path.to_string_lossy().ends_with(".meta.json"));
    metas.sort();
    metas.iter().map(|meta| read(&root, meta)).collect()
}

fn read(root: &Path, path: &Path) -> Result<Captured> {
    let meta: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let body = path.to_string_lossy().replace(".meta.json", ".body");
    let headers = meta["headers"].as_array().context("headers")?;
    Ok(Captured {
        name: path.strip_prefix(root)?.to_string_lossy().replace(".meta.json", ""),
        method: text(&meta["method"]),
        path: text(&meta["path"]),
        headers: headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        body: std::fs::read(body)?,
    })
}
