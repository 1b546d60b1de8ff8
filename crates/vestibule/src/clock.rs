//! The only place that reads the wall clock.
//!
//! Everything else takes `now` as an argument. A server started with the test switch owns a
//! [`Clock::settable`] clock, which a test suite moves through `POST /_test/clock`
//! ([`crate::front`]); without the switch there is no clock that could be moved.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};

/// Where `now` comes from. Cheap to clone; clones of a settable clock move together.
#[derive(Clone, Debug)]
pub struct Clock {
    moved: Option<Arc<Moved>>,
}

/// How a settable clock differs from the machine's.
#[derive(Debug)]
struct Moved {
    /// Nanoseconds added to the machine's time while the clock runs.
    offset: AtomicI64,
    /// The instant at which the clock stands, in nanoseconds; [`RUNNING`] when it does not stand.
    standing: AtomicI64,
}

const RUNNING: i64 = i64::MIN;

/// A clock without the test switch was asked to move, or the new time cannot be represented.
#[derive(Debug, PartialEq, Eq)]
pub enum ClockError {
    /// The server runs on the machine's time.
    NotSettable,
    /// Outside of the years 1678 to 2261 (nanoseconds in 64 bits).
    OutOfRange,
}

impl Clock {
    /// The machine's time, which nobody can move.
    pub fn system() -> Clock {
        Clock { moved: None }
    }

    /// The machine's time until it is moved; only for `--test-clock`.
    pub fn settable() -> Clock {
        let moved = Moved { offset: AtomicI64::new(0), standing: AtomicI64::new(RUNNING) };
        Clock { moved: Some(Arc::new(moved)) }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let Some(moved) = &self.moved else { return machine_time() };
        let standing = moved.standing.load(Ordering::Acquire);
        if standing != RUNNING {
            return from_nanos(standing).unwrap_or_else(machine_time);
        }
        let offset = SignedDuration::from_nanos(moved.offset.load(Ordering::Acquire));
        machine_time().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// Whether [`Clock::set`] and [`Clock::advance`] do anything.
    pub fn is_settable(&self) -> bool {
        self.moved.is_some()
    }

    /// Moves the clock to `to`; it runs on from there, or stands still when `stand` is set.
    ///
    /// # Errors
    /// [`ClockError::NotSettable`] without the test switch, [`ClockError::OutOfRange`].
    pub fn set(&self, to: Timestamp, stand: bool) -> Result<(), ClockError> {
        let moved = self.moved.as_ref().ok_or(ClockError::NotSettable)?;
        if stand {
            moved.standing.store(nanos(to)?, Ordering::Release);
        } else {
            let offset = nanos(to)?.checked_sub(nanos(machine_time())?);
            moved.offset.store(offset.ok_or(ClockError::OutOfRange)?, Ordering::Release);
            moved.standing.store(RUNNING, Ordering::Release);
        }
        Ok(())
    }

    /// Moves the clock by `by` (backwards when negative); a standing clock stays standing.
    ///
    /// # Errors
    /// As [`Clock::set`].
    pub fn advance(&self, by: SignedDuration) -> Result<(), ClockError> {
        let moved = self.moved.as_ref().ok_or(ClockError::NotSettable)?;
        let stands = moved.standing.load(Ordering::Acquire) != RUNNING;
        let to = self.now().checked_add(by).map_err(|_| ClockError::OutOfRange)?;
        self.set(to, stands)
    }

    /// Puts the clock back to the machine's time.
    ///
    /// # Errors
    /// [`ClockError::NotSettable`] without the test switch.
    pub fn release(&self) -> Result<(), ClockError> {
        let moved = self.moved.as_ref().ok_or(ClockError::NotSettable)?;
        moved.offset.store(0, Ordering::Release);
        moved.standing.store(RUNNING, Ordering::Release);
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
fn machine_time() -> Timestamp {
    Timestamp::now()
}

fn nanos(at: Timestamp) -> Result<i64, ClockError> {
    i64::try_from(at.as_nanosecond()).ok().filter(|n| *n != RUNNING).ok_or(ClockError::OutOfRange)
}

fn from_nanos(nanos: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanos)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_machines_clock_cannot_be_moved() {
        let clock = Clock::system();
        assert_eq!(clock.set(at("2020-01-01T00:00:00Z"), true), Err(ClockError::NotSettable));
        assert_eq!(clock.advance(SignedDuration::from_hours(1)), Err(ClockError::NotSettable));
        assert_eq!(clock.release(), Err(ClockError::NotSettable));
        assert!(clock.now() > at("2024-01-01T00:00:00Z"));
    }

    #[test]
    fn a_standing_clock_moves_only_when_told_and_its_clones_with_it() {
        let clock = Clock::settable();
        let other = clock.clone();
        clock.set(at("2031-05-06T07:08:09.123Z"), true).unwrap();
        assert_eq!(other.now(), at("2031-05-06T07:08:09.123Z"));
        other.advance(SignedDuration::from_secs(-9)).unwrap();
        assert_eq!(clock.now(), at("2031-05-06T07:08:00.123Z"));
    }

    #[test]
    fn a_running_clock_goes_on_from_where_it_was_set() {
        let clock = Clock::settable();
        clock.set(at("2031-01-01T00:00:00Z"), false).unwrap();
        assert!(clock.now() >= at("2031-01-01T00:00:00Z"));
        assert!(clock.now() < at("2031-01-01T01:00:00Z"));
        clock.advance(SignedDuration::from_hours(2)).unwrap();
        assert!(clock.now() >= at("2031-01-01T02:00:00Z"));
        clock.release().unwrap();
        assert!(clock.now() < at("2031-01-01T00:00:00Z"));
    }

    #[test]
    fn a_time_that_does_not_fit_is_refused() {
        let far = at("9999-01-01T00:00:00Z");
        assert_eq!(Clock::settable().set(far, true), Err(ClockError::OutOfRange));
    }
}
