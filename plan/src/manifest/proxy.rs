//! The numbers of proxies: what Dataplanes say of their health, DataplaneInsights of their
//! connections, and Workloads of both (S1 to S3).

use kuma_workload_rulebook::counts::{self, Counts, Inbound, Inbounds, Listener, Subscription};

use crate::read::tree::{Node, Position, Read};

/// What the `networking` of a Dataplane says of its health (S3).
pub(super) fn inbounds(networking: &Node) -> Read<Inbounds> {
    let inbounds = networking.field("inbound", |inbounds| {
        inbounds.items(|inbound| {
            let health = inbound.field("health", |health| health.field("ready", Node::flag))?;
            Ok(Inbound {
                state: inbound.field("state", Node::text)?,
                health_ready: health.map(Option::unwrap_or_default),
            })
        })
    })?;
    let listeners = networking.field("listeners", |listeners| {
        listeners.items(|listener| {
            let state = listener.field("state", Node::text)?;
            Ok(Listener { state })
        })
    })?;
    let inbounds = Inbounds::of(inbounds.unwrap_or_default());
    Ok(inbounds.or_listeners(listeners.unwrap_or_default()))
}

/// Where a Dataplane with this `networking` in its settings says that it is a builtin gateway, if it
/// does. Protobuf has the word in capital letters; older documents have it in small ones.
pub(super) fn builtin_gateway(settings: &Node) -> Option<Position> {
    let gateway = settings.get("networking")?.get("gateway")?.get("type")?;
    let word = gateway.text().ok()?;
    word.eq_ignore_ascii_case("BUILTIN").then_some(gateway.at)
}

/// Whether a proxy with this status is online (S2): its `subscriptions` tell.
pub(super) fn is_online(status: &Node) -> Read<bool> {
    let subscriptions = status.field("subscriptions", |subscriptions| {
        subscriptions.items(|subscription| {
            subscription.entries()?;
            Ok(Subscription {
                connect_time: subscription.get("connectTime").is_some(),
                disconnect_time: subscription.get("disconnectTime").is_some(),
            })
        })
    })?;
    Ok(counts::is_online(subscriptions.unwrap_or_default()))
}

/// The numbers that a Workload shows. A number that is absent is zero; where one cannot be read, they
/// are as good as absent.
pub(super) fn reported(workload: &Node) -> Option<Counts> {
    let proxies = workload.get("status")?.get("dataplaneProxies")?;
    proxies.entries().ok()?;
    let number = |key| match proxies.get(key) {
        None => Some(0),
        Some(number) => u32::try_from(number.integer()?).ok(),
    };
    Some(Counts {
        connected: number("connected")?,
        healthy: number("healthy")?,
        total: number("total")?,
    })
}
