//! The rules of the house that neither the compiler nor clippy knows. ARCHITECTURE.md and CONTRIBUTING.md say them in
//! prose; this is where they bite.

mod dependencies;
mod files;
mod licences;
mod lock;
mod measure;
mod modules;
mod rooms;
mod walk;
mod words;

use anyhow::{Result, bail};

use crate::tally::Tally;
use crate::tree;

/// A rule: its name, and where it is broken, a line each.
struct Finding {
    rule: &'static str,
    broken: Vec<String>,
}

/// Checks the tree as it stands against every rule; prints all breaches, not only the first.
pub(crate) fn run() -> Result<Tally> {
    let findings = findings()?;
    let mut tally = Tally::default();
    for Finding { rule, broken } in &findings {
        if broken.is_empty() {
            tally.passed += 1;
            continue;
        }
        tally.failed += 1;
        println!("tidy: {rule}:");
        for place in broken {
            println!("    {place}");
        }
    }
    println!("tidy: {} rules hold, {} are broken", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("the house is not tidy");
    }
    Ok(tally)
}

fn findings() -> Result<Vec<Finding>> {
    let metadata = tree::metadata()?;
    let files = tree::files()?;
    let sources = modules::walk(&metadata)?;
    let measured = measure::all(&sources);
    measured.report();

    let rule = |rule, broken| Finding { rule, broken };
    Ok(vec![
        rule("a room depends only on the rooms below it", rooms::edges(&metadata)),
        rule("the language storey is built from bytes and nothing else", rooms::language(&metadata)),
        rule("the simulator shares no wire code with the gateway", rooms::simulator(&metadata)),
        rule("every room says what it knows and must not know", rooms::signs(&metadata)),
        rule("no file over 600 lines without `// long because`", measured.long_files()),
        rule("no function over 80 lines without `// long because`", measured.long_functions()),
        rule("every source file is compiled", modules::leftovers(&files, &sources)),
        rule("no mod.rs, and no name that says nothing", words::names(&files, &sources)),
        rule("no path of a machine, no emoji", files::words(&files, &sources)),
        rule("the walk in ARCHITECTURE.md can be followed", walk::strays(&files)),
        rule("lock files and configuration name no registry", files::registries(&files)),
        rule("the fuzz targets' lock file is not stale", lock::of_fuzz()),
        rule("versions are written in the root only", dependencies::versions(&metadata)?),
        rule("every dependency has its reason in docs/DEPENDENCIES.md", dependencies::reasons(&metadata)?),
        rule(
            "every dependency has a licence we accept and comes from crates.io",
            licences::broken(&metadata),
        ),
    ])
}
