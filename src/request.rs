//! Reads the payload of `validate` straight from its bytes into borrowed views.

use kuma_workload_guest_json::{self as json, Reader, Slice};
use kuma_workload_rulebook::{
    admission::{JudgedKind, Operation, RequestUser, SettingsValue, scope},
    metadata::Text,
};

use crate::{object::PodObject, unreadable::Unreadable, view::view};

/// The payload of `validate`.
#[derive(Debug)]
pub(crate) struct Payload<'a> {
    /// The settings, which are not checked yet.
    pub(crate) settings: SettingsValue<'a>,
    /// The request; none if it is accepted without being read further (A0).
    pub(crate) request: Option<Envelope<'a>>,
}

/// A request that is judged. Its objects are not read yet.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: JudgedKind,
    pub(crate) operation: Operation,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) namespace: Option<Text<'a>>,
    pub(crate) user: Option<RequestUser<'a>>,
    pub(crate) object: Option<Slice<'a>>,
    /// The object, if it can be read as a Pod.
    pub(crate) pod: Option<PodObject<'a>>,
    pub(crate) old_object: Option<Slice<'a>>,
}

/// The fields of the request, in whatever order they come. The object is read as a Pod before its
/// kind is known: most objects are Pods, and for any other object this costs no more than to skip
/// it.
#[derive(Default)]
struct RawRequest<'a> {
    kind: GroupKind<'a>,
    operation: Text<'a>,
    sub_resource: Option<Text<'a>>,
    name: Option<Text<'a>>,
    namespace: Option<Text<'a>>,
    user_info: Option<UserInfo<'a>>,
    object: Option<Slice<'a>>,
    pod: Option<PodObject<'a>>,
    old_object: Option<Slice<'a>>,
}

impl<'a> RawRequest<'a> {
    fn read_field(&mut self, reader: &mut Reader<'a>, key: &str) -> Result<(), json::Error> {
        match key {
            "kind" => self.kind = reader.value()?,
            "operation" => self.operation = reader.value()?,
            "subResource" => self.sub_resource = reader.value()?,
            "name" => self.name = reader.value()?,
            "namespace" => self.namespace = reader.value()?,
            "userInfo" => self.user_info = reader.value()?,
            "object" => {
                let object = reader.attempt::<Option<PodObject<'a>>>()?;
                self.object = (object.slice != Slice(b"null")).then_some(object.slice);
                self.pod = object.value.ok().flatten();
            }
            "oldObject" => self.old_object = reader.value()?,
            _ => reader.skip()?,
        }
        Ok(())
    }
}

view! {
    struct GroupKind<'a> {
        "group" => group: Text<'a>,
        "kind" => kind: Text<'a>,
    }
}

view! {
    struct UserInfo<'a> {
        "username" => username: Option<Text<'a>>,
        "groups" => groups: Option<Vec<Text<'a>>>,
    }
}

impl<'a> UserInfo<'a> {
    /// The user. An audit has none, or one without a name (A15).
    fn into_user(self) -> Option<RequestUser<'a>> {
        let name = self.username.filter(|name| !name.is_empty())?;
        Some(RequestUser {
            name,
            groups: self.groups.unwrap_or_default(),
        })
    }
}

/// Reads the payload of `validate`. A request that is not judged is not read further (A0).
///
/// # Errors
///
/// [`Unreadable`] if the payload is not JSON or not an admission request.
pub(crate) fn read(payload: &[u8]) -> Result<Payload<'_>, Unreadable> {
    let mut settings = SettingsValue::Null;
    let mut request = None;
    let mut reader = Reader::new(payload);
    reader
        .map(|reader, key| {
            match key {
                "settings" => settings = read_settings_value(reader)?,
                "request" => {
                    let mut fields = RawRequest::default();
                    let is_map = reader.map(|reader, key| fields.read_field(reader, key))?;
                    request = is_map.then_some(fields);
                }
                _ => reader.skip()?,
            }
            Ok(())
        })
        .and_then(|_| reader.end())
        .map_err(|error| Unreadable::new(error, payload, ""))?;
    let RawRequest {
        kind,
        operation,
        sub_resource,
        name,
        namespace,
        user_info,
        object,
        pod,
        old_object,
    } = request.ok_or_else(|| Unreadable::missing("request"))?;
    if kind.kind.is_empty() {
        return Err(Unreadable::missing("request.kind.kind"));
    }
    if operation.is_empty() {
        return Err(Unreadable::missing("request.operation"));
    }
    let sub_resource = sub_resource.unwrap_or_default();
    let request =
        scope(&kind.group, &kind.kind, &operation, &sub_resource).map(|(kind, operation)| {
            Envelope {
                kind,
                operation,
                name,
                namespace,
                user: user_info.and_then(UserInfo::into_user),
                object,
                pod,
                old_object,
            }
        });
    Ok(Payload { settings, request })
}

/// Reads the payload of `validate_settings`.
///
/// # Errors
///
/// [`Unreadable`] if it is not JSON.
pub(crate) fn read_settings(payload: &[u8]) -> Result<SettingsValue<'_>, Unreadable> {
    if payload.is_empty() {
        return Ok(SettingsValue::Null);
    }
    let mut reader = Reader::new(payload);
    let settings = read_settings_value(&mut reader);
    settings
        .and_then(|settings| reader.end().map(|()| settings))
        .map_err(|error| Unreadable::new(error, payload, ""))
}

/// Settings can have any shape, so what is JSON and cannot be read is nested too deeply. Its path is
/// not told: it would repeat what the user has written.
fn read_settings_value<'a>(reader: &mut Reader<'a>) -> Result<SettingsValue<'a>, json::Error> {
    match reader.attempt()?.value {
        Err(error) if error.is_data => Ok(SettingsValue::TooDeep),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty(b"", 0)]
    #[case::truncated(b"{\"request\":{\"kind\":", 19)]
    #[case::not_json(b"secret", 0)]
    #[case::not_utf8(b"{\"request\":{\"operation\":\"\xff\"}}", 25)]
    fn a14_what_is_not_json(#[case] payload: &[u8], #[case] at: usize) {
        let error = read(payload).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the request cannot be read: it is not JSON from byte {at} on")
        );
    }

    #[test]
    fn a14_a_payload_that_is_no_map() {
        assert_eq!(
            read(b"[]").unwrap_err().to_string(),
            "the request cannot be read: the payload is missing, repeated or of a wrong type"
        );
    }

    /// Nothing of what is nested is repeated, and the request is not blamed.
    #[rstest]
    #[case::read(SettingsValue::Map(vec![]), 2)]
    #[case::too_deep(SettingsValue::TooDeep, 100)]
    fn settings_that_are_nested(#[case] expected: SettingsValue<'_>, #[case] depth: usize) {
        let settings = format!(
            "{}{}",
            "{\"secret\":".repeat(depth) + "1",
            "}".repeat(depth)
        );
        let payload = format!(
            r#"{{"settings":{settings},"request":{{"kind":{{"kind":"x"}},"operation":"CREATE"}}}}"#
        );
        let same = |given: SettingsValue<'_>| {
            std::mem::discriminant(&given) == std::mem::discriminant(&expected)
        };
        assert!(same(read(payload.as_bytes()).unwrap().settings));
        assert!(same(read_settings(settings.as_bytes()).unwrap()));
    }

    #[test]
    fn a0_what_is_not_judged_is_not_read() {
        let payload = r#"{"request":{"kind":{"kind":"Pod"},"operation":"DELETE","object":7}}"#;
        assert!(read(payload.as_bytes()).unwrap().request.is_none());
    }
}
