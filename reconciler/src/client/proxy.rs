//! Proxies on the way to the API server: this program uses none.
//!
//! The environment often names one for all programs in `HTTPS_PROXY`, with the exceptions in `NO_PROXY`.
//! An exception covers the API server as in kubectl; otherwise it is said what to do.

use std::net::IpAddr;

use http::{Uri, uri::Scheme};
use kube::Config;

use super::failure::Failure;

/// Takes a proxy out of the configuration that does not apply to the API server. `variable` is the value
/// of an environment variable.
///
/// # Errors
/// When there is one that applies.
pub(super) fn bypass(
    config: &mut Config,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), Failure> {
    let Some(proxy) = &config.proxy_url else {
        return Ok(());
    };
    let value = |names: [&str; 2]| {
        let mut values = names.into_iter().filter_map(&variable);
        values.find(|value| !value.is_empty())
    };
    let of_environment = value(["HTTPS_PROXY", "https_proxy"]);
    if of_environment.and_then(|value| value.parse().ok()).as_ref() != Some(proxy) {
        return Err(Failure::new(
            "the kubeconfig cannot be used: its cluster has a proxy-url, and this program uses no proxy",
        ));
    }
    let server = &config.cluster_url;
    let exceptions = value(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    if server.scheme() == Some(&Scheme::HTTP) || is_direct(server, &exceptions) {
        config.proxy_url = None;
        return Ok(());
    }
    Err(Failure::new(format!(
        "HTTPS_PROXY names a proxy, and this program uses none; add {} to NO_PROXY so that it asks the API server directly",
        server.host().unwrap_or_default()
    )))
}

/// Whether no proxy is used for this server: it is on this machine, or one of these exceptions covers it.
fn is_direct(server: &Uri, exceptions: &str) -> bool {
    let host = server.host().unwrap_or_default().to_ascii_lowercase();
    let address = address(&host);
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let port = server.port_u16().unwrap_or(443);
    let exceptions = exceptions.split([',', ' ']).filter(|one| !one.is_empty());
    exceptions.into_iter().any(|exception| {
        let exception = exception.to_ascii_lowercase();
        if let Some((network, bits)) = exception.split_once('/') {
            return address.is_some_and(|address| is_within(address, network, bits));
        }
        let (name, of_port) = with_port(&exception);
        of_port.is_none_or(|of_port| of_port == port)
            && match self::address(name) {
                Some(one) => address == Some(one),
                None => covers(name, &host),
            }
    })
}

/// The host of an exception, and its port if it has one.
fn with_port(exception: &str) -> (&str, Option<u16>) {
    // An IPv6 address without brackets has colons, and no port.
    if address(exception).is_some() {
        return (exception, None);
    }
    let split = exception.rsplit_once(':');
    match split.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (host, Some(port)),
        None => (exception, None),
    }
}

/// Whether a name covers a host: `example.com` itself and all below it, `.example.com` and
/// `*.example.com` only what is below, `*` everything.
fn covers(name: &str, host: &str) -> bool {
    if name == "*" {
        return true;
    }
    let below = name.strip_prefix('*').unwrap_or(name);
    match below.strip_prefix('.') {
        Some(domain) => is_below(host, domain),
        None => host == name || is_below(host, name),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain).filter(|_| !domain.is_empty());
    rest.is_some_and(|rest| rest.ends_with('.'))
}

/// An IP address, with or without brackets.
fn address(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = inner.unwrap_or(host).parse::<IpAddr>().ok()?;
    Some(address.to_canonical())
}

/// Whether an address is in a network, by its prefix of this many bits.
fn is_within(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse(), bits.parse::<u32>()) else {
        return false;
    };
    // Without bits to compare, the shift is as long as the number.
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differing = address.to_bits() ^ network.to_bits();
            let beyond = 32_u32.checked_sub(bits);
            beyond.is_some_and(|beyond| differing.checked_shr(beyond).unwrap_or(0) == 0)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differing = address.to_bits() ^ network.to_bits();
            let beyond = 128_u32.checked_sub(bits);
            beyond.is_some_and(|beyond| differing.checked_shr(beyond).unwrap_or(0) == 0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none("https://api.example.com", "", false)]
    #[case::itself("https://api.example.com:6443", "a, API.example.com", true)]
    #[case::domain("https://api.example.com", "example.com", true)]
    #[case::below_a_dot("https://api.example.com", ".example.com", true)]
    #[case::not_itself_by_a_dot("https://example.com", ".example.com", false)]
    #[case::below_a_star("https://api.example.com", "*.example.com", true)]
    #[case::everything("https://api.example.com", "*", true)]
    #[case::only_an_ending("https://badexample.com", "example.com", false)]
    #[case::same_port("https://api.example.com:6443", "example.com:6443", true)]
    #[case::default_port("https://api.example.com", "example.com:443", true)]
    #[case::other_port("https://api.example.com:6443", "example.com:443", false)]
    #[case::only_a_port("https://api.example.com", ":443", false)]
    #[case::only_a_dot("https://api.example.com", ".", false)]
    #[case::address("https://10.96.0.1", "10.96.0.1", true)]
    #[case::other_address("https://10.96.0.1", "10.96.0.11", false)]
    #[case::network("https://10.96.0.1", "192.168.0.0/16,10.96.0.0/12", true)]
    #[case::other_network("https://10.96.0.1", "10.0.0.0/12", false)]
    #[case::network_of_all("https://10.96.0.1", "0.0.0.0/0", true)]
    #[case::no_network("https://10.96.0.1", "10.96.0.0/33,10.96.0.0/x,/8", false)]
    #[case::v6("https://[fd00::1]:6443", "fd00::1", true)]
    #[case::v6_with_port("https://[fd00::1]:6443", "[fd00::1]:6443", true)]
    #[case::v6_network("https://[fd00::1]", "fd00::/8", true)]
    #[case::v6_network_of_all("https://[fd00::1]", "::/0", true)]
    #[case::families("https://[fd00::1]", "0.0.0.0/0", false)]
    #[case::localhost("https://localhost:6443", "", true)]
    #[case::loopback("https://127.0.0.1:6443", "", true)]
    #[case::v6_loopback("https://[::1]:6443", "", true)]
    #[case::plain("http://api.example.com", "", true)]
    fn https_proxy_is_not_for_what_no_proxy_covers(
        #[case] server: &str,
        #[case] no_proxy: &str,
        #[case] direct: bool,
        #[values(false, true)] small: bool,
    ) {
        let proxy = "http://user:secret@proxy:3128";
        let mut config = Config::new(server.parse().unwrap());
        config.proxy_url = Some(proxy.parse().unwrap());
        let names = match small {
            true => ["https_proxy", "no_proxy"],
            false => ["HTTPS_PROXY", "NO_PROXY"],
        };
        let bypassed = bypass(&mut config, |name| match name {
            name if name == names[0] => Some(proxy.to_owned()),
            name if name == names[1] => Some(no_proxy.to_owned()),
            _ => Some(String::new()),
        });
        match bypassed {
            Ok(()) => assert!(direct && config.proxy_url.is_none()),
            Err(failure) => {
                let said = failure.to_string();
                let expected = format!("add {} to NO_PROXY", config.cluster_url.host().unwrap());
                assert!(!direct && said.contains(&expected), "{said}");
                assert!(!said.contains("secret"), "{said}");
            }
        }
    }

    #[rstest]
    #[case::none(None, true)]
    #[case::of_the_kubeconfig(Some("http://user:secret@proxy:3128"), false)]
    fn a_proxy_of_the_kubeconfig_is_refused(#[case] proxy: Option<&str>, #[case] passes: bool) {
        let mut config = Config::new("https://10.96.0.1".parse().unwrap());
        config.proxy_url = proxy.map(|proxy| proxy.parse().unwrap());
        let bypassed = bypass(&mut config, |name| {
            (name == "NO_PROXY").then(|| "*".to_owned())
        });
        let said = bypassed.map_err(|failure| failure.to_string());
        assert_eq!(said.is_ok(), passes, "{said:?}");
        assert!(said.err().is_none_or(|said| !said.contains("secret")));
    }
}
