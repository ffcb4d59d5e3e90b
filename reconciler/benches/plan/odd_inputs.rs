//! Inputs that somebody makes by mistake, or to do harm: each is read or refused at once.

/// A file: its extension, and what makes its text.
pub(crate) struct OddInput {
    /// What it is.
    pub name: &'static str,
    /// The extension that says whether it is YAML or JSON.
    pub extension: &'static str,
    /// Its text.
    pub text: fn() -> String,
}

const fn yaml(name: &'static str, text: fn() -> String) -> OddInput {
    OddInput {
        name,
        extension: "yaml",
        text,
    }
}

const fn json(name: &'static str, text: fn() -> String) -> OddInput {
    OddInput {
        name,
        extension: "json",
        text,
    }
}

/// So many of what there are many of.
const MANY: usize = 100_000;
/// So many bytes of what is long.
const LONG: usize = 5_000_000;

/// All of them.
pub(crate) const ALL: &[OddInput] = &[
    yaml("aliases that multiply to 10^9", || alias_bomb(10, 9)),
    yaml("aliases that multiply to 10^40", || alias_bomb(10, 40)),
    yaml("aliases that multiply in a folded key", alias_bomb_of_maps),
    yaml("merge keys that multiply", merge_bomb),
    yaml("one anchor with 100,000 aliases", many_aliases),
    yaml("100,000 anchors", || {
        lines(|number| format!("k{number}: &a{number} x"))
    }),
    yaml("100,000 levels of flow lists", || nested("[", "]")),
    yaml("100,000 levels of flow maps", || nested("{a: ", "}")),
    yaml("100,000 levels of lists", || {
        format!("{}x\n", "- ".repeat(MANY))
    }),
    yaml("100,000 levels of complex keys", || {
        format!("{}x\n", "? ".repeat(MANY))
    }),
    yaml("100,000 flow lists that do not end", || "[".repeat(MANY)),
    yaml("3,000 levels of maps", || {
        (0..3_000)
            .map(|level| format!("{}a:\n", " ".repeat(level)))
            .collect()
    }),
    yaml("one plain text of 5 MB", || {
        format!("a: {}\n", "x".repeat(LONG))
    }),
    yaml("one quoted text of 5 MB", || {
        format!("a: \"{}\"\n", "\\u00e9".repeat(LONG / 6))
    }),
    yaml("one quoted text of 5 MB that does not end", || {
        format!("a: \"{}\n", "x ".repeat(LONG / 2))
    }),
    yaml("one literal text of 5 MB", || {
        format!("a: |\n{}", "  some text in it\n".repeat(LONG / 18))
    }),
    yaml("one plain text of 100,000 lines", || {
        format!("a:\n{}", "  some text in it\n".repeat(MANY))
    }),
    yaml("one key of 5 MB", || format!("{}: a\n", "x".repeat(LONG))),
    yaml("one comment of 5 MB", || {
        format!("a: 1 # {}\n", "x".repeat(LONG))
    }),
    yaml("100,000 comments", || lines(|number| format!("# {number}"))),
    yaml("5 MB of spaces", || " ".repeat(LONG)),
    yaml("5 MB of empty lines", || "\n".repeat(LONG)),
    yaml("5 MB of tabs", || format!("a:\n{}b\n", "\t".repeat(LONG))),
    yaml("5 MB of carriage returns", || "\r".repeat(LONG)),
    yaml("100,000 documents", || "---\na: 1\n".repeat(MANY)),
    yaml("100,000 empty documents", || "---\n".repeat(MANY)),
    yaml("100,000 ends of documents", || "...\n".repeat(MANY)),
    yaml("100,000 documents that are no YAML", || {
        "---\na: [\n".repeat(MANY)
    }),
    yaml("100,000 byte order marks", || "\u{feff}".repeat(MANY)),
    yaml("100,000 byte order marks, a document after each", || {
        "---\n\u{feff}a: 1\n".repeat(MANY)
    }),
    yaml("100,000 directives", || {
        format!("{}---\na: 1\n", "%TAG ! tag:example,2026:\n".repeat(MANY))
    }),
    yaml("100,000 tags", || lines(|_| "- !!str x".to_owned())),
    yaml("100,000 keys", || lines(|number| format!("k{number}: 1"))),
    yaml("100,000 keys and the first of them again", || {
        lines(|number| format!("k{}: 1", number % (MANY - 1)))
    }),
    yaml("100,000 keys in one line", || {
        format!("{{{}}}\n", joined(|number| format!("k{number}: 1")))
    }),
    yaml("100,000 times the same key", || {
        lines(|_| "k: 1".to_owned())
    }),
    yaml("100,000 items", || lines(|number| format!("- {number}"))),
    yaml("100,000 labels", || {
        pod(&lines(|number| format!("    k{number}: v")))
    }),
    yaml("100,000 labels that are no text", || {
        pod(&lines(|number| format!("    k{number}: {number}")))
    }),
    yaml("100,000 lines of a template", || {
        lines(|_| "{{- if .Values.x }}".to_owned())
    }),
    yaml("a list of 100,000 items that are no objects", || {
        format!(
            "apiVersion: v1\nkind: List\nitems:\n{}",
            lines(|number| format!("- {number}"))
        )
    }),
    yaml("100,000 lists in a list", || {
        let list = "{apiVersion: v1, kind: List, items: [";
        format!("{}{}\n", list.repeat(MANY), "]}".repeat(MANY))
    }),
    yaml("one Pod 20,000 times", || {
        format!("{}---\n", pod("    kuma.io/mesh: m\n")).repeat(MANY / 5)
    }),
    json("100,000 levels of lists", || nested("[", "]")),
    json("100,000 levels of maps", || nested("{\"a\":", "}")),
    json("100,000 lists that do not end", || "[".repeat(MANY)),
    json("one text of 5 MB", || {
        format!("{{\"a\": \"{}\"}}\n", "x".repeat(LONG))
    }),
    json("one text of 5 MB of escapes", || {
        format!("{{\"a\": \"{}\"}}\n", "\\u00e9".repeat(LONG / 6))
    }),
    json("one text of 5 MB that does not end", || {
        format!("{{\"a\": \"{}", "x".repeat(LONG))
    }),
    json("one number of 5 MB", || "1".repeat(LONG)),
    json("5 MB of spaces", || " ".repeat(LONG)),
    json("100,000 documents", || "{\"a\": 1}\n".repeat(MANY)),
    json("100,000 documents in one line", || "{\"a\":1}".repeat(MANY)),
    json("100,000 documents of wide characters in one line", || {
        "{\"é\":\"日本\"}".repeat(MANY)
    }),
    json("100,000 keys", || {
        format!("{{{}}}\n", joined(|number| format!("\"k{number}\": 1")))
    }),
    json("100,000 keys and the first of them again", || {
        format!(
            "{{{}}}\n",
            joined(|number| format!("\"k{}\": 1", number % (MANY - 1)))
        )
    }),
    json("100,000 items in one line", || {
        format!("[{}]\n", joined(|number| number.to_string()))
    }),
    json("a list of 100,000 items that are no objects", || {
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{}]}}\n",
            joined(|number| number.to_string())
        )
    }),
    json("100,000 lists in a list", || {
        let list = r#"{"apiVersion": "v1", "kind": "List", "items": ["#;
        format!("{}{}\n", list.repeat(MANY), "]}".repeat(MANY))
    }),
];

fn lines(line: impl Fn(usize) -> String) -> String {
    (0..MANY).map(|number| line(number) + "\n").collect()
}

fn joined(item: impl Fn(usize) -> String) -> String {
    (0..MANY).map(item).collect::<Vec<_>>().join(", ")
}

fn nested(open: &str, close: &str) -> String {
    format!("{}1{}\n", open.repeat(MANY), close.repeat(MANY))
}

/// Each of so many levels names the one before so many times.
fn alias_bomb(width: usize, levels: usize) -> String {
    let mut text = "a0: &a0 x\n".to_owned();
    for level in 1..=levels {
        let aliases = vec![format!("*a{}", level - 1); width].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    text
}

fn alias_bomb_of_maps() -> String {
    let mut text = "a0: &a0 {x: x}\n".to_owned();
    for level in 1..=30 {
        let below = level - 1;
        text += &format!("a{level}: &a{level} {{l: *a{below}, r: *a{below}}}\n");
    }
    text
}

fn merge_bomb() -> String {
    let mut text = "a0: &a0 {k: v}\n".to_owned();
    for level in 1..=40 {
        let below = level - 1;
        text +=
            &format!("a{level}: &a{level}\n  <<: [*a{below}, *a{below}]\n  k{level}: *a{below}\n");
    }
    text
}

fn many_aliases() -> String {
    format!("a: &a [x, y, z]\nb:\n{}", lines(|_| "- *a".to_owned()))
}

/// A Pod with these labels.
fn pod(labels: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: team\n  labels:\n{labels}spec:\n  serviceAccountName: sa\n"
    )
}
