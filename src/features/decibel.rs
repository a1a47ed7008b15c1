//! Power in decibels.

use ndarray::Array2;

/// The power that is 0 dB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DbReference {
    /// A power of 1.
    #[default]
    One,
    /// The greatest power there is.
    Max,
}

/// What is quieter counts as this.
const MIN_POWER: f32 = 1e-10;

/// How far below the loudest values may lie.
const RANGE_DB: f32 = 80.0;

/// Converts power to decibels, no lower than 80 dB below the loudest: `librosa.power_to_db`.
pub fn power_to_db(power: &Array2<f32>, reference: DbReference) -> Array2<f32> {
    let decibels = |power: f32| 10.0 * power.max(MIN_POWER).log10();
    let loudest = decibels(power.iter().copied().fold(0.0, f32::max));
    let zero = match reference {
        DbReference::One => 0.0,
        DbReference::Max => loudest,
    };
    power.map(|&power| decibels(power).max(loudest - RANGE_DB) - zero)
}
