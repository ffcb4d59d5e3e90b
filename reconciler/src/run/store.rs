//! The objects that a watch has shown, kept through its relists by mark and sweep.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Values by key. When a watch lists its objects again, [`relist`](Self::relist) marks the entries,
/// the listed objects are inserted, and [`sweep`](Self::sweep) removes the entries that were not
/// listed.
#[derive(Debug)]
pub(super) struct Store<K, V>(HashMap<K, StoreEntry<V>>);

#[derive(Debug)]
struct StoreEntry<V> {
    value: V,
    /// A list has begun, and the entry was not in it so far.
    unseen: bool,
}

impl<K, V> Default for Store<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone, V> Store<K, V> {
    /// The value of a key.
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key).map(|entry| &entry.value)
    }

    /// The value of a key, to be changed in place.
    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Inserts a value that a watch has shown. Returns the one that it replaces.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let unseen = false;
        let replaced = self.0.insert(key, StoreEntry { value, unseen });
        replaced.map(|entry| entry.value)
    }

    /// Inserts a value that did not come from a watch. An entry that was not listed so far stays
    /// marked.
    pub(super) fn update(&mut self, key: K, value: V) {
        let unseen = self.0.get(&key).is_some_and(|entry| entry.unseen);
        self.0.insert(key, StoreEntry { value, unseen });
    }

    /// The watch has shown the value that is stored.
    pub(super) fn mark_seen<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some(entry) = self.0.get_mut(key) {
            entry.unseen = false;
        }
    }

    /// Removes a value.
    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
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

    /// The list of these keys has ended. Removes the entries that were not in it, and returns them.
    pub(super) fn sweep(&mut self, is_listed: impl Fn(&K) -> bool) -> Vec<(K, V)> {
        let gone = self
            .0
            .extract_if(|key, entry| entry.unseen && is_listed(key));
        gone.map(|(key, entry)| (key, entry.value)).collect()
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, entry)| (key, &entry.value))
    }

    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_a_relist_does_not_show_are_removed() {
        let mut store = Store::default();
        for key in ["a/1", "a/2", "a/3", "b/1"] {
            store.insert(key, 0);
        }
        let in_a = |key: &&str| key.starts_with("a/");
        store.relist(in_a);
        store.insert("a/1", 1);
        store.mark_seen("a/2");
        assert_eq!(store.sweep(in_a), [("a/3", 0)]);
        assert_eq!(store.get("a/1"), Some(&1));
        assert_eq!(store.get("a/2"), Some(&0));
        assert_eq!(store.len(), 3);
    }

    #[test]
    fn an_update_during_a_list_does_not_count_as_listed() {
        let mut store = Store::default();
        store.insert("a", 0);
        store.relist(|_| true);
        store.update("a", 1);
        store.update("b", 0);
        assert_eq!(store.sweep(|_| true), [("a", 1)]);
    }

    #[test]
    fn a_list_that_is_broken_off_removes_nothing() {
        let mut store = Store::default();
        store.insert("a", 0);
        store.relist(|_| true);
        store.relist(|_| true);
        store.insert("a", 0);
        assert!(store.sweep(|_| true).is_empty());
    }
}
