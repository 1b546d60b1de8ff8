//! The questions.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::{
    Changes, Deletion, Document, DocumentId, Kind, Note, Receipt, Result, Revision, Snapshot,
    StoredReceipt, Term, commit::deletions_told,
};

pub(super) fn revision(connection: &Connection) -> Result<Revision> {
    let mut statement = connection.prepare_cached("SELECT revision FROM line")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

pub(super) fn load(connection: &Connection, kinds: &[Kind]) -> Result<Snapshot> {
    const ALL: &str = "SELECT kind, id, revision, terms, body FROM document ORDER BY kind, id";
    const KIND: &str =
        "SELECT kind, id, revision, terms, body FROM document WHERE kind = ?1 ORDER BY id";

    let mut documents = Vec::new();
    if kinds.is_empty() {
        documents = self::documents(connection, ALL, [])?;
    } else {
        let mut kinds: Vec<&Kind> = kinds.iter().collect();
        kinds.sort();
        kinds.dedup();
        for kind in kinds {
            documents.append(&mut self::documents(connection, KIND, [kind.as_str()])?);
        }
    }
    Ok(Snapshot { revision: revision(connection)?, documents })
}

pub(super) fn changes_since(connection: &Connection, since: Revision) -> Result<Changes> {
    const WRITTEN: &str = "SELECT kind, id, revision, terms, body FROM document
        WHERE revision > ?1 ORDER BY revision, kind, id";
    const WENT: &str = "SELECT kind, id, revision FROM deletion
        WHERE revision > ?1 ORDER BY revision, kind, id";

    let newest = revision(connection)?;
    if !deletions_told(since, newest) {
        let documents = documents(connection, WRITTEN, [Revision::ZERO])?;
        return Ok(Changes { revision: newest, reset: true, documents, deleted: Vec::new() });
    }
    let documents = documents(connection, WRITTEN, [since])?;
    let mut statement = connection.prepare_cached(WENT)?;
    let deletion = |row: &Row<'_>| {
        let revision = row.get(2)?;
        Ok(Deletion { revision, kind: kind(row)?, id: id(row)? })
    };
    let deleted = statement.query_map([since], deletion)?.collect::<rusqlite::Result<_>>()?;
    Ok(Changes { revision: newest, reset: false, documents, deleted })
}

pub(super) fn get(
    connection: &Connection,
    kind: &Kind,
    id: &DocumentId,
) -> Result<Option<Document>> {
    const ONE: &str =
        "SELECT kind, id, revision, terms, body FROM document WHERE kind = ?1 AND id = ?2";

    let mut statement = connection.prepare_cached(ONE)?;
    Ok(statement.query_row([kind.as_str(), id.as_str()], document).optional()?)
}

pub(super) fn find(
    connection: &Connection,
    kind: &Kind,
    term: &str,
    value: &str,
) -> Result<Vec<Document>> {
    const FOUND: &str = "SELECT kind, id, revision, terms, body
        FROM term JOIN document USING (kind, id)
        WHERE kind = ?1 AND name = ?2 AND value = ?3 ORDER BY id";

    documents(connection, FOUND, [kind.as_str(), term, value])
}

pub(super) fn receipts(connection: &Connection, limit: usize) -> Result<Vec<StoredReceipt>> {
    const OLDEST: &str = "SELECT revision, event, body FROM receipt ORDER BY place LIMIT ?1";

    let mut statement = connection.prepare_cached(OLDEST)?;
    let receipt = |row: &Row<'_>| {
        let receipt = Receipt { event: row.get::<_, String>(1)?.into(), body: row.get(2)? };
        Ok(StoredReceipt { revision: row.get(0)?, receipt })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map([limit], receipt)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn notes(connection: &Connection, of: &Kind) -> Result<Vec<Note>> {
    let mut statement = connection
        .prepare_cached("SELECT kind, id, at, body FROM note WHERE kind = ?1 ORDER BY id")?;
    let note = |row: &Row<'_>| {
        Ok(Note { kind: kind(row)?, id: id(row)?, at: row.get(2)?, body: row.get(3)? })
    };
    Ok(statement.query_map([of.as_str()], note)?.collect::<rusqlite::Result<_>>()?)
}

fn documents(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<Document>> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map(parameters, document)?.collect::<rusqlite::Result<_>>()?)
}

/// `kind, id, revision, terms, body`
fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    let terms: Vec<(String, String, bool)> = serde_json::from_str(row.get_ref(3)?.as_str()?)
        .map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, error.into())
        })?;
    let term = |(name, value, unique)| Term { name, value, unique };
    Ok(Document {
        kind: kind(row)?,
        id: id(row)?,
        body: row.get(4)?,
        terms: terms.into_iter().map(term).collect(),
        revision: row.get(2)?,
    })
}

fn kind(row: &Row<'_>) -> rusqlite::Result<Kind> {
    row.get::<_, String>(0).map(Kind::from)
}

fn id(row: &Row<'_>) -> rusqlite::Result<DocumentId> {
    row.get::<_, String>(1).map(DocumentId::from)
}
