//! How stored songs, answers and reports look: as tables, and as the JSON document that a song is.

use std::fmt;

use serde_json::json;

use super::{Show, bar, columns, escape, plain, player, table};
use crate::plot::strip;
use crate::{Audio, Embedding, Hits, Index, Indexed, Model, Song, Songs, Tags};

/// A table of more songs than this ends with how many were left out.
const SHOWN_SONGS: usize = 50;

impl Hits {
    /// What to do when nothing was found, which is never for want of likeness.
    fn nothing(&self) -> Option<String> {
        let advice = "index a folder first, or widen the filter.";
        self.neighbours().is_empty().then(|| format!("Nothing found in {}: {advice}", plain(self.index())))
    }
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nothing) = self.nothing() {
            return f.write_str(&nothing);
        }
        let rows: Vec<Vec<String>> = self
            .neighbours()
            .iter()
            .enumerate()
            .map(|(i, n)| {
                let rank = (i + 1).to_string();
                vec![
                    rank,
                    format!("{:.4}", n.score),
                    plain(&n.song.title),
                    plain(&n.song.genre),
                    plain(&best_tags(&n.song)),
                ]
            })
            .collect();
        writeln!(f, "{} sounds like, in {}:", plain(self.query()), plain(self.index()))?;
        f.write_str(&columns(&["rank", "score", "title", "genre", "tags"], &rows))
    }
}

impl Show for Hits {
    fn html(&self) -> String {
        if let Some(nothing) = self.nothing() {
            return format!("<div>{}</div>", escape(&nothing));
        }
        let rows: Vec<Vec<String>> = self
            .neighbours()
            .iter()
            .enumerate()
            .map(|(i, n)| {
                vec![
                    (i + 1).to_string(),
                    bar(n.score, &format!("{:.4}", n.score)),
                    format!("<span title=\"{}\">{}</span>", escape(&n.song.path), escape(&n.song.title)),
                    escape(&n.song.genre),
                    escape(&best_tags(&n.song)),
                    player::preview(&n.song),
                ]
            })
            .collect();
        let caption = format!("{} sounds like, in {}", self.query(), self.index());
        table(&caption, &["", "cosine similarity", "title", "genre", "the model hears", "listen"], &rows)
    }
}

fn best_tags(song: &Song) -> String {
    let words: Vec<&str> = song.tags.iter().take(3).map(|(tag, _)| tag.as_str()).collect();
    words.join(", ")
}

impl Songs {
    fn cells(&self) -> impl Iterator<Item = [String; 4]> + '_ {
        self.iter().take(SHOWN_SONGS).map(|song| {
            let length = format!("{:.1} s", song.duration_seconds);
            [song.title.clone(), song.genre.clone(), length, song.path.clone()]
        })
    }

    fn left_out(&self) -> Option<String> {
        (self.len() > SHOWN_SONGS).then(|| format!("… and {} more", self.len() - SHOWN_SONGS))
    }
}

const SONG_HEADS: [&str; 4] = ["title", "genre", "length", "path"];

impl fmt::Display for Songs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Vec<String>> = self.cells().map(|row| row.iter().map(|c| plain(c)).collect()).collect();
        f.write_str(&columns(&SONG_HEADS, &rows))?;
        self.left_out().map_or(Ok(()), |more| write!(f, "\n{more}"))
    }
}

impl Show for Songs {
    fn html(&self) -> String {
        let rows: Vec<Vec<String>> = self.cells().map(|row| row.iter().map(|c| escape(c)).collect()).collect();
        let count = format!("{} songs", self.len());
        table(&count, &SONG_HEADS, &rows) + &self.left_out().unwrap_or_default()
    }
}

/// A song as the document that Kibana's console would show, its vector only told of.
impl fmt::Display for Song {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<_> = self.tags.iter().map(|(tag, score)| json!({"tag": tag, "confidence": score})).collect();
        let document = json!({
            "title": self.title,
            "genre": self.genre,
            "path": self.path,
            "timestamp": self.timestamp.to_string(),
            "duration_seconds": (self.duration_seconds * 1000.0).round() / 1000.0,
            "content_hash": self.content_hash,
            "tags": tags,
            "audio-embedding": format!("{:?}", self.embedding),
        });
        f.write_str(&serde_json::to_string_pretty(&document).map_err(|_| fmt::Error)?)
    }
}

impl Show for Song {
    fn html(&self) -> String {
        let lines: Vec<String> = self.to_string().lines().map(escape).collect();
        format!("<pre>{}</pre>", lines.join("\n"))
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.existed() { "already exists" } else { "created" };
        let count = match self.count() {
            Ok(1) => "1 song".into(),
            Ok(n) => format!("{n} songs"),
            Err(e) => e.to_string(),
        };
        let model = self.model();
        write!(f, "{} {state}: {count}, {} dimensions ({})", plain(self.name()), model.dimensions(), model.name())
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl fmt::Display for Indexed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stored, unchanged, skipped, elapsed } = self;
        let seconds = elapsed.as_secs_f64();
        write!(f, "{} stored, {unchanged} unchanged, {} skipped in {seconds:.1} s", stored.len(), skipped.len())?;
        skipped.iter().try_for_each(|(_, reason)| write!(f, "\nskipped: {}", plain(reason)))
    }
}

impl fmt::Display for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:.2} s, mono, {} Hz", plain(self.title()), self.duration_seconds(), self.sample_rate())
    }
}

impl fmt::Display for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Show for Embedding {
    fn html(&self) -> String {
        format!("{}<div><code>{}</code></div>", strip(self), escape(&self.to_string()))
    }
}

impl Show for Tags {
    fn html(&self) -> String {
        let row = |(tag, score): &(String, f32)| vec![escape(tag), bar(*score, &format!("{score:.2}"))];
        let rows: Vec<Vec<String>> = self.top(10).iter().map(row).collect();
        table("the model hears", &["tag", "confidence"], &rows)
    }
}

macro_rules! shown_as_lines {
    ($($type:ty),+) => {$(
        impl Show for $type {
            fn html(&self) -> String {
                let lines: Vec<String> = self.to_string().lines().map(escape).collect();
                format!("<div>{}</div>", lines.join("<br>"))
            }
        }
    )+};
}

shown_as_lines!(Index, Indexed, Audio, Model);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::Neighbour;

    const HOSTILE: &str = "<script>alert(\"x\")</script>\nEVCXR_END_CONTENT\n🎵";

    fn song() -> Song {
        Song {
            path: format!("{HOSTILE}.wav"),
            title: HOSTILE.into(),
            genre: HOSTILE.into(),
            tags: vec![(HOSTILE.into(), 0.5)],
            timestamp: jiff::Timestamp::UNIX_EPOCH,
            duration_seconds: 1.0,
            content_hash: "00".into(),
            embedding: Embedding::zero(4),
        }
    }

    #[test]
    fn hostile_titles_stay_text_everywhere() {
        let songs = Songs::from(vec![song()]);
        let hits = Hits::new(HOSTILE.into(), HOSTILE.into(), vec![Neighbour { song: song(), score: 0.5 }]);
        let audio = Audio::new(HOSTILE, vec![0.1; 800], 8_000).unwrap();
        let skipped = vec![(song().path.into(), HOSTILE.into())];
        let indexed = Indexed { stored: vec![], unchanged: 0, skipped, elapsed: Duration::ZERO };
        let player = crate::play(&audio);
        let figure = crate::plot(&songs).unwrap();
        let waveform = crate::plot(&audio).unwrap();
        let shown: [&dyn Show; 8] = [&hits, &songs, &song(), &audio, &indexed, &player, &figure, &waveform];
        for value in shown {
            let (html, text) = (value.html(), value.to_string());
            assert!(!html.contains("<script") && !html.contains("\"x\""), "{html}");
            assert!(!format!("{html}\n{text}").lines().any(|line| line.starts_with("EVCXR_")), "{html}\n{text}");
        }
        assert!(hits.html().contains("&lt;script&gt;") && hits.html().contains("🎵"));
    }

    #[test]
    fn no_answers_say_what_to_do() {
        let hits = Hits::new("empty".into(), "hum".into(), vec![]);
        assert_eq!(hits.to_string(), "Nothing found in empty: index a folder first, or widen the filter.");
        assert!(hits.html().contains(&hits.to_string()));
    }

    #[test]
    fn long_lists_say_what_they_leave_out() {
        let songs = Songs::from(vec![song(); 60]);
        assert!(songs.to_string().ends_with("… and 10 more"));
        assert!(songs.html().ends_with("… and 10 more"));
    }
}
