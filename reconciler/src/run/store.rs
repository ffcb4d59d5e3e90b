//! The objects that a watch has shown, kept through its relists by mark and sweep.

use std::{borrow::Borrow, collections::BTreeMap};

/// Values by key. Each entry knows when it was stored. A list stores its objects again, and
/// [`sweep`](Self::sweep) then removes what was stored before the list began.
///
/// It is no hash map: one that grows moves all that it has at once, which takes long (L23).
#[derive(Debug)]
pub(super) struct Store<K, V> {
    entries: BTreeMap<K, StoreEntry<V>>,
    now: Moment,
}

#[derive(Debug)]
struct StoreEntry<V> {
    value: V,
    stored: Moment,
}

/// A moment in the life of a store. What is stored later has a later moment, or the same one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl<K, V> Default for Store<K, V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            now: Moment::default(),
        }
    }
}

impl<K: Ord, V> Store<K, V> {
    /// A moment after all that was stored so far, and not after anything that will be.
    pub(super) fn mark(&mut self) -> Moment {
        self.now.0 += 1;
        self.now
    }

    /// The value of a key.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The value of a key, to be changed in place. It does not count as stored again.
    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Whether the value of a key was stored at this moment or later.
    pub(super) fn is_stored_since<Q: Ord + ?Sized>(&self, key: &Q, moment: Moment) -> bool
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.get(key);
        entry.is_some_and(|entry| entry.stored >= moment)
    }

    /// Stores a value. Returns the one that it replaces.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let stored = self.now;
        let replaced = self.entries.insert(key, StoreEntry { value, stored });
        replaced.map(|entry| entry.value)
    }

    /// The value that is stored was shown again.
    pub(super) fn touch<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.stored = self.now;
        }
    }

    /// Removes a value.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key).map(|entry| entry.value)
    }

    /// The list of these keys, which began at this moment, has ended. Removes the entries that were
    /// not in it, at most `limit` of them, and returns them in the order of their keys.
    pub(super) fn sweep(
        &mut self,
        is_listed: impl Fn(&K) -> bool,
        began: Moment,
        limit: usize,
    ) -> Vec<(K, V)> {
        let gone = self
            .entries
            .extract_if(.., |key, entry| entry.stored < began && is_listed(key));
        let gone = gone.take(limit);
        gone.map(|(key, entry)| (key, entry.value)).collect()
    }

    /// All entries, in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, entry)| (key, &entry.value))
    }

    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: usize = usize::MAX;

    #[test]
    fn what_was_not_listed_goes() {
        let mut store = Store::default();
        for key in ["a/1", "a/2", "a/3", "b/1"] {
            store.insert(key, 0);
        }
        let in_a = |key: &&str| key.starts_with("a/");
        let began = store.mark();
        store.insert("a/1", 1);
        store.touch("a/2");
        assert_eq!(store.sweep(in_a, began, ALL), [("a/3", 0)]);
        assert_eq!(store.get("b/1"), Some(&0));
        assert_eq!(store.len(), 3);
    }

    #[test]
    fn a_change_in_place_does_not_count_as_listed() {
        let mut store = Store::default();
        store.insert("a", 0);
        let began = store.mark();
        *store.get_mut("a").unwrap() = 1;
        assert!(!store.is_stored_since("a", began));
        assert_eq!(store.sweep(|_| true, began, ALL), [("a", 1)]);
    }

    #[test]
    fn a_list_that_is_broken_off_removes_nothing() {
        let mut store = Store::default();
        store.insert("a", 0);
        store.mark();
        let began = store.mark();
        store.insert("a", 0);
        assert!(store.is_stored_since("a", began));
        assert!(store.sweep(|_| true, began, ALL).is_empty());
    }

    #[test]
    fn a_sweep_goes_in_slices() {
        let mut store = Store::default();
        for key in 0..5 {
            store.insert(key, ());
        }
        let began = store.mark();
        let slices = [(); 4].map(|()| store.sweep(|_| true, began, 2).len());
        assert_eq!(slices, [2, 2, 1, 0]);
    }
}
