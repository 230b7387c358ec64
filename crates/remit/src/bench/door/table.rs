//! What was measured, for people: on a terminal, or as Markdown for a page.

use comfy_table::{Table, presets};

use super::Results;
use super::calls::{Aim, Calls, Row};
use super::decisions::Decisions;
use super::spread::Spread;

/// Prints all of it.
pub fn print(results: &Results, markdown: bool) {
    println!("{} cpus, load before {}", results.machine.cpus, results.machine.load_before);
    println!(
        "{} runs of {} s each; a figure is the middle one, the least and the greatest stand in brackets",
        results.runs, results.seconds
    );
    if let Some(calls) = &results.calls {
        print_calls(calls, markdown);
    }
    if !results.policies.is_empty() {
        print_policies(&results.policies, markdown);
    }
    if let Some(lists) = &results.lists {
        println!(
            "\n{} callers list {} tools: {} lists/s, p50 {} ms, p99 {} ms, own processor time {:.0} ms each ({:.1} µs for each tool), {:.0} MiB resident",
            lists.callers,
            lists.tools,
            shown(lists.per_second, 1),
            shown(lists.milliseconds.p50, 1),
            shown(lists.milliseconds.p99, 1),
            lists.own_us.median / 1_000.0,
            lists.own_us_each_tool,
            lists.resident_mib,
        );
    }
    for streams in &results.streams {
        let generation = streams.generation.revision();
        match &streams.not_served {
            Some(said) if streams.open == 0 => println!("\nstreams of {generation}: not served ({said})"),
            said => {
                println!(
                    "\n{} idle streams of {generation}: {:.1} KiB each, opened at {:.0}/s, idle processor share {:.1} %",
                    streams.open,
                    streams.kib_each,
                    streams.opened_per_second,
                    streams.idle_processor_share * 100.0
                );
                if let Some(said) = said {
                    println!("  no more than these of {} were served: {said}", streams.wanted);
                }
            }
        }
    }
}

fn print_calls(calls: &Calls, markdown: bool) {
    let mut table = table(
        markdown,
        &["target", "revision", "pace", "p50 ms", "p99 ms", "calls/s", "own µs", "behind µs", "callers µs", "failed"],
    );
    for row in &calls.rows {
        table.add_row([
            row.target.clone(),
            row.generation.revision().to_owned(),
            row.pace.words(),
            shown(row.milliseconds.p50, 2),
            shown(row.milliseconds.p99, 2),
            shown(row.per_second, 0),
            shown(row.own_us, 0),
            format!("{:.0}", row.behind_us.median),
            format!("{:.0}", row.callers_us.median),
            (row.failed + row.unanswered).to_string(),
        ]);
    }
    println!("\n{table}");
    if let Some((row, said)) = calls.rows.iter().find_map(|row: &Row| Some((row, row.failure.as_ref()?))) {
        println!("first failure, of `{}` at {}: {said}", row.target, row.pace.words());
    }
    if let Some(sync) = &calls.sync_ms {
        println!("bare write and sync: p50 {} ms, p99 {} ms", shown(sync.p50, 3), shown(sync.p99, 3));
    }
    for added in &calls.added {
        println!(
            "{} adds {:.2} ms to one call at a time: one sync of {:.2} ms and {:.2} ms more",
            added.generation.revision(),
            added.p50_ms,
            added.sync_ms,
            added.beside_sync_ms,
        );
    }
    for aim in &calls.aims {
        let Aim { what, generation, measured, least, most, met } = aim;
        let bound = least.map(|least| format!("at least {least}")).or(most.map(|most| format!("at most {most:.2}")));
        let met = if *met { "met" } else { "not met" };
        println!("aim, {}: {what}: {measured:.2}, {}: {met}", generation.revision(), bound.unwrap_or_default());
    }
}

fn print_policies(rows: &[Decisions], markdown: bool) {
    let mut table = table(markdown, &["policies", "decision µs", "own µs each call", "p50 ms", "share"]);
    for row in rows {
        table.add_row([
            row.policies.to_string(),
            shown(row.decision_us, 1),
            shown(row.own_us, 0),
            shown(row.p50_ms, 2),
            format!("{:.0} %", row.share * 100.0),
        ]);
    }
    println!("\n{table}");
    for row in rows {
        if let Some(refused) = &row.refused {
            println!("{} policies were wanted, {} are active: {refused}", row.wanted, row.policies);
        }
    }
}

fn table(markdown: bool, head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(if markdown { presets::ASCII_MARKDOWN } else { presets::NOTHING });
    table.set_header(head.iter().copied());
    table
}

fn shown(spread: Spread, decimals: usize) -> String {
    let [min, median, max] = [spread.min, spread.median, spread.max].map(|figure| format!("{figure:.decimals$}"));
    if min == max { median } else { format!("{median} ({min}–{max})") }
}
