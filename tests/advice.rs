//! What a finding says to do. If one of these fails, a user follows the advice, and meets a field that
//! the file cannot have, or a profile that denies as little as before, or none at all.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

mod support;

use support::{file, run};

/// The helps of a rule's findings.
fn helps(name: &str, text: &str, rule: &str, options: &[&str]) -> Vec<String> {
    let (_directory, path) = file(name, text);
    let path = path.display().to_string();
    let arguments = [
        "check",
        "--no-config",
        "--format=json",
        "--select",
        rule,
        &path,
    ];
    let ran = run(arguments.into_iter().chain(options.iter().copied()));
    let report = ran.report();
    let findings = report["findings"].as_array().expect("findings").iter();
    let help = findings.map(|it| it["help"].as_str().expect("a help").to_owned());
    help.collect()
}

fn json(entries: &str) -> String {
    format!(r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{entries}]}}"#)
}

fn object(entries: &str) -> String {
    let spec = json(entries);
    format!(
        "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\n\
         metadata: {{name: web}}\nspec: {spec}\n"
    )
}

fn section(entries: &str) -> String {
    let spec = json(entries);
    format!(r#"{{"ociVersion": "1.0.2", "process": {{}}, "linux": {{"seccomp": {spec}}}}}"#)
}

/// The operator's objects have neither `defaultErrnoRet` nor `includes`, and configurations of
/// containers lack the latter.
#[test]
fn fields_are_only_advised_where_there_are_such() {
    let fallback =
        r#"{"names": ["close_range", "execve", "newfstatat"], "action": "SCMP_ACT_ALLOW"}"#;
    let conflict = r#"{"names": ["chmod"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}"#;
    let mask = r#"{"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [
        {"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]}"#;
    let both = ["json", "yaml", "config.json"];
    for (rule, entries, field, having) in [
        (
            "enosys-fallback-missing",
            fallback,
            "`defaultErrnoRet`",
            &["json", "config.json"][..],
        ),
        (
            "conflicting-unconditional-rules",
            conflict,
            "`includes`",
            &["json"],
        ),
        ("s390-clone-arg-order", mask, "`includes.arches`", &["json"]),
    ] {
        for kind in both {
            let (name, text) = match kind {
                "json" => ("profile.json", json(entries)),
                "yaml" => ("profile.yaml", object(entries)),
                _ => ("config.json", section(entries)),
            };
            let helps = helps(name, &text, rule, &["--arch=s390x", "--arch=x86_64"]);
            let [help] = helps.as_slice() else {
                panic!("{rule}, {kind}: {helps:?}");
            };
            assert_eq!(
                help.contains(field),
                having.contains(&kind),
                "{rule}, {kind}: {help}"
            );
        }
    }
}

/// Another errno would start no container, or allow what it did before.
#[test]
fn a_denial_without_effect_is_mended_by_what_works() {
    let is_2 = r#", "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]"#;
    let below_3 = r#", "args": [{"index": 0, "value": 3, "op": "SCMP_CMP_LT"}]"#;
    for (allowed, denied, expected) in [
        ("", "", "take `socket` out of the rule entry that allows it"),
        (
            "",
            is_2,
            "give the rule entry that allows it conditions that leave these calls out",
        ),
        (
            below_3,
            is_2,
            "give the rule entry that allows it conditions that leave these calls out",
        ),
        (is_2, is_2, "keep the one of the two that is meant"),
    ] {
        let entries = format!(
            r#"{{"names": ["socket"], "action": "SCMP_ACT_ALLOW"{allowed}}},
               {{"names": ["socket"], "action": "SCMP_ACT_ERRNO"{denied}}}"#
        );
        let found = helps("profile.json", &json(&entries), "ineffective-deny", &[]);
        assert_eq!(found, [expected], "{entries}");
    }
}

/// Whoever shuts `socketcall` would wonder why old programs have no network, and who reads of crun alone
/// why runc does otherwise.
#[test]
fn what_comes_of_the_advice_is_said() {
    let families = r#"{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
        {"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]}"#;
    let threads = r#"{"names": ["clone", "execve", "exit"], "action": "SCMP_ACT_ALLOW"}"#;
    for (rule, entries, arch, words) in [
        (
            "multiplexed-syscall-condition",
            families,
            "--arch=x86",
            "which shuts out 32-bit programs that know no other way",
        ),
        // The host's own, of 64 bits.
        (
            "multiplexed-syscall-condition",
            families,
            "--arch=s390x",
            "conditions, which shuts out programs that know no other way",
        ),
        (
            "clone3-not-enosys",
            threads,
            "--arch=x86_64",
            "runc does so by itself with calls that are newer than all that are named",
        ),
    ] {
        let helps = helps("profile.json", &json(entries), rule, &[arch]);
        assert!(
            helps.iter().all(|help| help.contains(words)) && helps.len() == 1,
            "{helps:?}"
        );
    }
}

/// Runtimes leave out what does as the default does: whoever denies `socketcall` so is told the same
/// again.
#[test]
fn a_multiplexer_is_not_to_be_denied_as_by_default() {
    let allowed = |names: &str| format!(r#"{{"names": [{names}], "action": "SCMP_ACT_ALLOW""#);
    let socket = allowed(r#""socket""#);
    let socket =
        format!(r#"{socket}, "args": [{{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}}]}}"#);
    let all = format!(
        r#"{{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [{socket}"#
    );
    let rule = "multiplexed-syscall-condition";
    let [help] = &helps("a.json", &format!("{all}]}}"), rule, &[])[..] else {
        panic!("one finding");
    };
    assert!(help.contains("(`errnoRet` 1)"), "{help}");
    let denied = |errno| {
        format!(
            r#"{all}, {{"names": ["socketcall"], "action": "SCMP_ACT_ERRNO", "errnoRet": {errno}}}]}}"#
        )
    };
    assert_eq!(helps("a.json", &denied(38), rule, &[]).len(), 1);
    assert_eq!(helps("a.json", &denied(1), rule, &[]).len(), 0);
}

/// Without its denial the default would let the call run.
#[test]
fn a_denial_that_decides_is_not_advised_away() {
    let taken_out = "take the name out of the rule entry without conditions";
    let kept = "remove the rule entry with conditions, or give the other one conditions that leave these calls out";
    let allowed = "take the name out of the rule entry without conditions, and allow it with the conditions under which it is harmless";
    for (default, decides, lost, expected) in [
        ("ALLOW", r#""ERRNO", "errnoRet": 1"#, "ERRNO", kept),
        ("ALLOW", r#""KILL_PROCESS""#, "ERRNO", kept),
        ("ALLOW", r#""ERRNO""#, "LOG", kept),
        ("ALLOW", r#""LOG""#, "ERRNO", taken_out),
        ("KILL_PROCESS", r#""ERRNO""#, "ALLOW", taken_out),
        ("KILL_PROCESS", r#""ALLOW""#, "ERRNO", allowed),
        ("KILL_PROCESS", r#""ALLOW""#, "LOG", kept),
    ] {
        let decides = decides.replacen('"', "\"SCMP_ACT_", 1);
        let text = format!(
            r#"{{"defaultAction": "SCMP_ACT_{default}", "syscalls": [
                {{"names": ["personality"], "action": {decides}}},
                {{"names": ["personality"], "action": "SCMP_ACT_{lost}", "errnoRet": 2, "args": [
                    {{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}}]}}]}}"#
        );
        let found = helps("profile.json", &text, "shadowed-conditional-rule", &[]);
        assert_eq!(found, [expected], "{text}");
    }
}

/// Another condition in its place would let calls run that are denied now.
#[test]
fn conditions_of_a_denial_are_not_advised_to_hold_less() {
    let condition = |action: &str, value: u64, value_two: u64, op: &str| {
        format!(
            r#"{{"defaultAction": "SCMP_ACT_TRAP", "syscalls": [
                {{"names": ["personality"], "action": "SCMP_ACT_{action}", "args": [
                    {{"index": 0, "value": {value}, "valueTwo": {value_two}, "op": "SCMP_CMP_{op}"}}]}}]}}"#
        )
    };
    let cases = [
        (
            "masked-eq-bits-outside-mask",
            "ERRNO",
            0x10,
            0x31,
            "MASKED_EQ",
            "write 16, and a rule entry for each bit of 0x21 if any of them is to be denied too",
        ),
        (
            "masked-eq-bits-outside-mask",
            "ALLOW",
            0x10,
            0x31,
            "MASKED_EQ",
            "`value` is the mask, `valueTwo` what the masked argument must be: were they mixed up?",
        ),
        (
            "masked-eq-bits-outside-mask",
            "ERRNO",
            0x30,
            0x11,
            "MASKED_EQ",
            "write 16: with a wider mask fewer calls are denied",
        ),
        (
            "masked-eq-bits-outside-mask",
            "ALLOW",
            0x30,
            0x11,
            "MASKED_EQ",
            "write 16, or widen the mask in `value`",
        ),
        (
            "negative-int-as-64bit",
            "ERRNO",
            u64::MAX,
            0,
            "EQ",
            "compare the lower half: `SCMP_CMP_MASKED_EQ` with `value` 4294967295 and `valueTwo` 4294967295",
        ),
        (
            "negative-int-as-64bit",
            "ERRNO",
            u64::MAX,
            0,
            "NE",
            "no operator leaves out a lower half: write a rule entry for each value that is meant, with `SCMP_CMP_MASKED_EQ` and `value` 4294967295",
        ),
        (
            "negative-int-as-64bit",
            "ERRNO",
            u64::MAX << 4,
            u64::MAX << 4,
            "MASKED_EQ",
            "compare the lower half: `value` 4294967280 and `valueTwo` 4294967280",
        ),
    ];
    for (rule, action, value, value_two, op, expected) in cases {
        let text = condition(action, value, value_two, op);
        assert_eq!(
            helps("profile.json", &text, rule, &[]),
            [expected],
            "{text}"
        );
    }
}

/// What runtimes refuse adds nothing to another rule entry, and keeping it starts no container.
#[test]
fn a_condition_on_no_argument_is_not_held_against_others() {
    let on = |index: u32| {
        format!(
            r#"{{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{{"index": {index}, "op": "SCMP_CMP_EQ"}}]}}"#
        )
    };
    let text = object(&[on(6), on(1)].join(", "));
    let found = helps("profile.yaml", &text, "redundant-conditional-rule", &[]);
    assert_eq!(found, [""; 0]);
    let found = helps("profile.yaml", &text, "arg-index-out-of-range", &[]);
    let expected = [
        "count from 0: a system call has six arguments, and runtimes refuse a rule about any other",
        "the arguments of `personality`: 0 is `personality`",
    ];
    assert_eq!(found, expected);
}

/// A rule entry for each of these conditions would hold for every call.
#[test]
fn alternatives_that_leave_nothing_out_are_not_to_be_split() {
    let ioctl = |conditions: &str| {
        json(&format!(
            r#"{{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{conditions}]}}"#
        ))
    };
    let but = |value: u32| format!(r#"{{"index": 1, "value": {value}, "op": "SCMP_CMP_NE"}}"#);
    let bit = |value: u32| {
        format!(r#"{{"index": 1, "value": 1, "valueTwo": {value}, "op": "SCMP_CMP_MASKED_EQ"}}"#)
    };
    for conditions in [[but(38), but(40)], [bit(0), bit(1)]] {
        let text = ioctl(&conditions.join(", "));
        let found = helps("profile.json", &text, "same-index-or", &[]);
        let expected =
            "rule entries are alternatives as well: write one for each value that is meant";
        assert_eq!(found, [expected], "{text}");
    }
    let found = helps(
        "profile.json",
        &ioctl(&but(21522)),
        "tty-ioctl-filter-gap",
        &[],
    );
    let expected = "allow the requests that are meant, with a rule entry for each";
    assert_eq!(found, [expected]);
}

/// What is said to become of a value that is none is what the runtimes do.
#[test]
fn runtimes_refuse_what_they_are_said_to_refuse() {
    let action = r#""action": "SCMP_ACT_ALLOW""#;
    let entry = |rest: &str| json(&format!(r#"{{"names": ["personality"], {rest}}}"#));
    let condition = |it: &str| {
        entry(&format!(
            r#"{action}, "args": [{{{it}, "op": "SCMP_CMP_EQ"}}]"#
        ))
    };
    for profile in [
        json(&format!(r#"{{"names": null, {action}}}"#)),
        json(&format!(r#"{{"names": "read", {action}}}"#)),
        json(&format!(r#"{{"names": [7], {action}}}"#)),
        entry(r#""action": null"#),
        entry(r#""action": """#),
        entry(&format!(r#"{action}, "errnoRet": "38""#)),
        entry(&format!(r#"{action}, "args": {{}}"#)),
        condition(r#""index": 0, "value": null"#),
        condition(r#""index": null, "value": 0"#),
        condition(r#""index": 0, "value": "8""#),
        entry(action).replace("SCMP_ACT_ERRNO", ""),
        entry(action).replace(r#""defaultAction": "SCMP_ACT_ERRNO", "#, ""),
    ] {
        let (_directory, path) = file("profile.json", &profile);
        let path = path.display().to_string();
        let report = run(["predict", "--format=json", &path]).report();
        let predictions = report["predictions"].as_array().expect("predictions");
        let refusing = predictions.iter().filter(|it| it["outcome"] == "refuses");
        let refusing: Vec<_> = refusing
            .map(|it| it["runtime"]["name"].as_str().expect("a name"))
            .collect();
        let rules = "--select=wrong-json-type,unknown-action,missing-required-field";
        let report = run(["check", "--no-config", "--format=json", rules, &path]).report();
        let finding = &report["findings"][0];
        let told = format!("{} {}", finding["message"], finding["help"]);
        let all = told.contains("no runtime starts a container with");
        assert_eq!(
            all,
            refusing.len() == predictions.len(),
            "{profile}: {told}"
        );
        let has = |words: &str| all || told.contains(words);
        assert_eq!(has(" runc refuses"), refusing.contains(&"runc"), "{told}");
        assert_eq!(has("crun refuses"), refusing.contains(&"crun"), "{told}");
    }
}

/// Fifteen bases that come to an end are too many, and the last does stand alone.
#[test]
fn a_long_chain_of_bases_is_to_be_made_shorter() {
    let chain = |length: usize| {
        let object = |at: usize| {
            let base = format!(" baseProfileName: p{},", at + 1);
            let base = if at == length { "" } else { &base };
            format!(
                "---\napiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\n\
                 metadata: {{name: p{at}}}\nspec: {{{base} defaultAction: SCMP_ACT_ERRNO}}\n"
            )
        };
        let text: String = (0..=length).map(object).collect();
        helps("chain.yaml", &text, "base-profile-cycle", &[])
    };
    assert_eq!(chain(14), [""; 0]);
    assert_eq!(
        chain(15),
        ["make the chain shorter: put some of them together"]
    );
}

/// Where the kernels are known, it is known which of the two is to go; and nobody but engines reads
/// what stands in a filter.
#[test]
fn advice_is_about_the_hosts_and_readers_that_there_are() {
    let bound = |side: &str| {
        json(&format!(
            r#"{{"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "{side}": {{"minKernel": "4.8"}}}}"#
        ))
    };
    let gone = "remove the rule entry: it is for none of these kernels";
    for (side, kernel, expected) in [
        ("includes", "3.10", Some(gone)),
        ("includes", "6.1", None),
        ("excludes", "3.10", None),
        ("excludes", "6.1", Some(gone)),
    ] {
        let options = ["--engine=podman", "--kernel", kernel];
        let helps = helps("profile.json", &bound(side), "min-kernel-ignored", &options);
        assert_eq!(helps, Vec::from_iter(expected), "{side} {kernel}");
    }
    let twice = |member: &str| {
        json(&format!(
            r#"{{"names": ["bpf"], "action": "SCMP_ACT_ALLOW", {member}}}"#
        ))
    };
    for (member, options, engines) in [
        (
            r#""includes": {"caps": ["CAP_BPF"], "caps": ["CAP_CHOWN"]}"#,
            &[][..],
            true,
        ),
        (r#""errnoRet": 1, "errnoRet": 2"#, &[], false),
        (
            r#""errnoRet": 1, "errnoRet": 2"#,
            &["--engine=docker"],
            true,
        ),
    ] {
        let helps = helps("profile.json", &twice(member), "duplicate-key", options);
        assert_eq!(helps.len(), 1, "{member}");
        let is_of_engines = helps
            .iter()
            .all(|it| it == "keep one: engines take the last");
        assert_eq!(is_of_engines, engines, "{helps:?}");
    }
}

/// What is refused starts no container: an entry that comes too late, or that only a 32-bit
/// architecture mistakes for another one, must not hide that.
#[test]
fn conflicts_are_told_that_other_entries_or_architectures_decide() {
    let deny = |errno: u16, value: u64| {
        format!(
            r#"{{"names": ["mremap"], "action": "SCMP_ACT_ERRNO", "errnoRet": {errno}, "args": [
            {{"index": 3, "value": {value}, "op": "SCMP_CMP_EQ"}}]}}"#
        )
    };
    let allow = r#"{"names": ["mremap"], "action": "SCMP_ACT_ALLOW"}"#;
    let (one, same, wide) = (deny(2, 7), deny(13, 7), deny(13, 0x1_0000_0007));
    let is_told = |entries: &str, options: &[&str]| {
        let text = json(entries);
        !helps("profile.json", &text, "conflicting-same-condition", options).is_empty()
    };
    assert!(is_told(&format!("{one}, {same}, {allow}"), &[]));
    assert!(!is_told(&format!("{allow}, {one}, {same}"), &[]));
    assert!(!is_told(&format!("{one}, {allow}, {same}"), &[]));
    assert!(is_told(&format!("{one}, {wide}"), &["--arch", "x86"]));
    assert!(!is_told(&format!("{one}, {wide}"), &[]));
}

/// The linked libseccomp may have the bug about 64-bit bounds and the hosts' not, or the other way
/// round: nobody is to be told what it does there.
#[test]
fn no_other_release_is_said_to_decide_as_the_linked_one() {
    let bound = |action: &str, value: u64| {
        format!(
            r#"{{"names": ["fallocate"], "action": "{action}", "args": [
            {{"index": 3, "value": {value}, "op": "SCMP_CMP_LT"}}]}}"#
        )
    };
    let (large, small) = (0x2_0000_0010, 0x2_0000_0005);
    let entries = [
        bound("SCMP_ACT_ALLOW", large),
        bound("SCMP_ACT_KILL", small),
    ]
    .join(", ");
    let (_directory, path) = file("profile.json", json(&entries));
    let path = path.display().to_string();
    let rule = "--select=overlapping-conditions";
    let allows = |release: &str| {
        let options = ["check", "--no-config", "--format=json", rule, &path];
        let report = run(options.into_iter().chain(["--libseccomp", release])).report();
        report["findings"].to_string().contains("is let through")
    };
    assert!(!allows("2.6.1"));
    let linked = seclint::filter::linked();
    let has_bug = linked.is_some_and(|it| it < seclint::syscalls::Release::new(2, 6, 1));
    assert_eq!(allows("2.6.0"), has_bug);
}

/// No reader takes both lists of a key that is given twice.
#[test]
fn entries_of_two_lists_do_not_beat_each_other() {
    let deny = r#"{"names": ["getcwd"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2}"#;
    let allow = r#"{"names": ["getcwd", "read"], "action": "SCMP_ACT_ALLOW"}"#;
    let is_told = |between: &str| {
        let text = json(&format!("{deny}{between}{allow}"));
        !helps(
            "profile.json",
            &text,
            "conflicting-unconditional-rules",
            &[],
        )
        .is_empty()
    };
    assert!(is_told(", "));
    assert!(!is_told(r#"], "syscalls": ["#));
}
