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
    archmap_ignored_for_arch,
    arg_index_out_of_range,
    base_profile_unseen,
    default_allow,
    denied_by_engine_difference,
    deprecated_name,
    docker_format_in_oci,
    duplicate_entry,
    duplicate_key,
    empty_names,
    empty_syscall_name,
    errno_on_non_errno_action,
    errno_out_of_range,
    errno_string_not_portable,
    errno_zero,
    field_case_mismatch,
    impossible_condition,
    invalid_min_kernel,
    json_syntax,
    kill_thread_action,
    listener_unused,
    log_default_not_enforcing,
    masked_eq_bits_outside_mask,
    min_kernel_ignored,
    missing_required_field,
    missing_sub_architecture,
    mixed_endian_architectures,
    name_and_names,
    native_architecture_missing,
    negative_int_as_64bit,
    nonexistent_syscall,
    not_a_profile,
    notify_forbidden_syscall,
    notify_tsync,
    notify_without_listener,
    number_out_of_range,
    operator_schema,
    podman_validate_gap,
    pointer_arg_compared,
    policy_forbidden_syscall,
    policy_required_syscall,
    same_index_or,
    seccomp_disabled,
    spec_allow_missing,
    syscall_alias,
    syscall_newer_than_target,
    syscall_not_on_arch,
    tautological_condition,
    too_many_args,
    trace_without_tracer,
    unknown_action,
    unknown_architecture,
    unknown_capability,
    unknown_field,
    unknown_flag,
    unknown_operator,
    unknown_syscall,
    value_two_ignored,
    wrong_json_type,
    x32_enabled,
    yaml_syntax,
}
