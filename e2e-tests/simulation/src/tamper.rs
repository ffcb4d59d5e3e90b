//! Faults of the program that can be planted outside of it, by altering what it asks and is answered.

use crate::server::{request::Request, status::Answer};

/// A fault that is planted at the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    /// Deletes carry no preconditions.
    UnconditionalDeletes,
}

impl Tamper {
    /// Alters a request.
    pub fn alter_request(&mut self, request: &mut http::Request<Vec<u8>>) {
        match self {
            Self::UnconditionalDeletes => {
                if request.method() == http::Method::DELETE {
                    request.body_mut().clear();
                }
            }
        }
    }

    /// Alters an answer.
    pub fn alter_answer(&mut self, _request: &Request, _answer: &mut Answer) {}
}
