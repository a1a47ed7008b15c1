//! What a model hears, in words.

/// Tags with their confidence in 0..1, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tags(Vec<(String, f32)>);

impl Tags {
    /// Ranks labels by their confidence.
    pub(crate) fn ranked<'a>(labels: impl IntoIterator<Item = (&'a str, f32)>) -> Self {
        let mut tags: Vec<(String, f32)> = labels.into_iter().map(|(label, score)| (label.into(), score)).collect();
        tags.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self(tags)
    }

    /// The best `count` tags with their confidence.
    pub fn top(&self, count: usize) -> &[(String, f32)] {
        &self.0[..count.min(self.0.len())]
    }
}

impl std::fmt::Display for Tags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<String> = self.top(5).iter().map(|(tag, score)| format!("{tag} {score:.2}")).collect();
        f.write_str(&words.join(", "))
    }
}
