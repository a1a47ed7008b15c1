//! Cuts a signal that arrives in pieces into overlapping frames.

/// What stands beyond both ends of the signal, so that the first and last frames are centred on its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Silence: librosa's `pad_mode="constant"`.
    #[default]
    Constant,
    /// The signal mirrored at its first and last sample: `pad_mode="reflect"`.
    Reflect,
}

/// How a signal is cut into frames. By default 2048 samples every 512, padded with silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Samples in a frame.
    pub n_fft: usize,
    /// Samples from the start of one frame to the start of the next.
    pub hop_length: usize,
    /// What stands beyond both ends.
    pub padding: Padding,
}

impl Default for Framing {
    fn default() -> Self {
        Self { n_fft: 2048, hop_length: 512, padding: Padding::Constant }
    }
}

impl Framing {
    /// The same with sizes of at least 1.
    pub(super) fn at_least_one(self) -> Self {
        Self { n_fft: self.n_fft.max(1), hop_length: self.hop_length.max(1), ..self }
    }

    /// How many frames a signal of `len` samples has.
    pub(super) fn frames(self, len: usize) -> usize {
        (len + 2 * self.margin()).checked_sub(self.n_fft).map_or(0, |rest| 1 + rest / self.hop_length)
    }

    /// Samples of padding at each end.
    fn margin(self) -> usize {
        self.n_fft / 2
    }
}

/// Samples that are taken in at once, which bounds the memory.
const BLOCK: usize = 8192;

/// Cuts a signal that arrives in pieces into frames; the cuts between pieces leave no trace.
pub(super) struct Framer {
    framing: Framing,
    /// The padded signal from where it is still needed.
    pending: Vec<f32>,
    /// Where in `pending` the next frame starts.
    next: usize,
    /// Whether the padding in front is there.
    padded: bool,
}

impl Framer {
    pub(super) fn new(framing: Framing) -> Self {
        Self { framing: framing.at_least_one(), pending: Vec::new(), next: 0, padded: false }
    }

    /// Takes in more of the signal and hands on every frame that is complete.
    pub(super) fn push(&mut self, samples: &[f32], mut each: impl FnMut(&[f32])) {
        for block in samples.chunks(BLOCK) {
            self.pending.extend_from_slice(block);
            if !self.padded && self.can_pad() {
                let front = self.padding(self.pending.iter());
                self.pad_front(front);
            }
            if self.padded {
                self.emit(&mut each);
            }
        }
    }

    /// Ends the signal, hands on the remaining frames and gets ready for another signal.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[f32])) {
        let back = self.padding(self.pending.iter().rev());
        if !self.padded {
            let front = self.padding(self.pending.iter());
            self.pad_front(front);
        }
        self.pending.extend(back);
        self.emit(&mut each);
        self.pending.clear();
        self.next = 0;
        self.padded = false;
    }

    /// Whether enough is known to pad the front.
    fn can_pad(&self) -> bool {
        match self.framing.padding {
            Padding::Constant => true,
            Padding::Reflect => self.pending.len() > self.framing.margin(),
        }
    }

    /// The padding beyond an end, outwards, given the signal from that end inwards.
    fn padding<'a>(&self, inwards: impl ExactSizeIterator<Item = &'a f32> + Clone) -> Vec<f32> {
        let margin = self.framing.margin();
        if self.framing.padding == Padding::Constant || inwards.len() == 0 {
            return vec![0.0; margin];
        }
        // A signal shorter than the margin is mirrored again at its other end: 1 2 3 goes on 2 1 2 3 2 1.
        let there = inwards.clone().skip(1);
        let back_again = inwards.clone().take(inwards.len().saturating_sub(1));
        let mut mirrored: Vec<f32> = there.take(margin).copied().collect();
        if mirrored.len() < margin {
            let mut back_again: Vec<f32> = back_again.copied().collect();
            back_again.reverse();
            mirrored.extend(back_again);
            if mirrored.is_empty() {
                mirrored.extend(inwards.copied());
            }
        }
        mirrored.iter().copied().cycle().take(margin).collect()
    }

    fn pad_front(&mut self, outwards: Vec<f32>) {
        self.pending.splice(0..0, outwards.into_iter().rev());
        self.padded = true;
    }

    /// Hands on all frames that are complete, and forgets what neither a frame nor the mirrored end needs.
    fn emit(&mut self, each: &mut impl FnMut(&[f32])) {
        let Framing { n_fft, hop_length, .. } = self.framing;
        while let Some(frame) = self.pending.get(self.next..self.next.saturating_add(n_fft)) {
            each(frame);
            self.next = self.next.saturating_add(hop_length);
        }
        let needed = self.framing.margin() + 1;
        let forgotten = self.next.min(self.pending.len().saturating_sub(needed));
        self.pending.drain(..forgotten);
        self.next -= forgotten;
    }
}
