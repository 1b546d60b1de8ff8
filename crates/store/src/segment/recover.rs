//! Mending a writer's last segment after a crash.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use super::{
    Position, WriterId, names,
    read::scan::{Scan, Step},
};

/// What was found and done when a log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The end of the last segment was torn and is cut: where, and how many bytes went (not
    /// counting zeros behind them). They are kept in a file beside it, `WRITER.MILLIS.torn`.
    pub torn: Option<(Position, u64)>,
    /// The last segment has a damaged beginning, is unreadable and left as it is.
    pub unreadable: Option<Position>,
    /// The number of the last segment.
    pub(super) last: u64,
}

pub(super) fn mend(folder: &Path, writer: &WriterId) -> io::Result<Recovery> {
    let segments = names::list(folder)?;
    let own = |(owner, number): &(WriterId, u64)| (owner == writer).then_some(*number);
    let Some(last) = segments.iter().filter_map(own).max() else { return Ok(Recovery::default()) };
    let mut recovery = Recovery { last, ..Recovery::default() };
    let position = |offset| Position { writer: writer.clone(), segment: last, offset };

    let path = folder.join(names::segment(writer, last));
    let Some(mut scan) = Scan::open(&path)? else {
        // The crash came between the file and its header, or into the header itself.
        match rest(&path, 0)?.as_slice() {
            [] => fs::remove_file(&path)?,
            _ => recovery.unreadable = Some(position(0)),
        }
        return Ok(recovery);
    };
    while scan.next()? != Step::End {}
    let torn = rest(&path, scan.offset)?;
    if !torn.is_empty() {
        recovery.torn = Some((position(scan.offset), torn.len() as u64));
        // Where even this has no room, the segment stays as it is: readers will report the damage.
        if keep_aside(&path.with_extension("torn"), &torn).is_err() {
            return Ok(recovery);
        }
    }
    let file = OpenOptions::new().write(true).open(&path)?;
    if file.metadata()?.len() > scan.offset {
        file.set_len(scan.offset)?;
        file.sync_all()?;
    }
    Ok(recovery)
}

fn keep_aside(path: &Path, torn: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all_at(torn, 0)?;
    file.sync_all()
}

/// The bytes of a file from an offset to its last one that is not zero.
fn rest(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len().saturating_sub(offset);
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, offset)?;
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(end);
    Ok(bytes)
}
