//! Watches on their way.

use std::time::Duration;

use super::{
    Simulation,
    happening::Happening,
    traffic::{Stream, StreamStep},
};
use crate::{
    clock::Time,
    fault::Fault,
    planted::Planted,
    server::{
        resource::Resource,
        status::{self, Answer},
        watch::{Watch, line},
    },
    wire::{self, BodySender},
};

/// How long the program believes a watch that shows nothing (L23).
const STALL: Duration = Duration::from_secs(320);

impl Simulation {
    /// Opens a watch whose headers arrive at this moment.
    pub(super) fn open_stream(
        &mut self,
        replica: usize,
        watch: Watch,
        sender: BodySender,
        when: Time,
    ) -> u64 {
        self.next_stream += 1;
        let id = self.next_stream;
        // Without a wish of the client, the server takes half an hour to an hour.
        let timeout = watch
            .timeout
            .unwrap_or_else(|| self.network.u64(1_800..3_600));
        let ends = self.now + Duration::from_secs(timeout);
        self.agenda
            .add(ends, Happening::Stream(id, StreamStep::TimeOut));
        // The server says how far it has come before it ends a watch.
        let last = ends.saturating_sub(Duration::from_secs(2));
        self.agenda
            .add(last, Happening::Stream(id, StreamStep::LastBookmark));
        let bookmark = self.now + Duration::from_millis(self.network.u64(50_000..70_000));
        self.agenda
            .add(bookmark, Happening::Stream(id, StreamStep::Bookmark));
        let stream = Stream {
            replica,
            watch,
            sender,
            last: when,
            lag: Duration::ZERO,
            is_stalled: false,
        };
        self.streams.insert(id, stream);
        id
    }

    /// A server's cache has come up to a number, and its watches show it.
    pub(super) fn catch_up(&mut self, server: usize, revision: u64) {
        self.server.catch_up(server, revision);
        let ids: Vec<_> = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.watch.cache == server)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.stream(id, StreamStep::Show);
        }
    }

    /// Something happens to a watch.
    pub(super) fn stream(&mut self, id: u64, step: StreamStep) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if stream.sender.is_closed() {
            self.streams.remove(&id);
            return;
        }
        match step {
            StreamStep::Show => {
                let mut lines = self.server.advance(&mut stream.watch);
                if let Some(tamper) = self.planted.and_then(Planted::at_the_wire) {
                    lines = tamper.alter_events(lines);
                }
                if !lines.is_empty() {
                    self.show(id, lines.concat());
                }
            }
            StreamStep::LastBookmark => self.show_bookmark(id),
            StreamStep::Bookmark => {
                self.show_bookmark(id);
                let next = self.now + Duration::from_millis(self.network.u64(50_000..70_000));
                self.agenda
                    .add(next, Happening::Stream(id, StreamStep::Bookmark));
            }
            StreamStep::Arrive(bytes) => {
                let _ = stream.sender.send(Ok(bytes));
            }
            StreamStep::End => {
                self.streams.remove(&id);
            }
            StreamStep::TimeOut => {
                if !stream.is_stalled {
                    let when = stream.last.max(self.now);
                    self.agenda
                        .add(when, Happening::Stream(id, StreamStep::End));
                }
            }
            StreamStep::Break => {
                let _ = stream.sender.send(Err(wire::broken()));
                self.streams.remove(&id);
            }
        }
    }

    fn show_bookmark(&mut self, id: u64) {
        let stream = self.streams.get(&id);
        let bookmark = stream.and_then(|stream| self.server.bookmark(&stream.watch));
        if let Some(bookmark) = bookmark {
            self.show(id, bookmark);
        }
    }

    /// A watch sends something, which arrives after all that it sent before.
    fn show(&mut self, id: u64, text: String) {
        let latency = Duration::from_micros(self.network.u64(300..15_000));
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if stream.is_stalled {
            self.disturb(Fault::WatchStalled);
            // Whoever does not know that has another view of when conflicts begin and end.
            self.announcements.forget(self.now + STALL);
            return;
        }
        let when = (self.now + latency + stream.lag).max(stream.last);
        stream.last = when;
        let (replica, lag) = (stream.replica, stream.lag);
        if !lag.is_zero() {
            self.disturb(Fault::WatchLate);
            self.announcements.forget(when);
        }
        self.trace.note(|| {
            format!(
                "r{replica}   watch {id} at {:.3}: {}",
                when.as_secs_f64(),
                summary(&text)
            )
        });
        self.agenda
            .add(when, Happening::Stream(id, StreamStep::Arrive(text.into())));
    }

    /// A fault befalls one of the watches.
    pub(super) fn befall_stream(&mut self, fault: Fault) {
        let open: Vec<_> = self
            .streams
            .iter()
            .filter(|(_, stream)| !stream.is_stalled)
            .map(|(id, _)| *id)
            .collect();
        let Some(id) = self.fates.choice(open) else {
            return;
        };
        let lag = Duration::from_millis(self.fates.u64(500..40_000));
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        self.trace.note(|| format!("fault  {fault:?}: watch {id}"));
        let last = stream.last.max(self.now);
        let steps: Vec<StreamStep> = match fault {
            Fault::WatchStalled => {
                stream.is_stalled = true;
                return;
            }
            Fault::WatchLate => {
                stream.lag = lag;
                return;
            }
            Fault::WatchEnded => vec![StreamStep::End],
            Fault::WatchCut => {
                let half = r#"{"type":"MODIFIED","object":{"kind":"#;
                vec![StreamStep::Arrive(half.into()), StreamStep::Break]
            }
            Fault::WatchExpired => ends_with(&status::expired_watch(1, 2)).into(),
            _ => ends_with(&status::database_failed()).into(),
        };
        self.disturb(fault);
        for step in steps {
            self.agenda.add(last, Happening::Stream(id, step));
        }
    }

    /// All watches of a resource say that they have expired.
    pub(super) fn expire_streams(&mut self, resource: Resource) {
        let watches = self.streams.iter();
        let watches = watches.filter(|(_, stream)| stream.watch.resource == resource);
        for (id, stream) in watches {
            let last = stream.last.max(self.now);
            for step in ends_with(&status::expired_watch(1, 2)) {
                self.agenda.add(last, Happening::Stream(*id, step));
            }
        }
    }

    /// All watches break.
    pub(super) fn break_streams(&mut self) {
        let ids: Vec<_> = self.streams.keys().copied().collect();
        for id in ids {
            self.stream(id, StreamStep::Break);
        }
    }

    /// No watch is late any more. One that is stalled stays so: nobody would notice.
    pub(super) fn hurry_streams(&mut self) {
        for stream in self.streams.values_mut() {
            stream.lag = Duration::ZERO;
        }
    }
}

/// A watch says that something is wrong, and ends.
fn ends_with(error: &Answer) -> [StreamStep; 2] {
    let text = line("ERROR", &error.body);
    [StreamStep::Arrive(text.into()), StreamStep::End]
}

/// The events of a watch in short, for the trace.
fn summary(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let text = |pointer| event.pointer(pointer).and_then(serde_json::Value::as_str);
        let part = |pointer| text(pointer).unwrap_or("-");
        let metadata = &event["object"]["metadata"];
        let workload = metadata["annotations"]["kuma.io/workload"].as_str();
        let mesh = metadata["labels"]["kuma.io/mesh"].as_str();
        let about = [workload, mesh].into_iter().flatten().collect::<Vec<_>>();
        format!(
            "{} {} {}/{} @{} {}",
            part("/type"),
            part("/object/kind"),
            part("/object/metadata/namespace"),
            part("/object/metadata/name"),
            part("/object/metadata/resourceVersion"),
            about.join(" of "),
        )
    });
    lines.collect::<Vec<_>>().join("; ")
}
