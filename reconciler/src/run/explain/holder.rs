//! Who holds the Lease, as this replica has seen it last. The elector needs to know only whether it is
//! this one; people want to know which one it is.

use std::sync::{Arc, Mutex};

use k8s_openapi::{api::coordination::v1::Lease, apimachinery::pkg::apis::meta::v1::MicroTime};

use crate::run::{
    lease::{LeaseError, LeaseStore},
    lock::lock,
};

/// Who holds the Lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::run) enum Holder {
    /// The Lease has not been read yet.
    #[default]
    Unknown,
    /// There is no Lease, or it was released.
    Nobody,
    /// The replica of this name.
    Somebody(String),
}

impl Holder {
    fn of(lease: Option<&Lease>) -> Self {
        let spec = lease.and_then(|lease| lease.spec.as_ref());
        let holder = spec.and_then(|spec| spec.holder_identity.clone());
        match holder.filter(|holder| !holder.is_empty()) {
            Some(holder) => Self::Somebody(holder),
            None => Self::Nobody,
        }
    }
}

/// The holder that was seen last. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::run) struct SeenHolder(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    holder: Holder,
    /// The Lease's resourceVersion.
    number: Option<u64>,
    /// When it was renewed last.
    renewed: Option<MicroTime>,
    went_back: bool,
}

impl SeenHolder {
    /// Who it is.
    pub(in crate::run) fn get(&self) -> Holder {
        lock(&self.0).holder.clone()
    }

    /// The same store, whose answers are seen.
    pub(in crate::run) fn see<S: LeaseStore>(&self, store: S) -> impl LeaseStore {
        SeenStore {
            store,
            seen: self.clone(),
        }
    }

    /// Whether the Lease has gone back since this was asked last, by its resourceVersion or by the time
    /// when the same holder has renewed it: the API server was restored from a backup (L21).
    pub(in crate::run) fn went_back(&self) -> bool {
        std::mem::take(&mut lock(&self.0).went_back)
    }

    /// A restore has been noticed: what was seen before says nothing about the next one.
    pub(in crate::run) fn forget(&self) {
        let mut seen = lock(&self.0);
        (seen.number, seen.renewed, seen.went_back) = (None, None, false);
    }

    fn take(&self, lease: Option<&Lease>) {
        let number = lease.and_then(|lease| lease.metadata.resource_version.as_ref());
        let number = number.and_then(|number| number.parse().ok());
        let spec = lease.and_then(|lease| lease.spec.as_ref());
        let renewed = spec.and_then(|spec| spec.renew_time.clone());
        let holder = Holder::of(lease);
        let mut seen = lock(&self.0);
        if let Some(number) = number {
            seen.went_back |= seen.number.is_some_and(|before| number < before);
            seen.number = Some(number);
        }
        // Each holder renews it at a later time than before, even if its clock is set back.
        let is_same = matches!(holder, Holder::Somebody(_)) && holder == seen.holder;
        let times = renewed.as_ref().zip(seen.renewed.as_ref());
        let is_earlier = times.is_some_and(|(now, before)| now < before);
        seen.went_back |= is_same && is_earlier;
        (seen.holder, seen.renewed) = (holder, renewed);
    }
}

struct SeenStore<S> {
    store: S,
    seen: SeenHolder,
}

impl<S: LeaseStore> LeaseStore for SeenStore<S> {
    async fn read(&self) -> Result<Option<Lease>, LeaseError> {
        let lease = self.store.read().await?;
        self.seen.take(lease.as_ref());
        Ok(lease)
    }

    async fn create(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        let lease = self.store.create(lease).await?;
        self.seen.take(Some(&lease));
        Ok(lease)
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        let lease = self.store.replace(lease).await?;
        self.seen.take(Some(&lease));
        Ok(lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use k8s_openapi::api::coordination::v1::LeaseSpec;
    use rstest::rstest;

    /// Answers each request with the Lease of this holder.
    struct Store(Option<&'static str>);

    impl Store {
        fn answer(&self) -> Option<Lease> {
            self.0.map(|holder| Lease {
                spec: Some(LeaseSpec {
                    holder_identity: Some(holder.to_owned()),
                    ..LeaseSpec::default()
                }),
                ..Lease::default()
            })
        }
    }

    impl LeaseStore for Store {
        async fn read(&self) -> Result<Option<Lease>, LeaseError> {
            Ok(self.answer())
        }

        async fn create(&self, _: &Lease) -> Result<Lease, LeaseError> {
            self.answer().ok_or(LeaseError::Stale)
        }

        async fn replace(&self, lease: &Lease) -> Result<Lease, LeaseError> {
            self.create(lease).await
        }
    }

    #[test]
    fn l21_a_number_that_goes_back_is_noticed_once() {
        let seen = SeenHolder::default();
        let take = |number: &str| {
            let mut lease = Lease::default();
            lease.metadata.resource_version = Some(number.to_owned());
            seen.take(Some(&lease));
            seen.went_back()
        };
        assert!(!take("7") && !take("12"));
        assert!(take("3"));
        assert!(!take("3") && !take("4"));
        seen.forget();
        assert!(!take("1"), "that restore is known");
    }

    /// After a restore that has been overtaken, only the content of the Lease is older.
    #[rstest]
    #[case::renewed("a", 2, "a", 3, false)]
    #[case::unchanged("a", 2, "a", 2, false)]
    #[case::earlier("a", 2, "a", 1, true)]
    #[case::taken_over_by_a_clock_that_is_behind("a", 2, "b", 1, false)]
    #[case::released("a", 2, "", 1, false)]
    fn l21_a_renewal_that_goes_back_is_noticed(
        #[case] holder: &str,
        #[case] renewed: i64,
        #[case] next_holder: &str,
        #[case] next_renewed: i64,
        #[case] went_back: bool,
    ) {
        let seen = SeenHolder::default();
        let take = |holder: &str, renewed: i64| {
            let mut lease = Lease::default();
            let spec = lease.spec.get_or_insert_default();
            spec.holder_identity = Some(holder.to_owned());
            spec.renew_time = Some(MicroTime(Timestamp::from_second(renewed).unwrap()));
            seen.take(Some(&lease));
        };
        take(holder, renewed);
        take(next_holder, next_renewed);
        assert_eq!(seen.went_back(), went_back);
    }

    #[tokio::test]
    async fn the_holder_is_that_of_the_last_answer() {
        let seen = SeenHolder::default();
        assert_eq!(seen.get(), Holder::Unknown);
        let somebody = |name: &str| Holder::Somebody(name.to_owned());
        let (one, another) = (seen.see(Store(Some("a"))), seen.see(Store(Some("b"))));
        one.read().await.unwrap();
        assert_eq!(seen.get(), somebody("a"));
        another.replace(&Lease::default()).await.unwrap();
        assert_eq!(seen.get(), somebody("b"));
        one.create(&Lease::default()).await.unwrap();
        assert_eq!(seen.get(), somebody("a"));
        let none = seen.see(Store(None));
        none.replace(&Lease::default()).await.unwrap_err();
        assert_eq!(seen.get(), somebody("a"), "an error says nothing");
        none.read().await.unwrap();
        assert_eq!(seen.get(), Holder::Nobody);
        seen.see(Store(Some(""))).read().await.unwrap();
        assert_eq!(seen.get(), Holder::Nobody, "it was released");
    }
}
