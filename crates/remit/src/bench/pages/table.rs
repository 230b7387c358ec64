//! What was measured, for people.

use comfy_table::{Table, presets};

use super::Results;
use super::live::Live;
use super::look::Looked;
use crate::bench::identity::quantiles::Quantiles;

/// Prints all of it.
pub fn print(results: &Results, markdown: bool) {
    println!("{} cpus, load before {}", results.machine.cpus, results.machine.load_before);
    println!(
        "{} agents, {} records; {} live tasks, {} waiting questions",
        results.agents, results.records, results.live_tasks, results.waiting
    );
    if let Some(made) = &results.made {
        println!(
            "made in {:.0} s ({:.0} records/s); verified in {:.1} s",
            made.seconds, made.per_second, made.verified_seconds
        );
    }
    println!(
        "start {:.2} s, then {:.0} MiB resident; {:.0} MiB after all of the below, in one process with the visitor",
        results.start_seconds, results.resident_mib, results.resident_after_mib
    );
    println!("\n{}", table(&results.pages, markdown));
    let told = |compressed: bool| if compressed { "compressed" } else { "not compressed" };
    let assets = &results.assets;
    println!("pages are {}", told(assets.pages_compressed));
    println!("files beside the first page: {:.1} KiB, {}", assets.kib, told(assets.compressed));
    println!(
        "\nwhile {:.0} calls are made each second:\n{}",
        results.busy.calls_per_second,
        table(&results.busy.pages, markdown)
    );
    live("a question is on an open page", &results.live);
    live("the same while calls are made", &results.busy.live);
}

fn live(what: &str, live: &Live) {
    println!(
        "{what}: {} ms (p50 / p99 / most of {}), recorded after {}",
        shown(&live.visible_ms),
        live.questions,
        shown(&live.recorded_ms)
    );
}

fn table(rows: &[Looked], markdown: bool) -> Table {
    let mut table = Table::new();
    table.load_style(if markdown { presets::ASCII_MARKDOWN } else { presets::UTF8_HORIZONTAL_ONLY });
    table.set_header(["page", "p50 ms", "p99 ms", "max ms", "KiB", "slower than the aim"]);
    for row in rows {
        let beyond = row.lists && row.ms.p99 >= super::AIM_MS;
        table.add_row([
            row.what.to_owned(),
            format!("{:.1}", row.ms.p50),
            format!("{:.1}", row.ms.p99),
            format!("{:.1}", row.ms.max),
            format!("{:.1}", row.kib),
            match (row.status, beyond) {
                (200, false) => String::new(),
                (200, true) => "yes".to_owned(),
                (status, _) => format!("answers {status}"),
            },
        ]);
    }
    table
}

fn shown(of: &Quantiles) -> String {
    format!("{:.1} / {:.1} / {:.1}", of.p50, of.p99, of.max)
}
