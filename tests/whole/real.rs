//! Real databases from Debian's packages get the verdicts that they deserve.
//!
//! Run by `make whole`, one at a time: each brings up a cluster on the cores of this machine.

use crate::support::run;

#[test]
fn etcd_with_linearizable_reads_is_cp() {
    let results = tempfile::tempdir().unwrap();
    let run = run(results.path(), "workloads/register.yaml", "etcd", &["--expect", "CP"]);
    assert_eq!((run.kind(), run.exit), ("CP", 0), "{}", run.story());
    assert_eq!(run.finding("linearizable"), "valid", "{}", run.story());
    assert_eq!(run.finding("convergent"), "valid", "{}", run.story());
}

#[test]
fn etcd_with_serializable_reads_is_refuted_with_a_witness() {
    let results = tempfile::tempdir().unwrap();
    let set = ["--set", "read=serializable"];
    let run = run(results.path(), "workloads/register.yaml", "etcd", &set);
    assert_eq!(run.exit, 1, "{}", run.story());
    assert_eq!(run.finding("linearizable"), "invalid", "{}", run.story());
    assert!(!run.witness("linearizable").is_empty(), "{}", run.story());
    assert_eq!(run.kind(), "mixed", "{}", run.story());
    let verdict = run.verdict_file();
    let standing = |model: &str| {
        let steps = verdict["ladder"]["steps"].as_array().cloned().unwrap_or_default();
        steps.iter().find(|step| step["model"] == model).map(|step| step["standing"].clone())
    };
    assert_eq!(standing("linearizable").unwrap(), "refuted");
    assert_eq!(standing("monotonic-reads").unwrap(), "not-refuted");
    assert_eq!(standing("eventual").unwrap(), "not-refuted");
    assert!(verdict["staleness"]["stale"].as_u64() > Some(0), "{}", verdict["staleness"]);
}

#[test]
fn redis_cluster_loses_acknowledged_writes_and_is_not_ap() {
    let results = tempfile::tempdir().unwrap();
    let run = run(results.path(), "workloads/register.yaml", "redis", &[]);
    assert_eq!(run.exit, 1, "{}", run.story());
    assert_eq!(run.finding("linearizable"), "invalid", "{}", run.story());
    assert_eq!(run.finding("convergent"), "invalid", "{}", run.story());
    assert!(run.witness("convergent").contains("acknowledged"), "{}", run.story());
    assert_eq!(run.kind(), "neither", "{}", run.story());
}

/// A node that was cut off serves stale reads until it misses its leader, for two seconds at most:
/// mostly, not always, a read of a key that was written meanwhile falls into them.
#[test]
fn zookeeper_with_local_reads_is_refuted_as_linearizable() {
    let results = tempfile::tempdir().unwrap();
    let refuted = ["77", "78", "79"].into_iter().map(|seed| {
        let set = ["--set", "read=local", "--seed", seed];
        run(&results.path().join(seed), "workloads/register.yaml", "zookeeper", &set)
    });
    let run = refuted.into_iter().find(|run| run.exit == 1).expect("one of three is refuted");
    assert_eq!(run.finding("linearizable"), "invalid", "{}", run.story());
    assert!(!run.witness("linearizable").is_empty(), "{}", run.story());
}

/// A leader answers a sync by itself, so its reads may be stale for as long as it does not know
/// that it was deposed, and for the moment in which a follower is ahead of it: few, if any.
#[test]
fn zookeeper_with_sync_before_reads_is_stale_at_most_at_its_leader() {
    let results = tempfile::tempdir().unwrap();
    let run = run(results.path(), "workloads/register.yaml", "zookeeper", &["--set", "read=sync"]);
    match run.finding("linearizable").as_str() {
        "valid" => assert_eq!((run.kind(), run.exit), ("CP", 0), "{}", run.story()),
        "invalid" => {
            assert_eq!((run.kind(), run.exit), ("neither", 1), "{}", run.story());
            assert!(run.violations("linearizable") <= 10, "{}", run.story());
            let stale = run.last_of_witness("linearizable");
            let node = stale["node"].as_str().unwrap_or("nobody");
            assert!(run.log_of(node).contains("LEADING"), "{}", run.story());
        }
        other => panic!("{other}: {}", run.story()),
    }
}

#[test]
fn zookeeper_with_reads_that_the_majority_confirms_is_cp() {
    let results = tempfile::tempdir().unwrap();
    let more = ["--set", "read=confirmed", "--expect", "CP"];
    let run = run(results.path(), "workloads/register.yaml", "zookeeper", &more);
    assert_eq!((run.kind(), run.exit), ("CP", 0), "{}", run.story());
}
