//! A seeded generator, so that a clip is the same bytes every time it is rendered.

/// Draws repeatable pseudo-random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// Starts a sequence from `seed`; equal seeds give equal sequences.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Draws evenly from `-1.0..1.0`.
    pub fn signed(&mut self) -> f32 {
        let unit = (self.next() >> 40) as f32 / (1u64 << 24) as f32;
        unit * 2.0 - 1.0
    }

    /// Draws from a bell curve about 0 with unit spread, never beyond 3.5.
    pub fn bell(&mut self) -> f32 {
        // Twelve even draws add up to a variance of four in -1..1 units.
        let sum: f32 = (0..12).map(|_| self.signed()).sum();
        (sum / 2.0).clamp(-3.5, 3.5)
    }
}

/// Wanders slowly about 0 with unit spread: drift of pitch, level or timing.
#[derive(Debug, Clone)]
pub struct Drift {
    rng: Rng,
    step: f32,
    phase: f32,
    from: f32,
    to: f32,
}

impl Drift {
    /// Starts a drift that turns about `turns_hz` times a second when advanced at `sample_rate`.
    pub fn new(seed: u64, turns_hz: f32, sample_rate: u32) -> Self {
        let mut rng = Rng::new(seed);
        let (from, to) = (rng.bell(), rng.bell());
        Self { rng, step: turns_hz / sample_rate as f32, phase: 0.0, from, to }
    }

    /// Advances by one sample and returns the drift there.
    pub fn advance(&mut self) -> f32 {
        self.phase += self.step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
            self.from = self.to;
            self.to = self.rng.bell();
        }
        let eased = 0.5 - 0.5 * (std::f32::consts::PI * self.phase).cos();
        self.from + (self.to - self.from) * eased
    }
}
