//! What was measured, for people.

use comfy_table::{Table, presets};

use super::super::Machine;
use super::Results;
use super::processor::Micros;

/// Prints all of it.
pub fn print(machine: &Machine, results: &Results) {
    println!("{} cpus, load before {}; processor time of one thread", machine.cpus, machine.load_before);
    if !results.decisions.is_empty() {
        let mut table =
            table(&["policies", "plain µs, p50", "p99", "indexed µs, p50", "p99", "plain : indexed", "resident MiB"]);
        for row in &results.decisions {
            let (plain, indexed) = (shown(row.plain), shown(row.indexed));
            let [plain, plain_p99] = plain;
            let [indexed, indexed_p99] = indexed;
            let (ratio, resident) = (format!("{:.1}", row.ratio), format!("{:.0}", row.resident_mib));
            table.add_row([row.policies.to_string(), plain, plain_p99, indexed, indexed_p99, ratio, resident]);
        }
        println!("\none decision, with full diagnostics\n{table}");
    }
    if !results.agents.is_empty() {
        let mut table = table(&["agents", "grants", "decision µs, p50", "p99", "resident MiB"]);
        for row in &results.agents {
            let [p50, p99] = shown(row.decision);
            table.add_row([
                row.agents.to_string(),
                row.grants.to_string(),
                p50,
                p99,
                format!("{:.0}", row.resident_mib),
            ]);
        }
        println!("\none decision under 1,000 policies, with its facts looked up\n{table}");
    }
    if !results.compiling.is_empty() {
        let mut table =
            table(&["policies", "texts", "anew ms", "unchanged ms", "one text ms", "one operation more ms"]);
        for row in &results.compiling {
            let [anew, unchanged, text, operation] =
                [row.anew_ms, row.unchanged_ms, row.one_text_ms, row.one_operation_ms]
                    .map(|millis| format!("{millis:.1}"));
            table.add_row([row.policies.to_string(), row.texts.to_string(), anew, unchanged, text, operation]);
        }
        println!("\ncompiling, 1,000 operations\n{table}");
    }
    if !results.listing.is_empty() {
        let mut table = table(&[
            "operations",
            "schema ms",
            "reach µs, p50",
            "p99",
            "with condition µs, p50",
            "p99",
            "shown / conditional / hidden",
        ]);
        for row in &results.listing {
            let [reach, reach_p99] = shown(row.reach);
            let [outlook, outlook_p99] = shown(row.outlook);
            let lists = format!("{} / {} / {}", row.shown, row.conditional, row.hidden);
            let (operations, schema) = (row.operations.to_string(), format!("{:.1}", row.schema_ms));
            table.add_row([operations, schema, reach, reach_p99, outlook, outlook_p99, lists]);
        }
        println!("\nwhether one operation can be called, 1,000 policies\n{table}");
    }
}

fn shown(micros: Micros) -> [String; 2] {
    [micros.p50, micros.p99].map(|figure| format!("{figure:.1}"))
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(header.iter().copied());
    table
}
