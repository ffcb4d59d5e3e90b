//! Where a node of a document stands, as far as that says whether it is hidden.

use super::{
    kinds::Kind,
    words::{
        BESIDE_DATA, GENERATED, HIDDEN, HIDDEN_ANNOTATIONS, NAMES, SECRET_DATA, VARIABLES, is_one,
    },
};

/// Where a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where an object is, whether it says so or not.
    Object,
    /// Where nothing is hidden but by what stands there.
    Anything,
    /// In a Secret, whatever it says of itself: an item of a SecretList, what a Secret is merged with.
    Secret,
    /// Where keys are names, such as labels.
    Names,
    /// Where kustomize is told what to put in a Secret.
    Generator,
    /// The environment variables of a container.
    Variables,
    /// One of a list of them.
    Variable,
    /// Where all is hidden.
    Hidden,
}

/// What decides about the values of a map, beside its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Map {
    /// What it says it is.
    pub(super) kind: Kind,
    /// It has what only objects have.
    pub(super) is_object: bool,
    /// It has what Secrets have.
    pub(super) has_data: bool,
    /// It has environment variables in it.
    pub(super) has_variables: bool,
    /// It is a step of a JSON patch that sets what is hidden.
    pub(super) is_patch: bool,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A word in the line of its key, as the value of a label is.
    Word,
    /// Another scalar.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// A map that says what a value is like.
    Schema,
}

impl Place {
    /// How many places there are.
    pub(super) const COUNT: usize = 8;

    /// Whether scalars are hidden here.
    pub(super) fn is_hidden(self) -> bool {
        matches!(self, Self::Hidden | Self::Variables | Self::Variable)
    }

    /// Where the items of a list are.
    pub(super) fn of_items(self) -> Self {
        match self {
            Self::Variables => Self::Variable,
            place => place,
        }
    }

    /// Where the value of a key is.
    pub(super) fn of_value(self, key: &str, form: Form, map: Map) -> Self {
        let is = |words: &[&str]| is_one(key, words);
        let is_scalar = matches!(form, Form::Word | Form::Text);
        match self {
            // The variables are a map: each key is a name.
            Self::Hidden | Self::Variables => Self::Hidden,
            Self::Variable => match is_scalar {
                true if is(&["name"]) => Self::Anything,
                false if is(&["valueFrom"]) && form == Form::Map => Self::Anything,
                false if key == "<<" => Self::Variable,
                _ => Self::Hidden,
            },
            Self::Names if is_scalar && is(&HIDDEN_ANNOTATIONS) => Self::Hidden,
            Self::Names if is_scalar => Self::Names,
            _ if is(&HIDDEN) || is(&SECRET_DATA) && self.has_secret_data(map) => Self::Hidden,
            // `env` may be the name of a stage, such as that in a label.
            _ if is(&VARIABLES) && !matches!(form, Form::Word | Form::Schema) => Self::Variables,
            Self::Generator if is(&GENERATED) => Self::Hidden,
            _ if map.is_patch && is(&["value"]) => Self::Hidden,
            _ if self.is_secret(map) && !BESIDE_DATA.contains(&key) => Self::Hidden,
            // A variable may stand too far to the left.
            _ if map.has_variables && (is(&["value"]) || begins_large(key)) => Self::Hidden,
            _ if is(&NAMES) => Self::Names,
            _ if is(&["secretGenerator"]) => Self::Generator,
            _ if self == Self::Secret || self == Self::Names || map.kind.is_secret => Self::Secret,
            _ if self == Self::Generator => Self::Generator,
            _ if is(&["items", "object", "oldObject"]) => Self::Object,
            _ => Self::Anything,
        }
    }

    /// Whether a map is a Secret, and does not only refer to one.
    fn is_secret(self, map: Map) -> bool {
        let is_object = self == Self::Object || map.is_object || map.has_data;
        is_object && map.kind.is_plain_secret
    }

    /// Whether `data` is that of a Secret. What does not say what it is may be one, and so may what nobody knows.
    fn has_secret_data(self, map: Map) -> bool {
        let is_object = self == Self::Object || map.is_object || map.kind.is_known;
        self == Self::Secret || map.kind.is_secret || is_object && !map.kind.is_config_map
    }
}

fn begins_large(key: &str) -> bool {
    key.starts_with(|first: char| first.is_uppercase() || first == '_')
}
