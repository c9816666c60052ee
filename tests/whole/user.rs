//! An ordinary user runs all of it: no root, no sudo, no setting beforehand.
//!
//! When the tests run as root, the user is made for the test and taken away with it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::unistd::{User, geteuid};
use serde_json::Value;

use crate::scene::Scene;
use crate::support::splitbrain;

/// Somebody who is not root, with a home and a binary of their own in the scene's folder.
struct Ordinary {
    binary: PathBuf,
    home: PathBuf,
    uid: u32,
    /// Made for the test.
    made: Option<User>,
}

impl Ordinary {
    fn in_scene(scene: &Scene) -> Ordinary {
        let home = scene.path().join("home");
        fs::create_dir(&home).unwrap();
        let binary = home.join("splitbrain");
        fs::copy(splitbrain().get_program(), &binary).unwrap();
        let made = geteuid().is_root().then(|| make_user(&home));
        if let Some(user) = &made {
            // The scene's own folder is for its owner only.
            fs::set_permissions(scene.path(), fs::Permissions::from_mode(0o755)).unwrap();
            let (uid, gid) = (Some(user.uid.as_raw()), Some(user.gid.as_raw()));
            for path in [&home, &binary] {
                chown(path, uid, gid).unwrap();
            }
        }
        let uid = made.as_ref().map_or(geteuid(), |user| user.uid).as_raw();
        Ordinary { binary, home, uid, made }
    }

    /// `splitbrain ARGUMENTS` as that user, from a login's environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.made {
            None => Command::new(&self.binary),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={}", user.uid))
                    .arg(format!("--regid={}", user.gid))
                    .args(["--clear-groups", "--no-new-privs", "--inh-caps=-all"])
                    .arg(&self.binary);
                command
            }
        };
        command
            .args(arguments)
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir(&self.home);
        command
    }

    fn say(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

impl Drop for Ordinary {
    fn drop(&mut self) {
        if let Some(user) = &self.made {
            let removed = Command::new("userdel").arg(&user.name).output();
            assert!(removed.is_ok_and(|output| output.status.success()), "{} stays", user.name);
        }
    }
}

fn make_user(home: &Path) -> User {
    let name = format!("splitbrain-test-{}", std::process::id());
    let output = Command::new("useradd")
        .args(["--no-create-home", "--shell", "/bin/sh", "--home-dir"])
        .arg(home)
        .arg(&name)
        .output()
        .expect("useradd of the package passwd");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    User::from_name(&name).unwrap().expect("the user that was made")
}

/// Every file and folder under `path`, itself included.
fn all_files(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_path_buf()];
    if path.is_dir() && !path.is_symlink() {
        files.extend(
            fs::read_dir(path).unwrap().flat_map(|entry| all_files(&entry.unwrap().path())),
        );
    }
    files
}

#[test]
fn an_ordinary_user_runs_the_demo() {
    let scene = Scene::new();
    let user = Ordinary::in_scene(&scene);
    let arguments = ["demo", "--mode", "majority", "--mode", "gossip-lww", "--json"];
    let mut demo = scene.start_as(user.command(&arguments));
    assert_eq!(demo.end(), 0, "{}{}", demo.stderr(), demo.stdout());
    let rows: Vec<Value> = serde_json::from_str(&demo.stdout()).unwrap();
    let verdicts: Vec<&str> = rows.iter().map(|row| row["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["CP", "AP"]);
    let results = all_files(&user.home.join("results"));
    assert!(results.iter().any(|path| path.ends_with("demo.html")), "{results:?}");
    for path in results {
        let owner = fs::symlink_metadata(&path).unwrap().uid();
        assert_eq!(owner, user.uid, "{}", path.display());
    }
    drop(user);
    scene.assert_nothing_is_left();
}

#[test]
fn a_shell_opens_inside_a_node_while_a_run_is_up() {
    let scene = Scene::new();
    let user = Ordinary::in_scene(&scene);
    let phases = ["healthy: 1s", "{ partition: { isolate: n3 }, for: 60s }", "settle: 2s"];
    let workload = scene.workload(&phases);
    let results = scene.results();
    fs::create_dir(&results).unwrap();
    chown(&results, Some(user.uid), None).unwrap();
    let results = results.to_string_lossy().into_owned();
    let arguments = ["run", &workload, "--target", "reference", "--results", &results];
    let mut run = scene.start_as(user.command(&arguments));
    run.until_nemesis("partition");
    let folder = run.run().to_string_lossy().into_owned();
    let inside = |node: &str, command: &[&str]| {
        user.say(&[&["shell", node, "--run", &folder, "--"], command].concat())
    };
    let host_name = inside("n1", &["hostname"]);
    assert_eq!(String::from_utf8_lossy(&host_name.stdout), "n1\n", "{host_name:?}");
    assert_eq!(host_name.status.code(), Some(0));
    let addresses = inside("n1", &["ip", "-o", "addr"]);
    let said = String::from_utf8_lossy(&addresses.stdout).into_owned();
    assert!(said.contains("10.77.0.1/") && !said.contains("10.77.0.2/"), "{addresses:?}");
    // The command's own exit code is what the user wants to see.
    assert_eq!(inside("n1", &["sh", "-c", "exit 7"]).status.code(), Some(7));
    let wrong = inside("n9", &["hostname"]);
    assert_eq!(wrong.status.code(), Some(254));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("there is no node \"n9\"; this run has n1, n2, n3"), "{said}");
    run.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(run.end(), 2, "{}", run.stderr());
    let late = inside("n1", &["hostname"]);
    assert_eq!(late.status.code(), Some(254), "{late:?}");
    drop(user);
    scene.assert_nothing_is_left();
}
