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
    default_allow,
    duplicate_entry,
    duplicate_key,
    empty_syscall_name,
    errno_on_non_errno_action,
    errno_out_of_range,
    errno_zero,
    json_syntax,
    kill_thread_action,
    listener_unused,
    log_default_not_enforcing,
    missing_required_field,
    nonexistent_syscall,
    not_a_profile,
    notify_forbidden_syscall,
    notify_tsync,
    notify_without_listener,
    spec_allow_missing,
    syscall_alias,
    syscall_newer_than_target,
    syscall_not_on_arch,
    trace_without_tracer,
    unknown_action,
    unknown_field,
    unknown_syscall,
    wrong_json_type,
}
