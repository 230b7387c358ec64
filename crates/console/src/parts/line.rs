//! Records as one line each: what happened in a sentence, when, and where the proof is.

use maud::{Markup, html};
use remit_domain::{Actor, Event, Timestamp};

use crate::names::Names;
use crate::parts::pill::Tone;
use crate::parts::sentence::{sentence, tone};
use crate::parts::time::moment;

/// One record, ready to be shown.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) tone: Tone,
    pub(crate) sentence: Markup,
}

impl Line {
    pub(crate) fn of(seq: u64, at: Timestamp, actor: &Actor, event: &Event, names: Names<'_>) -> Self {
        Self { seq, at, tone: tone(event), sentence: sentence(actor, event, names) }
    }
}

/// Records in the order given, newest first.
pub(crate) fn lines(lines: &[Line], now: Timestamp) -> Markup {
    html! {
        @if lines.is_empty() {
            p .quiet { "Nothing yet." }
        } @else {
            ol .lines {
                @for line in lines {
                    li .(line.tone.class()) {
                        span .what { (line.sentence) }
                        span .when { (moment(line.at, now)) }
                        a .seq href={ "/records/" (line.seq) } aria-label={ "record " (line.seq) } { "#" (line.seq) }
                    }
                }
            }
        }
    }
}
