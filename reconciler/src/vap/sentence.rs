//! The policy's own sentences as CEL.
//!
//! The rulebook is asked what it says about an object whose names are made up, and each of these
//! names becomes an expression. So no sentence is written twice.

use super::cel;

/// A sentence with expressions in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Expression(String),
}

impl Sentence {
    /// This text, in which an expression takes the place of each of these words.
    pub(super) fn new<'w>(
        text: &str,
        expressions: impl IntoIterator<Item = (&'w str, &'w str)>,
    ) -> Self {
        let mut pieces = vec![Piece::Text(text.to_owned())];
        for (word, expression) in expressions {
            let split = pieces.into_iter().flat_map(|piece| match piece {
                Piece::Text(text) => replaced(&text, word, expression),
                piece => vec![piece],
            });
            pieces = split.collect();
        }
        Self(pieces)
    }

    /// What the sentence ends with, and the sentence without it: its last text.
    pub(super) fn split_end(mut self) -> (Self, String) {
        match self.0.pop() {
            Some(Piece::Text(end)) => (self, end),
            last => {
                self.0.extend(last);
                (self, String::new())
            }
        }
    }

    /// The sentence with one more expression at its end.
    pub(super) fn then(mut self, expression: &str) -> Self {
        self.0.push(Piece::Expression(expression.to_owned()));
        self
    }

    /// The whole sentence, if there is no expression in it.
    pub(super) fn text(&self) -> Option<&str> {
        match &*self.0 {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The sentence as an expression.
    pub(super) fn cel(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => cel::text(text),
            Piece::Expression(expression) => expression.clone(),
        });
        pieces.collect::<Vec<_>>().join(" + ")
    }
}

fn replaced(text: &str, word: &str, expression: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (number, text) in text.split(word).enumerate() {
        if number > 0 {
            pieces.push(Piece::Expression(expression.to_owned()));
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
    }
    pieces
}

/// One expression for several sentences: the first whose condition holds, or else the last one.
/// Conditions whose sentences are the same are one.
pub(super) fn choose(sentences: Vec<(String, Sentence)>) -> String {
    let mut choices: Vec<(Vec<String>, Sentence)> = Vec::new();
    for (condition, sentence) in sentences {
        match choices.iter_mut().find(|(_, known)| *known == sentence) {
            Some((conditions, _)) => conditions.push(condition),
            None => choices.push((vec![condition], sentence)),
        }
    }
    let Some((_, last)) = choices.pop() else {
        return String::new();
    };
    let mut expression = String::new();
    for (conditions, sentence) in choices {
        let condition = conditions.join(" || ");
        expression.push_str(&format!("{condition} ?\n{} :\n", sentence.cel()));
    }
    expression + &last.cel()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(text: &str) -> Sentence {
        Sentence::new(text, [("MESH", "variables.mesh"), ("NAME", "object.name")])
    }

    #[test]
    fn expressions_take_the_place_of_words() {
        assert_eq!(
            sentence("pod MESH and NAME, MESH").cel(),
            "'pod ' + variables.mesh + ' and ' + object.name + ', ' + variables.mesh"
        );
    }

    #[test]
    fn the_end_can_be_another() {
        let (rest, end) = sentence("it is in MESH today").split_end();
        assert_eq!(end, " today");
        assert_eq!(
            rest.then("variables.end").cel(),
            "'it is in ' + variables.mesh + variables.end"
        );
    }

    #[test]
    fn sentences_that_are_the_same_are_one() {
        let one = |condition: &str, text: &str| (condition.to_owned(), sentence(text));
        assert_eq!(choose(vec![one("a", "x"), one("b", "x")]), "'x'");
        assert_eq!(
            choose(vec![one("a", "x"), one("b", "x"), one("c", "y")]),
            "a || b ?\n'x' :\n'y'"
        );
    }
}
