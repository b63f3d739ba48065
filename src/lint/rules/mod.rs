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
    arg_index_out_of_range,
    default_allow,
    duplicate_entry,
    duplicate_key,
    empty_syscall_name,
    errno_on_non_errno_action,
    errno_out_of_range,
    errno_zero,
    impossible_condition,
    json_syntax,
    kill_thread_action,
    listener_unused,
    log_default_not_enforcing,
    masked_eq_bits_outside_mask,
    missing_required_field,
    negative_int_as_64bit,
    nonexistent_syscall,
    not_a_profile,
    notify_forbidden_syscall,
    notify_tsync,
    notify_without_listener,
    pointer_arg_compared,
    same_index_or,
    spec_allow_missing,
    syscall_alias,
    syscall_newer_than_target,
    syscall_not_on_arch,
    tautological_condition,
    too_many_args,
    trace_without_tracer,
    unknown_action,
    unknown_field,
    unknown_syscall,
    value_two_ignored,
    wrong_json_type,
}
