//! The genre of a song, read off its title as the tutorial does.

/// The tutorial's genres, spelled as there.
pub const GENRES: [&str; 9] =
    ["jazz", "opera", "piano", "prompt", "humming", "string", "capella", "eletronic", "guitar"];

/// What a title without a known genre gets.
pub const GENERIC: &str = "generic";

/// How alike two words must be, so that `cappella` is `capella` but `spring` is no `string`.
const ALIKE: f64 = 0.85;

/// Finds the genre whose name is most like a word of the title.
///
/// The tutorial goes through its list and keeps the last match; here the best one wins.
///
/// ```
/// # use earworm::genre_of;
/// assert_eq!(genre_of("bella_ciao_electronic-synth-lead"), "eletronic");
/// assert_eq!(genre_of("bella_ciao_tribal-drums-and-flute"), "generic");
/// ```
pub fn genre_of(title: &str) -> &'static str {
    let title = title.to_lowercase();
    let words: Vec<&str> = title.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let best = |genre: &str| words.iter().map(|word| likeness(word, genre)).fold(0.0, f64::max);
    let mut found = (GENERIC, ALIKE);
    for genre in GENRES {
        let score = best(genre);
        if score > found.1 {
            found = (genre, score);
        }
    }
    found.0
}

/// Compares a word with a genre: 1 for the same, a little less for a longer form of it, else by their letters.
fn likeness(word: &str, genre: &str) -> f64 {
    match word.strip_prefix(genre) {
        Some("") => 1.0,
        Some(_) => 0.95,
        None => strsim::normalized_levenshtein(word, genre),
    }
}

#[cfg(test)]
mod tests {
    use super::genre_of;

    #[test]
    fn the_tutorials_titles() {
        for (title, genre) in [
            ("a-cappella-chorus", "capella"),
            ("bella_ciao_humming", "humming"),
            ("bella_ciao_opera-singer", "opera"),
            ("bella_ciao_jazz-with-saxophone", "jazz"),
            ("mozart_symphony25_string-quartet", "string"),
            ("mozart_symphony25_prompt", "prompt"),
            ("bella_ciao_piano-solo", "piano"),
            ("BELLA CIAO GUITAR", "guitar"),
            ("bella_ciao_tribal-drums-and-flute", "generic"),
            ("", "generic"),
        ] {
            assert_eq!(genre_of(title), genre, "{title}");
        }
    }

    #[test]
    fn the_best_match_wins_over_the_last() {
        assert_eq!(genre_of("opera for strings"), "opera");
        assert_eq!(genre_of("humming with guitars"), "humming");
    }

    #[test]
    fn near_words_are_not_genres() {
        for title in ["spring", "human", "bella ciao", "jars"] {
            assert_eq!(genre_of(title), "generic", "{title}");
        }
    }
}
