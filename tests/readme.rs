//! What the README shows is what seclint prints.

#![allow(clippy::expect_used, reason = "a test")]

mod support;

use std::fs;

use support::{Ran, repository, seclint};

/// The picture is drawn from the output. `SECLINT_DRAW=1` draws it anew.
#[test]
fn the_picture_is_what_seclint_prints() {
    let mut command = seclint();
    command
        .current_dir(repository("docs"))
        .args(["check", "--color=always", "deny.json"]);
    let ran = Ran::from(command.output().expect("seclint runs"));
    let term = anstyle_svg::Term::new().min_width_px(820);
    let drawn = term.render_svg(&format!("$ seclint check deny.json\n{}", ran.stdout));
    let picture = repository("docs/check.svg");
    if std::env::var_os("SECLINT_DRAW").is_some() {
        fs::write(&picture, &drawn).expect("a picture");
    }
    let kept = fs::read_to_string(&picture).expect("a picture");
    assert_eq!(kept, drawn, "docs/check.svg is not what seclint prints");
}

/// A reader who compares the example with a terminal must find the same.
#[test]
fn the_example_of_why_is_what_seclint_prints() {
    let mut command = seclint();
    let arguments = ["why", "socket.json", "socket", "AF_ALG"];
    let ran = Ran::from(
        (command.current_dir(repository("docs")).args(arguments))
            .env("LANG", "C.UTF-8")
            .output()
            .expect("seclint runs"),
    );
    let readme = fs::read_to_string(repository("README.md")).expect("a README");
    let shown = format!("$ seclint {}\n{}", arguments.join(" "), ran.stdout);
    assert!(
        readme.contains(&shown),
        "the README does not show:\n{shown}"
    );
}

/// A reader who copies a command must not be told that there is no such thing.
#[test]
fn every_command_in_the_readme_is_understood() {
    let readme = fs::read_to_string(repository("README.md")).expect("a README");
    let mut commands = 0;
    for line in readme.lines() {
        let Some(arguments) = line.strip_prefix("$ seclint ") else {
            continue;
        };
        commands += 1;
        let subcommand = arguments.split(' ').next().expect("a subcommand");
        let options = arguments
            .split([' ', '='])
            .filter(|word| word.starts_with("--"));
        let help = Ran::from(
            seclint()
                .args([subcommand, "--help"])
                .output()
                .expect("seclint runs"),
        );
        assert_eq!(help.code, 0, "{line}");
        for option in options {
            assert!(help.stdout.contains(option), "{line}: no {option}");
        }
    }
    assert!(commands >= 5, "{commands} commands");
}
