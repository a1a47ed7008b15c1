//! Principal component analysis: many dimensions to the two in which the songs differ most.

/// Steps of the power iteration; each component settles long before.
const STEPS: usize = 200;

/// Projects vectors of equal length onto their first two principal components.
///
/// Returns a point a vector, and the shares of the variance (0..1) that the two axes show. The components are found by
/// power iteration with deflation on the centred data, from a fixed start, so that a figure does not change by itself.
pub(super) fn principal_components(vectors: &[&[f32]]) -> (Vec<(f64, f64)>, (f64, f64)) {
    let dimensions = vectors.first().map_or(0, |v| v.len());
    let count = vectors.len().max(1) as f64;
    let mean: Vec<f64> =
        (0..dimensions).map(|d| vectors.iter().map(|v| f64::from(v[d])).sum::<f64>() / count).collect();
    let mut rows: Vec<Vec<f64>> =
        vectors.iter().map(|v| v.iter().zip(&mean).map(|(&x, m)| f64::from(x) - m).collect()).collect();
    let squares = |rows: &[Vec<f64>]| rows.iter().flatten().map(|x| x * x).sum::<f64>();
    let total = squares(&rows).max(f64::MIN_POSITIVE);

    let mut axes = [vec![0.0; vectors.len()], vec![0.0; vectors.len()]];
    let mut shares = [0.0; 2];
    for (axis, share) in axes.iter_mut().zip(&mut shares) {
        let component = first_component(&rows, dimensions);
        for (row, coordinate) in rows.iter_mut().zip(axis.iter_mut()) {
            *coordinate = dot(row, &component);
            row.iter_mut().zip(&component).for_each(|(x, c)| *x -= *coordinate * c);
        }
        *share = axis.iter().map(|x| x * x).sum::<f64>() / total;
    }
    let [x, y] = axes;
    (x.into_iter().zip(y).collect(), (shares[0], shares[1]))
}

/// Finds the direction of the greatest variance, its largest number positive.
fn first_component(rows: &[Vec<f64>], dimensions: usize) -> Vec<f64> {
    let mut component: Vec<f64> = (0..dimensions).map(|d| 1.0 + (d as f64 * 0.7).sin()).collect();
    for _ in 0..STEPS {
        let mut next = vec![0.0; dimensions];
        for row in rows {
            let along = dot(row, &component);
            next.iter_mut().zip(row).for_each(|(n, x)| *n += along * x);
        }
        let norm = dot(&next, &next).sqrt();
        if norm < 1e-12 {
            return vec![0.0; dimensions];
        }
        component = next.into_iter().map(|x| x / norm).collect();
    }
    let largest = component.iter().copied().fold(0.0, |m: f64, x| if x.abs() > m.abs() { x } else { m });
    component.iter().map(|x| x * largest.signum()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::principal_components;

    #[test]
    fn the_long_axis_comes_first() {
        // An ellipse of half axes 5 and 1 in the plane of the third and fifth of six dimensions.
        let vectors: Vec<[f32; 6]> = (0..40)
            .map(|i| (i as f32 * std::f32::consts::TAU / 40.0).sin_cos())
            .map(|(s, c)| [9.0, 9.0, 5.0 * c, 9.0, s, 9.0])
            .collect();
        let rows: Vec<&[f32]> = vectors.iter().map(|v| v.as_slice()).collect();
        let (points, (first, second)) = principal_components(&rows);
        assert!((first - 25.0 / 26.0).abs() < 1e-6 && (second - 1.0 / 26.0).abs() < 1e-6, "{first} {second}");
        for (point, vector) in points.iter().zip(&vectors) {
            assert!((point.0.abs() - f64::from(vector[2].abs())).abs() < 1e-4);
            assert!((point.1.abs() - f64::from(vector[4].abs())).abs() < 1e-4);
        }
    }

    #[test]
    fn nothing_and_sameness_are_points_at_the_origin() {
        assert!(principal_components(&[]).0.is_empty());
        let same: [&[f32]; 3] = [&[0.5, 0.5]; 3];
        assert_eq!(principal_components(&same).0, vec![(0.0, 0.0); 3]);
    }
}
