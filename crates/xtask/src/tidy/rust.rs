//! What the checks need to know of a Rust file: its tokens, which of them are tests only, and the
//! modules it names.

use proc_macro2::Delimiter;
use proc_macro2::Group;
use proc_macro2::TokenStream;
use proc_macro2::TokenTree;

/// A word, a literal, or one character of punctuation (brackets included).
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Under `#[cfg(test)]` or `#[test]`.
    pub(crate) test: bool,
}

/// `mod name;`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ModuleName {
    pub(crate) name: String,
    /// The modules with a body in this file that surround it.
    pub(crate) within: Vec<String>,
    /// The value of its `#[path]`.
    pub(crate) path: Option<String>,
    pub(crate) test: bool,
}

/// A Rust file, comments left out (documentation comments too).
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) tokens: Vec<Token>,
    pub(crate) modules: Vec<ModuleName>,
    /// The lines of attributes that contain the word `ignore`.
    pub(crate) ignored: Vec<usize>,
}

impl Code {
    /// The error is the line where the text stops to be Rust.
    pub(crate) fn parse(text: &str) -> Result<Self, usize> {
        let stream: TokenStream =
            text.parse().map_err(|error: proc_macro2::LexError| error.span().start().line)?;
        let mut code = Self::default();
        code.read(stream, false, &[]);
        Ok(code)
    }

    /// The lines where these words and characters follow each other.
    pub(crate) fn lines_with<'a>(
        &'a self,
        sequence: &'a [&'a str],
    ) -> impl Iterator<Item = (usize, bool)> + 'a {
        let fits = move |window: &&[Token]| {
            window.iter().zip(sequence).all(|(token, text)| token.text == *text)
        };
        self.tokens
            .windows(sequence.len())
            .filter(fits)
            .map(|window| (window[0].line, window[0].test))
    }

    fn read(&mut self, stream: TokenStream, test_outside: bool, within: &[String]) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut whole_level_is_test = test_outside;
        // Of the item that is being read.
        let mut test_item = false;
        let mut path = None;
        for (index, tree) in trees.iter().enumerate() {
            let test = whole_level_is_test || test_item;
            match tree {
                TokenTree::Group(group) => {
                    if let Some(inner) = attribute_before(&trees[..index], group) {
                        let attribute = Attribute::of(group);
                        if attribute.ignore {
                            self.ignored.push(group.span_open().start().line);
                        }
                        if attribute.test && inner {
                            whole_level_is_test = true;
                        }
                        test_item |= attribute.test && !inner;
                        path = attribute.path.or(path);
                        self.read_group(group, test, within);
                        continue;
                    }
                    if group.delimiter() == Delimiter::Brace {
                        match module_before(&trees[..index]) {
                            Some(name) => {
                                let mut within = within.to_vec();
                                within.push(name);
                                self.read_group(group, test, &within);
                            }
                            None => self.read_group(group, test, within),
                        }
                        (test_item, path) = (false, None);
                    } else {
                        self.read_group(group, test, within);
                    }
                }
                TokenTree::Punct(punct) => {
                    self.push(punct.as_char().to_string(), punct.span().start().line, test);
                    if punct.as_char() == ';' {
                        if let Some(name) = module_before(&trees[..index]) {
                            let within = within.to_vec();
                            self.modules.push(ModuleName { name, within, path, test });
                        }
                        (test_item, path) = (false, None);
                    }
                }
                TokenTree::Ident(ident) => {
                    self.push(ident.to_string(), ident.span().start().line, test);
                }
                TokenTree::Literal(literal) => {
                    self.push(literal.to_string(), literal.span().start().line, test);
                }
            }
        }
    }

    fn read_group(&mut self, group: &Group, test: bool, within: &[String]) {
        let (open, close) = match group.delimiter() {
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::None => ("", ""),
        };
        self.push(open.to_owned(), group.span_open().start().line, test);
        self.read(group.stream(), test, within);
        self.push(close.to_owned(), group.span_close().start().line, test);
    }

    fn push(&mut self, text: String, line: usize, test: bool) {
        self.tokens.push(Token { text, line, test });
    }
}

#[derive(Default)]
struct Attribute {
    test: bool,
    ignore: bool,
    path: Option<String>,
}

impl Attribute {
    fn of(group: &Group) -> Self {
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        let first = match trees.first() {
            Some(TokenTree::Ident(ident)) => ident.to_string(),
            _ => return Self::default(),
        };
        let words = words(group.stream());
        let has = |word: &str| words.iter().any(|candidate| candidate == word);
        let path = match trees.get(2) {
            Some(TokenTree::Literal(literal)) if first == "path" => {
                Some(literal.to_string().trim_matches('"').to_owned())
            }
            _ => None,
        };
        Self {
            test: first == "test" || (first == "cfg" && has("test") && !has("not")),
            ignore: first == "ignore" || (first == "cfg_attr" && has("ignore")),
            path,
        }
    }
}

fn words(stream: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for tree in stream {
        match tree {
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => found.extend(words(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// Whether the group is an attribute, and then whether an inner one (`#![…]`).
fn attribute_before(before: &[TokenTree], group: &Group) -> Option<bool> {
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let is = |tree: &TokenTree, character: char| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character);
    match before {
        [.., hash, bang] if is(hash, '#') && is(bang, '!') => Some(true),
        [.., hash] if is(hash, '#') => Some(false),
        _ => None,
    }
}

/// The name in a `mod name` that ends here.
fn module_before(before: &[TokenTree]) -> Option<String> {
    match before {
        [.., TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mod" => {
            Some(name.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_tests_from_the_rest() {
        let text = "\
            // SystemTime::now in a comment\n\
            fn a() { let s = \"std::fs\"; b() }\n\
            #[cfg(test)]\n\
            mod tests { fn c() { c::c() } }\n\
            #[test] fn d() { c::c() }\n\
            fn e() { c::c() }\n";
        let code = Code::parse(text).unwrap();
        let found: Vec<(usize, bool)> = code.lines_with(&["c", ":", ":", "c"]).collect();
        assert_eq!(found, [(4, true), (5, true), (6, false)]);
        assert_eq!(code.lines_with(&["SystemTime"]).count(), 0);
        assert_eq!(code.lines_with(&["std", ":", ":", "fs"]).count(), 0);
    }

    #[test]
    fn finds_modules() {
        let text = "mod a; #[cfg(test)] mod b; mod c { #[path = \"x.rs\"] pub mod d; } #[cfg(not(test))] mod e;";
        let found = Code::parse(text).unwrap().modules;
        let short: Vec<(&str, usize, Option<&str>, bool)> = found
            .iter()
            .map(|module| {
                (module.name.as_str(), module.within.len(), module.path.as_deref(), module.test)
            })
            .collect();
        let expected = [
            ("a", 0, None, false),
            ("b", 0, None, true),
            ("d", 1, Some("x.rs"), false),
            ("e", 0, None, false),
        ];
        assert_eq!(short, expected);
    }

    #[test]
    fn finds_ignored_tests() {
        let text = "/// ignore\n#[test]\n#[ignore = \"slow\"]\nfn a() { let ignore = 1; }";
        assert_eq!(Code::parse(text).unwrap().ignored, [3]);
    }

    #[test]
    fn says_where_it_stops_to_be_rust() {
        assert_eq!(Code::parse("fn a() {}\nfn b( {}\n").unwrap_err(), 2);
    }
}
