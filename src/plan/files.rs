//! What the arguments of the command line mean: built-in names, paths, and their texts.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Request;
use super::fields::Reader;
use super::names::nearest;
use super::source::Source;

/// The command line as a source of its own, with the place of every argument.
pub struct Arguments {
    pub source: Arc<Source>,
    pub workload: Range<usize>,
    pub target: Range<usize>,
    pub set: Vec<(String, Range<usize>)>,
    pub time: Option<(String, Range<usize>)>,
}

impl Arguments {
    pub fn new(request: &Request) -> Arguments {
        let mut text = String::new();
        let mut push = |option: &str, value: &str| {
            if !text.is_empty() {
                text.push(' ');
            }
            text += option;
            let start = text.len();
            text += value;
            start..text.len()
        };
        let workload = push("", &request.workload);
        let target = push("--target ", &request.target);
        let set = request.set.iter().map(|value| (value.clone(), push("--set ", value))).collect();
        let time = request.time.as_ref().map(|time| (time.clone(), push("--time ", time)));
        Arguments { source: Source::new("command line", text), workload, target, set, time }
    }
}

/// A workload or target that was found.
pub struct Found {
    pub name: String,
    pub source: Arc<Source>,
}

/// Finds what is built in under that name, else reads the file of that path. `kind` is
/// `workload` or `target`; a mistake goes to the reader of the command line.
pub fn find(
    line: &Reader,
    bytes: &Range<usize>,
    written: &str,
    kind: &str,
    built_in: &[(&str, &str)],
) -> Option<Found> {
    if let Some((name, text)) = built_in.iter().find(|(name, _)| *name == written) {
        let source = Source::new(format!("built-in {kind} {name}"), *text);
        return Some(Found { name: name.to_string(), source });
    }
    let path = Path::new(written);
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Found { name: name_of(path), source: Source::new(written, text) }),
        Err(error) => {
            let message = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    format!("no built-in {kind} and no file `{written}`")
                }
                _ => format!("the {kind} `{written}` cannot be read: {error}"),
            };
            let names: Vec<&str> = built_in.iter().map(|(name, _)| *name).collect();
            line.refuse(bytes, message, accepted(path, kind, &names));
            None
        }
    }
}

/// The file name without its ending; of a `cluster.yaml` the folder that it is in.
fn name_of(path: &Path) -> String {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let folder = || {
        let path = std::path::absolute(path).ok()?;
        Some(path.parent()?.file_name()?.to_string_lossy().into_owned())
    };
    match stem(path) {
        Some(stem) if stem == "cluster" => folder().unwrap_or(stem),
        Some(stem) => stem,
        None => path.to_string_lossy().into_owned(),
    }
}

/// Names and files near to what was written, then all built-in names.
fn accepted(path: &Path, kind: &str, built_in: &[&str]) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut similar: Vec<String> = Vec::new();
    if let Some(stem) = &stem {
        similar.extend(nearest(stem, built_in.iter().copied()).map(str::to_string));
    }
    similar.extend(similar_file(path).map(|path| path.display().to_string()));
    let mut text = match similar.is_empty() {
        true => String::new(),
        false => format!("did you mean `{}`? ", similar.join("` or `")),
    };
    text += "The path of a YAML file";
    if !built_in.is_empty() {
        text += &format!(", or a built-in {kind}: {}", built_in.join(", "));
    }
    text
}

/// The YAML file in the same folder whose name is nearest.
fn similar_file(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    files.sort();
    let name = nearest(&wanted, files.iter().map(String::as_str))?;
    Some(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_places() {
        let arguments = Arguments::new(&Request {
            workload: "register".to_string(),
            target: "etcd".to_string(),
            set: vec!["read=serializable".to_string()],
            time: Some("30s".to_string()),
            seed: None,
        });
        let text = &arguments.source.text;
        assert_eq!(text, "register --target etcd --set read=serializable --time 30s");
        assert_eq!(&text[arguments.target], "etcd");
        assert_eq!(&text[arguments.set[0].1.clone()], "read=serializable");
        assert_eq!(&text[arguments.time.expect("given").1], "30s");
    }

    #[test]
    fn names_of_files() {
        assert_eq!(name_of(Path::new("workloads/register.yaml")), "register");
        assert_eq!(name_of(Path::new("targets/etcd/cluster.yaml")), "etcd");
    }

    #[test]
    fn a_similar_file_of_the_same_folder_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("register.yaml"), "").expect("written");
        let written = folder.path().join("registr.yaml");
        assert_eq!(similar_file(&written), Some(folder.path().join("register.yaml")));
        let text = accepted(&written, "workload", &["register", "single"]);
        assert!(text.starts_with("did you mean `register` or `"), "{text}");
        assert!(text.ends_with("a built-in workload: register, single"), "{text}");
        assert_eq!(similar_file(&folder.path().join("zookeeper.yaml")), None);
    }
}
