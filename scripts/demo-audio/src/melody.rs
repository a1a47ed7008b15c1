//! Reads the subset of ABC notation that `melodies.abc` uses.

use crate::chord::Chord;
use std::fmt;

/// One written note: where it starts, how long it lasts (quarter notes) and its MIDI pitch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note {
    /// Quarter notes from the start of the tune.
    pub start_beats: f64,
    /// Quarter notes it lasts, ties included.
    pub length_beats: f64,
    /// MIDI pitch, 60 for middle C.
    pub midi: i32,
}

/// A tune as written: melody, chords over it and its meter.
#[derive(Debug, Clone)]
pub struct Tune {
    /// The `T:` line.
    pub title: String,
    /// Quarter notes in a bar.
    pub beats_per_bar: f64,
    /// Quarter notes before the first bar line of a tune with a pick-up, else 0.
    pub pickup_beats: f64,
    /// The melody, in order.
    pub notes: Vec<Note>,
    /// Chords with the beat from which each holds.
    pub chords: Vec<(f64, Chord)>,
}

/// Says which line of the ABC could not be read, and why.
#[derive(Debug)]
pub struct AbcError {
    /// Line number, from 1.
    pub line: usize,
    /// What was wrong with it.
    pub reason: String,
}

impl fmt::Display for AbcError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {} of the ABC: {}", self.line, self.reason)
    }
}

impl std::error::Error for AbcError {}

/// Reads every tune of an ABC file.
pub fn read_tunes(abc: &str) -> Result<Vec<Tune>, AbcError> {
    let mut tunes = Vec::new();
    let mut reader: Option<Reader> = None;
    for (index, line) in abc.lines().enumerate() {
        let fail = |reason| AbcError { line: index + 1, reason };
        let text = line.trim();
        if text.is_empty() || text.starts_with('%') {
            continue;
        }
        let field = text.split_once(':').filter(|(name, _)| name.len() == 1);
        match (field, &mut reader) {
            (Some(("X", _)), _) => tunes.extend(reader.replace(Reader::default()).map(Reader::finish)),
            (_, None) => return Err(fail("music before the first X: line".into())),
            (Some((name, value)), Some(reader)) if name.chars().all(|c| c.is_ascii_uppercase()) => {
                reader.field(name, value.trim()).map_err(fail)?;
            }
            (_, Some(reader)) => reader.music(text).map_err(fail)?,
        }
    }
    tunes.extend(reader.map(Reader::finish));
    Ok(tunes)
}

#[derive(Default)]
struct Reader {
    title: String,
    beats_per_bar: f64,
    unit_beats: f64,
    sharps: i32,
    now: f64,
    first_bar_line: Option<f64>,
    accidentals: Vec<(i32, i32)>,
    tied: bool,
    carry: f64,
    notes: Vec<Note>,
    chords: Vec<(f64, Chord)>,
}

impl Reader {
    fn field(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "T" => self.title = value.into(),
            "M" => self.beats_per_bar = 4.0 * fraction(value)?,
            "L" => self.unit_beats = 4.0 * fraction(value)?,
            "K" => self.sharps = sharps_of(value)?,
            _ => {}
        }
        Ok(())
    }

    fn music(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text;
        while let Some(symbol) = rest.chars().next() {
            match symbol {
                '"' => {
                    let (name, after) = rest[1..].split_once('"').ok_or("a chord without its closing quote")?;
                    self.chords.push((self.now, Chord::parse(name)?));
                    rest = after;
                    continue;
                }
                '|' => {
                    self.first_bar_line.get_or_insert(self.now);
                    self.accidentals.clear();
                }
                '-' => self.tied = true,
                ' ' | ']' | '(' | ')' => {}
                '^' | '_' | '=' | 'A'..='G' | 'a'..='g' | 'z' => {
                    rest = self.note(rest)?;
                    continue;
                }
                other => return Err(format!("the symbol {other:?} is not one this reader knows")),
            }
            rest = &rest[symbol.len_utf8()..];
        }
        Ok(())
    }

    fn note<'a>(&mut self, text: &'a str) -> Result<&'a str, String> {
        let head = text.trim_start_matches(['^', '_', '=']);
        let mark = text[..text.len() - head.len()].chars().next();
        let letter = head.chars().next().ok_or("an accidental without its note")?;
        let tail = head[1..].trim_start_matches(['\'', ',']);
        let octaves: i32 = head[1..head.len() - tail.len()].chars().map(|c| if c == ',' { -1 } else { 1 }).sum();
        let after = tail.trim_start_matches(|c: char| c.is_ascii_digit() || c == '/');
        let mut length = self.unit_beats * multiple(&tail[..tail.len() - after.len()])?;
        let broken = after.chars().next().filter(|c| matches!(c, '>' | '<'));
        length *= 1.0 + std::mem::take(&mut self.carry);
        if let Some(sign) = broken {
            let tilt = if sign == '>' { 0.5 } else { -0.5 };
            length *= 1.0 + tilt;
            self.carry = -tilt;
        }
        if letter != 'z' {
            let midi = self.pitch(letter, octaves, mark)?;
            match self.notes.last_mut() {
                Some(last) if std::mem::take(&mut self.tied) && last.midi == midi => last.length_beats += length,
                _ => self.notes.push(Note { start_beats: self.now, length_beats: length, midi }),
            }
        }
        self.now += length;
        Ok(&after[broken.map_or(0, |_| 1)..])
    }

    fn pitch(&mut self, letter: char, octaves: i32, mark: Option<char>) -> Result<i32, String> {
        let step = "CDEFGAB".find(letter.to_ascii_uppercase()).ok_or("a note outside A to G")?;
        let octave = octaves + i32::from(letter.is_ascii_lowercase());
        let natural = 60 + [0, 2, 4, 5, 7, 9, 11][step] + 12 * octave;
        let shift = match mark {
            Some(mark) => {
                let shift = i32::from(mark == '^') - i32::from(mark == '_');
                self.accidentals.push((natural, shift));
                shift
            }
            None => self
                .accidentals
                .iter()
                .rev()
                .find(|(pitch, _)| *pitch == natural)
                .map_or_else(|| key_shift(self.sharps, step), |(_, shift)| *shift),
        };
        Ok(natural + shift)
    }

    fn finish(self) -> Tune {
        let pickup_beats = self.first_bar_line.filter(|beats| *beats < self.beats_per_bar - 1e-6).unwrap_or(0.0);
        Tune {
            title: self.title,
            beats_per_bar: self.beats_per_bar,
            pickup_beats,
            notes: self.notes,
            chords: self.chords,
        }
    }
}

fn fraction(text: &str) -> Result<f64, String> {
    let (above, below) = text.split_once('/').ok_or_else(|| format!("{text:?} is not a fraction"))?;
    let number = |part: &str| part.trim().parse::<f64>().map_err(|_| format!("{text:?} is not a fraction"));
    Ok(number(above)? / number(below)?)
}

fn multiple(text: &str) -> Result<f64, String> {
    let (above, below) = text.find('/').map_or((text, ""), |at| text.split_at(at));
    let number = |part: &str, default: f64| {
        if part.is_empty() { Ok(default) } else { part.parse().map_err(|_| format!("{text:?} is not a note length")) }
    };
    let below = match below.trim_start_matches('/') {
        "" => f64::from(1u32 << below.len().min(8)),
        digits => number(digits, 1.0)?,
    };
    Ok(number(above, 1.0)? / below)
}

fn sharps_of(key: &str) -> Result<i32, String> {
    let minor = key.ends_with('m');
    let tonic = key.trim_end_matches('m');
    let keys = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"];
    let at = keys.iter().position(|name| *name == tonic).ok_or_else(|| format!("no key {key:?}"))?;
    Ok(at as i32 - 7 - if minor { 3 } else { 0 })
}

fn key_shift(sharps: i32, step: usize) -> i32 {
    let order_of_sharps = [3, 0, 4, 1, 5, 2, 6];
    let place = order_of_sharps.iter().position(|s| *s == step).unwrap_or(6) as i32;
    if sharps > place {
        1
    } else if -sharps > 6 - place {
        -1
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_pick_up_ties_and_chords_of_bella_ciao() {
        let tunes = read_tunes(include_str!("../melodies.abc")).unwrap();
        let tune = tunes.iter().find(|tune| tune.title == "Bella ciao").unwrap();
        assert_eq!(tune.pickup_beats, 1.5);
        let opening: Vec<i32> = tune.notes.iter().take(5).map(|note| note.midi).collect();
        assert_eq!(opening, [64, 69, 71, 72, 69]);
        assert_eq!(tune.notes[4].length_beats, 2.0);
        assert_eq!(tune.chords.len(), 8);
    }

    #[test]
    fn reads_accidentals_for_their_bar_and_broken_rhythm() {
        let tunes = read_tunes("X:1\nM:4/4\nL:1/8\nK:Gm\n^F F B>e | F4 |]").unwrap();
        let notes: Vec<(i32, f64)> = tunes[0].notes.iter().map(|note| (note.midi, note.length_beats)).collect();
        assert_eq!(notes, [(66, 0.5), (66, 0.5), (70, 0.75), (75, 0.25), (65, 2.0)]);
    }

    #[test]
    fn names_the_line_it_cannot_read() {
        let error = read_tunes("X:1\nK:C\n?").unwrap_err();
        assert_eq!(error.line, 3);
    }
}
