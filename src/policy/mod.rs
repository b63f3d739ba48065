//! Policies: what a runtime's plan means, as libseccomp takes it, but without libseccomp.
//!
//! libseccomp does not go through rules in their order. Of the rules on one call the first without
//! conditions wins, whatever stands before or after it; where there is none, a rule decides where
//! its conditions hold; and where rules that do different things hold together, libseccomp's inner
//! order decides, which nobody promises: the policy says then that it does not know. It says so as
//! well where libseccomp's program may not do what it was asked for: where rules of several
//! conditions, or on upper halves that differ, compare one argument; and where no rule of an
//! architecture is unconditional, and one is about a call without a number there.
//!
//! - [`CallPolicy`] is the policy of one call, made of any rules: it says what happens to
//!   arguments, and what becomes of each rule.
//! - [`Policy`] is that of a whole plan: all calls of all architectures, with calls that are
//!   carried by others, and what runc puts before the filter. Its diagram can be compared with a
//!   filter's.
//!
//! Source: measured with libseccomp 2.5.4, 2.6.0 and 2.6.1; `tests/policy` compares it with what
//! the linked one makes of thousands of generated plans.

mod call;
mod conditions;
mod plan;

pub use call::{CallPolicy, CallRule, Decided, Fate};
pub use conditions::calls_of;
pub use plan::{Place, Policy};
