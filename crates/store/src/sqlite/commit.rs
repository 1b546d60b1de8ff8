//! The changes.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::read;
use crate::{
    Change, Commit, Conflict, Document, Error, EventId, Kind, Note, Receipt, Result, Revision,
    Term, commit::oldest_deletion_told,
};

pub(super) fn make(connection: &mut Connection, commit: &Commit) -> Result<Revision> {
    // INVARIANT: dropping the transaction, as every error below does, undoes it whole.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let current = read::revision(&transaction)?;
    if commit.expected != current {
        return Err(Error::Conflict(Conflict::Revision { current }));
    }
    let revision = current.next();
    transaction.prepare_cached("UPDATE line SET revision = ?1")?.execute([revision])?;

    // First everything goes, then everything comes: uniqueness is judged on the outcome.
    for change in &commit.changes {
        check(&transaction, change)?;
    }
    for change in &commit.changes {
        forget(&transaction, change)?;
    }
    for change in &commit.changes {
        match change {
            Change::Put { document, .. } => keep(&transaction, document, revision)?,
            Change::Delete { kind, id, .. } => {
                transaction
                    .prepare_cached("INSERT INTO deletion VALUES (?1, ?2, ?3)")?
                    .execute(params![kind.as_str(), id.as_str(), revision])?;
            }
        }
    }
    transaction
        .prepare_cached("DELETE FROM deletion WHERE revision < ?1")?
        .execute([oldest_deletion_told(revision)])?;
    for receipt in &commit.receipts {
        keep_receipt(&transaction, receipt, revision)?;
    }
    transaction.commit()?;
    Ok(revision)
}

pub(super) fn mark_delivered(connection: &mut Connection, events: &[EventId]) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut statement = transaction.prepare_cached("DELETE FROM receipt WHERE event = ?1")?;
        for event in events {
            statement.execute([event.as_str()])?;
        }
    }
    Ok(transaction.commit()?)
}

pub(super) fn keep_notes(connection: &mut Connection, notes: &[Note]) -> Result<()> {
    const KEEP: &str = "INSERT INTO note (kind, id, at, body) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET at = excluded.at, body = excluded.body
        WHERE excluded.at >= note.at";
    const FORGET: &str = "DELETE FROM note WHERE kind = ?1 AND id = ?2";

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let (mut keep, mut forget) =
            (transaction.prepare_cached(KEEP)?, transaction.prepare_cached(FORGET)?);
        for Note { kind, id, at, body } in notes {
            match body {
                Some(body) => keep.execute(params![kind.as_str(), id.as_str(), at, body])?,
                None => forget.execute([kind.as_str(), id.as_str()])?,
            };
        }
    }
    Ok(transaction.commit()?)
}

fn check(transaction: &Transaction<'_>, change: &Change) -> Result<()> {
    let (kind, id) = change.target();
    let written = transaction
        .prepare_cached("SELECT revision FROM document WHERE kind = ?1 AND id = ?2")?
        .query_row([kind.as_str(), id.as_str()], |row| row.get::<_, Revision>(0))
        .optional()?;
    let (kind, id) = (kind.clone(), id.clone());
    if !change.only_if().holds(written) {
        return Err(Error::Conflict(Conflict::Document { kind, id }));
    }
    if written.is_none() && matches!(change, Change::Delete { .. }) {
        return Err(Error::NotFound { kind, id });
    }
    Ok(())
}

fn forget(transaction: &Transaction<'_>, change: &Change) -> Result<()> {
    const FROM: [&str; 3] = [
        "DELETE FROM document WHERE kind = ?1 AND id = ?2",
        "DELETE FROM term WHERE kind = ?1 AND id = ?2",
        "DELETE FROM deletion WHERE kind = ?1 AND id = ?2",
    ];
    let (kind, id) = change.target();
    for sql in FROM {
        transaction.prepare_cached(sql)?.execute([kind.as_str(), id.as_str()])?;
    }
    Ok(())
}

fn keep(transaction: &Transaction<'_>, document: &Document, revision: Revision) -> Result<()> {
    let Document { kind, id, body, terms, .. } = document;
    let index: Vec<_> = terms.iter().map(|t| (&t.name, &t.value, t.unique)).collect();
    let index = serde_json::to_string(&index).map_err(Error::unavailable)?;
    transaction
        .prepare_cached(
            "INSERT INTO document (kind, id, revision, terms, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![kind.as_str(), id.as_str(), revision, index, body])?;

    let mut statement =
        transaction.prepare_cached("INSERT INTO term VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for term in terms {
        let Term { name, value, unique } = term;
        let kept = statement.execute(params![kind.as_str(), name, value, id.as_str(), unique]);
        kept.map_err(|error| taken(error, || term_conflict(kind, term)))?;
    }
    Ok(())
}

fn keep_receipt(
    transaction: &Transaction<'_>,
    Receipt { event, body }: &Receipt,
    revision: Revision,
) -> Result<()> {
    transaction
        .prepare_cached("INSERT INTO receipt (event, revision, body) VALUES (?1, ?2, ?3)")?
        .execute(params![event.as_str(), revision, body])
        .map_err(|error| taken(error, || Conflict::Event(event.clone())))?;
    Ok(())
}

/// A broken constraint is a conflict, everything else the store's own trouble.
fn taken(error: rusqlite::Error, conflict: impl FnOnce() -> Conflict) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => Error::Conflict(conflict()),
        _ => error.into(),
    }
}

fn term_conflict(kind: &Kind, term: &Term) -> Conflict {
    Conflict::Term { kind: kind.clone(), name: term.name.clone(), value: term.value.clone() }
}
