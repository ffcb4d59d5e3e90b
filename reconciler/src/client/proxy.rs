//! Proxies on the way to the API server: this program uses none.
//!
//! The environment often names one for all programs in `HTTPS_PROXY`, with the exceptions in `NO_PROXY`.
//! An exception covers the API server as in kubectl; otherwise it is said what to do.

use std::net::IpAddr;

use http::{Uri, uri::Scheme};
use kube::Config;

/// Refuses a configuration whose API server is to be reached through a proxy: by its kubeconfig, or by the
/// environment, whose variables this reads. One of blanks is not set.
///
/// # Errors
/// Which proxy that is, as a sentence, without the proxy's URL: it may hold a password.
pub(super) fn refuse(
    config: &Config,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), String> {
    if config.proxy_url.is_some() {
        return Err("the kubeconfig cannot be used: its cluster has a proxy-url, and this program uses no proxy".to_owned());
    }
    let server = &config.cluster_url;
    // HTTPS_PROXY is not for it.
    if server.scheme() == Some(&Scheme::HTTP) {
        return Ok(());
    }
    let value = |names: [&'static str; 2]| {
        let mut values = names.into_iter().map(|name| (name, variable(name)));
        values.find_map(|(name, value)| {
            let value = value.filter(|value| !value.trim().is_empty());
            Some((name, value?))
        })
    };
    let Some((name, proxy)) = value(["HTTPS_PROXY", "https_proxy"]) else {
        return Ok(());
    };
    let exceptions = value(["NO_PROXY", "no_proxy"]).map(|(_, value)| value);
    if is_direct(server, &exceptions.unwrap_or_default()) {
        return Ok(());
    }
    let what = match proxy.trim().parse::<Uri>() {
        Ok(_) => "names a proxy",
        Err(_) => "is no URL of a proxy",
    };
    Err(format!(
        "{name} {what}, and this program uses none; add {} to NO_PROXY so that it asks the API server directly",
        server.host().unwrap_or_default()
    ))
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
        #[values(
            ("http://user:secret@proxy:3128", "names a proxy"),
            ("garbage:::secret", "is no URL of a proxy")
        )]
        proxy: (&str, &str),
    ) {
        let (proxy, what) = proxy;
        let config = Config::new(server.parse().unwrap());
        let names = match small {
            true => ["https_proxy", "no_proxy"],
            false => ["HTTPS_PROXY", "NO_PROXY"],
        };
        let refused = refuse(&config, |name| match name {
            name if name == names[0] => Some(proxy.to_owned()),
            name if name == names[1] => Some(no_proxy.to_owned()),
            // Not set.
            _ => Some(" ".to_owned()),
        });
        let host = config.cluster_url.host().unwrap();
        let expected = format!(
            "{} {what}, and this program uses none; add {host} to NO_PROXY so that it asks the API server directly",
            names[0]
        );
        assert_eq!(refused, if direct { Ok(()) } else { Err(expected) });
    }

    #[rstest]
    #[case::absent(None)]
    #[case::empty(Some(""))]
    #[case::blanks(Some(" \t"))]
    fn without_a_proxy_none_is_refused(#[case] value: Option<&str>) {
        let config = Config::new("https://10.96.0.1".parse().unwrap());
        let variable = |name: &str| value.filter(|_| name != "NO_PROXY").map(str::to_owned);
        assert_eq!(refuse(&config, variable), Ok(()));
    }

    #[rstest]
    #[case::none(None, true)]
    #[case::of_the_kubeconfig(Some("http://user:secret@proxy:3128"), false)]
    fn a_proxy_of_the_kubeconfig_is_refused(
        #[case] proxy: Option<&str>,
        #[case] passes: bool,
        #[values("https://10.96.0.1", "http://10.96.0.1")] server: &str,
    ) {
        let mut config = Config::new(server.parse().unwrap());
        config.proxy_url = proxy.map(|proxy| proxy.parse().unwrap());
        let refused = refuse(&config, |name| (name == "NO_PROXY").then(|| "*".to_owned()));
        assert_eq!(refused.is_ok(), passes, "{refused:?}");
        assert!(refused.err().is_none_or(|said| !said.contains("secret")));
    }
}
