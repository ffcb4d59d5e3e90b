//! The name of a Workload, as `--why` takes it.

use std::{fmt, net::SocketAddr, str::FromStr};

use kuma_workload_rulebook::{identifier::is_namespace, quoted::printable, roster::Key};

/// A Workload, as `NS/NAME`. No object needs to be able to have the name: that may be the answer (W5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(Key);

impl Target {
    /// Its key.
    pub(crate) fn key(&self) -> &Key {
        &self.0
    }
}

impl From<Key> for Target {
    fn from(key: Key) -> Self {
        Self(key)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((namespace, name)) if is_namespace(namespace) && !name.is_empty() => {
                Ok(Self(Key {
                    namespace: namespace.to_owned(),
                    workload: name.to_owned(),
                }))
            }
            _ => {
                Err("it must be NS/NAME: the name of a namespace and that of a Workload".to_owned())
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key {
            namespace,
            workload,
        } = &self.0;
        write!(f, "{namespace}/{}", printable(workload))
    }
}

/// The same text as one word of a shell.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte);
    match text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// An address of this machine that others cannot reach.
///
/// # Errors
/// When it is none, or another one.
pub(crate) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "it is not an address and a port, such as 127.0.0.1:8081".to_owned())?;
    match address.ip().to_canonical().is_loopback() {
        true => Ok(address),
        false => Err(
            "it must be a loopback address, such as 127.0.0.1:8081, since the page names objects and errors to anyone who asks"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("shop/web", Some(("shop", "web")))]
    #[case::no_possible_name("shop/Web Shop", Some(("shop", "Web Shop")))]
    #[case::with_a_slash("shop/web/2", Some(("shop", "web/2")))]
    #[case::no_namespace("web", None)]
    #[case::empty_namespace("/web", None)]
    #[case::no_possible_namespace("Shop/web", None)]
    #[case::no_name("shop/", None)]
    #[case::empty("", None)]
    fn names(#[case] text: &str, #[case] expected: Option<(&str, &str)>) {
        let target = text.parse::<Target>();
        let key = target.as_ref().ok().map(Target::key);
        let names = key.map(|key| (key.namespace.as_str(), key.workload.as_str()));
        assert_eq!(names, expected);
        if let Err(said) = target {
            assert!(said.starts_with("it must be NS/NAME"), "{said}");
        }
    }

    #[rstest]
    #[case::plain("shop/web-2.a_b", "shop/web-2.a_b")]
    #[case::space("shop/web shop", "'shop/web shop'")]
    #[case::quote("shop/it's $(id)", r"'shop/it'\''s $(id)'")]
    fn words_of_a_shell(#[case] text: &str, #[case] word: &str) {
        assert_eq!(shell_word(text), word);
    }

    #[rstest]
    #[case::ipv4("127.0.0.1:8081", true)]
    #[case::another_of_ipv4("127.1.2.3:1", true)]
    #[case::ipv6("[::1]:8081", true)]
    #[case::ipv4_in_ipv6("[::ffff:127.0.0.1]:8081", true)]
    #[case::all_of_ipv4("0.0.0.0:8081", false)]
    #[case::all("[::]:8081", false)]
    #[case::of_the_network("10.0.0.1:8081", false)]
    fn only_this_machine(#[case] text: &str, #[case] is_taken: bool) {
        match loopback(text) {
            Ok(address) => assert!(is_taken && address == text.parse().unwrap()),
            Err(said) => assert!(!is_taken && said.contains("loopback address"), "{said}"),
        }
    }

    #[rstest]
    #[case("8081")]
    #[case("localhost:8081")]
    fn no_address(#[case] text: &str) {
        let said = loopback(text).unwrap_err();
        assert!(
            said.starts_with("it is not an address and a port"),
            "{said}"
        );
    }
}
