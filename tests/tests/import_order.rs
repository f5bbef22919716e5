//! Modules of a crate import each other in one direction: leaves first, no circle.
//!
//! An import is a path that starts with `crate`, `super`, `self`, a child module or an imported
//! module, in a `use` or anywhere else. It leads to the deepest module on that path. A parent that
//! only declares a child (`mod child;`) does not import it. Code under `#[cfg(test)]` is ignored.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A path as written, in segments: `crate::a::b` or `super::c`.
type Segments = Vec<String>;

/// A module, in a file of its own or inline.
#[derive(Debug)]
struct Module {
    /// The name of its file's module; inline modules share it with the module around them.
    file: String,
    /// Paths to items of this or another crate.
    paths: Vec<Segments>,
    /// Names that a `use` brings in, with the path behind each.
    names: BTreeMap<String, Segments>,
}

/// The modules of a crate by their path from the crate root, which is empty.
type Modules = BTreeMap<Segments, Module>;

/// The files that each file imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Reads a crate from its root file. `read` returns the text of a file, if it exists.
fn modules(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Modules {
    let name = root.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let directory = root.parent().expect("a file is in a directory").to_owned();
    let mut modules = Modules::new();
    let mut waiting = vec![(Segments::new(), name, root.to_owned(), directory)];
    while let Some((path, file, source, directory)) = waiting.pop() {
        let text = read(&source).unwrap_or_else(|| panic!("{} cannot be read", source.display()));
        let tokens: TokenStream =
            text.parse().unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let mut declared = Vec::new();
        scan(tokens, &path, &file, &mut modules, &mut declared);
        for child in declared {
            let within = directory.join(child[path.len()..].join("/"));
            let candidates = [within.with_extension("rs"), within.join("mod.rs")];
            let found = candidates.into_iter().find(|candidate| read(candidate).is_some());
            let found = found.unwrap_or_else(|| panic!("no file for the module {child:?}"));
            waiting.push((child.clone(), child.join("::"), found, within));
        }
    }
    modules
}

/// Collects the paths and modules of a stream of tokens; `declared` gets the modules in other
/// files.
fn scan(
    tokens: TokenStream,
    path: &Segments,
    file: &str,
    modules: &mut Modules,
    declared: &mut Vec<Segments>,
) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    modules.entry(path.clone()).or_insert_with(|| Module {
        file: file.to_owned(),
        paths: Vec::new(),
        names: BTreeMap::new(),
    });
    let mut at = 0;
    while at < tokens.len() {
        let module = modules.get_mut(path).expect("inserted above");
        match (word(&tokens, at).as_deref(), tokens.get(at + 1), tokens.get(at + 2)) {
            _ if is_cfg_test(&tokens[at..]) => {
                at = end_of_item(&tokens, at + 2);
                continue;
            }
            (Some("mod"), Some(TokenTree::Ident(name)), Some(after)) => {
                let child = [path.as_slice(), &[name.to_string()]].concat();
                match after {
                    TokenTree::Group(body) => scan(body.stream(), &child, file, modules, declared),
                    _ => declared.push(child),
                }
                at += 3;
                continue;
            }
            (Some("use"), ..) => {
                let end = end_of_item(&tokens, at);
                for (leaf, segments) in use_tree(&tokens[at + 1..end]) {
                    module.names.insert(leaf, segments.clone());
                    module.paths.push(segments);
                }
                at = end;
                continue;
            }
            (Some(_), ..) => {
                let (segments, end) = simple_path(&tokens, at);
                if segments.len() > 1 {
                    module.paths.push(segments);
                }
                at = end;
                continue;
            }
            (None, ..) => {}
        }
        if let TokenTree::Group(group) = &tokens[at] {
            scan(group.stream(), path, file, modules, declared);
        }
        at += 1;
    }
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at)? {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}

/// Whether the tokens start with `#[cfg(test)]` or a condition that requires `test`.
fn is_cfg_test(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = tokens else { return false };
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    hash.as_char() == '#' && (text == "cfg(test)" || text.starts_with("cfg(all(test,"))
}

/// The position behind an item: after its semicolon or its block.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let is_use = word(tokens, start).as_deref() == Some("use");
    let end = tokens[start..].iter().position(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => !is_use && group.delimiter() == Delimiter::Brace,
        _ => false,
    });
    end.map_or(tokens.len(), |end| start + end + 1)
}

/// The path that starts at a word, up to its last word, and the position behind it.
fn simple_path(tokens: &[TokenTree], start: usize) -> (Segments, usize) {
    let mut segments = Segments::from_iter(word(tokens, start));
    let mut at = start + segments.len();
    while is_separator(tokens, at) {
        let Some(next) = word(tokens, at + 2) else { break };
        segments.push(next);
        at += 3;
    }
    (segments, at)
}

/// Whether `::` is at a position.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    tokens.len() > at + 1 && tokens[at..=at + 1].iter().all(|token| is_punct(token, ':'))
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The paths of a `use` with the name that each brings in. Paths that start with `::` name crates.
fn use_tree(tokens: &[TokenTree]) -> Vec<(String, Segments)> {
    let mut found = Vec::new();
    if !is_separator(tokens, 0) {
        for branch in tokens.split(|token| is_punct(token, ',') || is_punct(token, ';')) {
            let (mut segments, mut at) = simple_path(branch, 0);
            at += if is_separator(branch, at) { 2 } else { 0 };
            if let [TokenTree::Group(group), ..] = &branch[at.min(branch.len())..] {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for (name, rest) in use_tree(&inner) {
                    found.push((name, [segments.as_slice(), &rest].concat()));
                }
                continue;
            }
            if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
                segments.pop();
            }
            let renamed = (word(branch, at).as_deref() == Some("as")).then(|| word(branch, at + 1));
            let name = renamed.flatten().or_else(|| segments.last().cloned());
            found.extend(name.map(|name| (name, segments)));
        }
    }
    // `{self, b}` below `a` brings in `a` itself.
    for (name, segments) in &mut found {
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
            *name = segments.last().cloned().unwrap_or_default();
        }
    }
    found
}

/// The module that a path in a module leads to; none for a path to another crate or a local item.
fn target(modules: &Modules, from: &Segments, path: &[String], depth: usize) -> Option<Segments> {
    let (first, mut rest) = path.split_first()?;
    let mut module = match first.as_str() {
        "crate" => Segments::new(),
        "self" => from.clone(),
        "super" => from.split_last()?.1.to_vec(),
        name => {
            let child = [from.as_slice(), &[name.to_owned()]].concat();
            if !modules.contains_key(&child) {
                let behind = modules[from].names.get(name).filter(|behind| *behind != path)?;
                let whole = [behind.as_slice(), rest].concat();
                return (depth < 4).then(|| target(modules, from, &whole, depth + 1)).flatten();
            }
            child
        }
    };
    while let Some((next, behind)) = rest.split_first() {
        match next.as_str() {
            "super" => _ = module.pop(),
            name => {
                let child = [module.as_slice(), &[name.to_owned()]].concat();
                if !modules.contains_key(&child) {
                    break;
                }
                module = child;
            }
        }
        rest = behind;
    }
    // An item that the crate root re-exports belongs to the module that defines it.
    if let (true, Some(item)) = (module.is_empty(), rest.first())
        && let Some(behind) = modules[&module].names.get(item)
        && depth < 4
    {
        return target(modules, &module, behind, depth + 1);
    }
    Some(module)
}

/// Which file imports which.
fn graph(modules: &Modules) -> Graph {
    let mut graph = Graph::new();
    for (name, module) in modules {
        let imports = graph.entry(module.file.clone()).or_default();
        for path in &module.paths {
            let imported = target(modules, name, path, 0).map(|found| &modules[&found].file);
            imports.extend(imported.filter(|file| **file != module.file).cloned());
        }
    }
    graph
}

/// The files with every import before its importer, or the first circle found.
fn order(graph: &Graph) -> Result<Vec<String>, String> {
    fn visit(
        graph: &Graph,
        file: &String,
        trail: &mut Vec<String>,
        done: &mut Vec<String>,
    ) -> Result<(), String> {
        if done.contains(file) {
            return Ok(());
        }
        if let Some(start) = trail.iter().position(|other| other == file) {
            return Err([&trail[start..], std::slice::from_ref(file)].concat().join(" -> "));
        }
        trail.push(file.clone());
        for import in &graph[file] {
            visit(graph, import, trail, done)?;
        }
        trail.pop();
        done.push(file.clone());
        Ok(())
    }
    let mut done = Vec::new();
    for file in graph.keys() {
        visit(graph, file, &mut Vec::new(), &mut done)?;
    }
    Ok(done)
}

/// The crate roots of a package: its library, its program and its further programs.
fn roots(package: &Path) -> Vec<PathBuf> {
    let source = package.join("src");
    let further = fs::read_dir(source.join("bin")).into_iter().flatten();
    let further = further.map(|entry| entry.expect("an entry of a directory").path());
    let named = ["lib.rs", "main.rs"].map(|name| source.join(name));
    named.into_iter().chain(further).filter(|path| path.is_file()).collect()
}

#[test]
fn no_crate_of_the_workspace_has_an_import_circle() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut circles = Vec::new();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let roots = roots(&workspace.join(member.as_str().unwrap()));
        assert!(!roots.is_empty(), "{member} has no source");
        for root in roots {
            let name = root.strip_prefix(workspace).unwrap().display().to_string();
            match order(&graph(&modules(&root, &|path| fs::read_to_string(path).ok()))) {
                Ok(order) => println!("{name}: {}", order.join(", ")),
                Err(circle) => circles.push(format!("{name}: {circle}")),
            }
        }
    }
    assert!(circles.is_empty(), "import circles:\n{}", circles.join("\n"));
}

/// The import order of a crate in memory; its root is the first file.
fn order_of(files: &[(&str, &str)]) -> Result<String, String> {
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, text)| (*text).to_owned())
    };
    order(&graph(&modules(Path::new(files[0].0), &read))).map(|order| order.join(" "))
}

const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b;");

#[test]
fn imports_come_before_their_importers() {
    let files = [ROOT, ("a.rs", "use crate::b::B;"), ("b.rs", "pub struct B;")];
    assert_eq!(order_of(&files), Ok("b a lib".into()));
}

#[test]
fn a_circle_is_found_through_every_kind_of_path() {
    let to_b = [
        "use crate::b::B;",
        "use crate::{b::{self, B}, c};",
        "use super::b;",
        "use {crate::b as other};",
        "fn f() -> super::b::B { todo() }",
        "fn f() { println!(\"{}\", vec![crate::b::f()]) }",
        "mod inner { use super::super::b; }",
        "use crate as root; fn f() { root::b::f() }",
        "use crate::B;",
    ];
    let root = ("lib.rs", "mod a; mod b; pub mod c { pub fn f() {} } pub use b::B;");
    for text in to_b {
        let files = [root, ("a.rs", text), ("b.rs", "use crate::a;")];
        assert_eq!(order_of(&files), Err("a -> b -> a".into()), "{text}");
    }
}

#[test]
fn text_that_is_no_import_is_ignored() {
    let harmless = [
        "// use crate::b;",
        "/* crate::b::f() */",
        "/// See [`crate::b`].\nfn f() {}",
        "const TEXT: &str = r#\"crate::b::f()\"#;",
        "#[cfg(test)] mod tests { use crate::b; }",
        "#[cfg(test)] use crate::b; fn f() {}",
        "use b::B; use ::b::C;",
        "use std::{self, b};",
        "fn f() { other::b::f() }",
    ];
    for text in harmless {
        let files = [ROOT, ("a.rs", text), ("b.rs", "use crate::a;")];
        assert_eq!(order_of(&files), Ok("a b lib".into()), "{text}");
    }
}

#[test]
fn a_parent_that_only_declares_its_child_does_not_import_it() {
    let parent = |text| {
        let files = [("lib.rs", "mod a;"), ("a.rs", text), ("a/child.rs", "use super::X;")];
        order_of(&files)
    };
    assert_eq!(parent("mod child; pub struct X;"), Ok("a a::child lib".into()));
    for text in ["mod child; pub use child::Y;", "mod child; fn f() { self::child::f() }"] {
        assert_eq!(parent(text), Err("a -> a::child -> a".into()), "{text}");
    }
}

#[test]
fn a_path_ends_at_the_deepest_module() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "pub mod child; use crate::b::f;"),
        ("a/child.rs", "pub fn f() {}"),
        ("b.rs", "use crate::a::child; fn f() { child::f(); crate::a::child::f() }"),
    ];
    assert_eq!(order_of(&files), Ok("a::child b a lib".into()));
}

#[test]
fn a_facade_at_the_root_is_no_circle_unless_the_root_defines_the_item() {
    let module = ("a.rs", "use crate::B; use crate::Own;");
    let root = |text| order_of(&[("lib.rs", text), module, ("b.rs", "pub struct B;")]);
    assert_eq!(root("mod a; mod b; pub use a::A; pub use b::{B, Own};"), Ok("b a lib".into()));
    let circle = Err("a -> lib -> a".into());
    assert_eq!(root("mod a; mod b; pub use a::A; pub use b::B; struct Own;"), circle);
}

#[test]
fn a_longer_circle_is_printed_whole() {
    let files = [
        ("main.rs", "mod a; mod b; mod c; fn main() { a::f() }"),
        ("a.rs", "use crate::b::f;"),
        ("b.rs", "use crate::c::f;"),
        ("c.rs", "use super::a::f;"),
    ];
    assert_eq!(order_of(&files), Err("a -> b -> c -> a".into()));
}
