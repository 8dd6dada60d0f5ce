//! One page of a list, from the text of an answer.
//!
//! Invariant: read straight or the long way, through a [`Value`], a text gives the same objects. Only the long way
//! refuses, since it can say where; it also minds what is wrong in fields that nobody reads, which the other passes over.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor, value},
};
use serde_json::Value;

use super::{
    text,
    wire::{Wire, read, typed},
};

/// Pages longer than this are not made values of.
const LARGE: usize = 4 * 1024 * 1024;

/// One page of a list with id cursors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    /// Its objects.
    pub(super) data: Vec<T>,
    /// Whether more follow; a server that does not say goes on until a page is empty.
    pub(super) has_more: Option<bool>,
    /// The cursor of its first object.
    pub(super) first_id: Option<String>,
    /// The cursor of its last object: what the next page is asked after.
    pub(super) last_id: Option<String>,
}

/// A page, its objects in either form.
#[derive(Deserialize)]
struct Raw<I> {
    data: Vec<I>,
    #[serde(default)]
    has_more: Option<bool>,
    #[serde(default)]
    first_id: Option<String>,
    #[serde(default)]
    last_id: Option<String>,
}

impl<T: Wire> Page<T> {
    /// Reads a page; the error names the field.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        match straight(text) {
            Some(page) => Ok(page),
            // As values it would be many times as long.
            None if text.len() > LARGE => Err(in_place::<T>(text)),
            None => Self::decode(serde_json::from_slice(text).map_err(|error| error.to_string())?),
        }
    }

    /// The long way.
    pub(super) fn decode(page: Value) -> Result<Self, String> {
        let Raw::<Value> { data, has_more, first_id, last_id } = read(page, "")?;
        let data = data
            .into_iter()
            .enumerate()
            .map(|(index, item)| typed(item, &format!("data[{index}]")))
            .collect::<Result<_, _>>()?;
        Ok(Self { data, has_more, first_id, last_id })
    }
}

/// What is wrong with a page, found without keeping any of it.
fn in_place<T: Wire>(text: &[u8]) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read: Result<Raw<Item<T>>, _> = serde_path_to_error::deserialize(&mut deserializer);
    match read {
        Err(error) => text::message(&error.to_string()),
        Ok(_) => "wanted an object, and nothing behind it".to_owned(),
    }
}

/// Reads a page without a tree of values in between: a large list is mostly this.
fn straight<T: Wire>(text: &[u8]) -> Option<Page<T>> {
    // serde would take a list for the fields in their order.
    if text.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let Raw::<Item<T>> { data, has_more, first_id, last_id } = serde_json::from_slice(text).ok()?;
    let data = data.into_iter().map(|Item(item)| item).collect();
    Some(Page { data, has_more, first_id, last_id })
}

/// An object whose `type` is the right one, or is left out.
struct Item<T>(T);

impl<'de, T: Wire> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Wire> Visitor<'de> for Object<T> {
            type Value = Item<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item<T>, A::Error> {
                let fields = Fields { map, word: T::TYPE };
                T::deserialize(value::MapAccessDeserializer::new(fields)).map(Item)
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// The fields of an object but for its `type`, which is compared on the way.
struct Fields<A> {
    map: A,
    word: &'static str,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(Text(key)) = self.map.next_key()? {
            if key != "type" {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            let Text(word) = self.map.next_value()?;
            if word != self.word {
                return Err(A::Error::custom("an object of another type"));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests;
