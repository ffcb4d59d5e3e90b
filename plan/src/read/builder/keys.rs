//! The entries of a map: keys that stand twice, and entries taken over by `<<`.

use kuma_workload_rulebook::quoted::Quoted;

use super::super::{
    fault::Problem,
    tree::{Node, Position, Value},
};

/// A map of that many entries is compared key by key; of more, they are sorted.
const FEW: usize = 8;

/// The entries of a map that has not ended.
#[derive(Debug, Default)]
pub(super) struct Keys {
    entries: Vec<(String, Node)>,
    /// Where each key stands; none of those that were taken over.
    places: Vec<Option<Position>>,
    pending: Pending,
}

/// What comes next in a map.
#[derive(Debug, Default)]
enum Pending {
    /// A key.
    #[default]
    Key,
    /// The value of this key.
    Value(Position, String),
    /// The value of something that cannot be a key.
    Lost,
    /// What `<<` takes over.
    Merged(Position),
}

impl Keys {
    pub(super) fn is_key_due(&self) -> bool {
        matches!(self.pending, Pending::Key)
    }

    /// The key whose value is due.
    pub(super) fn pending(&self) -> Option<&str> {
        match &self.pending {
            Pending::Value(_, key) => Some(key),
            _ => None,
        }
    }

    pub(super) fn expect_value(&mut self, at: Position, key: String) {
        self.pending = Pending::Value(at, key);
    }

    pub(super) fn expect_merge(&mut self, at: Position) {
        self.pending = Pending::Merged(at);
    }

    pub(super) fn lose_value(&mut self) {
        self.pending = Pending::Lost;
    }

    /// The value that was due. Where values are not kept, none is there to be taken over.
    pub(super) fn value(&mut self, node: Node, kept: bool) -> Result<(), Problem> {
        match std::mem::take(&mut self.pending) {
            Pending::Value(at, key) => {
                self.entries.push((key, node));
                self.places.push(Some(at));
                Ok(())
            }
            Pending::Merged(at) if kept => self.merge(at, node),
            _ => Ok(()),
        }
    }

    fn merge(&mut self, at: Position, node: Node) -> Result<(), Problem> {
        let problem = || Problem {
            at,
            message: "what << takes over must be a map, or a list of maps".to_owned(),
        };
        let maps = match node.value {
            Value::Map(entries) => vec![entries],
            Value::List(items) => {
                let map = |item: Node| match item.value {
                    Value::Map(entries) => Some(entries),
                    _ => None,
                };
                let maps: Option<Vec<_>> = items.into_iter().map(map).collect();
                maps.ok_or_else(problem)?
            }
            _ => return Err(problem()),
        };
        // The last counts, and of a list that is the first.
        for entries in maps.into_iter().rev() {
            self.places.resize(self.places.len() + entries.len(), None);
            self.entries.extend(entries);
        }
        Ok(())
    }

    /// The entries, each key once: of a key that `<<` takes over and that is given too, the later
    /// counts, as kubectl has it. A key that is given twice is a problem.
    pub(super) fn settle(self, problems: &mut Vec<Problem>) -> Vec<(String, Node)> {
        let Self {
            mut entries,
            places,
            ..
        } = self;
        let mut superseded = Vec::new();
        for (first, second) in repeated(&entries) {
            let key = entries.get(first).map(|(key, _)| key.as_str());
            let place = |index: usize| places.get(index).copied().flatten();
            if let (Some(key), Some(before), Some(at)) = (key, place(first), place(second)) {
                problems.push(twice(key, before, at));
            }
            superseded.push(first);
        }
        if !superseded.is_empty() {
            superseded.sort_unstable();
            let mut superseded = superseded.into_iter().peekable();
            let mut index = 0;
            entries.retain(|_| {
                index += 1;
                superseded.next_if_eq(&(index - 1)).is_none()
            });
        }
        entries
    }
}

fn twice(key: &str, before: Position, at: Position) -> Problem {
    let Position { line, column } = before;
    let key = Quoted(key);
    Problem {
        at,
        message: format!(
            "the key {key} is repeated: it stands at line {line}, column {column} already; keep one"
        ),
    }
}

/// Neighbours among the entries of one key: the indices of one and of the next.
fn repeated(entries: &[(String, Node)]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    if entries.len() <= FEW {
        for (second, (key, _)) in entries.iter().enumerate() {
            let before = entries.iter().take(second);
            if let Some(first) = before.clone().rposition(|(other, _)| other == key) {
                found.push((first, second));
            }
        }
        return found;
    }
    let mut order: Vec<_> = entries.iter().map(|(key, _)| key).enumerate().collect();
    order.sort_unstable_by_key(|&(index, key)| (key, index));
    for pair in order.windows(2) {
        if let [(first, key), (second, other)] = pair
            && key == other
        {
            found.push((*first, *second));
        }
    }
    found
}
