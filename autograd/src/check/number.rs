//! Numbers as data: NaN and infinities as text where the format knows no other way (JSON would lose them).

use core::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() || !to.is_human_readable() {
            return to.serialize_f64(self.0);
        }
        to.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() { from.deserialize_any(Text) } else { f64::deserialize(from).map(Self) }
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or \"NaN\", \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Number, E> {
        Ok(Number(x))
    }

    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "numbers are f64, however they are written")]
    fn visit_i64<E: Error>(self, x: i64) -> Result<Number, E> {
        Ok(Number(x as f64))
    }

    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "numbers are f64, however they are written")]
    fn visit_u64<E: Error>(self, x: u64) -> Result<Number, E> {
        Ok(Number(x as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map(Number).map_err(E::custom)
    }
}

/// For fields of type `f64`.
pub(super) mod one {
    use super::{Deserialize, Deserializer, Number, Serialize, Serializer};

    pub(in crate::check) fn serialize<S: Serializer>(x: &f64, to: S) -> Result<S::Ok, S::Error> {
        Number(*x).serialize(to)
    }

    pub(in crate::check) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Number::deserialize(from).map(|x| x.0)
    }
}

/// For slopes on both sides.
pub(super) mod pair {
    use super::{Deserialize, Deserializer, Number, Serialize, Serializer};

    pub(in crate::check) fn serialize<S: Serializer>(x: &Option<[f64; 2]>, to: S) -> Result<S::Ok, S::Error> {
        x.map(|pair| pair.map(Number)).serialize(to)
    }

    pub(in crate::check) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[f64; 2]>, D::Error> {
        let pair: Option<[Number; 2]> = Option::deserialize(from)?;
        Ok(pair.map(|pair| pair.map(|x| x.0)))
    }
}
