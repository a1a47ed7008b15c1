//! Positions in text: Jupyter counts Unicode code points, Rust counts bytes.

/// The byte at which the code point with this number begins, or the end of the text.
pub fn byte_of(text: &str, code_points: usize) -> usize {
    text.char_indices().nth(code_points).map_or(text.len(), |(byte, _)| byte)
}

/// How many code points begin before this byte.
pub fn code_points_before(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(begin, _)| *begin < byte).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_the_same_in_bytes_and_in_code_points_of_ascii() {
        for position in 0..=5 {
            assert_eq!(byte_of("x.len", position), position);
            assert_eq!(code_points_before("x.len", position), position);
        }
    }

    #[test]
    fn letters_of_two_three_and_four_bytes_count_once() {
        let text = "né↦🎵.x";
        let bytes = [0, 1, 3, 6, 10, 11, 12];
        for (code_point, byte) in bytes.into_iter().enumerate() {
            assert_eq!(byte_of(text, code_point), byte);
            assert_eq!(code_points_before(text, byte), code_point);
        }
    }

    #[test]
    fn a_combining_accent_and_a_line_end_of_two_characters_count_as_two() {
        assert_eq!(byte_of("e\u{301}x", 2), 3);
        assert_eq!(code_points_before("a\r\nb", 3), 3);
    }

    #[test]
    fn a_position_beyond_the_text_is_its_end() {
        assert_eq!(byte_of("é", 7), 2);
        assert_eq!(code_points_before("é", 7), 1);
        assert_eq!(byte_of("", 1), 0);
    }
}
