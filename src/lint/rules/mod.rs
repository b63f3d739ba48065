//! One file a rule, named as its page in the rule book.

use super::LintRule;

macro_rules! lint_rules {
    ($($name:ident,)+) => {
        $(mod $name;)+

        /// Every rule of the linter, sorted by name.
        pub(super) static LINT_RULES: &[&LintRule] = &[$(&$name::RULE,)+];
    };
}

lint_rules! {
    duplicate_key,
    empty_syscall_name,
    json_syntax,
    missing_required_field,
    not_a_profile,
    syscall_alias,
    syscall_newer_than_target,
    syscall_not_on_arch,
    unknown_action,
    unknown_field,
    unknown_syscall,
    wrong_json_type,
}
