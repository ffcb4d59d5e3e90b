//! Borrowed views of JSON maps: some fields are read, all others are skipped.

/// Declares a struct and how it is read from a map. This differs from a derived `Deserialize`: only
/// maps are read, a missing field has the default of its type, and if a field is repeated, the last
/// value counts, as in policy-server. It is also a quarter of the size, which matters in the guest.
macro_rules! view {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<'a> {
        $($key:literal => $field_vis:vis $field:ident: $type:ty,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        $vis struct $name<'a> {
            $($field_vis $field: $type,)+
            lifetime: std::marker::PhantomData<&'a ()>,
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct MapVisitor<'a>($name<'a>);

                impl<'de: 'a, 'a> serde::de::Visitor<'de> for MapVisitor<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str("a map")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        mut self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        while let Some(key) = map.next_key::<kuma_workload_rulebook::metadata::Text<'de>>()? {
                            match &*key {
                                $($key => self.0.$field = map.next_value()?,)+
                                _ => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(self.0)
                    }
                }

                deserializer.deserialize_map(MapVisitor(Default::default()))
            }
        }
    };
}

pub(crate) use view;
