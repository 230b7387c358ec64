//! What was measured, for people.

use comfy_table::{Table, presets};

use super::Results;
use super::issuing::{Bare, Issuing};
use super::quantiles::Quantiles;
use super::revocations::Revocations;

/// Prints all of it.
pub fn print(results: &Results) {
    println!("{} cpus, load before {}", results.machine.cpus, results.machine.load_before);
    if let Some(issuing) = &results.issuing {
        print_issuing(issuing);
    }
    if let Some(checks) = &results.checks {
        let mut table = table(&["check, one thread", "µs each"]);
        for (what, micros) in [
            ("task token, not seen before", checks.token_us),
            ("task token, checked a moment ago", checks.token_known_us),
            ("proof of possession (DPoP)", checks.proof_us),
            ("X.509-SVID against the realm's bundle", checks.x509_us),
            ("JWT-SVID against the realm's bundle", checks.jwt_svid_us),
        ] {
            table.add_row([what.to_owned(), format!("{micros:.1}")]);
        }
        println!("\n{table}");
    }
    if let Some(first) = &results.first_svid {
        println!(
            "\nfirst SVID of a new run over the socket, ms: {}, {} runs; the very first one {:.1}",
            shown(&first.milliseconds),
            first.runs,
            first.cold_ms
        );
    }
    if let Some(revocations) = &results.revocations {
        print_revocations(revocations);
    }
    if let Some(cascade) = &results.cascade {
        println!(
            "\n{} tokens of {} tasks (made at {:.0} tokens/s) ended by one suspension: durable after {:.0} ms, {} tasks ended in its commit",
            cascade.tokens, cascade.tasks, cascade.made_per_second, cascade.suspended_ms, cascade.ended
        );
        println!(
            "afterwards: {} tasks alive, {} of {} calls accepted, {} of {} tokens active",
            cascade.still_alive, cascade.accepted_after, cascade.tried, cascade.active, cascade.asked
        );
    }
}

fn print_issuing(issuing: &Issuing) {
    let mut bare = table(&["bare", "one thread /s", "two threads /s"]);
    let row = |what: &str, bare: Bare| {
        [what.to_owned(), format!("{:.0}", bare.one_thread_per_second), format!("{:.0}", bare.two_threads_per_second)]
    };
    bare.add_row(row("P-256 signatures", issuing.signatures));
    bare.add_row(row("X.509-SVIDs", issuing.x509));
    bare.add_row(row("JWT-SVIDs", issuing.jwt));
    println!("\n{bare}");
    let mut table = table(&[
        "callers",
        "task tokens /s",
        "p99 ms",
        "to signing, one thread",
        "two threads",
        "X.509-SVIDs /s",
        "p99 ms",
        "JWT-SVIDs /s",
        "p99 ms",
    ]);
    for row in &issuing.rows {
        table.add_row([
            row.callers.to_string(),
            format!("{:.0}", row.tokens.per_second),
            format!("{:.2}", row.tokens.p99_ms),
            format!("{:.2}", row.tokens_to_one_thread),
            format!("{:.2}", row.tokens_to_two_threads),
            format!("{:.0}", row.x509.per_second),
            format!("{:.2}", row.x509.p99_ms),
            format!("{:.0}", row.jwt.per_second),
            format!("{:.2}", row.jwt.p99_ms),
        ]);
    }
    println!("{table}");
}

fn print_revocations(revocations: &Revocations) {
    println!("\nrevocations under {} callers; ms from asking for it: p50 / p99 / most", revocations.callers);
    let mut table = table(&[
        "what",
        "times",
        "it is durable",
        "last accepted call is recorded",
        "last accepted call is answered",
        "accepted before",
        "accepted after",
    ]);
    for row in &revocations.rows {
        table.add_row([
            row.what.to_owned(),
            row.revocations.to_string(),
            shown(&row.durable_ms),
            shown(&row.last_record_ms),
            shown(&row.last_answer_ms),
            row.accepted.to_string(),
            row.accepted_after.to_string(),
        ]);
    }
    println!("{table}");
}

fn shown(of: &Quantiles) -> String {
    format!("{:.2} / {:.2} / {:.2}", of.p50, of.p99, of.max)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(header.iter().copied());
    table
}
