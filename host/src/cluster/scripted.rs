//! A backend that answers from a script: any error text, any bytes.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::{
    backend::{Backend, Reply},
    failure::Failure,
};
use crate::question::Question;

type Rule = Box<dyn Fn(&Question) -> Reply + Send + Sync>;

/// Answers in order from a list, then by a rule.
pub struct Scripted {
    replies: Mutex<VecDeque<Reply>>,
    rule: Rule,
}

impl Scripted {
    /// These replies, one for each question; a question too many fails.
    #[must_use]
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            replies: Mutex::new(replies.into_iter().collect()),
            rule: Box::new(|_| Reply::failure(Failure::new("the script has ended"))),
        }
    }

    /// Whatever the rule says, for every question.
    #[must_use]
    pub fn by(rule: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            replies: Mutex::default(),
            rule: Box::new(rule),
        }
    }

    /// The same error for every question.
    #[must_use]
    pub fn failing(failure: impl Into<Failure>) -> Self {
        let reply = Reply::failure(failure);
        Self::by(move |_| reply.clone())
    }

    /// The same bytes for every question.
    #[must_use]
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let reply = Reply::answer(bytes.into());
        Self::by(move |_| reply.clone())
    }
}

impl Backend for Scripted {
    fn ask(&self, question: &Question) -> Reply {
        let next = self
            .replies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        next.unwrap_or_else(|| (self.rule)(question))
    }
}
