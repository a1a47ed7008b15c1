//! A vector of unit length that says what a piece of audio sounds like.

use crate::error::{Error, Result};

/// An embedding: `dimensions` numbers of unit length (or all zero, for audio that has no direction).
///
/// ```
/// # use earworm::Embedding;
/// let a = Embedding::new(vec![3.0, 4.0])?;
/// assert_eq!(a.as_slice(), &[0.6, 0.8]);
/// assert!((a.cosine(&a)? - 1.0).abs() < 1e-6);
/// # Ok::<(), earworm::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Scales a vector to unit length; a zero vector stays zero instead of becoming NaN.
    ///
    /// # Errors
    /// [`Error::NotFiniteEmbedding`] if a value is NaN or infinite.
    pub fn new(vector: Vec<f32>) -> Result<Self> {
        let squares: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        if !squares.is_finite() {
            return Err(Error::NotFiniteEmbedding);
        }
        let norm = squares.sqrt();
        // A vector of unit length, such as a stored one, keeps its very bits.
        if norm == 0.0 || (norm - 1.0).abs() <= f64::from(f32::EPSILON) {
            return Ok(Self(vector));
        }
        Ok(Self(vector.into_iter().map(|x| (f64::from(x) / norm) as f32).collect()))
    }

    /// The zero vector: what silence embeds to.
    pub fn zero(dimensions: usize) -> Self {
        Self(vec![0.0; dimensions])
    }

    /// The numbers, of unit length.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// How many numbers it has.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// Whether every number is zero, so that no cosine is defined.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|&x| x == 0.0)
    }

    /// Computes the cosine similarity in -1..1; 0 if either is the zero vector.
    ///
    /// # Errors
    /// [`Error::WrongDimensions`] if the two differ in length.
    pub fn cosine(&self, other: &Self) -> Result<f32> {
        if self.dimensions() != other.dimensions() {
            return Err(Error::WrongDimensions {
                got: other.dimensions(),
                expected: self.dimensions(),
                wanted_by: "the other embedding".into(),
            });
        }
        let dot: f64 = self.0.iter().zip(&other.0).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        Ok(dot.clamp(-1.0, 1.0) as f32)
    }
}

impl std::fmt::Debug for Embedding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<String> = self.0.iter().take(3).map(|x| format!("{x:.3}")).collect();
        write!(f, "Embedding({} numbers: {}, …)", self.dimensions(), shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_stays_zero() {
        let zero = Embedding::new(vec![0.0; 4]).unwrap();
        assert!(zero.is_zero());
        assert_eq!(zero.cosine(&Embedding::new(vec![1.0, 0.0, 0.0, 0.0]).unwrap()).unwrap(), 0.0);
    }

    #[test]
    fn tiny_and_huge_vectors_are_normalised() {
        for scale in [1e-30, 1e30] {
            let e = Embedding::new(vec![3.0 * scale, 4.0 * scale]).unwrap();
            assert!((e.as_slice()[0] - 0.6).abs() < 1e-6, "{e:?}");
        }
    }

    #[test]
    fn not_a_number_is_refused() {
        assert!(matches!(Embedding::new(vec![1.0, f32::NAN]), Err(Error::NotFiniteEmbedding)));
        assert!(matches!(Embedding::new(vec![f32::INFINITY]), Err(Error::NotFiniteEmbedding)));
    }

    #[test]
    fn cosine_of_other_dimensions_is_an_error() {
        let (a, b) = (Embedding::zero(2), Embedding::zero(3));
        assert!(matches!(a.cosine(&b), Err(Error::WrongDimensions { got: 3, expected: 2, .. })));
    }

    #[test]
    fn debug_is_one_short_line() {
        assert_eq!(format!("{:?}", Embedding::zero(200)), "Embedding(200 numbers: 0.000, 0.000, 0.000, …)");
    }
}
