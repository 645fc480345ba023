//! `make bench ARGS=search`: lists, searches and pages over a database of the stated size, measured over HTTP.

use super::fill::{self, Filled};
use super::load::{Connection, flat_out, percentile};
use super::measure::Cpu;
use crate::corpus::{self, Random, Target};
use crate::stack::{Bus, Stack};
use crate::{dirs, run};
use anyhow::{Context, Result, bail};
use bugle_devservers::Durability;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Real events whose payloads are used again.
const TEMPLATES: usize = 400;
const WARM_UP: usize = 20;
/// What each search is to stay under, at the 99th percentile.
const AIM_MS: f64 = 20.0;

/// Something that is asked for again and again: each time the paths of one page.
struct Shape {
    name: &'static str,
    paths: Box<dyn Fn(usize) -> Vec<String>>,
}

/// Fills a private PostgreSQL and measures. `--issues N`, `--events N`, `--requests N`; `--quick` for small ones; `--keep` leaves the
/// database in `target/bench/search`, where the next run with `--keep` finds it filled; `--only TEXT` measures what has the text in its
/// name.
pub fn search(arguments: &[String]) -> Result<()> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let keep = arguments.iter().any(|argument| argument == "--keep");
    let number = |name: &str, default: usize| -> Result<usize> {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(Ok(default), |text| Ok(text.parse()?))
    };
    let issues = number("--issues", if quick { 10_000 } else { 100_000 })?;
    let events = number("--events", if quick { 200_000 } else { 5_000_000 })?;
    let requests = number("--requests", if quick { 100 } else { 1_000 })?;
    let only =
        arguments.iter().position(|argument| argument == "--only").and_then(|at| arguments.get(at + 1));
    let only = only.map_or("", String::as_str);
    let binary = run::build()?;
    let name = if keep { "search".to_owned() } else { format!("search-{}", std::process::id()) };
    let folder = dirs::target().join("bench").join(name);
    let address = format!("127.0.0.1:{}", bugle_devservers::free_port()?);
    let mut stack = Stack::start(&binary, &folder, Bus::Embedded, &address, &[super::unlimited()])?;
    let result = fill(&mut stack, issues, events).and_then(|filled| measure(&stack, &filled, requests, only));
    stack.stop()?;
    if !keep {
        std::fs::remove_dir_all(&folder).ok();
    }
    result
}

fn fill(stack: &mut Stack, issues: usize, events: usize) -> Result<Filled> {
    let there = stack.postgres.query("bugle", "SELECT to_regclass('fill_issues') IS NOT NULL")?;
    if there.trim() == "t" {
        let words = stack.postgres.query("bugle", "SELECT word FROM fill_words ORDER BY n")?;
        return Ok(Filled { words: words.lines().map(str::to_owned).collect() });
    }
    // A quarter of a small machine's memory, as PostgreSQL's manual advises; left alone it takes 128 MB. And what it had in memory
    // it reads again after a restart, as docker-compose.yml has it: a run that finds the database filled is no other than the first.
    for setting in ["shared_buffers = '1GB'", "shared_preload_libraries = 'pg_prewarm'"] {
        stack.postgres.query("bugle", &format!("ALTER SYSTEM SET {setting}"))?;
    }
    stack.postgres.stop()?;
    stack.postgres.restart(Durability::Full)?;
    templates(stack)?;
    let start = Instant::now();
    let filled = fill::fill(&stack.postgres, issues, events)?;
    eprintln!("filled in {:.0} s", start.elapsed().as_secs_f64());
    Ok(filled)
}

fn measure(stack: &Stack, filled: &Filled, requests: usize, only: &str) -> Result<()> {
    let token: Value = serde_json::from_str(&stack.bugle(&[
        "token",
        "create",
        &format!("bench{}", std::process::id()),
        "--json",
    ])?)?;
    let token = token["token"].as_str().context("no token")?;
    let counts = stack.postgres.query(
        "bugle",
        "SELECT (SELECT count(*) FROM issues) || ' issues, ' || (SELECT count(*) FROM events) || ' events, '
             || pg_size_pretty(pg_database_size('bugle'))",
    )?;
    println!(
        "{}; {requests} requests each, one after the other, after {WARM_UP} that do not count.\n",
        counts.trim()
    );
    println!("| what | p50 | p99 | processor time | |\n|---|---|---|---|---|");
    let bugle: Vec<u32> = stack.processes.iter().map(|(_, child)| child.id()).collect();
    let cpu = || Cpu::read(&bugle, stack.postgres.pid(), None).total();
    let mut connection = Connection::open(&stack.address)?;
    for shape in shapes(stack, filled)?.into_iter().filter(|shape| shape.name.contains(only)) {
        let mut latencies = Vec::with_capacity(requests);
        let mut used = cpu();
        for round in 0..WARM_UP + requests {
            if round == WARM_UP {
                used = cpu();
            }
            let paths = (shape.paths)(round);
            let begun = Instant::now();
            for path in paths {
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
                    stack.address
                );
                let (status, body) = connection.request(request.as_bytes())?;
                if status != 200 {
                    bail!("{path}: {status} {}", String::from_utf8_lossy(&body));
                }
            }
            if round >= WARM_UP {
                latencies.push(begun.elapsed());
            }
        }
        print_row(shape.name, &mut latencies, (cpu() - used) * 1000.0 / requests as f64);
    }
    Ok(())
}

fn print_row(name: &str, latencies: &mut [Duration], cpu_ms: f64) {
    latencies.sort_unstable();
    let p99 = percentile(latencies, 0.99);
    let note = if p99 > AIM_MS { "over 20 ms" } else { "" };
    println!("| {name} | {:.1} ms | {p99:.1} ms | {cpu_ms:.1} ms | {note} |", percentile(latencies, 0.5));
}

/// Records real events, so that there are payloads, anchors and words to copy.
fn templates(stack: &Stack) -> Result<()> {
    let project: Value = serde_json::from_str(&stack.bugle(&["project", "create", "bench", "--json"])?)?;
    let mut target = Target::from_dsn(project["dsn"].as_str().context("no DSN")?)?;
    target.address.clone_from(&stack.address);
    // The key reaches the door's snapshot within two seconds.
    std::thread::sleep(Duration::from_secs(3));
    let mut random = Random::new();
    let mut requests = Vec::new();
    for name in ["bulk-django", "bulk-browser", "bulk-express"] {
        let templates = corpus::bulk(name)?;
        requests
            .extend((0..TEMPLATES / 3).map(|n| templates[n % templates.len()].prepare(&mut random, &target)));
    }
    let sent = flat_out(&stack.address, &requests, 4)?;
    let begun = Instant::now();
    while super::measure::recorded(&stack.postgres)? < i64::try_from(sent.accepted)? {
        if begun.elapsed() > Duration::from_secs(30) {
            bail!("the events to copy were not recorded within 30 s");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A query as it stands in a path.
fn escaped(query: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'*' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    query.bytes().map(byte).collect()
}

fn lines(stack: &Stack, sql: &str) -> Result<Vec<String>> {
    Ok(stack.postgres.query("bugle", sql)?.lines().map(str::to_owned).collect())
}

/// What is measured, and the query of each turn.
type Question = (&'static str, Box<dyn Fn(usize) -> String>);

fn shapes(stack: &Stack, filled: &Filled) -> Result<Vec<Shape>> {
    let mut shapes: Vec<Shape> = Vec::new();
    let mut page = |name, paths: Box<dyn Fn(usize) -> Vec<String>>| shapes.push(Shape { name, paths });
    page("list: all issues", Box::new(|_| vec!["/api/v1/issues".to_owned()]));
    page(
        "list: with sparklines",
        Box::new(|_| vec!["/api/v1/issues?sparkline=true&query=is:unresolved".to_owned()]),
    );
    for (name, sort) in [
        ("list: by events", "events"),
        ("list: by users", "users"),
        ("list: by first seen", "first_seen"),
        ("list: by priority", "priority"),
    ] {
        page(
            name,
            Box::new(move |n| {
                vec![format!(
                    "/api/v1/issues?sort={sort}&query=is:unresolved&project=fill{}",
                    1 + n % fill::PROJECTS
                )]
            }),
        );
    }
    let deep = lines(
        stack,
        "SELECT translate(rtrim(encode(convert_to('{\"sort\":\"last_seen\",\"key\":' || (extract(epoch FROM active_at) * 1000000)::bigint
             || ',\"id\":' || id || '}', 'UTF8'), 'base64'), '='), E'+/\\n', '-_') FROM issues ORDER BY random() LIMIT 500",
    )?;
    let cursors = deep.clone();
    page(
        "list: deep pages",
        Box::new(move |n| {
            vec![format!("/api/v1/issues?query=is:unresolved&cursor={}", cursors[n % cursors.len()])]
        }),
    );
    let word = {
        let words = filled.words.clone();
        move |n: usize| words[n % words.len()].clone()
    };
    let queries: Vec<Question> = vec![
        ("is:unresolved", Box::new(|_| "is:unresolved".to_owned())),
        ("is:ignored (1 in 200)", Box::new(|_| "is:ignored".to_owned())),
        ("level:fatal (1 in 500)", Box::new(|_| "level:fatal".to_owned())),
        ("level and priority", Box::new(|_| "level:error priority:medium".to_owned())),
        (
            "a rare word",
            Box::new({
                let word = word.clone();
                move |n| word(2_000 + n)
            }),
        ),
        (
            "a common word",
            Box::new({
                let word = word.clone();
                move |n| word(n % 60)
            }),
        ),
        ("a word of one issue", Box::new(|n| format!("r{}", 1 + n * 97 % 9_000))),
        (
            "two common words",
            Box::new({
                let word = word.clone();
                move |n| format!("{} {}", word(n % 60), word(60 + n % 200))
            }),
        ),
        (
            "a phrase",
            Box::new({
                let word = word.clone();
                move |n| format!("\"{} {}\"", word(n % 30), word(n % 7))
            }),
        ),
        (
            "three letters of a word",
            Box::new({
                let word = word.clone();
                move |n| word(n).chars().take(3).collect()
            }),
        ),
        ("release:X", Box::new(|n| format!("release:fill{}@1.2.{}", 1 + n % 20, n % 10))),
        ("release:X.*", Box::new(|n| format!("release:fill{}@1.{}.*", 1 + n % 20, n % 4))),
        ("environment:production", Box::new(|_| "environment:production".to_owned())),
        ("!browser:X, is:unresolved", Box::new(|_| "is:unresolved !browser:\"Chrome 120\"".to_owned())),
        ("!environment:production !has:trace", Box::new(|_| "!environment:production !has:trace".to_owned())),
        ("times_seen:>1000", Box::new(|n| format!("times_seen:>{}", 1_000 + n % 50))),
        ("users:<5, age:-24h", Box::new(|_| "users:<5 age:-24h".to_owned())),
        ("last_seen:+14d", Box::new(|_| "last_seen:+14d".to_owned())),
        ("user.email:X", Box::new(|n| format!("user.email:{}", fill::email(n * 31 % fill::USERS)))),
        ("assigned:X", Box::new(|n| format!("assigned:person{}", n % 200))),
        (
            "two tags, common each, rarely together",
            Box::new(|n| format!("server_name:web-{} plan:plan-{}", n % 25, n * 7 % 25)),
        ),
        (
            "transaction:X, a common word",
            Box::new({
                let word = word.clone();
                move |n| format!("transaction:/page/{} {}", n % 3_000, word(n % 30))
            }),
        ),
        (
            "everything at once",
            Box::new({
                let word = word.clone();
                move |n| {
                    format!(
                        "is:unresolved level:error release:fill{}@1.* environment:production !browser:\"Safari 17\" has:trace times_seen:>10 age:-20d {}",
                        1 + n % 20,
                        word(n % 60)
                    )
                }
            }),
        ),
        (
            "everything at once, and of one user",
            Box::new({
                let word = word.clone();
                move |n| {
                    format!(
                        "is:unresolved assigned:person{} level:error release:fill{}@1.{}.* environment:production user.email:{} has:trace !browser:\"Chrome 120\" age:-24h times_seen:>100 \"{}\"",
                        n % 200,
                        1 + n % 20,
                        n % 4,
                        fill::email(n * 31 % fill::USERS),
                        word(n % 60)
                    )
                }
            }),
        ),
        (
            "everything at once, a rare word",
            Box::new({
                let word = word.clone();
                move |n| {
                    format!(
                        "is:unresolved environment:production !browser:\"Safari 17\" has:trace times_seen:>1 {}",
                        word(1_000 + n)
                    )
                }
            }),
        ),
    ];
    for (name, query) in queries {
        page(name, Box::new(move |n| vec![format!("/api/v1/issues?query={}", escaped(&query(n)))]));
    }
    page(
        "a common word in one project",
        Box::new({
            let word = word.clone();
            move |n| vec![format!("/api/v1/issues?project=fill{}&query={}", 1 + n % 20, word(n % 60))]
        }),
    );
    let traces = lines(
        stack,
        "SELECT translate(trace_id::text, '-', '') FROM events TABLESAMPLE SYSTEM (0.1) WHERE trace_id IS NOT NULL LIMIT 500",
    )?;
    let of_trace = traces.clone();
    page(
        "trace:X",
        Box::new(move |n| vec![format!("/api/v1/issues?query=trace:{}", of_trace[n % of_trace.len()])]),
    );
    page(
        "events of a trace",
        Box::new(move |n| vec![format!("/api/v1/events?trace={}", traces[n % traces.len()])]),
    );
    page(
        "facets of is:unresolved",
        Box::new(|_| vec!["/api/v1/issues/facets?query=is:unresolved".to_owned()]),
    );
    page(
        "completion: values of a tag",
        Box::new(|n| vec![format!("/api/v1/tags/values?key=transaction&prefix=/page/{}", n % 30)]),
    );
    let ids = lines(stack, "SELECT id FROM fill_issues ORDER BY random() LIMIT 500")?;
    let busy = lines(stack, "SELECT issue_id FROM issue_counts ORDER BY events DESC LIMIT 50")?;
    page(
        "page: an issue (issue, last event, tags, trend)",
        Box::new(move |n| {
            let id = &ids[n % ids.len()];
            ["", "/events/last", "/tags", "/stats?period=24h"]
                .iter()
                .map(|part| format!("/api/v1/issues/{id}{part}"))
                .collect()
        }),
    );
    let of_busy = busy.clone();
    page(
        "page: one of the 50 busiest issues",
        Box::new(move |n| {
            let id = &of_busy[n % of_busy.len()];
            ["", "/events/last", "/tags", "/stats?period=24h"]
                .iter()
                .map(|part| format!("/api/v1/issues/{id}{part}"))
                .collect()
        }),
    );
    page(
        "events of a busy issue: a tag that few have",
        Box::new(move |n| vec![format!("/api/v1/issues/{}/events?query=nothing:x", busy[n % busy.len()])]),
    );
    let events = lines(
        stack,
        "SELECT translate(event_id::text, '-', '') FROM events TABLESAMPLE SYSTEM (0.1) LIMIT 500",
    )?;
    page("page: an event", Box::new(move |n| vec![format!("/api/v1/events/{}", events[n % events.len()])]));
    page("page: overview (24 h)", Box::new(|_| vec!["/api/v1/stats".to_owned()]));
    Ok(shapes)
}
