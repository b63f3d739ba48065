//! seclint

pub mod finding;
pub mod profile;
pub mod text;
