//! Patterns of paths.

/// A pattern of paths: `?` is a character and `*` any number of them, neither a slash; `**` is any
/// number of directories.
#[derive(Clone, Debug)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern as it is written.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.strip_prefix("./").unwrap_or(pattern).to_owned())
    }

    /// Whether a path, its parts between slashes, is one of the pattern's.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let pattern: Vec<_> = self.0.split('/').collect();
        let path: Vec<_> = path.split('/').collect();
        wildcard(
            &pattern,
            &path,
            |part| *part == "**",
            |pattern, part| {
                let (pattern, part): (Vec<_>, Vec<_>) =
                    (pattern.chars().collect(), part.chars().collect());
                wildcard(
                    &pattern,
                    &part,
                    |it| *it == '*',
                    |wanted, it| *wanted == '?' || wanted == it,
                )
            },
        )
    }
}

/// Matches all of `items`, where some items of the pattern are stars: any number of items. Going
/// back to the last star is enough, so that no pattern takes long.
fn wildcard<P, I>(
    pattern: &[P],
    items: &[I],
    is_star: impl Fn(&P) -> bool,
    is_one: impl Fn(&P, &I) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while item < items.len() {
        let wanted = pattern.get(at);
        if wanted.is_some_and(&is_star) {
            star = Some((at, item));
            at += 1;
        } else if wanted.is_some_and(|wanted| is_one(wanted, &items[item])) {
            at += 1;
            item += 1;
        } else if let Some((star_at, taken)) = star {
            // The star takes one more.
            star = Some((star_at, taken + 1));
            at = star_at + 1;
            item = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    /// A pattern that holds too much hides findings; one that holds too little, none.
    #[test]
    fn stars_and_directories() {
        for (pattern, path, holds) in [
            ("a.json", "a.json", true),
            ("./a.json", "a.json", true),
            ("a.json", "b/a.json", false),
            ("*.json", "a.json", true),
            ("*.json", "b/a.json", false),
            ("**/*.json", "a.json", true),
            ("**/*.json", "b/c/a.json", true),
            ("b/**", "b/c/a.json", true),
            ("b/**", "bb/a.json", false),
            ("b/**/a.*", "b/a.json", true),
            ("**/c/**/a", "b/c/d/c/x/a", true),
            ("**/c/**/a", "b/d/x/a", false),
            ("?.json", "ü.json", true),
            ("?.json", ".json", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "abb", false),
            ("*", "a/b", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(path),
                holds,
                "{pattern} {path}"
            );
        }
        let pattern = Pattern::new(&"*a".repeat(1_000));
        assert!(!pattern.matches(&"a".repeat(100_000).replace("aaa", "aab")));
    }
}
