//! Several mistakes at once, of several files, and files that are not there.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Request, load};
use super::{TARGET, WORKLOAD, load_texts, registry, with};

const ROUNDS: usize = 300;

#[test]
fn all_mistakes_of_both_files_and_the_command_line_in_one_go() {
    let workload = [
        ("keys: 10", "keyz: 10"),
        ("50/s", "50"),
        ("isolate: one", "isolate: n7"),
        ("available]", "avail]"),
    ]
    .iter()
    .fold(WORKLOAD.to_string(), |text, (part, replacement)| with(&text, part, replacement));
    let target = with(TARGET, "{data}", "{date} {itself}");
    let mistakes =
        load_texts(&workload, &target, &["raed=x"], Some("9")).expect_err("many mistakes");
    let told: Vec<(&str, usize, usize)> = mistakes
        .iter()
        .map(|mistake| {
            let name = mistake.place.source.name.rsplit('/').next().expect("a name");
            (name, mistake.place.line(), mistake.place.column())
        })
        .collect();
    let (w, t, line) = ("w.yaml", "t.yaml", "command line");
    let mut expected = vec![(t, 13, 26), (t, 13, 33), (w, 1, 1), (w, 3, 1), (w, 6, 7)];
    expected.extend([(w, 10, 27), (w, 13, 35)]);
    assert_eq!(told.iter().filter(|(name, ..)| *name != line).count(), expected.len());
    assert_eq!(told.iter().filter(|(name, ..)| *name == line).count(), 2);
    for place in expected {
        assert!(told.contains(&place), "{place:?} is missing:\n{mistakes}");
    }
    assert!(mistakes.to_string().ends_with("9 mistakes; nothing was started.\n"), "{mistakes}");
}

#[test]
fn a_file_that_does_not_parse_does_not_hide_the_mistakes_of_the_other() {
    let mistakes = load_texts("type: [", &with(TARGET, "nodes: 3", "nodes: x"), &[], None)
        .expect_err("two mistakes");
    assert_eq!(mistakes.len(), 2, "{mistakes}");
}

#[test]
fn every_duplicate_key_of_a_file_is_told() {
    let workload = format!("{WORKLOAD}keys: 1\nrate: 1/s\nkeys: 2\n");
    let mistakes = load_texts(&workload, TARGET, &[], None).expect_err("three duplicates");
    let lines: Vec<usize> = mistakes.iter().map(|mistake| mistake.place.line()).collect();
    assert_eq!(lines, [14, 15, 16], "{mistakes}");
}

#[test]
fn an_empty_file_and_one_without_a_map_are_refused() {
    for text in ["", "# nothing\n", "- a\n", "hello\n"] {
        let mistakes = load_texts(text, TARGET, &[], None).expect_err(text);
        assert!(mistakes.to_string().contains("a workload is"), "{mistakes}");
    }
}

#[test]
fn a_missing_file_is_named_with_what_is_near() {
    let request = Request {
        workload: "registr".to_string(),
        target: "no/such/etdc.yaml".to_string(),
        ..Request::default()
    };
    let targets = [("etcd", TARGET), ("redis", TARGET)];
    let mistakes = load(&request, &registry(&targets)).expect_err("both are missing");
    let expected = "  \
  × no built-in workload and no file `registr`
   ╭─[command line:1:1]
 1 │ registr --target no/such/etdc.yaml
   · ───────
   ╰────
  help: did you mean `register`? The path of a YAML file, or a built-in
        workload: register, register-without-cas, single, demo, demo-without-
        cas

  × no built-in target and no file `no/such/etdc.yaml`
   ╭─[command line:1:18]
 1 │ registr --target no/such/etdc.yaml
   ·                  ─────────────────
   ╰────
  help: did you mean `etcd`? The path of a YAML file, or a built-in target:
        etcd, redis

2 mistakes; nothing was started.
";
    assert_eq!(mistakes.to_string(), expected);
}

#[test]
fn one_rendered_mistake_of_a_built_in_target() {
    let target = with(TARGET, "ok, within: 30s", "it_is_up, within: soon");
    let request = Request {
        workload: "register".to_string(),
        target: "store".to_string(),
        ..Request::default()
    };
    let mistakes = load(&request, &registry(&[("store", &target)])).expect_err("no duration");
    let expected = "  \
  × within: `soon` is not a duration
    ╭─[built-in target store:14:69]
 13 │ start: exec store --data {data} --peers {members}
 14 │ …: { http: \"http://{ip}:80/health\", contains: it_is_up, within: soon }
    ·                                                                 ────
 15 │ http: { read: { method: GET } }
    ╰────
  help: accepted: a number with a unit: `10s`, `250ms`, `1m30s`

1 mistake; nothing was started.
";
    assert_eq!(mistakes.to_string(), expected);
}

/// Files with random damage: whatever is told of them has a place and fits the screen.
#[test]
fn damaged_files_are_refused_in_order_or_load() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let pieces =
        ["{", "}", "[", "]", ":", "- ", "\n", "\n  ", "é", "'", "\"", "0", "-1", "&a ", "*a"];
    let (mut refused, mut loaded) = (0, 0);
    for _ in 0..ROUNDS {
        let mut damage = |text: &str| {
            let mut characters: Vec<char> = text.chars().collect();
            for _ in 0..random.random_range(0..3) {
                let at = random.random_range(0..characters.len());
                let end = (at + random.random_range(0..12)).min(characters.len());
                let piece = pieces[random.random_range(0..pieces.len())];
                characters.splice(at..end, piece.chars());
            }
            characters.into_iter().collect::<String>()
        };
        let (workload, target) = (damage(WORKLOAD), damage(TARGET));
        let Err(mistakes) = load_texts(&workload, &target, &[], None) else {
            loaded += 1;
            continue;
        };
        refused += 1;
        assert!(!mistakes.is_empty());
        for line in mistakes.to_string().lines().filter(|line| !line.contains("─[")) {
            assert!(line.chars().count() <= 80, "{line}\n{workload}\n{target}");
        }
    }
    assert!(refused > ROUNDS / 2 && loaded > 0, "{refused} refused, {loaded} loaded");
}
