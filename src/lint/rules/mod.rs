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
    duplicate_key,
    empty_syscall_name,
    impossible_condition,
    json_syntax,
    masked_eq_bits_outside_mask,
    missing_required_field,
    negative_int_as_64bit,
    not_a_profile,
    pointer_arg_compared,
    same_index_or,
    syscall_alias,
    syscall_newer_than_target,
    syscall_not_on_arch,
    tautological_condition,
    too_many_args,
    unknown_action,
    unknown_field,
    unknown_syscall,
    value_two_ignored,
    wrong_json_type,
}
