//! The cells that were executed in this session, and how a frontend asks for them.

use serde_json::{Value, json};

use super::wire::Request;

/// Number by which frontends know this session; earlier ones are not kept.
const SESSION: i64 = 1;

#[derive(Default)]
pub struct History {
    cells: Vec<(i64, String)>,
}

impl History {
    pub fn add(&mut self, line: u32, code: &str) {
        self.cells.push((i64::from(line), code.to_owned()));
    }

    /// Content of the answer to a `history_request`.
    pub fn answer(&self, request: &Request) -> Value {
        let found = match request.text("hist_access_type") {
            "range" => self.range(
                request.number("session").unwrap_or(0),
                request.number("start").unwrap_or(0),
                request.number("stop"),
            ),
            "search" => self.search(request.text("pattern"), request.flag("unique", false), request.number("n")),
            _ => last(self.cells.iter().collect(), Some(request.number("n").unwrap_or(10))),
        };
        let entry = |(line, code): &(i64, String)| match request.flag("output", false) {
            true => json!([SESSION, line, [code, null]]),
            false => json!([SESSION, line, code]),
        };
        json!({ "status": "ok", "history": found.into_iter().map(entry).collect::<Vec<_>>() })
    }

    fn range(&self, session: i64, start: i64, stop: Option<i64>) -> Vec<&(i64, String)> {
        if session != 0 && session != SESSION {
            return Vec::new();
        }
        let end = self.cells.last().map_or(1, |(line, _)| line.saturating_add(1));
        let from_the_end = |line: i64| if line < 0 { line.saturating_add(end) } else { line };
        let (start, stop) = (from_the_end(start), stop.map_or(end, from_the_end));
        self.cells.iter().filter(|(line, _)| (start..stop).contains(line)).collect()
    }

    fn search(&self, pattern: &str, unique: bool, n: Option<i64>) -> Vec<&(i64, String)> {
        let pattern: Vec<char> = if pattern.is_empty() { vec!['*'] } else { pattern.chars().collect() };
        let mut found: Vec<&(i64, String)> = Vec::new();
        for cell in self.cells.iter().filter(|(_, code)| matches(&pattern, code)) {
            if unique {
                found.retain(|(_, code)| *code != cell.1);
            }
            found.push(cell);
        }
        last(found, n)
    }
}

fn last<T>(mut all: Vec<T>, n: Option<i64>) -> Vec<T> {
    let kept = n.map_or(all.len(), |n| usize::try_from(n).unwrap_or(0));
    all.split_off(all.len().saturating_sub(kept))
}

/// Whether the whole text matches a pattern in which `*` stands for any text and `?` for any character.
fn matches(pattern: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows a star does not fit: the star, and how far it reaches.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, reach)) => {
                    star = Some((at, reach + 1));
                    p = at + 1;
                    t = reach + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History::default();
        for (line, code) in ["6*7", "let é = 1;", "6*7", "é + 1"].into_iter().enumerate() {
            history.add(line as u32 + 1, code);
        }
        history
    }

    fn lines(content: Value) -> Vec<i64> {
        let request = Request::for_tests("history_request", content);
        let answer = history().answer(&request);
        answer["history"].as_array().unwrap().iter().map(|entry| entry[1].as_i64().unwrap()).collect()
    }

    #[test]
    fn the_tail_is_the_last_cells_in_order() {
        assert_eq!(lines(json!({"hist_access_type": "tail", "n": 2})), [3, 4]);
        assert_eq!(lines(json!({"hist_access_type": "tail", "n": 9})), [1, 2, 3, 4]);
        assert_eq!(lines(json!({"hist_access_type": "tail", "n": -1})), [] as [i64; 0]);
        assert_eq!(lines(json!({"hist_access_type": "tail"})), [1, 2, 3, 4]);
    }

    #[test]
    fn a_range_ends_before_its_stop_and_may_count_from_the_end() {
        assert_eq!(lines(json!({"hist_access_type": "range", "session": 1, "start": 2, "stop": 3})), [2]);
        assert_eq!(lines(json!({"hist_access_type": "range", "session": 0, "start": 0, "stop": null})), [1, 2, 3, 4]);
        assert_eq!(lines(json!({"hist_access_type": "range", "start": -2})), [3, 4]);
        assert_eq!(lines(json!({"hist_access_type": "range", "session": -1, "start": 1})), [] as [i64; 0]);
        assert_eq!(lines(json!({"hist_access_type": "range", "start": i64::MIN, "stop": i64::MAX})), [1, 2, 3, 4]);
    }

    #[test]
    fn a_search_takes_stars_and_question_marks() {
        assert_eq!(lines(json!({"hist_access_type": "search", "pattern": "6?7"})), [1, 3]);
        assert_eq!(lines(json!({"hist_access_type": "search", "pattern": "6?7", "unique": true})), [3]);
        assert_eq!(lines(json!({"hist_access_type": "search", "pattern": "6?7", "n": 1})), [3]);
        assert_eq!(lines(json!({"hist_access_type": "search", "pattern": "*é*"})), [2, 4]);
        assert_eq!(lines(json!({"hist_access_type": "search", "pattern": "7"})), [] as [i64; 0]);
        assert_eq!(lines(json!({"hist_access_type": "search"})), [1, 2, 3, 4]);
    }

    #[test]
    fn a_star_reaches_as_far_as_it_must() {
        let matches = |pattern: &str, text| super::matches(&pattern.chars().collect::<Vec<_>>(), text);
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(matches("**", ""));
        assert!(!matches("a*b", "a-b-"));
        assert!(!matches("?", ""));
    }

    #[test]
    fn outputs_are_asked_for_but_not_kept() {
        let request =
            Request::for_tests("history_request", json!({"hist_access_type": "tail", "n": 1, "output": true}));
        assert_eq!(history().answer(&request)["history"], json!([[1, 4, ["é + 1", null]]]));
    }
}
