//! Writes the bindings to what this crate exports, to the path that is its argument.
//!
//! They are an artefact: CI writes them again and compares, and a test compares them with the table
//! in `src/sys/native_symbols.ts`, which is what runs. deno_bindgen's own tool wants a project of its
//! own; this calls the same function, with the functions in the order of their names and not in that
//! of the linker.

use deno_bindgen::codegen::{generate, Options, Target};
use deno_bindgen::{Inventory, Symbol, INVENTORY};
use std::process::ExitCode;

// The linker would leave out a library that nothing here calls, and the list of its functions.
use postbox_native as _;

fn main() -> ExitCode {
    let Some(out) = std::env::args().nth(1) else {
        eprintln!("Cannot write the bindings: no path was given, expected that of the file");
        return ExitCode::from(2);
    };
    let mut symbols: Vec<Inventory> = INVENTORY.iter().filter_map(copied).collect();
    symbols.sort_by_key(name);
    let options = Options {
        target: Target::Deno,
        out: Some(out.clone().into()),
        local_dylib_path: "libpostbox_native.so".into(),
        lazy_init: true,
    };
    match generate(symbols.leak(), options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Cannot write the bindings to {out:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn copied(item: &Inventory) -> Option<Inventory> {
    let Inventory::Symbol(symbol) = item else {
        return None;
    };
    Some(Inventory::Symbol(Symbol {
        name: symbol.name,
        parameters: symbol.parameters,
        return_type: symbol.return_type,
        non_blocking: symbol.non_blocking,
        internal: symbol.internal,
        is_constructor: symbol.is_constructor,
    }))
}

fn name(item: &Inventory) -> &'static str {
    match item {
        Inventory::Symbol(symbol) => symbol.name,
        Inventory::Struct(of_struct) => of_struct.name,
    }
}
