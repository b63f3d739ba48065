//! Turns the tables of facts in `data/` into Rust tables, most of them those of
//! `seclint::syscalls`, so that looking a name up costs no work at start.
//!
//! Whatever a table can get wrong on its own is refused here, with the file and the line: a name
//! out of order, a column too few, an alias of a name that is none. Whether the facts are true is
//! for `tests/syscall_table` and `tests/targets` to say.
#![allow(
    clippy::print_stdout,
    reason = "printing is how a build script speaks to cargo"
)]

#[path = "build/flags.rs"]
mod flags;
#[path = "build/libseccomp.rs"]
mod libseccomp;
#[path = "build/lists.rs"]
mod lists;
#[path = "build/parameters.rs"]
mod parameters;
#[path = "build/platforms.rs"]
mod platforms;
#[path = "build/relations.rs"]
mod relations;
#[path = "build/security.rs"]
mod security;
#[path = "src/syscalls/slots.rs"]
mod slots;
#[path = "build/tsv.rs"]
mod tsv;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use flags::{FLAG_ARGUMENTS, FLAGS, flags};
use lists::{CAPABILITIES, ERRNOS, PODMAN_ERRNOS};
use parameters::{PARAMETERS, Parameters};
use platforms::{PLATFORMS, platforms};
use relations::{RELATIONS, relations};
use security::{DANGEROUS, RING, SUBSTITUTES};
use tsv::{Result, Row, words};

const ARCHITECTURES: &str = "data/architectures.tsv";
const SYSCALLS: &str = "data/syscalls.tsv";
const RELEASES: &str = "data/libseccomp_releases.tsv";
const KERNELS: &str = "data/syscall_kernel_versions.tsv";
const UNIMPLEMENTED: &str = "data/unimplemented_syscalls.tsv";
const ALIASES: &str = "data/syscall_aliases.tsv";

fn main() {
    let inputs = [
        ARCHITECTURES,
        SYSCALLS,
        RELEASES,
        KERNELS,
        PARAMETERS,
        UNIMPLEMENTED,
        ALIASES,
        CAPABILITIES,
        PODMAN_ERRNOS,
        ERRNOS,
        FLAGS,
        FLAG_ARGUMENTS,
        PLATFORMS,
        DANGEROUS,
        RING,
        SUBSTITUTES,
        RELATIONS,
    ];
    let code = ["build.rs", "build", "src/syscalls/slots.rs"];
    for file in code.into_iter().chain(inputs) {
        println!("cargo::rerun-if-changed={file}");
    }
    if let Err(message) = libseccomp::look().and_then(|()| generate()) {
        println!("cargo::error={message}");
    }
}

fn generate() -> Result<()> {
    let mut code = Code(String::new());
    let arches = architectures(&mut code)?;
    let names = syscalls(&mut code, &arches)?;
    aliases(&mut code, &names)?;
    write("syscalls.rs", &code)?;
    write("flags.rs", &flags(&arches, &names)?)?;
    write("platforms.rs", &platforms(&names)?)?;
    write("dangerous_syscalls.rs", &security::dangerous(&names)?)?;
    write("io_uring_syscalls.rs", &security::ring(&names)?)?;
    write("substitute_syscalls.rs", &security::substitutes(&names)?)?;
    write("relations.rs", &relations(&names)?)?;
    write("capabilities.rs", &lists::capabilities()?)?;
    write("podman_errnos.rs", &lists::podman_errnos()?)?;
    write("errnos.rs", &lists::errnos()?)
}

fn write(file: &str, code: &Code) -> Result<()> {
    let directory = env::var("OUT_DIR").map_err(|error| format!("OUT_DIR: {error}"))?;
    let path = Path::new(&directory).join(file);
    fs::write(&path, &code.0).map_err(|error| format!("{}: {error}", path.display()))
}

/// The code that is generated.
struct Code(String);

impl Code {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        let written = writeln!(self.0, "{text}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }

    /// A table as a static array.
    fn array(&mut self, name: &str, element: &str, rows: &[String]) {
        let (count, rows) = (rows.len(), rows.join(",\n"));
        self.line(format_args!(
            "pub(in crate::syscalls) static {name}: [{element}; {count}] = [\n{rows}];"
        ));
    }

    /// A table by name.
    fn map<'a>(&mut self, name: &str, row: &str, rows: impl Iterator<Item = (&'a str, String)>) {
        let mut map = phf_codegen::Map::new();
        rows.for_each(|(key, value)| {
            map.entry(key, value);
        });
        let map = map.build();
        self.line(format_args!(
            "pub(in crate::syscalls) static {name}: phf::Map<&'static str, {row}> = {map};"
        ));
    }
}

/// An architecture's column in the syscall table, and its multiplexers.
struct Architecture {
    name: String,
    multiplexers: Vec<&'static str>,
}

fn architectures(code: &mut Code) -> Result<Vec<Architecture>> {
    let header = [
        "token",
        "name",
        "other_names",
        "bits",
        "endian",
        "audit_arch",
        "multiplexers",
        "first_release",
        "go_name",
        "moby_name",
        "source",
    ];
    let mut arches = Vec::new();
    let mut seen = BTreeSet::new();
    let mut facts = Vec::new();
    for row in tsv::read(ARCHITECTURES, &header)? {
        let [
            token,
            name,
            others,
            bits,
            endian,
            audit,
            multiplexers,
            release,
            go_name,
            moby_name,
            _,
        ] = row.cells()?;
        let moby_name = Some(moby_name).filter(|&name| name != "-");
        let others = words(others);
        for name in [name].iter().chain(&others) {
            if !seen.insert((*name).to_owned()) {
                return row.fail(format_args!("`{name}` is an architecture's name already"));
            }
        }
        if !matches!(bits, "32" | "64") || !matches!(endian, "little" | "big") {
            return row.fail("bits must be 32 or 64, endian little or big");
        }
        if audit
            .strip_prefix("0x")
            .is_none_or(|hex| u32::from_str_radix(hex, 16).is_err())
        {
            return row.fail(format_args!(
                "`{audit}` is no hexadecimal audit architecture"
            ));
        }
        let mut variants = Vec::new();
        for multiplexer in words(multiplexers) {
            match multiplexer {
                "socketcall" => variants.push("Multiplexer::Socketcall"),
                "ipc" => variants.push("Multiplexer::Ipc"),
                _ => return row.fail("a multiplexer is `socketcall` or `ipc`"),
            }
        }
        facts.push(format!(
            "ArchFacts {{ token: {token:?}, name: {name:?}, other_names: &{others:?}, \
             bits: {bits}, little_endian: {}, audit_arch: {audit}, multiplexers: &[{}], \
             first_release: {}, go_name: {go_name:?}, moby_name: {moby_name:?} }}",
            endian == "little",
            variants.join(", "),
            release_code(&row, release)?,
        ));
        arches.push(Architecture {
            name: name.to_owned(),
            multiplexers: variants,
        });
    }
    code.array("ARCHES", "ArchFacts", &facts);
    Ok(arches)
}

/// A multiplexer's variant and a call's number in it.
type Subcall = (&'static str, u32);

/// A cell of the syscall table: `63`, `-101/359` (pseudo number, number of the direct call), `-101`
/// or `-`.
#[derive(Default)]
struct Cell {
    subcall: Option<Subcall>,
    direct: Option<u32>,
}

fn cell(text: &str) -> Option<Cell> {
    if text == "-" {
        return Some(Cell::default());
    }
    let Some(pseudo) = text.strip_prefix('-') else {
        return Some(Cell {
            subcall: None,
            direct: Some(text.parse().ok()?),
        });
    };
    let (pseudo, direct) = match pseudo.split_once('/') {
        Some((pseudo, direct)) => (pseudo, Some(direct.parse().ok()?)),
        None => (pseudo, None),
    };
    let subcall = match pseudo.parse().ok()? {
        number @ 101..=120 => ("Multiplexer::Socketcall", number - 100),
        number @ 201..=224 => ("Multiplexer::Ipc", number - 200),
        _ => return None,
    };
    Some(Cell {
        subcall: Some(subcall),
        direct,
    })
}

/// The numbers of a row by architecture, and the multiplexer that carries the call on every
/// architecture that has this multiplexer.
fn numbers(
    row: &Row,
    cells: &[String],
    arches: &[Architecture],
) -> Result<(Vec<Option<u32>>, Option<Subcall>)> {
    let mut parsed = Vec::new();
    for (arch, text) in arches.iter().zip(cells) {
        match cell(text) {
            Some(cell) => parsed.push((arch, cell)),
            None => return row.fail(format_args!("{}: `{text}` is no number", arch.name)),
        }
    }
    let subcall = parsed.iter().find_map(|(_, cell)| cell.subcall);
    for (arch, cell) in &parsed {
        let expected = subcall.filter(|(name, _)| arch.multiplexers.contains(name));
        if cell.subcall != expected {
            let arch = &arch.name;
            return row.fail(format_args!(
                "{arch}: not the pseudo number that the other columns and {ARCHITECTURES} ask for"
            ));
        }
    }
    Ok((
        parsed.into_iter().map(|(_, cell)| cell.direct).collect(),
        subcall,
    ))
}

/// When calls came and went, and what their arguments are. Rows are taken out as they are used.
struct Facts {
    releases: BTreeMap<String, Row>,
    kernels: BTreeMap<String, Row>,
    parameters: Parameters,
    unimplemented: BTreeMap<String, Row>,
}

impl Facts {
    fn read() -> Result<Self> {
        let releases = ["syscall", "first_release", "last_release", "source"];
        let kernels = ["syscall", "introduced", "architectures", "source", "note"];
        let unimplemented = ["syscall", "removed", "source", "note"];
        Ok(Self {
            releases: tsv::read_map(RELEASES, &releases)?,
            kernels: tsv::read_map(KERNELS, &kernels)?,
            parameters: Parameters::read()?,
            unimplemented: tsv::read_map(UNIMPLEMENTED, &unimplemented)?,
        })
    }

    /// The code of the `Syscall` whose numbers `row` has.
    fn syscall_code(
        &mut self,
        row: &Row,
        name: &str,
        direct: &[Option<u32>],
        subcall: Option<Subcall>,
    ) -> Result<String> {
        let Some(release) = self.releases.remove(name) else {
            return row.fail(format_args!("`{name}` is not in {RELEASES}"));
        };
        let [_, first, last, _] = release.cells()?;
        if last == "-" && subcall.is_none() && direct.iter().all(Option::is_none) {
            return row.fail(format_args!(
                "`{name}` has no number: {RELEASES} must say which release had it last"
            ));
        }
        let first = release_code(&release, first)?;
        let last = match last {
            "-" => "None".to_owned(),
            last => format!("Some({})", release_code(&release, last)?),
        };
        let kernel = match self.kernels.remove(name) {
            Some(row) => {
                let [_, introduced, ..] = row.cells::<5>()?;
                format!("Some({})", kernel_code(&row, introduced)?)
            }
            None => "None".to_owned(),
        };
        let unimplemented = match self.unimplemented.remove(name) {
            Some(row) => match row.cells::<4>()? {
                [_, "never", ..] => "Some(Unimplemented::Always)".to_owned(),
                [_, removed, ..] => {
                    let removed = kernel_code(&row, removed)?;
                    format!("Some(Unimplemented::Since({removed}))")
                }
            },
            None => "None".to_owned(),
        };
        let subcall = match subcall {
            Some((variant, call)) => {
                format!("Some(Subcall {{ multiplexer: {variant}, call: {call} }})")
            }
            None => "None".to_owned(),
        };
        Ok(format!(
            "Syscall {{ name: {name:?}, direct: {direct:?}, subcall: {subcall}, \
             first_release: {first}, last_release: {last}, first_kernel: {kernel}, \
             unimplemented: {unimplemented}, parameters: {} }}",
            self.parameters.code(name)?
        ))
    }

    fn are_used_up(&self) -> Result<()> {
        let left = self.releases.iter().chain(&self.kernels);
        match left.chain(&self.unimplemented).next() {
            Some((name, row)) => row.fail(format_args!("`{name}` is not in {SYSCALLS}")),
            None => self.parameters.are_used_up(SYSCALLS),
        }
    }
}

/// For each slot the place of the name that is in it.
fn slots(names: &BTreeMap<String, usize>) -> Result<Vec<u16>> {
    let mut slots = vec![slots::EMPTY; slots::COUNT];
    for (name, &place) in names {
        let free = slots::of(name).find(|&slot| slots[slot] == slots::EMPTY);
        let free = free.filter(|_| names.len() * 2 < slots::COUNT);
        slots[free.ok_or("there are more names than src/syscalls/slots.rs is made for")?] =
            u16::try_from(place).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(slots)
}

/// Writes the table, the index by name and the indexes by number; gives every name's place in it.
fn syscalls(code: &mut Code, arches: &[Architecture]) -> Result<BTreeMap<String, usize>> {
    let mut header = vec!["syscall"];
    header.extend(arches.iter().map(|arch| arch.name.as_str()));
    header.push("source");
    let mut facts = Facts::read()?;

    let mut names = BTreeMap::new();
    let mut origin: Option<String> = None;
    let mut table = Vec::new();
    let mut by_number = vec![BTreeMap::new(); arches.len()];
    for (place, row) in tsv::read_sorted(SYSCALLS, &header)?.into_iter().enumerate() {
        let (name, cells, source) = row.name_and_source()?;
        let (direct, subcall) = numbers(&row, cells, arches)?;
        for ((arch, number), taken) in arches.iter().zip(&direct).zip(&mut by_number) {
            if number.is_some_and(|number| taken.insert(number, place).is_some()) {
                return row.fail(format_args!("{}: another call has the number", arch.name));
            }
        }
        if *origin.get_or_insert_with(|| source.to_owned()) != source {
            return row.fail("the rows come from more than one release");
        }
        if place == 0 {
            let release = source.strip_prefix("libseccomp ").unwrap_or(source);
            let release = release_code(&row, release)?;
            code.line(format_args!(
                "/// The libseccomp release that the table was read from."
            ));
            code.line(format_args!(
                "pub const TABLE_RELEASE: Release = {release};"
            ));
        }
        table.push(facts.syscall_code(&row, name, &direct, subcall)?);
        names.insert(name.to_owned(), place);
    }
    facts.are_used_up()?;

    code.array("SYSCALLS", "Syscall", &table);
    security::known(code, &names)?;
    let slots = slots(&names)?;
    code.line(format_args!(
        "pub(in crate::syscalls) static BY_NAME: [u16; slots::COUNT] = {slots:?};"
    ));
    let by_number: Vec<String> = by_number
        .into_iter()
        .map(|numbers| format!("&{:?}", numbers.into_iter().collect::<Vec<_>>()))
        .collect();
    code.array("BY_NUMBER", "&[(u32, u16)]", &by_number);
    Ok(names)
}

fn aliases(code: &mut Code, names: &BTreeMap<String, usize>) -> Result<()> {
    let mut map = Vec::new();
    let rows = tsv::read_sorted(ALIASES, &["alias", "kind", "canonical", "why", "source"])?;
    for row in &rows {
        let [alias, kind, canonical, why, _] = row.cells()?;
        if names.contains_key(alias) {
            return row.fail(format_args!(
                "libseccomp knows `{alias}`: it needs no alias"
            ));
        }
        let mut candidates = Vec::new();
        for name in words(canonical) {
            match names.get(name) {
                Some(place) => candidates.push(place),
                None => return row.fail(format_args!("libseccomp does not know `{name}`")),
            }
        }
        let variant = match kind {
            "libc" => "Some(AliasKind::LibcName)",
            "kernel" => "Some(AliasKind::KernelName)",
            "variant" => "Some(AliasKind::Variant)",
            "none" => "None",
            _ => return row.fail("the kind must be libc, kernel, variant or none"),
        };
        if (kind == "none") != candidates.is_empty() {
            return row.fail("every kind but none needs canonical names, and none has no such");
        }
        let row =
            format!("AliasRow {{ kind: {variant}, candidates: &{candidates:?}, why: {why:?} }}");
        map.push((alias, row));
    }
    code.map("ALIASES", "AliasRow", map.into_iter());
    Ok(())
}

fn release_code(row: &Row, text: &str) -> Result<String> {
    let [major, minor, micro] = row.version(text)?;
    Ok(format!("Release::new({major}, {minor}, {micro})"))
}

fn kernel_code(row: &Row, text: &str) -> Result<String> {
    let [major, minor] = row.version(text)?;
    Ok(format!("KernelVersion::new({major}, {minor})"))
}
