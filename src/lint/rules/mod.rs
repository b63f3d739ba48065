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
    arches_filter_never_matches,
    architectures_and_archmap,
    deprecated_name,
    duplicate_key,
    empty_names,
    empty_syscall_name,
    field_case_mismatch,
    invalid_min_kernel,
    json_syntax,
    missing_required_field,
    name_and_names,
    not_a_profile,
    number_out_of_range,
    seccomp_disabled,
    syscall_alias,
    syscall_newer_than_target,
    syscall_not_on_arch,
    unknown_action,
    unknown_architecture,
    unknown_capability,
    unknown_field,
    unknown_flag,
    unknown_operator,
    unknown_syscall,
    wrong_json_type,
}
