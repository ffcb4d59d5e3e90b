//! Tells what led to two writers.

use std::fmt::Write;

use k8s_openapi::api::coordination::v1::Lease;

use super::{
    super::candidate::LeaseStep,
    bounds::Bounds,
    world::{Action, Request, World, name},
};

/// One line for each action.
pub(super) fn tell(actions: &[Action], bounds: &Bounds) -> String {
    let mut story = String::new();
    let mut world = World::new(bounds);
    go_on(&mut story, &mut world, actions, bounds);
    if world.two_writers().is_none()
        && let Some((then, actions)) = world.between(bounds).into_iter().next()
    {
        world = then;
        go_on(&mut story, &mut world, &actions, bounds);
    }
    if let Some((leader, other)) = world.two_writers() {
        let (one, two) = (name(leader), name(other));
        let until = world.replicas[other].writes_until.as_secs_f64();
        let what = match world.replicas[other].leads() {
            true => format!("{one} and {two} both lead"),
            false => {
                format!("{one} leads, and what {two} wrote may take effect until {until:.1} s")
            }
        };
        let _ = writeln!(story, "  {} {what}", time(&world));
    }
    story
}

fn go_on(story: &mut String, world: &mut World, actions: &[Action], bounds: &Bounds) {
    for action in actions {
        let Some(after) = world.after(*action, bounds) else {
            let _ = writeln!(story, "  {action:?} cannot happen");
            return;
        };
        if let Some(line) = line(*action, world, &after) {
            let _ = writeln!(story, "  {} {line}", time(world));
        }
        for number in 0..world.replicas.len() {
            let (before, after) = (&world.replicas[number], &after.replicas[number]);
            let who = name(number);
            match (before.leads(), after.leads()) {
                (false, true) => {
                    let _ = writeln!(story, "           {who} leads from now on");
                }
                (true, false) if !after.is_suspended => {
                    let _ = writeln!(story, "           {who} leads no longer");
                }
                _ => {}
            }
        }
        *world = after;
    }
}

fn time(world: &World) -> String {
    format!("{:6.1} s", world.now.as_secs_f64())
}

fn line(action: Action, before: &World, after: &World) -> Option<String> {
    let who = |number: u8| name(number.into());
    let replica = |number: u8| &before.replicas[usize::from(number)];
    Some(match action {
        Action::Tick => return None,
        Action::Act(number) => {
            let who = who(number);
            let request = after.replicas[usize::from(number)].request.as_ref()?;
            match request.step {
                LeaseStep::Read => format!("{who} reads: {}", holder(before.lease.as_deref())),
                _ => format!("{who} sends: {}", intent(request, before)),
            }
        }
        Action::Effect(number) => {
            let is_done = after.replicas[usize::from(number)].request.is_some();
            match is_done {
                true => format!("it takes effect: {}", holder(after.lease.as_deref())),
                false => format!("{} gets a conflict", who(number)),
            }
        }
        Action::LateEffect(number) => {
            let now = holder(after.lease.as_deref());
            format!("what {} gave up takes effect: {now}", who(number))
        }
        Action::Answer(number) => format!("{} gets the answer", who(number)),
        Action::Lose(number) => match replica(number).request.as_ref()?.is_pending() {
            true => format!("{} gives up; its write may still take effect", who(number)),
            false => format!("{} does not get the answer", who(number)),
        },
        Action::Stop(number, true) => format!("{} stops; its writes were answered", who(number)),
        Action::Stop(number, false) => {
            format!(
                "{} stops; its last write may still take effect",
                who(number)
            )
        }
        Action::Start(number) => format!("another process starts in the place of {}", who(number)),
        Action::Delete => "somebody deletes the Lease".to_owned(),
        Action::Empty => "somebody empties holderIdentity".to_owned(),
        Action::BackUp => format!("a backup is made: {}", holder(before.lease.as_deref())),
        Action::Restore => format!("the backup is restored: {}", holder(after.lease.as_deref())),
        Action::Suspend(number) if after.replicas[usize::from(number)].is_suspended => {
            format!(
                "the machine of {} is suspended, its clock stands still",
                who(number)
            )
        }
        Action::Suspend(number) => format!("the machine of {} goes on", who(number)),
    })
}

fn intent(request: &Request, world: &World) -> &'static str {
    let spec = request.draft.as_ref().and_then(|draft| draft.spec.as_ref());
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref());
    let now = world.lease.as_ref().and_then(|lease| lease.spec.as_ref());
    let now = now.and_then(|spec| spec.holder_identity.as_deref());
    match request.step {
        LeaseStep::Create => "make the Lease",
        _ if holder == Some("") => "release the Lease",
        _ if holder == now => "renew the Lease",
        _ => "take over the Lease",
    }
}

fn holder(lease: Option<&Lease>) -> String {
    let Some(lease) = lease else {
        return "there is no Lease".to_owned();
    };
    let holder = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.holder_identity.as_deref());
    match holder.unwrap_or_default() {
        "" => "the Lease is released".to_owned(),
        holder => format!("{holder} holds the Lease"),
    }
}
