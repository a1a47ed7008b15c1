//! All vectors in 8 bits, for a first look at each of them; how wrong that look can be is known for each.

use crate::embedding::Embedding;

const LIMIT: f32 = 127.0;

/// Covers the rounding of `f32` sums, which is below a tenth of it.
const SLACK: f32 = 1e-6;

/// A flat matrix of vectors beside the ids of their rows, in the order of the ids.
pub(super) struct Vectors {
    dimensions: usize,
    ids: Vec<i64>,
    values: Vec<i8>,
    scales: Vec<f32>,
    /// How long the part of each vector is that 8 bits lose.
    lost: Vec<f32>,
}

/// A cosine that was estimated, and by how much it can be off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) score: f32,
    pub(super) margin: f32,
    pub(super) id: i64,
}

impl Vectors {
    pub(super) fn new(dimensions: usize) -> Self {
        Self { dimensions, ids: Vec::new(), values: Vec::new(), scales: Vec::new(), lost: Vec::new() }
    }

    /// Replaces the vector of an id, or appends it; `false`, and nothing done, if it would go between others.
    pub(super) fn put(&mut self, id: i64, embedding: &Embedding) -> bool {
        let at = match self.ids.binary_search(&id) {
            Ok(at) => at,
            Err(at) if at == self.ids.len() => {
                self.ids.push(id);
                self.values.resize(self.values.len() + self.dimensions, 0);
                self.scales.push(0.0);
                self.lost.push(0.0);
                at
            }
            Err(_) => return false,
        };
        let (scale, rounded, lost) = quantised(embedding.as_slice(), LIMIT);
        let start = at * self.dimensions;
        for (value, number) in self.values[start..start + self.dimensions].iter_mut().zip(rounded) {
            *value = number as i8;
        }
        (self.scales[at], self.lost[at]) = (scale, lost);
        true
    }

    /// Drops the vector of an id, if it is there.
    pub(super) fn remove(&mut self, id: i64) {
        if let Ok(at) = self.ids.binary_search(&id) {
            self.ids.remove(at);
            self.scales.remove(at);
            self.lost.remove(at);
            self.values.drain(at * self.dimensions..(at + 1) * self.dimensions);
        }
    }

    /// Estimates the cosine of every vector, or of those with the ids in `only`.
    pub(super) fn estimate(&self, query: &Embedding, only: Option<&[i64]>) -> Vec<Estimate> {
        // The query can afford 16 bits: the products are made in them anyway. Their sum must fit in 32.
        let limit = (i32::MAX as usize / (LIMIT as usize * self.dimensions.max(1))).min(i16::MAX as usize).max(1);
        let (query_scale, rounded, query_lost) = quantised(query.as_slice(), limit as f32);
        let query: Vec<i16> = rounded.map(|number| number as i16).collect();
        let one = |at: usize| {
            let row = &self.values[at * self.dimensions..(at + 1) * self.dimensions];
            Estimate {
                score: dot(row, &query) as f32 * (self.scales[at] * query_scale),
                // Cauchy-Schwarz on the lost parts: |v·q - v'·q'| <= |v-v'| |q| + |v'| |q-q'|.
                margin: self.lost[at] + (1.0 + self.lost[at]) * query_lost + SLACK,
                id: self.ids[at],
            }
        };
        match only {
            None => (0..self.ids.len()).map(one).collect(),
            Some(ids) => ids.iter().filter_map(|id| self.ids.binary_search(id).ok()).map(one).collect(),
        }
    }
}

/// Scales a vector so that its largest number becomes `limit`, and rounds; gives the scale back to the vector, the
/// whole numbers, and the length of the difference.
fn quantised(vector: &[f32], limit: f32) -> (f32, impl Iterator<Item = f32>, f32) {
    let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    let scale = if largest > 0.0 { largest / limit } else { 1.0 };
    let round = move |number: &f32| (number / scale).round().clamp(-limit, limit);
    let squares: f64 = vector.iter().map(|number| f64::from(number - round(number) * scale).powi(2)).sum();
    (scale, vector.iter().map(round), squares.sqrt() as f32)
}

fn dot(row: &[i8], query: &[i16]) -> i32 {
    row.iter().zip(query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector(dimensions: usize) -> impl Strategy<Value = Embedding> {
        prop::collection::vec(-1.0_f32..1.0, dimensions)
            .prop_filter_map("zero", |vector| Embedding::new(vector).ok().filter(|vector| !vector.is_zero()))
    }

    proptest! {
        #[test]
        fn the_truth_is_within_the_margin(a in vector(24), b in vector(24)) {
            let mut vectors = Vectors::new(24);
            vectors.put(7, &a);
            let [estimate] = vectors.estimate(&b, None)[..] else { panic!("one estimate") };
            let truth = a.cosine(&b).unwrap();
            prop_assert!((estimate.score - truth).abs() <= estimate.margin, "{estimate:?} {truth}");
            prop_assert!(estimate.margin < 0.03, "{estimate:?}");
        }
    }

    #[test]
    fn the_largest_sums_do_not_overflow() {
        let alike = Embedding::new(vec![1.0; 20_000]).unwrap();
        let mut vectors = Vectors::new(20_000);
        vectors.put(1, &alike);
        let estimate = vectors.estimate(&alike, None)[0];
        assert!((estimate.score - 1.0).abs() <= estimate.margin, "{estimate:?}");
    }

    #[test]
    fn rows_are_replaced_appended_and_removed() {
        let [x, y] = [[1.0, 0.0], [0.0, 1.0]].map(|vector| Embedding::new(vector.to_vec()).unwrap());
        let mut vectors = Vectors::new(2);
        assert!([2, 4, 6].map(|id| vectors.put(id, &x)).iter().all(|&kept| kept));
        assert!(!vectors.put(3, &y), "only the end grows");
        assert!(vectors.put(4, &y));
        vectors.remove(2);
        vectors.remove(5);
        let found: Vec<(i64, f32)> =
            vectors.estimate(&x, None).iter().map(|estimate| (estimate.id, estimate.score.round())).collect();
        assert_eq!(found, [(4, 0.0), (6, 1.0)]);
        let only: Vec<i64> = vectors.estimate(&x, Some(&[1, 6])).iter().map(|estimate| estimate.id).collect();
        assert_eq!(only, [6]);
    }
}
