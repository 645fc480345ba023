//! A database of the stated size in minutes: rows in the true layout, written by statements and not by the recorder.
//! Payloads, anchors and words are those of events that were really recorded.

use crate::corpus::Random;
use anyhow::Result;
use bugle_devservers::Postgres;
use std::time::Instant;

pub const PROJECTS: usize = 20;
/// Words of titles and frames; the first of them are in most issues, the last in two of a thousand.
pub const WORDS: usize = 5_000;
pub const USERS: usize = 20_000;
/// Events are spread over so many days, one partition each.
const DAYS: usize = 25;
const ROWS_AT_ONCE: usize = 2_500;
const EVENTS_AT_ONCE: usize = 500_000;

/// What the fill has made up, for asking for it.
pub struct Filled {
    pub words: Vec<String>,
}

/// An invented person's address.
pub fn email(number: usize) -> String {
    format!("user{number}@example.com")
}

/// As `UserKey::Email.hash` makes it. Written again here: depending on the model would build half of the workspace a second
/// time, with other features.
fn email_hash(number: usize) -> i64 {
    xxhash_rust::xxh3::xxh3_64(format!("email:{}", email(number)).as_bytes()).cast_signed()
}

/// Fills the database up to so many issues and events.
pub fn fill(postgres: &Postgres, issues: usize, events: usize) -> Result<Filled> {
    let words = words();
    let start = Instant::now();
    let step = |what: &str, sql: &str| -> Result<()> {
        postgres.query("bugle", sql)?;
        eprintln!("{:5.0} s  {what}", start.elapsed().as_secs_f64());
        Ok(())
    };
    rows(
        &step,
        "fill_words (n integer PRIMARY KEY, word text)",
        words.iter().enumerate().map(|(n, word)| format!("({n},'{word}')")),
    )?;
    rows(
        &step,
        "fill_users (n integer PRIMARY KEY, hash bigint)",
        (0..USERS).map(|n| format!("({n},{})", email_hash(n))),
    )?;
    step(
        "projects",
        &format!(
            "INSERT INTO projects (name, prefix, created_at)
                 SELECT 'fill' || n, 'FILL' || n, clock_timestamp() FROM generate_series(1, {PROJECTS}) n;
             INSERT INTO releases (project_id, version, created_at)
                 SELECT id, name || '@1.' || n / 10 || '.' || n % 10, clock_timestamp() FROM projects, generate_series(0, 39) n;
             INSERT INTO environments (project_id, name)
                 SELECT id, e FROM projects, UNNEST(ARRAY['production', 'staging', 'development']) e ON CONFLICT DO NOTHING;
             SELECT bugle_make_event_partition(30::smallint, (clock_timestamp() - n * interval '1 day')::date)
                 FROM generate_series(0, {DAYS}) n;
             CREATE TABLE fill_templates AS
                 SELECT (row_number() OVER () - 1)::integer AS n, t.* FROM (
                     SELECT DISTINCT ON (e.issue_id) e.payload, e.anchor_id, e.tag_bits, i.culprit, i.error_type, i.platform, x.words
                     FROM events e JOIN issues i ON i.id = e.issue_id JOIN issue_texts x ON x.issue_id = i.id) t",
        ),
    )?;
    make_issues(&step, issues)?;
    let mut from = 0;
    while from < events {
        let to = (from + EVENTS_AT_ONCE).min(events);
        step(&format!("{to} events"), &event_rows(issues, from, to))?;
        from = to;
    }
    derive(&step)?;
    for table in [
        "events",
        "issues",
        "issue_ranks",
        "issue_texts",
        "issue_tags",
        "issue_counts",
        "issue_hours",
        "issue_user_keys",
        "project_tags",
    ] {
        step(&format!("vacuum of {table}"), &format!("VACUUM (ANALYZE) {table}"))?;
    }
    step("checkpoint", "CHECKPOINT")?;
    Ok(Filled { words })
}

/// A table of made-up rows, a part at a time: a program's argument may have 128 KiB.
fn rows(step: &Step<'_>, table: &str, rows: impl Iterator<Item = String>) -> Result<()> {
    step(table, &format!("CREATE TABLE {table}"))?;
    let name = table.split_whitespace().next().unwrap_or(table);
    let rows: Vec<String> = rows.collect();
    rows.chunks(ROWS_AT_ONCE)
        .try_for_each(|part| step(name, &format!("INSERT INTO {name} VALUES {}", part.join(","))))
}

type Step<'a> = dyn Fn(&str, &str) -> Result<()> + 'a;

/// Issues with words, tags and users. Triggers are off: what they would do is done at once in [`derive()`].
fn make_issues(step: &Step<'_>, issues: usize) -> Result<()> {
    step(
        "issues",
        &format!(
            "ALTER TABLE issues DISABLE TRIGGER issues_made;
             ALTER TABLE issue_counts DISABLE TRIGGER issue_counts_made;
             ALTER TABLE issue_tags DISABLE TRIGGER issue_tags_made;
             SELECT setseed(0.42);
             CREATE FUNCTION fill_word() RETURNS text LANGUAGE sql VOLATILE AS
                 'SELECT word FROM fill_words WHERE n = (SELECT floor({WORDS} * power(random(), 3))::integer)';
             CREATE TABLE fill_issues AS
                 SELECT n, (SELECT nextval('issues_id_seq')) AS unused, 1 + floor({PROJECTS} * power(random(), 2))::integer AS project,
                     floor((SELECT count(*) FROM fill_templates) * random())::integer AS template,
                     clock_timestamp() - random() * interval '{DAYS} days' AS first_at, random() AS life, random() AS dice
                 FROM generate_series(1, {issues}) n;
             ALTER TABLE fill_issues ADD COLUMN id bigint, ADD COLUMN project_id integer, ADD COLUMN last_at timestamptz;
             UPDATE fill_issues SET id = nextval('issues_id_seq'),
                 project_id = (SELECT id FROM projects WHERE name = 'fill' || project),
                 last_at = CASE WHEN life < 0.3 THEN clock_timestamp() - life * interval '3 hours'
                     ELSE first_at + (clock_timestamp() - first_at) * life END;
             CREATE UNIQUE INDEX ON fill_issues (n) INCLUDE (id, project_id, template, first_at, last_at);
             INSERT INTO issues (id, project_id, number, title, culprit, error_type, platform, level, priority, status, first_seen,
                     active_at, resolved_at, assigned_to)
                 SELECT f.id, f.project_id, f.n, left(coalesce(t.error_type, 'Error') || ': ' || fill_word() || ' ' || fill_word()
                         || ' of request r' || f.n, 256), t.culprit, t.error_type, t.platform,
                     CASE WHEN dice < 0.002 THEN 50 WHEN dice < 0.7 THEN 40 ELSE 30 END,
                     CASE WHEN dice < 0.005 THEN 4 WHEN dice < 0.3 THEN 3 WHEN dice < 0.7 THEN 2 ELSE 1 END,
                     CASE WHEN life > 0.995 THEN 2 WHEN life > 0.6 THEN 1 ELSE 0 END, f.first_at, date_trunc('minute', f.last_at),
                     CASE WHEN life > 0.6 AND life <= 0.995 THEN f.last_at END,
                     CASE WHEN dice > 0.8 THEN 'person' || floor((dice - 0.8) * 1000) END
                 FROM fill_issues f JOIN fill_templates t ON t.n = f.template",
        ),
    )?;
    // The index of words is made at once, as the migrations define it.
    step(
        "words",
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'issue_texts_words'::regclass;
         INSERT INTO issue_texts (issue_id, words)
             SELECT f.id, bugle_words(i.title) || t.words || bugle_words((SELECT string_agg(fill_word(), ' ') FROM generate_series(1, 30) x WHERE f.n > 0))
             FROM fill_issues f JOIN issues i ON i.id = f.id JOIN fill_templates t ON t.n = f.template;
         SET maintenance_work_mem = '256MB';
         REINDEX INDEX issue_texts_words",
    )?;
    step(
        "tags and users",
        &format!(
            "INSERT INTO issue_tags (issue_id, key, value)
                 SELECT f.id, 'release', 'fill' || f.project || '@1.' || r / 10 || '.' || r % 10
                 FROM fill_issues f, LATERAL (SELECT (f.n * 7919 + x * 13) % 40 AS r FROM generate_series(0, 1 + f.n % 3) x) r
             ON CONFLICT DO NOTHING;
             INSERT INTO issue_tags (issue_id, key, value)
                 SELECT id, 'environment', CASE WHEN n % 20 < 16 THEN 'production' WHEN n % 20 < 19 THEN 'staging' ELSE 'development' END
                 FROM fill_issues;
             INSERT INTO issue_tags (issue_id, key, value)
                 SELECT id, 'browser', (ARRAY['Chrome 120', 'Chrome 121', 'Firefox 130', 'Safari 17', 'Edge 120'])[1 + (n * 31 + x) % 5]
                 FROM fill_issues, generate_series(0, 1) x;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'transaction', '/page/' || (n * 271) % 3000 FROM fill_issues;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'server_name', 'web-' || (n * 37) % 25 FROM fill_issues;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'plan', 'plan-' || (n / 25) % 25 FROM fill_issues;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'user', '' FROM fill_issues WHERE n % 3 > 0;
             INSERT INTO issue_tags (issue_id, key, value) SELECT id, 'trace', '' FROM fill_issues WHERE n % 2 > 0;
             INSERT INTO issue_user_keys (issue_id, key_hash)
                 SELECT f.id, u.hash FROM fill_issues f, generate_series(1, 5) x, fill_users u
                 WHERE u.n = (f.n::bigint * 7 + x * 104729) % {USERS} ON CONFLICT DO NOTHING",
        ),
    )
}

/// Half of the events are spread evenly over the issues, half over few of them.
fn event_rows(issues: usize, from: usize, to: usize) -> String {
    format!(
        "INSERT INTO events (received_at, issue_id, anchor_id, user_hash, project_id, release_id, environment_id, level, retention,
             event_id, trace_id, payload, tag_bits)
         SELECT f.first_at + (f.last_at - f.first_at) * g.at, f.id, t.anchor_id, (g.n % {USERS}) * 104729, f.project_id,
             NULL, NULL, 40, 30, gen_random_uuid(), CASE WHEN g.n % 2 = 0 THEN md5('trace' || g.n / 4)::uuid END, t.payload, t.tag_bits
         FROM (SELECT n, random() AS at, CASE WHEN n % 2 = 0 THEN 1 + (n / 2) % {issues}
                   ELSE 1 + floor({issues} * power(random(), 6))::integer END AS issue
               FROM generate_series({from} + 1, {to}) n) g
         JOIN fill_issues f ON f.n = g.issue JOIN fill_templates t ON t.n = f.template"
    )
}

fn derive(step: &Step<'_>) -> Result<()> {
    step(
        "counts",
        "INSERT INTO issue_counts (issue_id, events, last_seen, users)
             SELECT issue_id, count(*), max(received_at), (count(*) + 1) / 2 FROM events GROUP BY issue_id ON CONFLICT DO NOTHING;
         INSERT INTO issue_hours (issue_id, hour, events)
             SELECT issue_id, date_trunc('hour', received_at, 'UTC'), count(*) FROM events GROUP BY 1, 2 ON CONFLICT DO NOTHING;
         INSERT INTO project_hours (project_id, hour, level, events)
             SELECT project_id, date_trunc('hour', received_at, 'UTC'), level, count(*) FROM events GROUP BY 1, 2, 3
             ON CONFLICT DO NOTHING",
    )?;
    step(
        "ranks and names of tags",
        "INSERT INTO issue_ranks (issue_id, project_id, first_seen, status, level, priority, events, users)
             SELECT i.id, i.project_id, i.first_seen, i.status, i.level, i.priority, bugle_magnitude(coalesce(c.events, 0)),
                 bugle_magnitude(coalesce(c.users, 0))
             FROM issues i LEFT JOIN issue_counts c ON c.issue_id = i.id ON CONFLICT DO NOTHING;
         INSERT INTO project_tags (project_id, key, value)
             SELECT project_id, key, value FROM (
                 SELECT t.*, row_number() OVER (PARTITION BY project_id, key ORDER BY value) AS n
                 FROM (SELECT DISTINCT i.project_id, t.key, t.value FROM issue_tags t JOIN issues i ON i.id = t.issue_id) t) t
             WHERE n <= 1000 ON CONFLICT DO NOTHING;
         ALTER TABLE issues ENABLE TRIGGER issues_made;
         ALTER TABLE issue_counts ENABLE TRIGGER issue_counts_made;
         ALTER TABLE issue_tags ENABLE TRIGGER issue_tags_made",
    )
}

/// Invented words of two to four syllables, all different.
fn words() -> Vec<String> {
    let mut random = Random::new();
    let mut met = std::collections::BTreeSet::new();
    let mut words = Vec::with_capacity(WORDS);
    while words.len() < WORDS {
        let syllables = 2 + random.below(3);
        let mut word = String::new();
        for _ in 0..syllables {
            word.push(b"bcdfghjklmnprstvwz"[random.below(18)] as char);
            word.push(b"aeiou"[random.below(5)] as char);
        }
        if met.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}
