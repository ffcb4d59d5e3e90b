//! A copy of what a watch has shown, kept through its relists.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Values by key. A list that starts anew is announced by [`relist`](Self::relist), its items are
/// put in, and [`sweep`](Self::sweep) takes out what was not among them.
#[derive(Debug)]
pub(super) struct Mirror<K, V>(HashMap<K, Entry<V>>);

#[derive(Debug)]
struct Entry<V> {
    value: V,
    unseen: bool,
}

impl<K, V> Default for Mirror<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone, V> Mirror<K, V> {
    /// The value of a key.
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key).map(|entry| &entry.value)
    }

    /// The value of a key, to be changed where it is.
    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Puts a value in; gives back the one that it replaces.
    pub(super) fn put(&mut self, key: K, value: V) -> Option<V> {
        let unseen = false;
        let replaced = self.0.insert(key, Entry { value, unseen });
        replaced.map(|entry| entry.value)
    }

    /// Puts in what did not come from the list: an entry that the list has not shown stays so.
    pub(super) fn update(&mut self, key: K, value: V) {
        let unseen = self.0.get(&key).is_some_and(|entry| entry.unseen);
        self.0.insert(key, Entry { value, unseen });
    }

    /// It was in the list, with the value that is known.
    pub(super) fn see<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some(entry) = self.0.get_mut(key) {
            entry.unseen = false;
        }
    }

    /// Takes a value out.
    pub(super) fn take<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key).map(|entry| entry.value)
    }

    /// A list of these keys begins.
    pub(super) fn relist(&mut self, is_listed: impl Fn(&K) -> bool) {
        for (key, entry) in &mut self.0 {
            entry.unseen |= is_listed(key);
        }
    }

    /// The list of these keys has ended; gives back the keys that were not in it and are gone.
    pub(super) fn sweep(&mut self, is_listed: impl Fn(&K) -> bool) -> Vec<(K, V)> {
        let gone = self
            .0
            .extract_if(|key, entry| entry.unseen && is_listed(key));
        gone.map(|(key, entry)| (key, entry.value)).collect()
    }

    /// All of it, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, entry)| (key, &entry.value))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_relist_does_not_show_is_gone() {
        let mut mirror = Mirror::default();
        for key in ["a/1", "a/2", "a/3", "b/1"] {
            mirror.put(key, 0);
        }
        let in_a = |key: &&str| key.starts_with("a/");
        mirror.relist(in_a);
        mirror.put("a/1", 1);
        mirror.see("a/2");
        assert_eq!(mirror.sweep(in_a), [("a/3", 0)]);
        assert_eq!(mirror.get("a/1"), Some(&1));
        assert_eq!(mirror.get("a/2"), Some(&0));
        assert_eq!(mirror.len(), 3);
    }

    #[test]
    fn what_did_not_come_from_the_list_was_not_in_it() {
        let mut mirror = Mirror::default();
        mirror.put("a", 0);
        mirror.relist(|_| true);
        mirror.update("a", 1);
        mirror.update("b", 0);
        assert_eq!(mirror.sweep(|_| true), [("a", 1)]);
    }

    #[test]
    fn a_list_that_breaks_off_takes_nothing_away() {
        let mut mirror = Mirror::default();
        mirror.put("a", 0);
        mirror.relist(|_| true);
        mirror.relist(|_| true);
        mirror.put("a", 0);
        assert!(mirror.sweep(|_| true).is_empty());
    }
}
