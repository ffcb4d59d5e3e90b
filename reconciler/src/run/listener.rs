//! The listener of the pages: for both families of addresses where it is asked for all addresses.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens on this address. `[::]` is all addresses, of IPv4 too, and of IPv4 alone where the kernel has
/// no IPv6.
///
/// # Errors
/// When the address cannot be bound.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(with_fallback(address, bind)?)
}

/// Binds this address, or the unspecified address of IPv4 where that of IPv6 cannot be bound.
fn with_fallback<L>(
    address: SocketAddr,
    bind: impl Fn(SocketAddr) -> io::Result<L>,
) -> io::Result<L> {
    let bound = bind(address);
    match bound {
        // Half of what was asked for would be no answer to a port that is taken.
        Err(error) if is_all(address) && error.kind() != ErrorKind::AddrInUse => {
            let of_ipv4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            bind(of_ipv4).map_err(|_| error)
        }
        bound => bound,
    }
}

fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // As the standard library does, so that a restart need not wait for old connections.
    socket.set_reuse_address(true)?;
    if is_all(address) {
        // The default is a setting of the kernel.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Whether it is `[::]`.
fn is_all(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::net::{Ipv6Addr, TcpStream};

    /// What the machine itself can do decides what is expected, so that this holds with and without IPv6.
    #[rstest]
    #[case::all("[::]:0", true, true)]
    #[case::all_of_ipv4("0.0.0.0:0", true, false)]
    #[case::one_of_ipv4("127.0.0.1:0", true, false)]
    #[tokio::test]
    async fn it_answers_on(#[case] address: &str, #[case] ipv4: bool, #[case] ipv6: bool) {
        let has_ipv6 = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        let listener = listen(address.parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = [
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok(),
            TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok(),
        ];
        assert_eq!(answers, [ipv4, ipv6 && has_ipv6]);
    }

    #[rstest]
    #[case::both("[::]:80", &[], Ok("[::]:80"))]
    #[case::no_ipv6("[::]:80", &[("[::]:80", ErrorKind::Unsupported)], Ok("0.0.0.0:80"))]
    #[case::no_ipv6_address("[::]:80", &[("[::]:80", ErrorKind::AddrNotAvailable)], Ok("0.0.0.0:80"))]
    #[case::taken("[::]:80", &[("[::]:80", ErrorKind::AddrInUse)], Err(ErrorKind::AddrInUse))]
    #[case::the_first_error_is_told(
        "[::]:80",
        &[("[::]:80", ErrorKind::PermissionDenied), ("0.0.0.0:80", ErrorKind::AddrInUse)],
        Err(ErrorKind::PermissionDenied)
    )]
    #[case::one_address("[::1]:80", &[("[::1]:80", ErrorKind::Unsupported)], Err(ErrorKind::Unsupported))]
    #[case::ipv4("0.0.0.0:80", &[("0.0.0.0:80", ErrorKind::Unsupported)], Err(ErrorKind::Unsupported))]
    fn without_ipv6_it_is_ipv4(
        #[case] address: &str,
        #[case] failing: &[(&str, ErrorKind)],
        #[case] bound: Result<&str, ErrorKind>,
    ) {
        let bind = |address: SocketAddr| {
            let text = address.to_string();
            let mut failing = failing.iter();
            match failing.find(|(address, _)| *address == text) {
                Some((_, kind)) => Err(io::Error::from(*kind)),
                None => Ok(text),
            }
        };
        let got = with_fallback(address.parse().unwrap(), bind);
        let expected = bound.map(str::to_owned);
        assert_eq!(got.map_err(|error| error.kind()), expected);
    }
}
