"""The tables of `studio.db`, as steps that sqlite-utils applies once each, in order.

Steps are history: add one, never edit one.
"""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

_FIRST_TABLES = """
CREATE TABLE prompts (
    id TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    position INTEGER NOT NULL
) STRICT;

CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    prompt_id TEXT NOT NULL REFERENCES prompts(id),
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    format TEXT NOT NULL,
    position INTEGER NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    active_since TEXT NOT NULL
) STRICT;
CREATE INDEX images_in_order ON images(active, position);

CREATE TABLE ratings (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images(id),
    annotator TEXT NOT NULL,
    spatial REAL CHECK (spatial BETWEEN 0 AND 10),
    icono REAL CHECK (icono BETWEEN 0 AND 10),
    style REAL CHECK (style BETWEEN 0 AND 10),
    fidelity REAL CHECK (fidelity BETWEEN 0 AND 10),
    material REAL CHECK (material BETWEEN 0 AND 10),
    unjudged TEXT NOT NULL,
    seconds REAL,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL CHECK (source IN ('pad', 'import', 'correction')),
    withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    covers INTEGER,
    created TEXT NOT NULL
) STRICT;
CREATE INDEX ratings_by_person ON ratings(annotator, image_id, id, withdrawn);

CREATE TABLE skips (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images(id),
    annotator TEXT NOT NULL,
    created TEXT NOT NULL
) STRICT;
CREATE INDEX skips_by_person ON skips(annotator, image_id, id);

CREATE TABLE exports (
    name TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    last_rating_id INTEGER NOT NULL,
    written TEXT NOT NULL
) STRICT;
"""

_PEOPLE_TABLES = """
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('annotator', 'reviewer', 'engineer', 'admin')),
    password TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    created TEXT NOT NULL,
    changes INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_sha256 TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts(id),
    created TEXT NOT NULL,
    expires TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_account ON sessions(account_id);

CREATE TABLE accounts_version (version INTEGER NOT NULL) STRICT;
INSERT INTO accounts_version VALUES (0);
"""

_REPEATED_HEADS = ("spatial", "icono", "style", "fidelity", "material")


def studio_migrations() -> Migrations:
    """All steps, in order."""
    migrations = Migrations("studio")

    @migrations()
    def first_tables(db: Database) -> None:
        for statement in _FIRST_TABLES.split(";"):
            if statement.strip():
                db.execute(statement)

    @migrations()
    def ratings_are_append_only(db: Database) -> None:
        for table in ("ratings", "skips"):
            for action in ("UPDATE", "DELETE"):
                db.execute(
                    f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
                )

    @migrations()
    def exports_are_noted_before_they_are_written(db: Database) -> None:
        db.execute(
            "CREATE TABLE begun_exports (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, last_rating_id INTEGER NOT NULL, "
            "written TEXT NOT NULL) STRICT"
        )

    @migrations()
    def ratings_name_what_they_revise(db: Database) -> None:
        db.execute("ALTER TABLE ratings ADD COLUMN revises TEXT")

    @migrations()
    def drafts_are_kept(db: Database) -> None:
        db.execute(
            "CREATE TABLE drafts (annotator TEXT NOT NULL, image_id INTEGER NOT NULL REFERENCES images(id), "
            "body TEXT NOT NULL, updated TEXT NOT NULL, PRIMARY KEY (annotator, image_id)) STRICT"
        )

    @migrations()
    def a_studio_has_an_identity(db: Database) -> None:
        db.execute("CREATE TABLE studio (id TEXT NOT NULL) STRICT")
        db.execute("INSERT INTO studio (id) VALUES (lower(hex(randomblob(8))))")

    @migrations()
    def skips_have_reasons(db: Database) -> None:
        db.execute("ALTER TABLE skips ADD COLUMN reason TEXT NOT NULL DEFAULT ''")

    @migrations()
    def images_are_leased(db: Database) -> None:
        db.execute(
            "CREATE TABLE leases (image_id INTEGER NOT NULL REFERENCES images(id), annotator TEXT NOT NULL, "
            "tab TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('first', 'repeat')), expires TEXT NOT NULL, "
            "PRIMARY KEY (image_id, annotator)) STRICT"
        )
        db.execute("CREATE INDEX leases_by_person ON leases(annotator, tab)")
        db.execute("CREATE INDEX ratings_by_image ON ratings(image_id, annotator, id, withdrawn)")
        db.execute("ALTER TABLE ratings ADD COLUMN late INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1))")

    @migrations()
    def repeats_are_a_kind_of_their_own(db: Database) -> None:
        heads = ", ".join(f"{head} REAL CHECK ({head} BETWEEN 0 AND 10)" for head in _REPEATED_HEADS)
        db.execute(
            f"CREATE TABLE repeats (id INTEGER PRIMARY KEY, image_id INTEGER NOT NULL REFERENCES images(id), "
            f"annotator TEXT NOT NULL, {heads}, unjudged TEXT NOT NULL, seconds REAL, key TEXT NOT NULL UNIQUE, "
            "of_key TEXT NOT NULL, created TEXT NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX repeats_by_person ON repeats(annotator, image_id)")
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER repeats_no_{action.lower()} BEFORE {action} ON repeats "
                "BEGIN SELECT RAISE(ABORT, 'repeats are append-only'); END"
            )

    @migrations()
    def preferences_between_two_images(db: Database) -> None:
        db.execute(
            "CREATE TABLE preferences (id INTEGER PRIMARY KEY, first INTEGER NOT NULL REFERENCES images(id), "
            "second INTEGER NOT NULL REFERENCES images(id), annotator TEXT NOT NULL, "
            "choice TEXT NOT NULL CHECK (choice IN ('first', 'second', 'tie', 'skip')), "
            "first_side TEXT NOT NULL CHECK (first_side IN ('left', 'right')), seconds REAL, key TEXT NOT NULL UNIQUE, "
            "revises TEXT, created TEXT NOT NULL, CHECK (first < second)) STRICT"
        )
        db.execute("CREATE INDEX preferences_by_person ON preferences(annotator, first, second, id)")
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER preferences_no_{action.lower()} BEFORE {action} ON preferences "
                "BEGIN SELECT RAISE(ABORT, 'preferences are append-only'); END"
            )

    @migrations()
    def imports_are_noted(db: Database) -> None:
        db.execute("CREATE TABLE imports (mark TEXT PRIMARY KEY, name TEXT NOT NULL, created TEXT NOT NULL) STRICT")

    @migrations()
    def adjudications_are_kept(db: Database) -> None:
        db.execute(
            "CREATE TABLE adjudications (id INTEGER PRIMARY KEY, image_id INTEGER NOT NULL REFERENCES images(id), "
            "head TEXT NOT NULL, value REAL CHECK (value BETWEEN 0 AND 10), reviewer TEXT NOT NULL, "
            "note TEXT NOT NULL, rating_id INTEGER NOT NULL UNIQUE REFERENCES ratings(id), "
            "created TEXT NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX adjudications_by_image ON adjudications(image_id, id)")
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER adjudications_no_{action.lower()} BEFORE {action} ON adjudications "
                "BEGIN SELECT RAISE(ABORT, 'adjudications are append-only'); END"
            )

    @migrations()
    def people_have_accounts(db: Database) -> None:
        for statement in _PEOPLE_TABLES.split(";"):
            if statement.strip():
                db.execute(statement)
        # Whoever keeps accounts or sessions in memory sees by the version that another process changed them.
        for action in ("INSERT ON accounts", "UPDATE ON accounts", "DELETE ON accounts", "DELETE ON sessions"):
            name = f"{action.lower().replace(' ', '_')}_is_noticed"
            db.execute(
                f"CREATE TRIGGER {name} AFTER {action} BEGIN UPDATE accounts_version SET version = version + 1; END"
            )

    @migrations()
    def images_are_requested(db: Database) -> None:
        db.execute(
            "CREATE TABLE requests (id INTEGER PRIMARY KEY, image_id INTEGER NOT NULL REFERENCES images(id), "
            "head TEXT, note TEXT NOT NULL, requester TEXT NOT NULL, last_rating_id INTEGER NOT NULL, "
            "created TEXT NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX requests_by_image ON requests(image_id)")
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER requests_no_{action.lower()} BEFORE {action} ON requests "
                "BEGIN SELECT RAISE(ABORT, 'requests are append-only'); END"
            )

    @migrations()
    def repeats_are_remembered_when_given_out(db: Database) -> None:
        db.execute(
            "CREATE TABLE repeat_offers (annotator TEXT NOT NULL, image_id INTEGER NOT NULL REFERENCES images(id), "
            "PRIMARY KEY (annotator, image_id)) STRICT"
        )
        db.execute(
            "INSERT INTO repeat_offers SELECT annotator, image_id FROM repeats "
            "UNION SELECT annotator, image_id FROM leases WHERE kind = 'repeat'"
        )
        # The newest rating's number when the repeat was stored: its place among a person's ratings.
        db.execute("ALTER TABLE repeats ADD COLUMN behind INTEGER")

    return migrations
