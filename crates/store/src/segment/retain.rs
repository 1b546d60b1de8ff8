//! Deleting what is old: whole segments, oldest first.

use std::{
    fs, io,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use super::{Millis, Segment, disk, names, read::Reader};

/// How much of a log is kept, over all its writers. Reaching either limit deletes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Segments whose records are all older than this go.
    pub age: Duration,
    /// While all segments together are larger than this, the oldest goes.
    pub bytes: u64,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// How many segments.
    pub segments: usize,
    /// How many bytes.
    pub bytes: u64,
}

/// Deletes the segments of a folder that are beyond the limits. The segment that a live writer
/// appends to is never deleted. Several processes may do it at the same time. Blocks the thread.
///
/// # Errors
/// What the file system answers; what was deleted until then is gone.
pub fn retain(folder: &Path, limits: Limits, now: Millis) -> io::Result<Retired> {
    let mut total = 0;
    let mut ended = Vec::new();
    let segments = Reader::new(folder).segments()?;
    for (index, segment) in segments.iter().enumerate() {
        total += segment.bytes;
        let next = segments.get(index + 1).filter(|next| next.writer == segment.writer);
        // All its records are older than the writer's next segment, or than its last change.
        let until = match next {
            Some(next) => next.number,
            None if disk::is_locked(folder, &segment.writer) => continue,
            None => changed(folder, segment)?,
        };
        ended.push((segment, until));
    }
    ended.sort_by_key(|(segment, _)| segment.number);

    let age = u64::try_from(limits.age.as_millis()).unwrap_or(u64::MAX);
    let mut retired = Retired::default();
    for (segment, until) in ended {
        if total > limits.bytes || until.saturating_add(age) <= now.0 {
            delete(folder, segment)?;
            total -= segment.bytes;
            retired.segments += 1;
            retired.bytes += segment.bytes;
        }
    }
    Ok(retired)
}

/// When the file of a segment was written last, in milliseconds since 1970.
fn changed(folder: &Path, segment: &Segment) -> io::Result<u64> {
    let path = folder.join(names::segment(&segment.writer, segment.number));
    let changed = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(changed.as_millis()).unwrap_or(u64::MAX))
}

fn delete(folder: &Path, segment: &Segment) -> io::Result<()> {
    let path = folder.join(names::segment(&segment.writer, segment.number));
    for path in [path.with_extension("torn"), path] {
        match fs::remove_file(path) {
            // Another process came first, or nothing was torn.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
    }
    Ok(())
}
