//! Names, each stored once however many Dataplanes contain it.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    num::NonZeroU32,
};

/// A name that is in use. Two symbols are equal if their names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol(NonZeroU32);

/// The names in use, and how often each is used. A name is removed with its last use; otherwise the
/// names of Pods that are long gone would pile up.
///
/// The map leads from the hash of a name to the first slot with this hash, so that only the slot
/// stores the name.
#[derive(Debug, Default)]
pub(super) struct Symbols<H = RandomState> {
    hasher: H,
    first: HashMap<u32, Symbol>,
    slots: Vec<Slot>,
    free: Option<Symbol>,
}

#[derive(Debug)]
struct Slot {
    text: Box<str>,
    uses: u32,
    /// The next slot with the same hash, or the next free slot.
    next: Option<Symbol>,
}

impl<H: BuildHasher> Symbols<H> {
    /// The symbol of a name, if it is in use.
    pub(super) fn find(&self, text: &str) -> Option<Symbol> {
        let mut candidate = self.first.get(&self.hash(text)).copied();
        while let Some(symbol) = candidate {
            let slot = &self.slots[symbol.index()];
            if *slot.text == *text {
                return Some(symbol);
            }
            candidate = slot.next;
        }
        None
    }

    /// The symbol of a name, with one more use.
    pub(super) fn acquire(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.find(text) {
            self.retain(symbol);
            return symbol;
        }
        let symbol = self.vacant_slot();
        let next = self.first.insert(self.hash(text), symbol);
        self.slots[symbol.index()] = Slot {
            text: text.into(),
            uses: 1,
            next,
        };
        symbol
    }

    /// Adds a use.
    pub(super) fn retain(&mut self, symbol: Symbol) {
        self.slots[symbol.index()].uses += 1;
    }

    /// Removes a use.
    pub(super) fn release(&mut self, symbol: Symbol) {
        let slot = &mut self.slots[symbol.index()];
        slot.uses -= 1;
        if slot.uses == 0 {
            self.unlink(symbol);
            let free = self.free.replace(symbol);
            self.slots[symbol.index()] = Slot {
                next: free,
                ..Slot::vacant()
            };
        }
    }

    /// The name of a symbol in use.
    pub(super) fn text(&self, symbol: Symbol) -> &str {
        &self.slots[symbol.index()].text
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.slots.iter().all(|slot| slot.uses == 0)
    }

    // Half of the hash halves the size of the map, and half a million names seldom share one.
    fn hash(&self, text: &str) -> u32 {
        self.hasher.hash_one(text) as u32
    }

    fn vacant_slot(&mut self) -> Symbol {
        if let Some(symbol) = self.free {
            self.free = self.slots[symbol.index()].next;
            return symbol;
        }
        if self.slots.len() == self.slots.capacity() {
            // An eighth more: to double the space would leave up to half of it unused.
            self.slots.reserve_exact(self.slots.len() / 8 + 16);
        }
        self.slots.push(Slot::vacant());
        Symbol::of_last(self.slots.len())
    }

    fn unlink(&mut self, symbol: Symbol) {
        let Slot { ref text, next, .. } = self.slots[symbol.index()];
        let hash = self.hash(text);
        if self.first.get(&hash) != Some(&symbol) {
            let mut candidate = self.first.get(&hash).copied();
            while let Some(before) = candidate {
                let slot = &mut self.slots[before.index()];
                if slot.next == Some(symbol) {
                    slot.next = next;
                    return;
                }
                candidate = slot.next;
            }
        } else if let Some(next) = next {
            self.first.insert(hash, next);
        } else {
            self.first.remove(&hash);
        }
    }
}

impl Symbol {
    /// The first in their order.
    pub(super) const FIRST: Self = Self(NonZeroU32::MIN);

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The symbol of the last slot. The memory is full long before there are 2³² slots.
    fn of_last(slots: usize) -> Self {
        Self(
            u32::try_from(slots)
                .ok()
                .and_then(NonZeroU32::new)
                .unwrap_or(NonZeroU32::MAX),
        )
    }
}

impl Slot {
    fn vacant() -> Self {
        Self {
            text: Box::default(),
            uses: 0,
            next: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasherDefault, Hasher};

    /// Gives every name the same hash.
    #[derive(Default)]
    struct Blunt;

    impl Hasher for Blunt {
        fn write(&mut self, _: &[u8]) {}

        fn finish(&self) -> u64 {
            7
        }
    }

    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    fn check<H: BuildHasher + Default>() {
        let mut symbols = Symbols::<H>::default();
        let all = NAMES.map(|name| symbols.acquire(name));
        for (name, symbol) in NAMES.into_iter().zip(all) {
            assert_eq!(symbols.find(name), Some(symbol));
            assert_eq!(symbols.text(symbol), name);
        }
        // Of names with the same hash: one from the middle, then the first, then the last.
        for gone in [1, 3, 0] {
            symbols.release(all[gone]);
            assert_eq!(symbols.find(NAMES[gone]), None);
        }
        assert_eq!(symbols.find("c"), Some(all[2]));
        symbols.release(all[2]);
        assert!(symbols.is_empty());
    }

    #[test]
    fn names_are_told_apart() {
        check::<RandomState>();
    }

    #[test]
    fn names_of_one_hash_are_told_apart() {
        check::<BuildHasherDefault<Blunt>>();
    }

    #[test]
    fn a_name_is_kept_until_its_last_use() {
        let mut symbols = <Symbols>::default();
        let symbol = symbols.acquire("a");
        assert_eq!(symbols.acquire("a"), symbol);
        symbols.retain(symbol);
        for _ in 0..2 {
            symbols.release(symbol);
            assert_eq!(symbols.find("a"), Some(symbol));
        }
        symbols.release(symbol);
        assert!(symbols.is_empty());
    }

    #[test]
    fn free_slots_are_used_again() {
        let mut symbols = <Symbols>::default();
        for round in 0..1000 {
            let symbol = symbols.acquire(&round.to_string());
            symbols.release(symbol);
        }
        assert_eq!(symbols.slots.len(), 1);
    }
}
