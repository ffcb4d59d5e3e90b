//! A registry in memory, with answers that a test puts in the place of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use kuma_workload_registry::artifact::digest;

use crate::server::{Answer, Reply, Request, Server};

/// What it holds.
#[derive(Default)]
pub(crate) struct Memory {
    /// Blobs by digest, and the upload that is under way.
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    upload: Vec<u8>,
    /// Manifests by tag and by digest.
    pub(crate) manifests: BTreeMap<String, Vec<u8>>,
}

/// The registry, and what it holds.
pub(crate) struct Registry {
    pub(crate) server: Server,
    pub(crate) memory: Arc<Mutex<Memory>>,
}

/// A reply in the place of the registry's own, where a test wants one.
pub(crate) trait Rule: Fn(&Request) -> Option<Reply> + Send + 'static {}

impl<R: Fn(&Request) -> Option<Reply> + Send + 'static> Rule for R {}

/// This reply to each request of a method (any, if it is empty) for a path with this part.
pub(crate) fn instead(
    method: &'static str,
    part: &'static str,
    reply: impl Into<Reply>,
) -> impl Rule {
    let reply = reply.into();
    move |request| {
        let is_meant =
            (method.is_empty() || request.method == method) && request.path.contains(part);
        is_meant.then(|| reply.clone())
    }
}

impl Registry {
    pub(crate) fn start() -> Self {
        Self::with(|_: &Request| None)
    }

    pub(crate) fn with(rule: impl Rule) -> Self {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let server = Server::start(handler(&memory, rule));
        Self { server, memory }
    }

    pub(crate) fn host(&self) -> &str {
        &self.server.host
    }

    /// Puts a policy there under the tag v1 by hand; gives its manifest.
    pub(crate) fn holds(&self, module: &[u8]) -> String {
        let layer = digest(module);
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.wasm.config.v1+json","digest":"{}","size":2}},"layers":[{{"mediaType":"application/vnd.wasm.content.layer.v1+wasm","digest":"{layer}","size":{}}}]}}"#,
            digest(b"{}"),
            module.len(),
        );
        self.holds_manifest(&manifest);
        let mut memory = self.memory.lock().unwrap();
        memory.blobs.insert(layer, module.to_vec());
        manifest
    }

    pub(crate) fn holds_manifest(&self, manifest: &str) {
        let mut memory = self.memory.lock().unwrap();
        for name in ["v1".to_owned(), digest(manifest.as_bytes())] {
            memory.manifests.insert(name, manifest.into());
        }
    }
}

/// The registry's own answers, behind a rule.
pub(crate) fn handler(
    memory: &Arc<Mutex<Memory>>,
    rule: impl Rule,
) -> impl FnMut(&Request) -> Reply + Send + 'static {
    let memory = Arc::clone(memory);
    move |request| {
        let reply = rule(request);
        reply.unwrap_or_else(|| answer(&mut memory.lock().unwrap(), request).into())
    }
}

fn answer(memory: &mut Memory, request: &Request) -> Answer {
    // A proxy is asked for whole URLs.
    let path = request.path.as_str();
    let path = path.find("/v2/").map_or(path, |at| &path[at..]);
    let (folder, name) = path.rsplit_once('/').unwrap();
    match &*request.method {
        "GET" if path == "/v2/" => Answer::new(200),
        "POST" if path.ends_with("/blobs/uploads/") => {
            memory.upload.clear();
            Answer::new(202).header("Location", format!("{path}1"))
        }
        "PATCH" => {
            memory.upload.extend(&request.body);
            Answer::new(202).header("Location", path)
        }
        "PUT" if folder.ends_with("/uploads") => {
            let upload = std::mem::take(&mut memory.upload);
            let digest = digest(&upload);
            let named = name.split_once("digest=").unwrap().1.replace("%3A", ":");
            assert_eq!(digest, named);
            memory.blobs.insert(digest.clone(), upload);
            Answer::new(201).header("Location", format!("/v2/p/blobs/{digest}"))
        }
        "PUT" if folder.ends_with("/manifests") => {
            let digest = digest(&request.body);
            for name in [name, &digest] {
                memory
                    .manifests
                    .insert(name.to_owned(), request.body.clone());
            }
            Answer::new(201).header("Location", format!("{folder}/{digest}"))
        }
        "GET" if folder.ends_with("/manifests") => found(memory.manifests.get(name)),
        "GET" if folder.ends_with("/blobs") => found(memory.blobs.get(name)),
        _ => Answer::new(405),
    }
}

fn found(content: Option<&Vec<u8>>) -> Answer {
    match content {
        Some(content) => Answer::new(200).body(content.clone()),
        None => Answer::new(404)
            .body(r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#),
    }
}
