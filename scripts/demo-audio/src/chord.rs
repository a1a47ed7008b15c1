//! Chord symbols and the pitches an accompaniment picks from them.

/// A chord: the pitch class of its root and the intervals above it, in semitones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chord {
    /// Pitch class of the root, 0 for C.
    pub root: i32,
    /// Semitones above the root, root first.
    pub intervals: Vec<i32>,
}

impl Chord {
    /// Reads a symbol such as `Am`, `Eb` or `D7`.
    pub fn parse(symbol: &str) -> Result<Self, String> {
        let mut letters = symbol.chars();
        let step = letters.next().and_then(|c| "CDEFGAB".find(c)).ok_or_else(|| format!("no chord {symbol:?}"))?;
        let natural: i32 = [0, 2, 4, 5, 7, 9, 11][step];
        let mut quality = letters.as_str();
        let mut shift: i32 = 0;
        if let Some(rest) = quality.strip_prefix('#') {
            (shift, quality) = (1, rest);
        } else if let Some(rest) = quality.strip_prefix('b') {
            (shift, quality) = (-1, rest);
        }
        let intervals = match quality {
            "" => vec![0, 4, 7],
            "m" => vec![0, 3, 7],
            "7" => vec![0, 4, 7, 10],
            "m7" => vec![0, 3, 7, 10],
            _ => return Err(format!("the chord {symbol:?} is not one this reader knows")),
        };
        Ok(Self { root: (natural + shift).rem_euclid(12), intervals })
    }

    /// Moves the chord by `semitones`.
    pub fn transposed(&self, semitones: i32) -> Self {
        Self { root: (self.root + semitones).rem_euclid(12), intervals: self.intervals.clone() }
    }

    /// Returns the MIDI pitch of its `degree`-th tone (0 the root) nearest to `center`.
    pub fn tone_near(&self, degree: usize, center: i32) -> i32 {
        let class = self.root + self.intervals[degree % self.intervals.len()];
        center + (class - center + 6).rem_euclid(12) - 6
    }

    /// Returns the chord's highest tone at or below `ceiling` that is not in `taken`.
    pub fn tone_below(&self, ceiling: i32, taken: &[i32]) -> i32 {
        (ceiling - 24..=ceiling)
            .rev()
            .find(|pitch| {
                let class = (pitch - self.root).rem_euclid(12);
                self.intervals.contains(&class) && !taken.contains(pitch)
            })
            .unwrap_or(ceiling)
    }

    /// Returns a close voicing of all its tones around `center`.
    pub fn voicing(&self, center: i32) -> Vec<i32> {
        (0..self.intervals.len()).map(|degree| self.tone_near(degree, center)).collect()
    }
}
