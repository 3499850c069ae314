//! What a person may do: staff, manager and owner, each with all that the one before may do.

use std::{fmt, str::FromStr};

/// A person's place with a jeweller, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads everything, adjusts stock.
    Staff,
    /// Also connects, disconnects and syncs stores, and decides what they disagree on.
    Manager,
    /// Also says who else may come in.
    Owner,
}

/// A word that is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of: owner, manager, staff")]
pub struct RoleError;

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Staff, Self::Manager, Self::Owner];

    /// The word in the database, in commands and in forms.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// When it is none of the three.
    pub fn parse(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }

    /// Whether somebody with this role may do what `needed` may.
    #[must_use]
    pub fn may(self, needed: Self) -> bool {
        self >= needed
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_those_below_it_may_and_no_more() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Ok(role));
            assert!(role.may(role) && role.may(Role::Staff) && Role::Owner.may(role));
        }
        assert!(!Role::Staff.may(Role::Manager));
        assert!(!Role::Manager.may(Role::Owner));
        for text in ["", "Owner", "admin", " owner"] {
            assert_eq!(Role::parse(text), Err(RoleError), "{text:?}");
        }
    }
}
