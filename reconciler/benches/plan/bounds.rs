//! The bounds that CI holds: memory, time that grows no faster than the input, and odd inputs that are
//! read or refused at once.
//!
//! They are of CPU time, and wide, since CI's machine does other work too. What grows with the square of
//! the input is of another order.

use std::{fs, path::Path, process::ExitCode, time::Duration};

use crate::{
    growing, least,
    measured::{self, Usage},
    odd_inputs, size, system,
};

/// Ten times the input may take so many times the CPU time. Ten is linear; were it quadratic, it would
/// be a hundred.
const GROWTH: f64 = 18.0;
/// How many of each there are, and ten times as many.
const COUNTS: [usize; 2] = [1_000, 10_000];
/// What may be resident in any case: the program itself, its tables and its threads.
const MEMORY_AT_REST: f64 = 24e6;
/// And what may be for each byte of input.
const MEMORY_PER_BYTE: f64 = 4.0;
/// How much CPU time an odd input may take.
const AT_ONCE: Duration = Duration::from_secs(1);
/// What may be resident for an odd input.
const MEMORY_OF_ODD_INPUT: f64 = 400e6;
const ROUNDS: usize = 5;

/// Measures, prints what it measured, and says whether all bounds hold.
pub(crate) fn check(program: &Path) -> ExitCode {
    let scratch = tempfile::tempdir().unwrap();
    let mut check = Check {
        program,
        scratch: scratch.path(),
        held: 0,
        broken: 0,
    };
    check.system("a folder", "", system::write_folder);
    check.system("one file", "yaml", system::write_file);
    growing::ALL.iter().for_each(|one| check.growing(one));
    odd_inputs::ALL.iter().for_each(|one| check.odd(one));
    println!("{} passed, {} failed", check.held, check.broken);
    match check.broken {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

struct Check<'c> {
    program: &'c Path,
    scratch: &'c Path,
    held: usize,
    broken: usize,
}

/// What was measured with so many bytes.
type Measurement = (u64, Usage);

impl Check<'_> {
    fn system(
        &mut self,
        name: &str,
        extension: &str,
        write: fn(usize, &Path) -> std::io::Result<()>,
    ) {
        // The least memory that is told of a child is what its parent had when it started it. So these
        // come first, and are written bit by bit.
        let [small, large] = COUNTS.map(|documents| {
            let path = self.scratch.join(format!("system-{documents}"));
            let path = path.with_extension(extension);
            write(documents, &path).unwrap();
            (size(&path), least(self.program, &path, ROUNDS))
        });
        self.growth(&format!("a system in {name}"), small, large);
        let (bytes, usage) = large;
        let most = MEMORY_AT_REST + MEMORY_PER_BYTE * bytes as f64;
        let memory = usage.memory as f64;
        self.holds(
            memory <= most,
            &format!(
                "a system in {name}, resident at most: {:.0} MB for {:.1} MB of input, of {:.0} MB",
                memory / 1e6,
                bytes as f64 / 1e6,
                most / 1e6
            ),
        );
    }

    fn growing(&mut self, growing: &growing::Growing) {
        let [small, large] = COUNTS.map(|count| {
            let path = self
                .scratch
                .join("growing")
                .with_extension(growing.extension);
            fs::write(&path, (growing.text)(count)).unwrap();
            (size(&path), least(self.program, &path, ROUNDS))
        });
        self.growth(growing.name, small, large);
    }

    fn growth(&mut self, name: &str, small: Measurement, large: Measurement) {
        let [before, after] = [small, large].map(|(_, usage)| usage.cpu.as_secs_f64());
        let ratio = after / before;
        let is_read = [small, large].iter().all(|(_, usage)| usage.is_planned());
        self.holds(
            is_read && ratio <= GROWTH,
            &format!(
                "{name}: {before:.3} s for {:.1} MB, {after:.3} s for {:.1} MB, {ratio:.1} times as long",
                small.0 as f64 / 1e6,
                large.0 as f64 / 1e6,
            ),
        );
    }

    fn odd(&mut self, input: &odd_inputs::OddInput) {
        let path = self.scratch.join("odd").with_extension(input.extension);
        fs::write(&path, (input.text)()).unwrap();
        let usage = measured::plan(self.program, &path).unwrap();
        let memory = usage.memory as f64;
        let status = match usage.status {
            Some(status) => format!("exit status {status}"),
            None => "ended by a signal".to_owned(),
        };
        self.holds(
            usage.is_planned() && usage.cpu <= AT_ONCE && memory <= MEMORY_OF_ODD_INPUT,
            &format!(
                "{} ({}): {:.3} s, {:.0} MB, {status}",
                input.name,
                input.extension,
                usage.cpu.as_secs_f64(),
                memory / 1e6,
            ),
        );
    }

    fn holds(&mut self, is_so: bool, what: &str) {
        if is_so {
            self.held += 1;
            println!("ok      {what}");
        } else {
            self.broken += 1;
            println!("BROKEN  {what}");
        }
    }
}
