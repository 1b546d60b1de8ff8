//! Where two texts part, so that the eye finds it.

use serde::Serialize;

/// Where `had` leaves the way of `wanted`, in characters of `had`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The first character that differs; the length of `had` if it only ends too early.
    pub from: usize,
    /// One past the last character that differs (equal ends are left out).
    pub to: usize,
    /// The same two for `wanted`.
    pub wanted_from: usize,
    /// One past the last character of `wanted` that differs.
    pub wanted_to: usize,
}

/// Longest texts that are compared, in characters: above it, work would grow too much.
const MAX: usize = 600;

/// Where `had` differs from the text or, with `pattern`, from the glob (`*`, `?`) `wanted`.
/// None if it does not, or if the texts are too long to compare.
#[must_use]
pub fn difference(wanted: &str, had: &str, pattern: bool) -> Option<Difference> {
    let wanted: Vec<char> = wanted.chars().take(MAX + 1).collect();
    let had: Vec<char> = had.chars().take(MAX + 1).collect();
    if wanted.len() > MAX || had.len() > MAX {
        return None;
    }
    if pattern && wanted.iter().any(|c| matches!(c, '*' | '?')) {
        return glob_difference(&wanted, &had);
    }
    if wanted == had {
        return None;
    }
    let same = wanted.iter().zip(&had).take_while(|(a, b)| a == b).count();
    let rest = wanted.len().min(had.len()) - same;
    let tail =
        wanted.iter().rev().zip(had.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    Some(Difference {
        from: same,
        to: had.len() - tail,
        wanted_from: same,
        wanted_to: wanted.len() - tail,
    })
}

/// Walks all ways through the pattern at once; the difference begins where the last one ends.
fn glob_difference(pattern: &[char], had: &[char]) -> Option<Difference> {
    // `alive[p]`: the first `p` characters of the pattern can have matched all of `had` so far.
    let mut alive = vec![false; pattern.len() + 1];
    if let Some(start) = alive.first_mut() {
        *start = true;
    }
    skip_stars(pattern, &mut alive);
    for (at, c) in had.iter().enumerate() {
        let mut next = vec![false; pattern.len() + 1];
        for (p, wanted) in pattern.iter().enumerate() {
            if !alive.get(p).copied().unwrap_or(false) {
                continue;
            }
            let to = match wanted {
                '*' => p,
                '?' => p + 1,
                same if same == c => p + 1,
                _ => continue,
            };
            if let Some(cell) = next.get_mut(to) {
                *cell = true;
            }
        }
        skip_stars(pattern, &mut next);
        if !next.contains(&true) {
            let furthest = alive.iter().rposition(|a| *a).unwrap_or(0);
            return Some(Difference {
                from: at,
                to: had.len(),
                wanted_from: furthest,
                wanted_to: pattern.len(),
            });
        }
        alive = next;
    }
    if alive.last().copied().unwrap_or(false) {
        return None;
    }
    let furthest = alive.iter().rposition(|a| *a).unwrap_or(0);
    Some(Difference {
        from: had.len(),
        to: had.len(),
        wanted_from: furthest,
        wanted_to: pattern.len(),
    })
}

fn skip_stars(pattern: &[char], alive: &mut [bool]) {
    for (p, c) in pattern.iter().enumerate() {
        if *c == '*'
            && alive.get(p).copied().unwrap_or(false)
            && let Some(cell) = alive.get_mut(p + 1)
        {
            *cell = true;
        }
    }
}

/// Of several wanted texts the one that `had` comes closest to: it stays on its way longest, and
/// of equals has the longest equal end.
#[must_use]
pub fn nearest<'a>(wanted: &'a [String], had: &str, pattern: bool) -> Option<&'a str> {
    let score = |text: &str| match difference(text, had, pattern) {
        None => (usize::MAX, usize::MAX),
        Some(d) => (d.from, had.chars().count().saturating_sub(d.to)),
    };
    // `max_by_key` keeps the last of equals; the first reads better.
    wanted.iter().rev().max_by_key(|text| score(text)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wanted: &str, had: &str, pattern: bool) -> Option<(usize, usize)> {
        difference(wanted, had, pattern).map(|d| (d.from, d.to))
    }

    #[test]
    fn plain_texts_are_marked_between_equal_ends() {
        assert_eq!(at("https://a.example", "https://a.example/", false), Some((17, 18)));
        assert_eq!(at("repo:acme/api:ref:x", "repo:Acme/api:ref:x", false), Some((5, 6)));
        assert_eq!(at("abc", "ab", false), Some((2, 2)));
        assert_eq!(at("abc", "abc", false), None);
    }

    #[test]
    fn patterns_are_followed_through_their_wildcards() {
        let wanted = "repo:acme/*:ref:refs/heads/main";
        assert_eq!(at(wanted, "repo:acme/api:ref:refs/heads/main", true), None);
        // The star swallows everything, so only the end is missing.
        assert_eq!(at(wanted, "repo:acme/api:environment:prod", true), Some((30, 30)));
        assert_eq!(at("repo:acme/*", "repo:evil/x", true), Some((5, 11)));
        assert_eq!(at("repo:acme/*", "repo:evil/x", false), Some((5, 11)));
    }

    #[test]
    fn the_nearest_of_several_is_shown() {
        let wanted = ["repo:a/x".to_owned(), "repo:b/x".to_owned(), "z".to_owned()];
        assert_eq!(nearest(&wanted, "repo:b/y", false), Some("repo:b/x"));
        assert_eq!(nearest(&wanted, "q", false), Some("repo:a/x"));
        assert_eq!(nearest(&[], "q", false), None);
    }
}
