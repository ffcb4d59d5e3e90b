//! Objects at random, in any style, damaged at random: the secret never survives.

use super::{SECRET, files::planned, is_read, mask};
use proptest::{prelude::*, sample::select};

/// A map or list of one entry, in one of the styles that YAML has.
#[derive(Debug, Clone, Copy)]
enum Style {
    Block,
    Wide,
    Flow,
    Json,
}

/// What is written in these styles.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(&'static str),
    /// The secret, written in this way.
    Secret(usize),
    List(Vec<Tree>),
    Map(Vec<(&'static str, Tree)>),
}

fn indent(text: &str, spaces: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(spaces)))
}

impl Tree {
    /// Without an indentation; lines of its own begin with a line feed.
    fn write(&self, style: Style) -> String {
        let is_flow = matches!(style, Style::Flow | Style::Json);
        let quote = |text: &str| match style {
            Style::Json => format!("\"{text}\""),
            _ => text.to_owned(),
        };
        match self {
            Self::Scalar(text) => format!(" {}", quote(text)),
            Self::Secret(_) if matches!(style, Style::Json) => format!(" \"{SECRET}\""),
            Self::Secret(way) => {
                let ways: [&dyn Fn() -> String; 7] = [
                    &|| format!(" {SECRET}"),
                    &|| format!(" \"{SECRET}\""),
                    &|| format!(" '{SECRET}'"),
                    &|| format!(" # {SECRET}\n  {SECRET}"),
                    &|| format!(" |\n  first\n  {SECRET}\n\n  {SECRET} it's \"{SECRET}"),
                    &|| format!(" >-\n  {SECRET}\n   [{SECRET}"),
                    &|| format!(" \"first\n  {SECRET}\n\n  {SECRET}\""),
                ];
                ways[if is_flow { way % 3 } else { way % 7 }]()
            }
            Self::List(items) if is_flow => {
                let items: Vec<_> = items.iter().map(|item| item.write(style)).collect();
                format!(" [{}]", items.join(","))
            }
            Self::Map(entries) if is_flow => {
                let entry =
                    |(key, value): &(&str, Self)| format!("{}:{}", quote(key), value.write(style));
                let entries: Vec<_> = entries.iter().map(entry).collect();
                format!(
                    " {{{}}}",
                    entries.join(if matches!(style, Style::Json) {
                        ",\n "
                    } else {
                        ", "
                    })
                )
            }
            Self::List(items) => {
                let item = |item: &Self| {
                    let text = item.write(style);
                    match item {
                        Self::Map(_) => format!("\n- {}", indent(text.trim_start(), 2)),
                        _ => format!("\n-{text}"),
                    }
                };
                items.iter().map(item).collect()
            }
            Self::Map(entries) => {
                let entry = |(key, value): &(&str, Self)| {
                    let spaces = match value {
                        Self::List(_) if matches!(style, Style::Block) => 0,
                        Self::List(_) | Self::Map(_) => 2,
                        _ => 0,
                    };
                    format!("\n{key}:{}", indent(&value.write(style), spaces))
                };
                entries.iter().map(entry).collect()
            }
        }
    }
}

fn scalar(key: &'static str, value: &'static str) -> (&'static str, Tree) {
    (key, Tree::Scalar(value))
}

fn data() -> impl Strategy<Value = Tree> {
    let keys = proptest::sample::subsequence(vec!["A", "b", "c.d", "tls.key"], 1..4);
    let entries = keys.prop_flat_map(|keys| {
        let ways = proptest::collection::vec(0..7_usize, keys.len());
        (Just(keys), ways)
    });
    entries.prop_map(|(keys, ways)| {
        Tree::Map(
            keys.into_iter()
                .zip(ways.into_iter().map(Tree::Secret))
                .collect(),
        )
    })
}

fn secret() -> impl Strategy<Value = Tree> {
    let keys = proptest::sample::subsequence(vec!["data", "stringData", "binaryData"], 1..3);
    (keys, data(), data(), any::<usize>()).prop_map(|(keys, first, second, order)| {
        let mut entries = vec![
            scalar("kind", "Secret"),
            scalar("apiVersion", "v1"),
            ("metadata", Tree::Map(vec![scalar("name", "a")])),
        ];
        for (key, data) in keys.into_iter().zip([first, second]) {
            entries.insert(order % (entries.len() + 1), (key, data));
        }
        Tree::Map(entries)
    })
}

fn deployment() -> impl Strategy<Value = Tree> {
    let key = select(vec!["env", "envVars", "extraEnv"]);
    let variables = prop_oneof![
        proptest::collection::vec(0..7_usize, 1..3).prop_map(|ways| {
            let variable = |way| Tree::Map(vec![scalar("name", "A"), ("value", Tree::Secret(way))]);
            Tree::List(ways.into_iter().map(variable).collect())
        }),
        (0..7_usize).prop_map(|way| Tree::Map(vec![("A", Tree::Secret(way))])),
    ];
    (key, variables).prop_map(|(key, variables)| {
        let container = Tree::Map(vec![
            scalar("name", "a"),
            (key, variables),
            scalar("image", "b"),
        ]);
        let pod = Tree::Map(vec![("containers", Tree::List(vec![container]))]);
        Tree::Map(vec![
            scalar("apiVersion", "apps/v1"),
            scalar("kind", "Deployment"),
            (
                "spec",
                Tree::Map(vec![("template", Tree::Map(vec![("spec", pod)]))]),
            ),
        ])
    })
}

fn text() -> impl Strategy<Value = String> {
    let style = select(vec![Style::Block, Style::Wide, Style::Flow, Style::Json]);
    let object = prop_oneof![secret(), deployment()];
    (object, style).prop_map(|(object, style)| {
        let text = object.write(style);
        format!("{}\n", text.trim_start())
    })
}

/// What breaks a document.
const DAMAGE: [&str; 16] = [
    "",
    "\"",
    "'",
    "{",
    "[",
    "}",
    "]",
    "\n",
    "\t",
    "{{ x }}",
    "\n{{ if x }}\n",
    "\n---\n",
    "\n# x\n",
    "\\",
    ": ",
    "&a ",
];

/// Whether a place is in a word that says that something is hidden, or in the secret itself: without these words,
/// nobody can know.
fn is_in_word(text: &str, at: usize) -> bool {
    let words = [
        "binaryData",
        "stringData",
        "data",
        "envVars",
        "extraEnv",
        "env",
        "value",
        "kind",
        "Secret",
        "apiVersion",
        SECRET,
    ];
    words.into_iter().any(|word| {
        let mut found = text.match_indices(word);
        found.any(|(start, word)| (start..=start + word.len()).contains(&at))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_secret_survives_as_it_is(text in text()) {
        let masked = mask(&text);
        prop_assert!(!masked.contains(SECRET), "{text}\n{masked}");
        for document in [&text, &masked] {
            prop_assert!(is_read(document), "{document}");
        }
        prop_assert_eq!(planned(&masked).summary, planned(&text).summary);
        prop_assert_eq!(mask(&masked), masked);
    }

    #[test]
    fn no_secret_survives_a_cut(text in text(), at in any::<prop::sample::Index>()) {
        let cut = &text[..at.index(text.len())];
        let masked = mask(cut);
        prop_assert!(!masked.contains(SECRET), "{cut}\n{masked}");
    }

    #[test]
    fn no_secret_survives_damage(
        text in text(),
        at in any::<prop::sample::Index>(),
        length in 0..3_usize,
        damage in select(DAMAGE.to_vec()),
        follows in any::<bool>(),
    ) {
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        if (at..=end).any(|at| is_in_word(&text, at)) {
            return Ok(());
        }
        let follower = if follows { "---\nkind: Pod\n" } else { "" };
        let damaged = format!("{}{damage}{}{follower}", &text[..at], &text[end..]);
        let masked = mask(&damaged);
        prop_assert!(!masked.contains(SECRET), "{damaged}\n=====\n{masked}");
    }
}
