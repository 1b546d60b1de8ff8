-- The newest revision, in one row, and so the lock that orders the commits.
CREATE TABLE line (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO line VALUES (1, 0);

CREATE TABLE document (
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    terms    TEXT    NOT NULL, -- [[name, value, unique], …], as they come back
    body     BLOB    NOT NULL,
    UNIQUE (kind, id)
) STRICT;
CREATE INDEX document_by_revision ON document (revision, kind, id);

-- The terms once more, as an index.
CREATE TABLE term (
    kind      TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    value     TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    is_unique INTEGER NOT NULL,
    PRIMARY KEY (kind, name, value, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX term_once ON term (kind, name, value) WHERE is_unique = 1;
CREATE INDEX term_by_document ON term (kind, id);

-- What went, for as long as changes are told.
CREATE TABLE deletion (
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deletion_by_revision ON deletion (revision, kind, id);

-- Events of commits that the log book does not have yet, in their order.
CREATE TABLE receipt (
    place    INTEGER PRIMARY KEY AUTOINCREMENT,
    event    TEXT    NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    body     BLOB    NOT NULL
) STRICT;
