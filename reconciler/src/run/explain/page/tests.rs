use super::*;
use crate::explain::{Facts, NamespaceState};
use axum::body::{Body, to_bytes};
use kuma_workload_rulebook::roster::{Mode, Roster};
use rstest::rstest;
use tower::ServiceExt;

/// A page of a cluster in which there is nothing.
fn page() -> Router {
    let explain = |key: &Key| {
        Explanation::of(Facts {
            key: key.clone(),
            decision: Roster::default().decide(key, None, Mode::Manage),
            workload: None,
            dataplanes: Default::default(),
            unreadable: Vec::new(),
            namespace: NamespaceState::Present,
            mode: Mode::Manage,
            waiting_for: Vec::new(),
            obstacle: None,
        })
    };
    WhyPage::new(explain).router()
}

struct Said {
    code: u16,
    content_type: String,
    server: String,
    body: String,
}

async fn ask(path: &str, headers: &[(&str, &str)]) -> Said {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = page()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let header = |name| {
        let value = answer.headers().get(name);
        value.map_or_else(String::new, |value: &HeaderValue| {
            value.to_str().unwrap().to_owned()
        })
    };
    Said {
        code: answer.status().as_u16(),
        content_type: header(header::CONTENT_TYPE),
        server: header(header::SERVER),
        body: {
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            String::from_utf8(body.to_vec()).unwrap()
        },
    }
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

#[rstest]
#[case::text("/why/shop/web", None, TEXT)]
#[case::text_for_a_browser("/why/shop/web", Some("text/html,*/*"), TEXT)]
#[case::json_by_the_header("/why/shop/web", Some(JSON), JSON)]
#[case::json_by_the_query("/why/shop/web?output=json", None, JSON)]
#[case::the_query_wins("/why/shop/web?output=text", Some(JSON), TEXT)]
#[tokio::test]
async fn formats(#[case] path: &str, #[case] accept: Option<&str>, #[case] content_type: &str) {
    let headers = accept.map(|accept| ("accept", accept));
    let said = ask(path, headers.as_slice()).await;
    assert_eq!((said.code, &*said.content_type), (200, content_type));
    assert_eq!(said.server, SERVER);
    let answer =
        "Workload shop/web does not exist because no Dataplane of namespace shop refers to it.";
    match content_type {
        JSON => {
            let json: serde_json::Value = serde_json::from_str(&said.body).unwrap();
            assert_eq!(json["answer"], answer);
        }
        _ => assert_eq!(said.body.lines().next(), Some(answer)),
    }
}

#[rstest]
#[case::upper_case("/why/shop/Web", "Workload shop/Web does not exist")]
#[case::space("/why/shop/my%20web", "Workload shop/my web does not exist")]
#[case::slash("/why/shop/web%2F2", "Workload shop/web/2 does not exist")]
#[case::plain_slash("/why/shop/web/2", "Workload shop/web/2 does not exist")]
#[tokio::test]
async fn names_need_not_be_possible(#[case] path: &str, #[case] answer: &str) {
    let said = ask(path, &[]).await;
    assert_eq!(said.code, 200);
    assert!(said.body.starts_with(answer), "{}", said.body);
}

#[rstest]
#[case::index("/", 200, "Why is there no Workload? Ask for /why/NAMESPACE/NAME.")]
#[case::elsewhere("/metrics", 404, "Why is there no Workload?")]
#[case::no_name("/why/shop", 404, "Why is there no Workload?")]
#[case::no_namespace("/why/Shop/web", 400, "it must be NS/NAME")]
#[case::no_format("/why/shop/web?output=yaml", 400, "output must be json or text")]
#[tokio::test]
async fn who_asks_otherwise_is_told_how(
    #[case] path: &str,
    #[case] code: u16,
    #[case] begin: &str,
) {
    let said = ask(path, &[]).await;
    assert_eq!(said.code, code, "{}", said.body);
    assert!(said.body.starts_with(begin), "{}", said.body);
}

#[rstest]
#[case::ipv4("127.0.0.1:8081", 200)]
#[case::ipv6("[::1]:8081", 200)]
#[case::localhost("localhost:9999", 200)]
#[case::rebound("evil.example:8081", 403)]
#[case::of_the_network("10.0.0.1:8081", 403)]
#[case::nonsense("a b", 403)]
#[tokio::test]
async fn only_this_machine_is_answered(#[case] host: &str, #[case] code: u16) {
    let said = ask("/why/shop/web", &[("host", host)]).await;
    assert_eq!(said.code, code, "{}", said.body);
    assert_eq!(said.body.contains("Workload shop/web"), code == 200);
}
